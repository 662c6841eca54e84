//! A caller's wait for the writer, which it may give up at any moment.

use laini_core::billing::CheckId;
use laini_core::store::LedgerError;
use tokio::sync::oneshot;

use super::queue::Queue;
use super::writing::writer_stopped;

/// Waits for an answer. Dropped before that was taken, it has the charges of its checks taken back:
/// by the writer, which finds nobody to tell, or where it was told already, from here.
pub(super) struct Waiting<'a, T, Ids: AsRef<[CheckId]>> {
    answered: oneshot::Receiver<Result<T, LedgerError>>,
    ids: Ids,
    queue: &'a Queue,
}

impl<'a, T, Ids: AsRef<[CheckId]>> Waiting<'a, T, Ids> {
    /// `ids`: the checks that are charged for nothing if nobody hears of them.
    pub(super) fn new(answered: oneshot::Receiver<Result<T, LedgerError>>, ids: Ids, queue: &'a Queue) -> Self {
        Self { answered, ids, queue }
    }

    pub(super) async fn answer(mut self) -> Result<T, LedgerError> {
        (&mut self.answered).await.unwrap_or_else(|_| Err(writer_stopped()))
    }
}

impl<T, Ids: AsRef<[CheckId]>> Drop for Waiting<'_, T, Ids> {
    fn drop(&mut self) {
        self.answered.close();
        // Once an answer was taken there is no other.
        if let Ok(Ok(_)) = self.answered.try_recv()
            && !self.ids.as_ref().is_empty()
        {
            self.queue.abandoned(self.ids.as_ref());
        }
    }
}
