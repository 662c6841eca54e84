use std::fmt;

/// The 15-digit identity of a SIM. Redacts itself in `Debug`, has no `Display`, and leaves the
/// process only as a pseudonym or sealed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Imsi(u64);

/// A text that is not 15 decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an IMSI has exactly 15 digits")]
pub struct ImsiError;

const LIMIT: u64 = 1_000_000_000_000_000;

impl Imsi {
    /// Reads exactly 15 ASCII digits.
    pub fn parse(text: &str) -> Result<Self, ImsiError> {
        if text.len() != 15 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ImsiError);
        }
        text.parse().map(Self).map_err(|_| ImsiError)
    }

    /// The IMSI as an integer below 10¹⁵.
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// An IMSI that an engine stored earlier; `None` from 10¹⁵ on.
    pub fn from_stored(value: u64) -> Option<Self> {
        (value < LIMIT).then_some(Self(value))
    }

    /// The IMSI of a made-up SIM: the last 15 digits of any integer.
    pub(crate) fn made_up(value: u64) -> Self {
        Self(value % LIMIT)
    }

    /// The 15 ASCII digits, the form that pseudonyms are computed over.
    pub fn ascii(self) -> [u8; 15] {
        let mut digits = [b'0'; 15];
        let mut rest = self.0;
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        digits
    }
}

impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Imsi(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_fifteen_digits_are_an_imsi() {
        assert_eq!(Imsi::parse("639021860913909").map(Imsi::ascii), Ok(*b"639021860913909"));
        assert_eq!(Imsi::parse("001010000000001").map(Imsi::ascii), Ok(*b"001010000000001"));
        for bad in ["", "63902", "63902186091390A", "6390218609139090", " 63902186091390", "+3902186091390"] {
            assert_eq!(Imsi::parse(bad), Err(ImsiError), "{bad:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]
        #[test]
        fn any_text_is_an_imsi_or_an_error(text in "\\PC{0,20}|[0-9]{13,17}") {
            if let Ok(imsi) = Imsi::parse(&text) {
                let digits = imsi.ascii();
                prop_assert_eq!(digits.as_slice(), text.as_bytes());
            }
        }
    }
}
