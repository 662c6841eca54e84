//! The answers under callers' idempotency keys: who holds a key stands in a row with an end, what was
//! answered lies sealed beside it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use laini_core::store::{AnswerKey, AnswerMemory, BoxFuture, Claim, Claimed, LedgerError, RequestHash};
use laini_store::ledger::SealedAnswer;

use super::PostgresLedger;
use crate::columns::Columns;
use crate::database::{Database, Link, NOW_MS, SMALL_WORK, Transaction, params};
use crate::error::DbError;

/// A key is held for so long at most: longer than any request lives. A crash gives it back then.
const HELD_MS: i64 = 30_000;

/// The keys that this process holds.
#[derive(Clone)]
pub(super) struct Claims(Arc<Inner>);

struct Inner {
    /// Names the process in the table.
    holder: Vec<u8>,
    /// Each key with the number of its claim.
    held: Mutex<HashMap<AnswerKey, i64>>,
    turn: AtomicI64,
    /// The database did not take the newest claim: one at a time finds out whether that is over.
    is_in_trouble: AtomicBool,
    is_tried: AtomicBool,
}

/// A claim under way; in trouble the only one.
struct Trying(Option<Arc<Inner>>);

impl Drop for Trying {
    fn drop(&mut self) {
        if let Some(inner) = &self.0 {
            inner.is_tried.store(false, Ordering::Relaxed);
        }
    }
}

impl Default for Claims {
    fn default() -> Self {
        let holder = (0..16).map(|_| fastrand::u8(..)).collect();
        Self(Arc::new(Inner {
            holder,
            held: Mutex::default(),
            turn: AtomicI64::default(),
            is_in_trouble: AtomicBool::default(),
            is_tried: AtomicBool::default(),
        }))
    }
}

/// A key that is held until this is dropped.
struct Held {
    claims: Claims,
    database: Arc<Database>,
    key: AnswerKey,
    turn: i64,
}

impl Claims {
    /// What names this process among all.
    pub(super) fn holder(&self) -> Vec<u8> {
        self.0.holder.clone()
    }

    /// A place for one claim: in trouble everybody else is refused at once.
    fn enter(&self) -> Result<Trying, LedgerError> {
        if !self.0.is_in_trouble.load(Ordering::Relaxed) {
            return Ok(Trying(None));
        }
        let is_taken = self.0.is_tried.swap(true, Ordering::Relaxed);
        if is_taken { Err(LedgerError::Busy) } else { Ok(Trying(Some(Arc::clone(&self.0)))) }
    }

    /// Takes the key among the requests of this process.
    fn hold(&self, key: AnswerKey, database: &Arc<Database>) -> Option<Held> {
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains_key(&key) {
            return None;
        }
        held.insert(key, turn);
        Some(Held { claims: self.clone(), database: Arc::clone(database), key, turn })
    }
}

impl Drop for Held {
    /// Gives the key back here at once, to other nodes with the row, which may go late: a newer claim of
    /// this process has another turn.
    fn drop(&mut self) {
        self.claims.0.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        let (holder, key, turn) = (self.claims.holder(), self.key, self.turn);
        self.database.spawn(async move |shared| {
            let link = Link::within(shared, SMALL_WORK);
            let sql = "DELETE FROM answer_claim WHERE key = $1 AND holder = $2 AND turn = $3";
            let given_back = link.transact(async |transaction: &Transaction<'_>| {
                transaction.execute(sql, params![key.0.as_slice(), holder, turn]).await
            });
            if let Err(error) = given_back.await {
                tracing::debug!(%error, "an idempotency key is given back by its end alone");
            }
        });
    }
}

impl AnswerMemory for PostgresLedger {
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, LedgerError>> {
        Box::pin(async move {
            let _trying = self.claims.enter()?;
            let Some(held) = self.claims.hold(claim.key, &self.database) else { return Ok(Claimed::Running) };
            let (holder, turn) = (self.claims.holder(), held.turn);
            let looked = self.database.run(SMALL_WORK, async move |link: &Link| {
                link.transact(async |transaction: &Transaction<'_>| look(transaction, claim.key, &holder, turn).await)
                    .await
            });
            let looked = looked.await;
            self.claims.0.is_in_trouble.store(looked.is_err(), Ordering::Relaxed);
            let looked = looked.map_err(|error| LedgerError::Unreadable(error.to_string()))?;
            let found = match looked.stored {
                Some(sealed) => sealed.open(claim.key, &*self.day_keys)?.found_by(&claim),
                None => None,
            };
            let free = || if looked.is_mine { Claimed::Mine(Box::new(held)) } else { Claimed::Running };
            Ok(found.unwrap_or_else(free))
        })
    }
}

struct Looked {
    is_mine: bool,
    stored: Option<SealedAnswer>,
}

/// Takes the key among all nodes, and only then reads: whoever held it before has committed.
async fn look(transaction: &Transaction<'_>, key: AnswerKey, holder: &[u8], turn: i64) -> Result<Looked, DbError> {
    let take = format!(
        "INSERT INTO answer_claim AS c (key, holder, turn, until_ms) VALUES ($1, $2, $3, {NOW_MS} + $4)
         ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, turn = excluded.turn, until_ms = excluded.until_ms
         WHERE c.until_ms < {NOW_MS} OR c.holder = excluded.holder"
    );
    let taken = transaction.execute(&take, params![key.0.as_slice(), holder, turn, HELD_MS]).await?;
    let stored = "SELECT request, at, sealed FROM answer WHERE key = $1";
    let stored = transaction.query_opt(stored, params![key.0.as_slice()]).await?;
    let read = |row: tokio_postgres::Row| {
        let columns = Columns(&row);
        let request = RequestHash(columns.bytes("request")?);
        Ok::<_, DbError>(SealedAnswer { request, at: columns.instant("at")?, sealed: columns.get("sealed")? })
    };
    Ok(Looked { is_mine: taken == 1, stored: stored.map(read).transpose()? })
}
