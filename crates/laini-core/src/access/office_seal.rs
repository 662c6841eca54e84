use std::fmt;

use zeroize::Zeroizing;

use crate::store::{RecordId, RecordKind};
use crate::synthetic::SyntheticSeal;

/// Seals what a record of the office must not show to whoever reads the store: secrets of second factors, letters
/// that wait. What is sealed to one record opens in no other.
#[derive(Clone)]
pub struct OfficeSeal(SyntheticSeal);

impl OfficeSeal {
    /// A seal under a 256-bit key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(SyntheticSeal::new(key, b"laini/office-nonce/v1"))
    }

    /// Seals bytes to a record.
    pub fn seal(&self, of: (RecordKind, RecordId), bytes: &[u8]) -> Vec<u8> {
        self.0.seal(&context(of), bytes)
    }

    /// Opens what [`OfficeSeal::seal`] made for the same record; `None` for anything else.
    pub fn open(&self, of: (RecordKind, RecordId), sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.0.open(&context(of), sealed).map(Zeroizing::new)
    }
}

/// The id has a length of its own, so no two records have the same context.
fn context((kind, id): (RecordKind, RecordId)) -> Vec<u8> {
    [kind.0.as_bytes(), &id.0.to_be_bytes()].concat()
}

impl fmt::Debug for OfficeSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfficeSeal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_to_a_record_opens_in_no_other_and_under_no_other_key() {
        let seal = OfficeSeal::new(&[1; 32]);
        let of = (RecordKind("person"), RecordId(7));
        let sealed = seal.seal(of, b"a secret text");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(seal.open(of, &sealed).as_deref().map(Vec::as_slice), Some(&b"a secret text"[..]));
        assert!(seal.open((RecordKind("person"), RecordId(8)), &sealed).is_none());
        assert!(seal.open((RecordKind("letter"), RecordId(7)), &sealed).is_none());
        assert!(OfficeSeal::new(&[2; 32]).open(of, &sealed).is_none());
        assert!(seal.open(of, &sealed[..11]).is_none());
    }
}
