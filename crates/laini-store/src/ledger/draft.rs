use laini_core::store::{DayKey, Draft, Mac};

/// A check with its side row sealed, which is done on the caller's thread: a writer is one for many.
#[derive(Debug)]
pub struct SealedDraft {
    /// The check.
    pub draft: Draft,
    /// Its number, facts and reference.
    pub sealed: Vec<u8>,
    /// What its row keeps of them for ever.
    pub side_digest: [u8; 32],
}

impl SealedDraft {
    /// Seals the check under the key of its day.
    pub fn new(draft: Draft, key: &DayKey) -> Self {
        let sealed = key.seal(draft.id, &draft.subject);
        let side_digest = DayKey::digest(draft.subject.hash, draft.repeat.0, &sealed);
        Self { draft, sealed, side_digest }
    }
}

/// A row's place in its writer's chain.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Whose chain.
    pub writer: u32,
    /// The place, from 1.
    pub seq: u64,
    /// The link.
    pub mac: Mac,
}
