use jiff::Timestamp;
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Kept, key};

/// What a write under an idempotency key was answered; saved with what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    id: u64,
    /// SHA-256 of the request.
    pub request: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// The status.
    pub status: u16,
    /// The answer; `None` where it showed something once.
    pub answer: Option<String>,
}

impl Replay {
    /// The id under which a caller's key is kept.
    pub fn id_of(caller: &str, operation: &str, idempotency_key: &str) -> RecordId {
        let mut hash = Sha256::new();
        for part in [caller, operation, idempotency_key] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        RecordId(u64::from_be_bytes(*digest.first_chunk().unwrap_or(&[0; 8])) >> 1)
    }

    /// What is kept under it.
    pub fn new(id: RecordId, request: [u8; 32], at: Timestamp, status: u16, answer: Option<String>) -> Self {
        Self { id: id.0, request, at, status, answer }
    }
}

impl Kept for Replay {
    const KIND: RecordKind = RecordKind("replay");
    const NOUN: &'static str = "stored answer";

    fn id(&self) -> RecordId {
        RecordId(self.id)
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("at", "all", self.at.as_second())]
    }
}
