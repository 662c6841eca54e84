use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{OfficeSeal, TokenKey};
use crate::disclosure::PseudonymKey;
use crate::line::RegistrySeal;
use crate::partner::{Environment, PartnerId, ResultAddressId};
use crate::store::{ChainKey, DayKeySeal, SubjectHasher};

/// The operator's root key: 256 random bits, kept apart from the data. Everything else is derived.
pub struct RootKey(Zeroizing<[u8; 32]>);

impl RootKey {
    /// Takes over the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(…)")
    }
}

/// Derives each key of an installation from the root key by HKDF-SHA-256 (RFC 5869), one label each,
/// so that no key tells anything about another.
pub struct KeyTree(RootKey);

impl KeyTree {
    /// The tree below `root`.
    pub fn new(root: RootKey) -> Self {
        Self(root)
    }

    /// The key that tokens are signed with.
    pub fn token(&self) -> TokenKey {
        TokenKey::new(&self.derive("laini/token/v1"))
    }

    /// The seal of what the registry keeps of subscribers.
    pub fn registry_seal(&self) -> RegistrySeal {
        RegistrySeal::new(&self.derive("laini/imsi-seal/v1"))
    }

    /// The key of the ledger's hash chain.
    pub fn chain(&self) -> ChainKey {
        ChainKey::new(&self.derive("laini/ledger-chain/v1"))
    }

    /// The seal of the keys of days, where they lie beside the data.
    pub fn day_keys(&self) -> DayKeySeal {
        DayKeySeal::new(&self.derive("laini/day-key-seal/v1"))
    }

    /// The seal of what records of the office must not show.
    pub fn office_seal(&self) -> OfficeSeal {
        OfficeSeal::new(&self.derive("laini/office-seal/v1"))
    }

    /// Tells this tree from that of another root key, and nothing about either.
    pub fn fingerprint(&self) -> [u8; 32] {
        *self.derive("laini/fingerprint/v1")
    }

    /// The key under which numbers and request ids are hashed in the ledger's side tables.
    pub fn subject(&self) -> SubjectHasher {
        SubjectHasher::new(&self.derive("laini/ledger-subject/v1"))
    }

    /// The key of the pseudonyms that a partner sees (the partner is the pseudonym scope until
    /// agreements name others).
    pub fn pseudonym(&self, environment: Environment, scope: PartnerId) -> PseudonymKey {
        let label = format!("laini/pseudonym/v1/{}/{scope}", environment.word());
        PseudonymKey::new(&self.derive(&label))
    }

    /// The secret that signs deliveries to a result address, in one of its generations.
    pub fn delivery(&self, address: ResultAddressId, generation: u32) -> Zeroizing<[u8; 32]> {
        self.derive(&format!("laini/delivery/v1/{address}/{generation}"))
    }

    fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        // Expanding to one hash length cannot fail (RFC 5869 allows 255).
        let _ = Hkdf::<Sha256>::new(None, &*self.0.0).expand(label.as_bytes(), &mut *key);
        key
    }
}

impl fmt::Debug for KeyTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyTree(…)")
    }
}
