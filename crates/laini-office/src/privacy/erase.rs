use jiff::Timestamp;
use laini_core::privacy::erasable_until;
use laini_core::store::{
    AskedQuery, CHECKS_AT_ONCE, Ledger, LedgerError, RefusalLog, RefusalLogError, Retention, SubjectHash,
};
use serde::Serialize;

use super::{Span, scan};

/// Checks read at a time.
const CHECKS_PER_PAGE: usize = 5_000;
/// Old answers that are forgotten in one transaction.
const ANSWERS_AT_ONCE: usize = 500;

/// What was forgotten about a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Erased {
    /// Checks about it in the span: their rows, and what they cost, stay.
    pub checks: u64,
    /// Those of them whose number and facts were forgotten now; the others had been before.
    pub forgotten: u64,
    /// Refused calls of the span that no longer say that they were about it.
    pub refused: u64,
    /// Before this instant everything is forgotten; what was asked later can be erased later.
    pub until: Timestamp,
}

/// Why not everything was forgotten; doing it again does the rest.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The log of refused calls.
    #[error(transparent)]
    Refusals(#[from] RefusalLogError),
}

/// Forgets what the span's checks about a number say of it, and the bodies of their deliveries. The rows, the charges and
/// the keyed hash stay. Ends a day and an hour before `now`: a caller's retry of a younger check would be charged again.
/// Refused calls of the whole span no longer say that they were about it.
pub async fn erase(
    ledger: &dyn Ledger,
    (retention, refusals): (&dyn Retention, &dyn RefusalLog),
    number: SubjectHash,
    span: Span,
    now: Timestamp,
    mut progress: impl FnMut(u64),
) -> Result<Erased, EraseError> {
    let refused = refusals.forget_number(number, span.from, span.until).await?;
    let until = span.until.map_or(erasable_until(now), |until| until.min(erasable_until(now)));
    // Answers under idempotency keys name no number; all of the span are old enough to go.
    while retention.forget_answers(until, ANSWERS_AT_ONCE).await?.more {}
    let mut named = Vec::new();
    let numbers = vec![number];
    let query =
        AskedQuery { numbers, from: span.from, until: Some(until), limit: CHECKS_PER_PAGE, ..AskedQuery::default() };
    scan(ledger, query, |checks, looked_at| {
        named.extend(checks.iter().map(|check| (check.row.partner, check.row.id)));
        progress(looked_at);
        Ok::<_, LedgerError>(())
    })
    .await?;
    let mut erased = Erased { checks: named.len() as u64, forgotten: 0, refused, until };
    for piece in named.chunks(CHECKS_AT_ONCE) {
        erased.forgotten += retention.forget_checks(piece.to_vec()).await?.count;
    }
    Ok(erased)
}
