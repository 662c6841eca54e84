use std::fmt;

use jiff::civil::Date;
use zeroize::Zeroizing;

use super::DayKey;
use crate::synthetic::SyntheticSeal;

/// Seals the keys of days for an engine that keeps them beside the data, so that several nodes have the
/// same ones: what lies there opens only with a key that does not.
#[derive(Clone)]
pub struct DayKeySeal(SyntheticSeal);

impl DayKeySeal {
    /// A seal under a 256-bit key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(SyntheticSeal::new(key, b"laini/day-key-nonce/v1"))
    }

    /// Seals 256 random bits to their day.
    pub fn seal(&self, day: Date, bytes: &[u8; 32]) -> Vec<u8> {
        self.0.seal(&context(day), bytes)
    }

    /// Opens what [`DayKeySeal::seal`] made for the same day; `None` for anything else.
    pub fn open(&self, day: Date, sealed: &[u8]) -> Option<DayKey> {
        Some(DayKey::new(&*self.open_bytes(day, sealed)?))
    }

    /// The 256 bits that [`DayKeySeal::seal`] was given, for keys that move to another engine.
    pub fn open_bytes(&self, day: Date, sealed: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let opened = Zeroizing::new(self.0.open(&context(day), sealed)?);
        let mut bytes = Zeroizing::new([0; 32]);
        if opened.len() != bytes.len() {
            return None;
        }
        bytes.copy_from_slice(&opened);
        Some(bytes)
    }
}

fn context(day: Date) -> [u8; 4] {
    let [year_0, year_1] = day.year().to_be_bytes();
    [year_0, year_1, day.month().cast_unsigned(), day.day().cast_unsigned()]
}

impl fmt::Debug for DayKeySeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DayKeySeal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{AnswerKey, BodyOwner};
    use jiff::civil::date;

    #[test]
    fn a_day_key_opens_for_its_day_alone_and_is_the_same_key() {
        let seal = DayKeySeal::new(&[1; 32]);
        let sealed = seal.seal(date(2026, 11, 22), &[2; 32]);
        assert!(!sealed.windows(8).any(|part| part == [2; 8]));
        let owner = BodyOwner::Answer(AnswerKey([3; 16]));
        let body = DayKey::new(&[2; 32]).seal_body(owner, b"a body");
        let opened = seal.open(date(2026, 11, 22), &sealed).unwrap();
        assert_eq!(opened.open_body(owner, &body).as_deref(), Ok(&b"a body"[..]));
        assert!(seal.open(date(2026, 11, 23), &sealed).is_none());
        assert!(DayKeySeal::new(&[9; 32]).open(date(2026, 11, 22), &sealed).is_none());
    }
}
