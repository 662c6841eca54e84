//! What apps did recently, as pages of them tell it.

use std::time::Duration;

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::access::{AddressRules, ConsumerKey, ConsumerSecret};
use laini_core::billing::Outcome;
use laini_core::partner::{
    App, AppLimits, AppProfile, AppSecret, AppStatus, Environment, PartnerId, Product, Purpose, SecretUse,
};
use laini_core::store::AuditEntry;
use laini_core::support::CallTimes;
use laini_office::apps::{LastCall, Recently, recently, recently_of_all};
use laini_office::call_times::add_call_times;
use laini_office::{Actor, Problem};
use laini_testkit::contract::ledger::{app, at};

use crate::requests::{BANK, Log};

const HOUR_S: i64 = 3_600;

/// A log with an app of the bank, which has a secret.
fn log() -> Log {
    let log = Log::new();
    let secret = ConsumerSecret::mint([1, 2, 3, 4]);
    let made = App {
        id: app(BANK.as_u64()),
        partner: BANK,
        name: "payments".to_owned(),
        environment: Environment::Production,
        products: Product::ALL.into_iter().collect(),
        status: AppStatus::Active,
        token_epoch: 0,
        consumer_key: ConsumerKey::mint(Environment::Production, [1, 2, 3]),
        secrets: vec![AppSecret::first(&secret, at(0))],
        profile: AppProfile::default(),
        purpose: Purpose::default(),
        limits: AppLimits::default(),
        client_certificate: None,
        allowed_addresses: AddressRules::default(),
    };
    let row = AuditEntry {
        at: at(0),
        actor: "test".to_owned(),
        action: "app.add".to_owned(),
        target: String::new(),
        reason: String::new(),
        partner: Some(BANK),
    };
    block_on(log.office.accounts.add_app(made, row)).unwrap();
    log
}

fn told(log: &Log, when: Timestamp) -> Recently {
    let id = app(BANK.as_u64());
    let one = log.office.run(&Actor::System, when, |work| recently(work, BANK, id)).unwrap();
    let all = log.office.run(&Actor::System, when, |work| recently_of_all(work, BANK)).unwrap();
    assert_eq!(all.get(&id), Some(&one), "the list tells the same");
    one
}

#[test]
fn an_app_that_called_yesterday_is_told_by_the_day_and_not_since_midnight() {
    let log = log();
    // Nothing ever.
    assert_eq!(told(&log, at(0)), Recently::default());
    log.recorded(BANK, 1, Outcome::Answered);
    log.refused(BANK, 7, "429.1", None);
    log.recorded(BANK, 9, Outcome::Answered);
    let fresh = told(&log, at(10));
    assert_eq!((fresh.checks, fresh.failed, fresh.last_call), (2, 1, Some(LastCall::At(at(9)))));
    assert_eq!(fresh.checks_today, 2);
    // Hours later the counters tell the quarter of an hour; after midnight it is not today's any more.
    let next = told(&log, at(23 * HOUR_S));
    assert_eq!((next.checks, next.failed), (2, 1));
    let quarter = at(9).as_second().div_euclid(900) * 900;
    assert_eq!(next.last_call, Some(LastCall::InQuarter(Timestamp::from_second(quarter).unwrap())));
    assert_eq!((next.checks_today, next.charged_minor_today), (0, 0));
    // A refused call after that quarter is newer than it, one within it may not be.
    log.refused(BANK, 2_000, "503.1", None);
    assert_eq!(told(&log, at(23 * HOUR_S)).last_call, Some(LastCall::At(at(2_000))));
    // Two days later only the log of refused calls has it, and nothing counts as recent.
    let later = told(&log, at(48 * HOUR_S));
    assert_eq!((later.checks, later.failed, later.failed_per_mille()), (0, 0, None));
    assert_eq!(later.last_call, Some(LastCall::At(at(2_000))));
}

#[test]
fn what_is_long_ago_is_told_by_tokens_and_by_days_with_answers() {
    let log = log();
    let id = app(BANK.as_u64());
    let now = at(72 * HOUR_S);
    block_on(log.office.accounts.note_secret_uses(vec![SecretUse { app: id, secret: 0, at: at(60) }])).unwrap();
    assert_eq!(told(&log, now).last_call, Some(LastCall::AtToken(at(60))));
    let mut times = CallTimes::default();
    times.add(Duration::from_millis(2));
    let answered = |when: Timestamp| {
        let noted = log.office.run(&Actor::System, when, |work| add_call_times(work, &[(id, when, times)]));
        noted.unwrap();
    };
    // The same day as the token: that says more.
    answered(at(120));
    assert_eq!(told(&log, now).last_call, Some(LastCall::AtToken(at(60))));
    // A later day on which no token was taken: pages ask with none.
    let day = at(0) + SignedDuration::from_hours(40);
    answered(day);
    let began = Timestamp::from_second(day.as_second().div_euclid(86_400) * 86_400).unwrap();
    assert_eq!(told(&log, at(96 * HOUR_S)).last_call, Some(LastCall::OnDay(began)));
}

#[test]
fn another_partner_is_told_nothing() {
    let log = log();
    let other = PartnerId::from_stored(2);
    let found = log.office.run(&Actor::System, at(0), |work| recently(work, other, app(BANK.as_u64())));
    assert_eq!(found, Err(Problem::NotFound("app")));
}
