//! The answers under callers' idempotency keys: who holds a key is known in memory, what was answered
//! lies sealed in the file.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use laini_core::store::{
    AnswerKey, AnswerMemory, BodyOwner, BoxFuture, Claim, Claimed, DayKey, LedgerError, RequestHash,
};
use rusqlite::{Connection, OptionalExtension, params};

use laini_store::ledger::SealedAnswer;

use super::SqliteLedger;
use crate::ledger::schema;

/// The keys that are held: one process serves a data directory, so memory is enough, and a crash
/// gives all of them back. Bounded by the requests that may run at once.
#[derive(Clone, Default)]
pub(super) struct Claims(Arc<Mutex<HashSet<AnswerKey>>>);

/// A key that is held until this is dropped.
struct Held {
    claims: Claims,
    key: AnswerKey,
}

impl Claims {
    /// Takes the key, unless somebody holds it.
    fn hold(&self, key: AnswerKey) -> Option<Held> {
        let is_free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        is_free.then(|| Held { claims: self.clone(), key })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.claims.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl AnswerMemory for SqliteLedger {
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, LedgerError>> {
        Box::pin(async move {
            let Some(held) = self.claims.hold(claim.key) else { return Ok(Claimed::Running) };
            // Read only once the key is held: whoever held it before has committed. One row, so here.
            let stored = self.readers.run_here(|connection| stored(connection, claim.key))?;
            let found = match stored {
                Some(sealed) => sealed.open(claim.key, &*self.day_keys)?.found_by(&claim),
                None => None,
            };
            Ok(found.unwrap_or_else(|| Claimed::Mine(Box::new(held))))
        })
    }
}

/// The answer under a key, however old.
pub(super) fn stored(connection: &Connection, key: AnswerKey) -> rusqlite::Result<Option<SealedAnswer>> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(SealedAnswer { request: RequestHash(row.get(0)?), at: schema::instant(row, 1)?, sealed: row.get(2)? })
    };
    let sql = "SELECT request, at, sealed FROM answer WHERE key = ?1";
    connection.prepare_cached(sql)?.query_row([key.0.as_slice()], read).optional()
}

/// Stores an answer; one under the same key is replaced, for it was too old to be known.
pub(super) fn store(connection: &Connection, claim: Claim, day_key: &DayKey, answer: &[u8]) -> rusqlite::Result<()> {
    let sealed = day_key.seal_body(BodyOwner::Answer(claim.key), answer);
    let sql = "INSERT OR REPLACE INTO answer VALUES (?,?,?,?)";
    let row = params![claim.key.0.as_slice(), claim.request.0.as_slice(), claim.at.as_microsecond(), sealed];
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}
