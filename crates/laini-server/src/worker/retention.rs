use std::convert::Infallible;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::store::{
    BoxFuture, Forgotten, LedgerError, REFUSED_CALLS_KEPT, RefusalLog, RefusalLogError, Retention,
};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::Clock;

/// How often what must go is looked for.
const SWEEP_INTERVAL_MS: u64 = 3_600_000;
/// Forgotten in one transaction,
const PIECE_ROWS: usize = 500;
/// and the pause after it, so that checks come first.
const PIECE_PAUSE_MS: u64 = 20;
/// Pieces of one kind in one sweep; the next sweep goes on.
const PIECES_MAX: u32 = 100_000;
/// Stored answers go at 25 h at the latest: an hour before, for a sweep comes once an hour.
const ANSWERS_KEPT: SignedDuration = SignedDuration::from_hours(24);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How long what must go is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Numbers and facts of checks: as long as an invoice can be disputed.
    pub subject_days: u16,
    /// Bodies of deliveries.
    pub delivery_days: u16,
}

/// What a sweep has forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Swept {
    /// Numbers and facts.
    pub subjects: u64,
    /// Stored answers.
    pub answers: u64,
    /// Bodies of deliveries.
    pub deliveries: u64,
    /// Refused calls.
    pub refused: u64,
    /// Keys of days.
    pub day_keys: u64,
}

/// Why a sweep broke off.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The log of refused calls.
    #[error(transparent)]
    Refusals(#[from] RefusalLogError),
}

/// Forgets, piece by piece, what is older than `policy` allows at `now`. `progress` is told how much
/// it was so far.
pub async fn sweep(
    (retention, refusals): (&dyn Retention, &dyn RefusalLog),
    policy: RetentionPolicy,
    now: Timestamp,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Swept, SweepError> {
    let before = |days: u16| now - DAY * i32::from(days);
    let subjects_before = before(policy.subject_days);
    let mut swept = Swept::default();
    let told = |swept: &Swept| progress(swept.subjects + swept.answers + swept.deliveries + swept.refused);
    for_all(
        || retention.forget_answers(now - ANSWERS_KEPT, PIECE_ROWS),
        |count| {
            swept.answers += count;
            told(&swept);
        },
    )
    .await?;
    for_all(
        || retention.forget_deliveries(before(policy.delivery_days), PIECE_ROWS),
        |count| {
            swept.deliveries += count;
            told(&swept);
        },
    )
    .await?;
    for_all(
        || retention.forget_subjects(subjects_before, PIECE_ROWS),
        |count| {
            swept.subjects += count;
            told(&swept);
        },
    )
    .await?;
    for_all(
        || refusals.forget_refused(now - REFUSED_CALLS_KEPT, PIECE_ROWS),
        |count| {
            swept.refused += count;
            told(&swept);
        },
    )
    .await?;
    // Days that have passed whole: what is younger on that day still needs its key.
    let day = subjects_before.to_zoned(TimeZone::UTC).date();
    swept.day_keys = retention.destroy_day_keys(day).await?.count;
    Ok(swept)
}

async fn for_all<'a, E>(
    mut piece: impl FnMut() -> BoxFuture<'a, Result<Forgotten, E>>,
    mut count: impl FnMut(u64),
) -> Result<(), E> {
    for _ in 0..PIECES_MAX {
        let forgotten = piece().await?;
        count(forgotten.count);
        if !forgotten.more {
            break;
        }
        sleep(Duration::from_millis(PIECE_PAUSE_MS)).await;
    }
    Ok(())
}

/// Sweeps once an hour, for ever, beginning now. A sweep that fails is repeated with the next one.
pub async fn keep_forgetting(
    what: (&dyn Retention, &dyn RefusalLog),
    policy: RetentionPolicy,
    clock: &dyn Clock,
) -> Infallible {
    let mut ticks = interval(Duration::from_millis(SWEEP_INTERVAL_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match sweep(what, policy, clock.now(), &|_| {}).await {
            Ok(swept) if swept != Swept::default() => {
                let Swept { subjects, answers, deliveries, refused, day_keys } = swept;
                tracing::info!(subjects, answers, deliveries, refused, day_keys, "forgotten what was kept long enough");
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "what was kept long enough could not be forgotten"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use jiff::civil::{Date, date};
    use laini_core::billing::CheckId;
    use laini_core::partner::{AppId, PartnerId};
    use laini_core::store::{RecentRefusals, RefusalCause, RefusedCall, RefusedQuery, SubjectHash};

    use super::*;

    const POLICY: RetentionPolicy = RetentionPolicy { subject_days: 120, delivery_days: 30 };

    /// Has so many of each kind left, and remembers what it was asked.
    struct Store {
        left: Mutex<u64>,
        asked: Mutex<Vec<(&'static str, Timestamp)>>,
        destroyed: Mutex<Vec<Date>>,
    }

    impl Store {
        fn of(left: u64) -> Self {
            Self { left: Mutex::new(left), asked: Mutex::default(), destroyed: Mutex::default() }
        }

        fn forget(
            &self,
            kind: &'static str,
            before: Timestamp,
            limit: usize,
        ) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
            self.asked.lock().unwrap().push((kind, before));
            let mut left = self.left.lock().unwrap();
            let count = (*left).min(limit as u64);
            *left -= count;
            let more = *left > 0;
            Box::pin(async move { Ok(Forgotten { count, more }) })
        }
    }

    impl Retention for Store {
        fn forget_subjects(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
            self.forget("subjects", before, limit)
        }

        fn forget_checks(&self, _: Vec<(PartnerId, CheckId)>) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
            panic!("a sweep names no checks")
        }

        fn forget_answers(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
            self.forget("answers", before, limit)
        }

        fn forget_deliveries(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
            self.forget("deliveries", before, limit)
        }

        fn destroy_day_keys(&self, day: Date) -> BoxFuture<'_, Result<Forgotten, LedgerError>> {
            self.destroyed.lock().unwrap().push(day);
            Box::pin(async { Ok(Forgotten { count: 1, more: false }) })
        }
    }

    impl RefusalLog for Store {
        fn keep(&self, _: Vec<RefusedCall>, _: usize) -> BoxFuture<'_, Result<(), RefusalLogError>> {
            panic!("a sweep keeps nothing")
        }

        fn refused(&self, _: RefusedQuery) -> BoxFuture<'_, Result<Vec<RefusedCall>, RefusalLogError>> {
            panic!("a sweep reads no calls")
        }

        fn refused_call(&self, _: CheckId) -> BoxFuture<'_, Result<Option<RefusedCall>, RefusalLogError>> {
            panic!("a sweep reads no calls")
        }

        fn causes(
            &self,
            _: RefusedQuery,
            _: Option<usize>,
        ) -> BoxFuture<'_, Result<Vec<RefusalCause>, RefusalLogError>> {
            panic!("a sweep reads no calls")
        }

        fn failed_since(&self, _: AppId, _: Timestamp) -> BoxFuture<'_, Result<u64, RefusalLogError>> {
            panic!("a sweep reads no calls")
        }

        fn recent(&self, _: Timestamp, _: usize) -> BoxFuture<'_, Result<RecentRefusals, RefusalLogError>> {
            panic!("a sweep reads no calls")
        }

        fn forget_refused(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<Forgotten, RefusalLogError>> {
            let forgotten = self.forget("refused", before, limit);
            Box::pin(async { forgotten.await.map_err(|error| RefusalLogError(error.to_string())) })
        }

        fn forget_number(
            &self,
            _: SubjectHash,
            _: Option<Timestamp>,
            _: Option<Timestamp>,
        ) -> BoxFuture<'_, Result<u64, RefusalLogError>> {
            panic!("a sweep names no numbers")
        }
    }

    #[tokio::test]
    async fn a_sweep_goes_in_pieces_until_nothing_is_left_and_keeps_the_keys_of_days_still_needed() {
        let store = Store::of(1_201);
        let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        let swept = sweep((&store, &store), POLICY, now, &|_| {}).await.unwrap();
        assert_eq!(swept, Swept { answers: 1_201, day_keys: 1, ..Swept::default() });
        let asked = store.asked.lock().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let answers = ("answers", at("2026-11-21T09:00:00Z"));
        let rest = [("deliveries", at("2026-10-23T09:00:00Z")), ("subjects", at("2026-07-25T09:00:00Z"))];
        let rest = [rest.as_slice(), &[("refused", at("2026-10-23T09:00:00Z"))]].concat();
        assert_eq!(*asked, [[answers; 3].as_slice(), &rest].concat());
        assert_eq!(*store.destroyed.lock().unwrap(), [date(2026, 7, 25)]);
    }
}
