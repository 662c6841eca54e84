use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use laini_core::partner::AppId;
use laini_core::support::CallTimes;
use laini_office::call_times::add_call_times;
use laini_office::{Actor, Office};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::Clock;

/// They are written down so often: so old is what people see at most.
const WRITE_EVERY_S: u64 = 60;
/// Writing them may take so long.
const WRITE_TIMEOUT_MS: u64 = 5_000;
/// So many of them are written at once.
const WRITTEN_AT_ONCE: usize = 100;
/// Calls are counted by the quarter of an hour, which no time zone's midnight cuts in two.
const QUARTER_S: i64 = 15 * 60;

/// How long answered checks took, until that is written down. Holds an entry for each app that called in a quarter of an
/// hour; a call waits for nothing.
pub(super) struct NotedTimes {
    office: Arc<Office>,
    noted: Mutex<HashMap<(AppId, i64), CallTimes>>,
}

impl NotedTimes {
    pub(super) fn new(office: Arc<Office>) -> Self {
        Self { office, noted: Mutex::default() }
    }

    /// A check of an app was answered.
    pub(super) fn note(&self, app: AppId, at: Timestamp, took: Duration) {
        let key = (app, at.as_second().div_euclid(QUARTER_S));
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().add(took);
    }

    /// Writes them down for ever, now and then.
    pub(super) async fn keep(&self, clock: &dyn Clock) {
        let mut ticks = interval(Duration::from_secs(WRITE_EVERY_S));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.write(clock.now()).await;
        }
    }

    /// Writes down what was noted since the last time. What cannot be written is lost: it is no record of anything, and
    /// whether it was written is not known of all that failed.
    pub(super) async fn write(&self, at: Timestamp) {
        let noted = std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        let began = |quarter: i64| Timestamp::from_second(quarter * QUARTER_S).unwrap_or(at);
        let mut noted: Vec<_> = noted.into_iter().map(|((app, quarter), times)| (app, began(quarter), times)).collect();
        // What belongs to one app is written together.
        noted.sort_unstable_by_key(|(app, began, _)| (*app, *began));
        if noted.is_empty() {
            return;
        }
        let office = Arc::clone(&self.office);
        let writing = tokio::task::spawn_blocking(move || {
            let mut pieces = noted.chunks(WRITTEN_AT_ONCE);
            pieces.try_for_each(|piece| office.run(&Actor::System, at, |work| add_call_times(work, piece)))
        });
        let why = match timeout(Duration::from_millis(WRITE_TIMEOUT_MS), writing).await {
            Ok(Ok(Ok(()))) => return,
            Ok(Ok(Err(problem))) => problem.to_string(),
            Ok(Err(panicked)) => panicked.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(why, "how long calls took could not be written down; its chart has a gap");
    }
}
