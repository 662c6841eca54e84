use std::fmt;

use zeroize::Zeroizing;

/// A text about a subscriber (a pseudonym, a body with a phone number). It does not show itself in
/// `Debug` and is wiped from memory on drop: writing it out is always a decision.
#[derive(Clone, PartialEq, Eq)]
pub struct Private(Zeroizing<String>);

impl Private {
    pub(crate) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(…)")
    }
}
