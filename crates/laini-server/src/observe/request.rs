use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;

use laini_core::billing::CheckId;

use super::Trace;

thread_local! {
    static CURRENT: Cell<Option<CheckId>> = const { Cell::new(None) };
}

/// The request that this thread is working on, so that every log line of it can name it.
pub fn current_request() -> Option<CheckId> {
    CURRENT.get()
}

/// Runs `work` as part of the request `id`, and of its trace where it is traced.
pub(crate) async fn of_request<F: Future>(id: CheckId, trace: Option<&Trace>, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let _traced = trace.map(Trace::attach);
        let _turn = Turn { before: CURRENT.replace(Some(id)) };
        work.as_mut().poll(cx)
    })
    .await
}

/// One poll; the thread turns to something else afterwards, also after a panic.
struct Turn {
    before: Option<CheckId>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use laini_core::billing::CheckIds;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn each_of_two_interleaved_requests_sees_its_own_id_and_nobody_else_does() {
        let ids = CheckIds::after(None);
        let [one, other] = [1, 2].map(|random| ids.mint(Timestamp::UNIX_EPOCH, random));
        let ask = |id| {
            of_request(id, None, async move {
                for _ in 0..3 {
                    assert_eq!(current_request(), Some(id));
                    yield_now().await;
                }
            })
        };
        tokio::join!(ask(one), ask(other), async { assert_eq!(current_request(), None) });
        assert_eq!(current_request(), None);
    }
}
