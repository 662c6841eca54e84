use std::fmt;

/// A PIN of the Kenya Revenue Authority: a letter, nine digits, a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KraPin(Box<str>);

/// A text that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a KRA PIN is a letter, nine digits and a letter, e.g. P051234567Z")]
pub struct KraPinError;

impl KraPin {
    /// Reads one; small letters become capitals, spaces around it go.
    pub fn parse(text: &str) -> Result<Self, KraPinError> {
        let text = text.trim().to_ascii_uppercase();
        let bytes = text.as_bytes();
        let fits = bytes.len() == 11
            && bytes[0].is_ascii_uppercase()
            && bytes[10].is_ascii_uppercase()
            && bytes[1..10].iter().all(u8::is_ascii_digit);
        fits.then(|| Self(text.into())).ok_or(KraPinError)
    }

    /// The eleven characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KraPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_nine_digits_and_a_letter() {
        for text in ["P051234567Z", " p051234567z ", "A000000000A"] {
            assert!(KraPin::parse(text).is_ok(), "{text}");
        }
        assert_eq!(KraPin::parse("p051234567z").unwrap().as_str(), "P051234567Z");
        for text in ["", "P05123456Z", "P0512345678Z", "5051234567Z", "P051234567", "P05123456٧Z", "P051 34567Z"] {
            assert_eq!(KraPin::parse(text), Err(KraPinError), "{text}");
        }
    }
}
