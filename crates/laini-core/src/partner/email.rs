use std::borrow::Cow;
use std::fmt;

/// An e-mail address as people sign in by it: in small letters, 3 to 254 characters of ASCII. It is personal, so it
/// has no `Display` and a `Debug` that shows nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(Box<str>);

/// A text that is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an e-mail address such as a.person@bank.example")]
pub struct EmailError;

impl EmailAddress {
    const LEN_MAX: usize = 254;
    const LOCAL_LEN_MAX: usize = 64;
    const LABEL_LEN_MAX: usize = 63;

    /// Reads an address; capitals become small letters. Quoted local parts and addresses in brackets are refused:
    /// nobody has one, and they carry what a header must not hold.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim().to_ascii_lowercase();
        let (local, domain) = text.split_once('@').ok_or(EmailError)?;
        let is_atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        let is_local = local.len() <= Self::LOCAL_LEN_MAX
            && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom));
        let is_label = |label: &str| {
            (1..=Self::LABEL_LEN_MAX).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let fits = text.len() <= Self::LEN_MAX && is_local && domain.split('.').all(is_label);
        fits.then(|| Self(text.into())).ok_or(EmailError)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

impl serde::Serialize for EmailAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for EmailAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_read_in_small_letters_and_shows_nothing() {
        let address = EmailAddress::parse(" A.Person+laini@Bank.Example ").unwrap();
        assert_eq!(address.as_str(), "a.person+laini@bank.example");
        assert_eq!(format!("{address:?}"), "EmailAddress(…)");
        let (long_local, long_label) = ("a".repeat(65), "b".repeat(64));
        let wrong = [
            "",
            "a",
            "@b",
            "a@",
            "a@@b",
            "a@b@c",
            "a b@c",
            "a@b..c",
            ".a@b",
            "a.@b",
            "a@-b",
            "a@b-",
            "\"a\"@b",
            "a@[1.2.3.4]",
            "a@b\r\nBcc: c@d",
            "a\n@b",
            "a,c@b",
            "a<c>@b",
            "é@b",
            &format!("{long_local}@b"),
            &format!("a@{long_label}"),
        ];
        for text in wrong {
            assert_eq!(EmailAddress::parse(text), Err(EmailError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again_as_the_same_and_fits_a_header(text in "[ -~\\r\\n]{0,40}@[ -~]{0,40}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address.clone()));
                prop_assert!(address.as_str().bytes().all(|b| b.is_ascii_graphic() && !b"<>,;:\"()[]\\".contains(&b)));
            }
        }
    }
}
