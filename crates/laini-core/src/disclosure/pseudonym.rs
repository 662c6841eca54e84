use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::line::{HashedImsi, Imsi, Sim};
use crate::mac::keyed;

/// The hashed IMSI as one partner sees it: 16 decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pseudonym(u64);

impl Pseudonym {
    /// The 16 digits.
    pub fn digits(self) -> String {
        format!("{:016}", self.0)
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonym(redacted)")
    }
}

/// Makes the pseudonyms of one scope in one environment (contract §3; test vectors in
/// `docs/guide/pseudonym.md`).
#[derive(Clone)]
pub struct PseudonymKey(Hmac<Sha256>);

/// 10¹⁶, the number of pseudonyms.
const SPACE: u64 = 10_000_000_000_000_000;
/// Below this, every remainder is equally likely.
const FAIR: u64 = u64::MAX / SPACE * SPACE;

impl PseudonymKey {
    /// A key of 256 bits, derived per environment and scope.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(keyed(key))
    }

    /// HMAC-SHA-256 over the 15 ASCII digits and a round byte, counted from 0; its four big-endian
    /// 64-bit words are tried in turn, and the first below the largest multiple of 10¹⁶ is reduced.
    pub fn of(&self, imsi: Imsi) -> Pseudonym {
        self.of_parts(&[&imsi.ascii()])
    }

    /// The same over `hashed:` and the operator's own hash, for a SIM whose IMSI is not known. A digit
    /// never begins like that, so the pseudonyms of hashes and of IMSIs have nothing in common.
    pub fn of_hashed(&self, hashed: &HashedImsi) -> Pseudonym {
        self.of_parts(&[b"hashed:", hashed.as_str().as_bytes()])
    }

    /// The pseudonym of a SIM by whatever names it.
    pub fn of_sim(&self, sim: &Sim) -> Pseudonym {
        match sim {
            Sim::Imsi(imsi) => self.of(*imsi),
            Sim::Hashed(hashed) => self.of_hashed(hashed),
        }
    }

    fn of_parts(&self, parts: &[&[u8]]) -> Pseudonym {
        let mut round = 0u8;
        loop {
            let mut mac = self.0.clone();
            for part in parts {
                mac.update(part);
            }
            mac.update(&[round]);
            let bytes = mac.finalize().into_bytes();
            let words =
                bytes.chunks_exact(8).map(|word| word.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)));
            if let Some(word) = words.into_iter().find(|word| *word < FAIR) {
                return Pseudonym(word % SPACE);
            }
            // Four words in a row above the limit: once in 10¹³.
            round = round.wrapping_add(1);
        }
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{KeyTree, RootKey};
    use crate::partner::{Environment, PartnerId};
    use std::collections::HashSet;

    fn imsi(n: u64) -> Imsi {
        Imsi::from_stored(639_020_000_000_000 + n).unwrap()
    }

    #[test]
    fn one_sim_one_pseudonym_per_scope_and_environment() {
        let keys = KeyTree::new(RootKey::new([1; 32]));
        let (a, b) = (PartnerId::from_stored(1), PartnerId::from_stored(2));
        let live = keys.pseudonym(Environment::Production, a);
        assert_eq!(live.of(imsi(1)), keys.pseudonym(Environment::Production, a).of(imsi(1)));
        assert_ne!(live.of(imsi(1)), live.of(imsi(2)));
        assert_ne!(live.of(imsi(1)), keys.pseudonym(Environment::Production, b).of(imsi(1)));
        assert_ne!(live.of(imsi(1)), keys.pseudonym(Environment::Sandbox, a).of(imsi(1)));
        assert_eq!(live.of(imsi(1)).digits().len(), 16);
    }

    /// The published vectors (docs/guide/pseudonym.md), computed by an independent implementation.
    #[test]
    fn the_published_vectors_hold() {
        let root: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let keys = KeyTree::new(RootKey::new(root));
        let table = [
            (Environment::Production, 1, "639021860913909", "4181203029720049"),
            (Environment::Production, 1, "001010000000001", "6438837319264212"),
            (Environment::Production, u64::MAX >> 1, "639021860913909", "9999753480640159"),
            (Environment::Sandbox, 1, "639021860913909", "1121923697284413"),
            // The first word is above the limit, so the second one counts.
            (Environment::Production, 1, "639020000000341", "9580693426292348"),
        ];
        for (environment, scope, imsi, digits) in table {
            let key = keys.pseudonym(environment, PartnerId::from_stored(scope));
            assert_eq!(key.of(Imsi::parse(imsi).unwrap()).digits(), digits, "{environment:?} {scope} {imsi}");
        }
    }

    #[test]
    fn the_published_vector_of_a_hash_holds() {
        let root: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let key = KeyTree::new(RootKey::new(root)).pseudonym(Environment::Production, PartnerId::from_stored(1));
        let hashed = HashedImsi::parse("4213215110021315").unwrap();
        assert_eq!(key.of_hashed(&hashed).digits(), "1135052665757948");
    }

    #[test]
    fn a_hash_has_a_pseudonym_of_its_own_per_scope() {
        let keys = KeyTree::new(RootKey::new([1; 32]));
        let [a, b] = [1, 2].map(|n| keys.pseudonym(Environment::Production, PartnerId::from_stored(n)));
        let digits = "639020000000001";
        let (hashed, other) = (HashedImsi::parse(digits).unwrap(), HashedImsi::parse("4213215110021315").unwrap());
        assert_eq!(a.of_sim(&Sim::Hashed(hashed.clone())), a.of_hashed(&hashed));
        assert_ne!(a.of_hashed(&hashed), a.of_hashed(&other));
        assert_ne!(a.of_hashed(&hashed), b.of_hashed(&hashed));
        assert_ne!(a.of_hashed(&hashed), a.of(Imsi::parse(digits).unwrap()));
    }

    #[test]
    fn digits_are_spread_evenly() {
        let key = PseudonymKey::new(&[9; 32]);
        let mut counts = [0u32; 10];
        let mut seen = HashSet::new();
        for n in 0..100_000 {
            let pseudonym = key.of(imsi(n));
            assert!(seen.insert(pseudonym));
            for digit in pseudonym.digits().bytes() {
                counts[usize::from(digit - b'0')] += 1;
            }
        }
        // 160,000 expected each, standard deviation 380.
        assert!(counts.iter().all(|count| count.abs_diff(160_000) < 2_000), "{counts:?}");
    }
}
