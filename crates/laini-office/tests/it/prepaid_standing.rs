//! How a balance stands: by days that were counted once, the same as by all counters since it began.

use std::sync::Arc;

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::access::ConsumerKey;
use laini_core::billing::{CheckId, Outcome};
use laini_core::partner::{App, AppId, Environment, Prepaid, Product};
use laini_core::store::{AccountsChange, AuditEntry, PartnerChange, Usage};
use laini_office::billing::CountedDays;
use laini_office::{Actor, prepaid};
use laini_testkit::contract::ledger::app;

use crate::billing::{BANK, Bench, at};
use crate::made::Made;

/// The bank's two apps, and another partner's.
const APPS: [AppId; 3] = [app(11), app(99), app(12)];
const BEGINS: &str = "2026-11-05T06:10:00Z";
/// Of steps that come to every time of a day.
const STEP: SignedDuration = SignedDuration::from_mins(331);
/// Ten weeks.
const STEPS: i32 = 305;

impl Made {
    /// A check of an app, of an outcome that changes from step to step.
    fn count(&self, app: AppId, step: i32, at: Timestamp) {
        let outcome = Outcome::ALL[usize::try_from(step).unwrap() % Outcome::ALL.len()];
        let charged_minor = match outcome {
            Outcome::Answered => 2_000 + i64::from(step),
            Outcome::Reversal => -700 - i64::from(step),
            Outcome::Repeated | Outcome::NotServed | Outcome::Unknown | Outcome::Withheld => 0,
        };
        let product = Product::ALL[usize::try_from(step).unwrap() % Product::ALL.len()];
        let environment = if step % 7 == 0 { Environment::Sandbox } else { Environment::Production };
        let from = Prepaid::begins(at);
        let usage = Usage { app, product, environment, outcome, from, checks: 1, charged_minor };
        self.usage.lock().unwrap().push(usage);
        let mut newest = self.newest.lock().unwrap();
        *newest = newest.max(Some(CheckId::floor(at)));
    }

    /// Some checks of every app.
    fn count_all(&self, step: i32, at: Timestamp) {
        for (app, more) in APPS.into_iter().zip(0..) {
            for step in [step + more, step + more + 5] {
                self.count(app, step, at);
            }
        }
    }

    /// What the bank's production checks cost, of all counters.
    fn sum(&self, from: Timestamp, until: Timestamp) -> i64 {
        let usage = self.usage.lock().unwrap();
        let its = usage.iter().filter(|one| one.environment == Environment::Production && one.app != APPS[2]);
        its.filter(|one| one.from >= from && one.from < until).map(|one| one.charged_minor).sum()
    }

    fn take_read(&self) -> Vec<(Timestamp, Timestamp)> {
        std::mem::take(&mut self.usage_read.lock().unwrap())
    }
}

/// A bench on counters, whose bank has two apps.
fn bench_of_counters() -> (Bench, Arc<Made>) {
    let mut bench = Bench::new();
    let counters = Arc::new(Made::default());
    bench.office.ledger = Arc::clone(&counters) as _;
    let book = block_on(bench.office.accounts.load()).unwrap();
    let first = book.apps.into_iter().find(|one| one.id == APPS[0]).unwrap();
    let key = ConsumerKey::mint(Environment::Production, [9, 9, 9]);
    let second = App { id: APPS[1], name: "branches".to_owned(), consumer_key: key, ..first };
    let audit = AuditEntry {
        at: at(BEGINS),
        actor: "test".to_owned(),
        action: "app.add".to_owned(),
        target: "x".to_owned(),
        reason: String::new(),
        partner: None,
    };
    block_on(bench.office.accounts.add_app(second, audit)).unwrap();
    (bench, counters)
}

fn pays_in_advance(bench: &Bench, from: Timestamp) {
    let prepaid = Prepaid { from, paid_minor: 1_000_000 };
    let paid = bench.office.run(&Actor::System, from, |work| {
        work.accounts(AccountsChange::Partner(BANK, PartnerChange::Prepaid(prepaid)));
        work.note("prepaid.top-up", Some(BANK), BANK, "");
        Ok(())
    });
    paid.unwrap();
}

/// What was used of the bank's balance, as it is told.
fn used(bench: &Bench, now: Timestamp) -> i64 {
    let standing = bench.office.run(&Actor::System, now, |work| prepaid::standing(work, BANK)).unwrap().unwrap();
    assert_eq!(standing.left.minor, standing.paid.minor - standing.used.minor);
    standing.used.minor
}

fn now(step: i32) -> Timestamp {
    at(BEGINS) + STEP * step
}

#[test]
fn what_was_used_of_a_balance_is_the_sum_of_all_counters_since_it_began() {
    // In the middle of a day, at a midnight of Nairobi, in the last quarter of an hour of a month.
    for from in ["2026-11-10T10:15:00Z", "2026-11-19T21:00:00Z", "2026-11-30T20:45:00Z"] {
        let (mut bench, counters) = bench_of_counters();
        let from = at(from);
        pays_in_advance(&bench, from);
        for step in 0..STEPS {
            counters.count_all(step, now(step));
            if now(step) < from {
                continue;
            }
            let sum = || counters.sum(from, now(step) + SignedDuration::from_hours(1));
            assert_eq!(used(&bench, now(step)), sum(), "{from}, step {step}");
            // One that was decided before, and is written now.
            counters.count(APPS[1], step + 1, now(step) - SignedDuration::from_mins(50));
            assert_eq!(used(&bench, now(step)), sum(), "{from}, step {step}, late");
        }
        let told = used(&bench, now(STEPS));
        assert!(told > 0, "{told}");
        bench.office.counted = CountedDays::default();
        assert_eq!(told, used(&bench, now(STEPS)), "{from}, counted anew");
    }
}

#[test]
fn a_balance_reads_its_first_day_and_today_and_days_that_are_over_once() {
    let (bench, counters) = bench_of_counters();
    let (from, first_ends) = (at("2026-11-10T10:15:00Z"), at("2026-11-10T21:00:00Z"));
    pays_in_advance(&bench, from);
    let (today, noon) = (at("2027-01-11T21:00:00Z"), at("2027-01-12T09:00:00Z"));
    for step in (0..STEPS).filter(|step| now(*step) < noon) {
        counters.count_all(step, now(step));
    }
    counters.count_all(STEPS, noon);
    let hour = SignedDuration::from_hours(1);
    let told = used(&bench, noon);
    assert_eq!(told, counters.sum(from, noon + hour));
    assert_eq!(counters.take_read().len(), 5, "two part-days, and each of three months");
    assert_eq!(used(&bench, noon), told);
    let again = [(from, first_ends), (today, noon + hour)];
    assert_eq!(counters.take_read(), again);
    // A day goes by: of what was over nothing is read but the first day.
    let day = SignedDuration::from_hours(24);
    counters.count_all(STEPS + 1, noon + day);
    assert_eq!(used(&bench, noon + day), counters.sum(from, noon + day + hour));
    let read = counters.take_read();
    assert!(read.iter().all(|span| *span == again[0] || span.0 >= today), "{read:?}");
    used(&bench, noon + day);
    assert_eq!(counters.take_read(), [again[0], (today + day, noon + day + hour)]);
}
