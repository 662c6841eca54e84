//! Work that joins the writer's transactions beside the records of single checks.

use laini_core::billing::CheckId;
use laini_core::store::LedgerError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::append::Transaction;

/// A piece of work that is durable together with everything else of its transaction.
pub(super) trait Chore: Send {
    /// Writes inside the transaction. Called again where the first transaction failed or is in doubt,
    /// also where it turns out to have been committed: doing it twice must come to the same.
    /// An error fails the whole transaction; what concerns this caller alone goes into its answer.
    fn write(&mut self, transaction: &mut Transaction<'_>) -> rusqlite::Result<()>;

    /// Tells the caller how the transaction ended. Returns the checks that it may have charged without
    /// anybody having learned of it.
    fn done(self: Box<Self>, committed: Result<(), LedgerError>) -> Vec<CheckId>;
}

/// A chore that is one function on the connection.
pub(super) struct Task<T, F> {
    work: F,
    result: Option<T>,
    answer: oneshot::Sender<Result<T, LedgerError>>,
}

impl<T, F> Task<T, F> {
    /// The chore, and where its result arrives.
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, LedgerError>>) {
        let (answer, answered) = oneshot::channel();
        (Self { work, result: None, answer }, answered)
    }
}

impl<T: Send, F: FnMut(&Connection) -> rusqlite::Result<T> + Send> Chore for Task<T, F> {
    fn write(&mut self, transaction: &mut Transaction<'_>) -> rusqlite::Result<()> {
        self.result = Some((self.work)(transaction.connection)?);
        Ok(())
    }

    fn done(self: Box<Self>, committed: Result<(), LedgerError>) -> Vec<CheckId> {
        let Self { result, answer, .. } = *self;
        // A caller that gave up finds the work done.
        let _ = answer.send(committed.and_then(|()| result.ok_or_else(not_reached)));
        Vec::new()
    }
}

/// What a chore says that was never called before its transaction was committed.
pub(super) fn not_reached() -> LedgerError {
    LedgerError::NotRecorded("it was not written".to_owned())
}
