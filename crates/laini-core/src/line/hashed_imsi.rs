use std::fmt;

/// A hashed IMSI that the operator's back end computed itself (feed column `hashed_imsi`), passed
/// through to partners whose agreement says so. 1 to 64 ASCII letters and digits.
#[derive(Clone, PartialEq, Eq)]
pub struct HashedImsi(Box<str>);

/// A text that is not 1 to 64 ASCII letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hashed IMSI has 1 to 64 letters and digits")]
pub struct HashedImsiError;

impl HashedImsi {
    /// Reads 1 to 64 ASCII letters and digits.
    pub fn parse(text: &str) -> Result<Self, HashedImsiError> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self(text.into())).ok_or(HashedImsiError)
    }

    /// The text as answers carry it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HashedImsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedImsi(redacted)")
    }
}
