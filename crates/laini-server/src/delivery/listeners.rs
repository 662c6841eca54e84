use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use laini_core::partner::AppId;
use laini_wire::delivery::Handed;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::SignedMessage;
use super::outbound::ATTEMPT_TIMEOUT_MS;

/// After so long without a request, nobody listens any more.
const PRESENT_FOR_MS: u64 = 15_000;
/// How many deliveries one request is handed.
const HANDED_MAX: usize = 32;
/// How many wait for one app's listener; more are tried later.
const WAITING_MAX: usize = 128;

/// Developers' machines that take their own app's deliveries by asking for them (`laini listen`). Nothing
/// of it is remembered: an attempt that nobody takes is a failed attempt like any other.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<HashMap<AppId, Arc<Listener>>>);

/// Who listens for one app.
#[derive(Default)]
struct Listener {
    asked: Mutex<Option<Instant>>,
    waiting: Mutex<VecDeque<Handed>>,
    arrived: Notify,
    /// Handed over, and not acknowledged yet.
    pending: Mutex<HashMap<String, oneshot::Sender<Option<u16>>>>,
}

/// Why an attempt was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ListenError {
    /// Nobody asks.
    #[error("nobody listens; run `laini listen`")]
    Nobody,
    /// Too much waits for it already.
    #[error("the listener has too much to take already")]
    Overrun,
    /// It was not acknowledged in time.
    #[error("the listener did not acknowledge it in time")]
    TooSlow,
    /// Its own receiver did not answer.
    #[error("the listener's own receiver did not answer")]
    NoAnswer,
}

impl Listeners {
    fn of(&self, app: AppId) -> Arc<Listener> {
        Arc::clone(held(&self.0).entry(app).or_default())
    }

    /// Hands `message` to who listens for `app`; the status that its receiver answered.
    pub(crate) async fn hand_over(&self, app: AppId, message: SignedMessage) -> Result<u16, ListenError> {
        let listener = held(&self.0).get(&app).cloned().ok_or(ListenError::Nobody)?;
        let (id, timestamp) = (message.id.clone(), message.timestamp());
        let handed = Handed { id: message.id, timestamp, signature: message.signature, body: message.body };
        let acknowledged = listener.put(handed)?;
        let said = timeout(Duration::from_millis(ATTEMPT_TIMEOUT_MS), acknowledged).await;
        listener.withdraw(&id);
        match said {
            Ok(Ok(status)) => status.ok_or(ListenError::NoAnswer),
            Ok(Err(_)) | Err(_) => Err(ListenError::TooSlow),
        }
    }

    /// Whether `app` has a listener already; from now on it has.
    pub(crate) fn arrive(&self, app: AppId) -> bool {
        let listener = self.of(app);
        let was_present = listener.is_present();
        *held(&listener.asked) = Some(Instant::now());
        was_present
    }

    /// Whether somebody listens for `app`.
    pub(crate) fn is_present(&self, app: AppId) -> bool {
        held(&self.0).get(&app).is_some_and(|listener| listener.is_present())
    }

    /// What waits for `app`; where that is nothing, what comes until `deadline`.
    pub(crate) async fn take(&self, app: AppId, deadline: Instant) -> Vec<Handed> {
        let listener = self.of(app);
        loop {
            let arrived = listener.arrived.notified();
            let taken = listener.take_waiting();
            if !taken.is_empty() || timeout_at(deadline, arrived).await.is_err() {
                return taken;
            }
        }
    }

    /// Says what became of a delivery; `false` = nobody waits for that any more.
    pub(crate) fn acknowledge(&self, app: AppId, id: &str, status: Option<u16>) -> bool {
        let waiter = held(&self.of(app).pending).remove(id);
        waiter.is_some_and(|waiter| waiter.send(status).is_ok())
    }
}

impl Listener {
    fn is_present(&self) -> bool {
        let present_for = Duration::from_millis(PRESENT_FOR_MS);
        held(&self.asked).is_some_and(|asked| asked.elapsed() < present_for)
    }

    fn put(&self, handed: Handed) -> Result<oneshot::Receiver<Option<u16>>, ListenError> {
        let mut waiting = held(&self.waiting);
        if !self.is_present() {
            return Err(ListenError::Nobody);
        }
        if waiting.len() == WAITING_MAX {
            return Err(ListenError::Overrun);
        }
        let (acknowledge, acknowledged) = oneshot::channel();
        held(&self.pending).insert(handed.id.clone(), acknowledge);
        waiting.push_back(handed);
        self.arrived.notify_one();
        Ok(acknowledged)
    }

    fn take_waiting(&self) -> Vec<Handed> {
        let mut waiting = held(&self.waiting);
        let taken = waiting.len().min(HANDED_MAX);
        waiting.drain(..taken).collect()
    }

    /// Forgets an attempt that has ended, whether it was handed over or not.
    fn withdraw(&self, id: &str) {
        held(&self.pending).remove(id);
        held(&self.waiting).retain(|handed| handed.id != id);
    }
}

/// What is guarded stays whole even where a holder panicked.
fn held<T>(guarded: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}
