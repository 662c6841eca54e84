use laini_core::billing::CheckId;
use laini_core::store::LedgerError;
use tokio::sync::oneshot;

/// A caller's wait for a ledger's writer, which it may give up at any moment. Dropped before the answer
/// was taken, it has the charges of its checks taken back: by the writer, which finds nobody to tell,
/// or where it was told already, from here.
pub struct Waiting<T, Ids: AsRef<[CheckId]>, TakeBack: Fn(&[CheckId])> {
    answered: oneshot::Receiver<Result<T, LedgerError>>,
    ids: Ids,
    take_back: TakeBack,
}

impl<T, Ids: AsRef<[CheckId]>, TakeBack: Fn(&[CheckId])> Waiting<T, Ids, TakeBack> {
    /// `ids`: the checks that are charged for nothing if nobody hears of them.
    pub fn new(answered: oneshot::Receiver<Result<T, LedgerError>>, ids: Ids, take_back: TakeBack) -> Self {
        Self { answered, ids, take_back }
    }

    /// What the writer says.
    pub async fn answer(mut self) -> Result<T, LedgerError> {
        (&mut self.answered).await.unwrap_or_else(|_| Err(writer_stopped()))
    }
}

impl<T, Ids: AsRef<[CheckId]>, TakeBack: Fn(&[CheckId])> Drop for Waiting<T, Ids, TakeBack> {
    fn drop(&mut self) {
        self.answered.close();
        // Once an answer was taken there is no other.
        if let Ok(Ok(_)) = self.answered.try_recv()
            && !self.ids.as_ref().is_empty()
        {
            (self.take_back)(self.ids.as_ref());
        }
    }
}

/// What callers are told whose work was with the writer when that stopped.
pub fn writer_stopped() -> LedgerError {
    LedgerError::Unknown("its writer stopped; restart the server".to_owned())
}

/// What a caller is told that stopped waiting before its check was written.
pub fn gave_up() -> LedgerError {
    LedgerError::NotRecorded("its caller gave up".to_owned())
}

/// What a caller is told whose id is another check's.
pub fn taken() -> LedgerError {
    LedgerError::NotRecorded("the id of this check belongs to another one; ids must never repeat".to_owned())
}

/// What a caller is told whose checks are not in order: a mistake of its own.
pub fn out_of_order() -> LedgerError {
    LedgerError::NotRecorded("its checks do not come in the order of their ids".to_owned())
}
