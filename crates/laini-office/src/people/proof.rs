use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;
use laini_core::access::{SecretHash, TotpSecret, normal_recovery_code};
use laini_core::partner::PersonId;
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::PasswordHash;
use crate::{Kept, Office};

/// How somebody proves who they are. There is one as soon as they have come in once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Whose.
    pub person: PersonId,
    /// Their password; `None` = they come in by another door.
    #[serde(default)]
    pub password: Option<PasswordHash>,
    /// As whom the identity provider knows them, hashed with its name; `None` = they have not come in by it.
    #[serde(default)]
    pub(super) subject: Option<[u8; 32]>,
    /// Their second factor, where they have one.
    #[serde(default)]
    pub factor: Option<SecondFactor>,
    /// One that waits for its first code.
    #[serde(default)]
    pub(super) begun: Option<SealedSecret>,
    /// SHA-256 of the recovery codes that are left.
    #[serde(default)]
    pub(super) recovery: Vec<[u8; 32]>,
    /// When they signed in last.
    #[serde(default)]
    pub(super) signed_in: Option<Timestamp>,
}

/// A second factor that has shown a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    pub(super) secret: SealedSecret,
    /// The step of the last code that was taken.
    pub(super) used: i64,
    /// Since when.
    pub since: Timestamp,
}

/// A secret under the office's seal, in Base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SealedSecret(String);

impl SealedSecret {
    pub(super) fn seal(office: &Office, person: PersonId, secret: &TotpSecret) -> Self {
        let sealed = office.keys.office_seal().seal((Proof::KIND, person.into()), secret.reveal());
        Self(STANDARD_NO_PAD.encode(sealed))
    }

    pub(super) fn open(&self, office: &Office, person: PersonId) -> Option<TotpSecret> {
        let sealed = STANDARD_NO_PAD.decode(&self.0).ok()?;
        let opened = office.keys.office_seal().open((Proof::KIND, person.into()), &sealed)?;
        Some(TotpSecret::new(opened.as_slice().try_into().ok()?))
    }
}

impl Proof {
    pub(super) fn none(person: PersonId) -> Self {
        Self { person, password: None, subject: None, factor: None, begun: None, recovery: Vec::new(), signed_in: None }
    }

    /// Takes a code of the second factor, once.
    pub(super) fn takes_code(&mut self, office: &Office, code: &str, at: Timestamp) -> bool {
        let Some(factor) = &mut self.factor else { return false };
        let step =
            factor.secret.open(office, self.person).and_then(|secret| secret.step_of(code, at, Some(factor.used)));
        factor.used = step.unwrap_or(factor.used);
        step.is_some()
    }

    /// Takes a recovery code, once.
    pub(super) fn takes_recovery_code(&mut self, code: &str) -> bool {
        let hash = self.recovery_hash(code);
        let found = self.recovery.iter().position(|left| SecretHash(*left) == SecretHash(hash));
        found.map(|place| self.recovery.remove(place)).is_some()
    }

    /// What is kept of a recovery code: 80 random bits, so a plain hash is enough; another one for each person.
    pub(super) fn recovery_hash(&self, code: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.person.as_u64().to_be_bytes());
        hash.update(normal_recovery_code(code).as_bytes());
        hash.finalize().into()
    }
}

impl Kept for Proof {
    const KIND: RecordKind = RecordKind("proof");
    const NOUN: &'static str = "password";

    fn id(&self) -> RecordId {
        self.person.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}
