use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::mac::keyed;
use crate::store::{RecordId, RecordKind};
use crate::synthetic::SyntheticSeal;

/// Seals what a record of the office must not show to whoever reads the store: secrets of second factors, letters
/// that wait. What is sealed to one record opens in no other.
#[derive(Clone)]
pub struct OfficeSeal {
    seal: SyntheticSeal,
    names: Hmac<Sha256>,
}

impl OfficeSeal {
    /// A seal under a 256-bit key.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut names = keyed(key);
        names.update(b"laini/office-names/v1");
        let names: [u8; 32] = names.finalize().into_bytes().into();
        Self { seal: SyntheticSeal::new(key, b"laini/office-nonce/v1"), names: keyed(&names) }
    }

    /// Seals bytes to a record.
    pub fn seal(&self, of: (RecordKind, RecordId), bytes: &[u8]) -> Vec<u8> {
        self.seal.seal(&context(of), bytes)
    }

    /// Opens what [`OfficeSeal::seal`] made for the same record; `None` for anything else.
    pub fn open(&self, of: (RecordKind, RecordId), sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.seal.open(&context(of), sealed).map(Zeroizing::new)
    }

    /// A keyed hash: whoever reads it without the key cannot try out what it may be of.
    pub fn hash(&self, of: &[u8]) -> [u8; 32] {
        let mut mac = self.names.clone();
        mac.update(&0_u64.to_be_bytes());
        mac.update(of);
        mac.finalize().into_bytes().into()
    }

    /// The id of a record that is kept about something personal without naming it: a keyed hash of `parts`, which
    /// nobody can guess back without the key.
    pub fn id_of(&self, kind: RecordKind, parts: &[&str]) -> RecordId {
        let mut mac = self.names.clone();
        for part in [kind.0].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        RecordId(u64::from_be_bytes(*hash.first_chunk().unwrap_or(&[0; 8])) >> 1)
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

    #[test]
    fn an_id_is_the_same_for_the_same_parts_alone() {
        let (seal, kind) = (OfficeSeal::new(&[1; 32]), RecordKind("attempts"));
        let id = seal.id_of(kind, &["ab", "c"]);
        assert_eq!(id, seal.id_of(kind, &["ab", "c"]));
        assert_ne!(id, seal.id_of(kind, &["a", "bc"]));
        assert_ne!(id, seal.id_of(RecordKind("other"), &["ab", "c"]));
        assert_ne!(id, OfficeSeal::new(&[2; 32]).id_of(kind, &["ab", "c"]));
        assert_eq!(id.0 >> 63, 0);
    }
}
