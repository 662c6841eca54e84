use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use laini_office::{Chore, LEASE, Office, lease_chores, release_chores};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::Clock;

/// How often due chores are looked for.
const LOOK_EVERY_MS: u64 = 1_000;
/// How often it is looked whether the lease must be renewed, which it must when a third of it has passed.
const LOOK_AT_LEASE_EVERY_MS: u64 = 1_000;
/// At the end of the server, a round that is under way may take so long to finish.
const FINISH_TIMEOUT_MS: u64 = 9_000;

/// Does the office's chores for as long as the server runs, while no other node does.
pub(crate) struct ChoreWorker {
    office: Arc<Office>,
    clock: Arc<dyn Clock>,
    chores: Arc<Vec<Chore>>,
    holder: u64,
    /// Until when the chores are this node's, in milliseconds of the epoch.
    held_until: AtomicI64,
}

impl ChoreWorker {
    /// A worker; `holder` = a random number.
    pub(crate) fn new(office: Arc<Office>, clock: Arc<dyn Clock>, chores: Vec<Chore>, holder: u64) -> Self {
        Self { office, clock, chores: Arc::new(chores), holder, held_until: AtomicI64::new(i64::MIN) }
    }

    /// Works until `stop` says so, then finishes the round that is under way and leaves the rest to others.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let keeping = Arc::clone(&self).keep_lease();
        let doing = Arc::clone(&self).do_chores(stop.clone());
        let mut doing = tokio::spawn(doing);
        tokio::select! {
            () = keeping => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        let is_done = timeout(Duration::from_millis(FINISH_TIMEOUT_MS), &mut doing).await.is_ok();
        // What is cut here goes on when its lease has ended.
        if is_done {
            let worker = Arc::clone(&self);
            let released =
                spawn_blocking(move || release_chores(&worker.office, worker.holder, worker.clock.now())).await;
            if !matches!(released, Ok(Ok(()))) {
                tracing::warn!("the office's chores wait until the lease of this node has ended");
            }
        }
    }

    /// Takes the chores over as soon as nobody has them, and keeps them.
    async fn keep_lease(self: Arc<Self>) {
        let mut is_failing = false;
        loop {
            if self.is_held(self.clock.now(), LEASE * 2 / 3) {
                sleep(Duration::from_millis(LOOK_AT_LEASE_EVERY_MS)).await;
                continue;
            }
            let worker = Arc::clone(&self);
            let leased = spawn_blocking(move || lease_chores(&worker.office, worker.holder, worker.clock.now())).await;
            match leased {
                Ok(Ok(until)) => {
                    is_failing = false;
                    self.held_until.store(until.map_or(i64::MIN, Timestamp::as_millisecond), Ordering::Relaxed);
                }
                Ok(Err(error)) if !is_failing => {
                    is_failing = true;
                    tracing::error!(%error, "the lease of the office's chores cannot be taken; trying again");
                }
                _ => {}
            }
            sleep(Duration::from_millis(LOOK_AT_LEASE_EVERY_MS)).await;
        }
    }

    /// Each chore at its own pace: a month that is closed for minutes, or a mail server that is slow, keeps no probe
    /// waiting.
    async fn do_chores(self: Arc<Self>, stop: watch::Receiver<bool>) {
        let mut doing = JoinSet::new();
        for number in 0..self.chores.len() {
            doing.spawn(Arc::clone(&self).do_chore(number, stop.clone()));
        }
        while let Some(done) = doing.join_next().await {
            if let Err(error) = done {
                tracing::error!(%error, "a chore of the office is not done any more");
            }
        }
    }

    async fn do_chore(self: Arc<Self>, number: usize, stop: watch::Receiver<bool>) {
        let Some(chore) = self.chores.get(number) else { return };
        let (mut next, mut is_failing) = (Timestamp::MIN, false);
        let mut ticks = interval(Duration::from_millis(LOOK_EVERY_MS));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopped = stop.clone();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopped.wait_for(|stop| *stop) => return,
            }
            let now = self.clock.now();
            if *stop.borrow() || now < next || !self.is_held(now, LEASE / 3) {
                // A round that begins at the end of the lease must not last into another node's.
                continue;
            }
            let worker = Arc::clone(&self);
            let done = spawn_blocking(move || worker.round(number, now)).await;
            next = now.checked_add(chore.every).unwrap_or(Timestamp::MAX);
            is_failing = tell(chore.name, done, is_failing);
        }
    }

    fn round(&self, number: usize, now: Timestamp) -> Result<usize, laini_office::Problem> {
        (self.chores[number].round)(&self.office, now)
    }

    /// Whether the chores are this node's for so long from `now` on.
    fn is_held(&self, now: Timestamp, margin: SignedDuration) -> bool {
        let then = now.checked_add(margin).unwrap_or(Timestamp::MAX);
        then.as_millisecond() < self.held_until.load(Ordering::Relaxed)
    }
}

/// Says how a round went, where that is news; whether the chore fails.
fn tell(
    chore: &'static str,
    done: Result<Result<usize, laini_office::Problem>, tokio::task::JoinError>,
    is_failing: bool,
) -> bool {
    let error = match done {
        Ok(Ok(count)) => {
            if count > 0 {
                tracing::debug!(chore, count, "a chore of the office was done");
            }
            return false;
        }
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    if !is_failing {
        tracing::error!(chore, error, "a chore of the office failed; it is tried again");
    }
    true
}
