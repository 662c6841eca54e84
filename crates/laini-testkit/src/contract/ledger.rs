//! What every ledger does, whichever engine it stands on.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

use std::sync::{Arc, Mutex};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{Charge, CheckId, CheckIds, Currency, FreeReason, Money, Outcome, PriceStamp};
use laini_core::line::{Msisdn, NumberPlan};
use laini_core::partner::{AgreementId, AppId, Environment, PartnerId, Product, Purpose};
use laini_core::store::{
    AnswerMemory, ChainKey, DayKey, DayKeyError, DayKeys, Draft, Ledger, LedgerError, LedgerRow, Outbox, Recorded,
    Retention, RowQuery, Subject, SubjectHasher, verify_ledger,
};

/// Runs the whole suite: one test per promise, each in a new `$home` (an expression that makes a
/// [`LedgerHome`](crate::contract::ledger::LedgerHome)).
#[macro_export]
macro_rules! ledger_contract {
    ($home:expr) => {
        $crate::ledger_contract!($home =>
            every_field_survives_a_reopen
            each_outcome_has_its_charge
            an_id_is_recorded_once
            an_id_of_another_check_is_refused
            a_repeat_is_free_within_its_time
            the_sixth_repeat_is_charged
            another_question_is_no_repeat
            only_charged_checks_can_be_repeated
            repeats_are_remembered_across_a_reopen
            rows_are_found_by_partner_app_outcome_and_time
            rows_come_in_pages
            a_decision_can_trail_its_id
            the_newest_id_is_known
            the_chain_verifies_across_reopens
            concurrent_checks_are_all_recorded_once
        );
    };
    ($home:expr => $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::contract::ledger::$case(&$home).await;
        })*
    };
}

/// Where the ledger of one test lives, empty at first.
pub trait LedgerHome {
    /// Opens it with [`chain_key`] and [`FixedDayKeys`]; the one opened before was dropped.
    fn open_all(&self) -> Everything;

    /// The ledger alone.
    fn open(&self) -> Arc<dyn Ledger> {
        self.open_all().ledger
    }
}

/// One ledger behind all its ports.
#[derive(Clone)]
pub struct Everything {
    /// Its rows.
    pub ledger: Arc<dyn Ledger>,
    /// What was answered.
    pub answers: Arc<dyn AnswerMemory>,
    /// What is delivered.
    pub outbox: Arc<dyn Outbox>,
    /// What must go.
    pub retention: Arc<dyn Retention>,
}

impl Everything {
    /// An engine that is all of them.
    pub fn of<E: Ledger + AnswerMemory + Outbox + Retention + 'static>(engine: E) -> Self {
        let engine = Arc::new(engine);
        Self { ledger: engine.clone(), answers: engine.clone(), outbox: engine.clone(), retention: engine }
    }
}

/// The chain's key in every test.
pub fn chain_key() -> ChainKey {
    ChainKey::new(&[0x11; 32])
}

/// A key for every day, made of its date, until it is destroyed.
#[derive(Debug, Default)]
pub struct FixedDayKeys(Mutex<Option<Date>>);

impl DayKeys for FixedDayKeys {
    fn key(&self, day: Date) -> Result<DayKey, DayKeyError> {
        let mut bytes = [0x22; 32];
        bytes[..2].copy_from_slice(&day.year().to_be_bytes());
        bytes[2..4].copy_from_slice(&day.day_of_year().to_be_bytes());
        Ok(DayKey::new(&bytes))
    }

    fn existing(&self, day: Date) -> Result<Option<DayKey>, DayKeyError> {
        let is_destroyed = self.0.lock().unwrap().is_some_and(|kept| day < kept);
        if is_destroyed { Ok(None) } else { self.key(day).map(Some) }
    }

    fn destroy_before(&self, day: Date) -> Result<u64, DayKeyError> {
        Ok(u64::from(self.0.lock().unwrap().replace(day) != Some(day)))
    }
}

/// Makes the checks of one test: by default the same question, charged KES 20.00, at growing ids.
#[derive(Debug)]
pub struct Desk {
    ids: CheckIds,
    hasher: SubjectHasher,
}

impl Default for Desk {
    fn default() -> Self {
        Self { ids: CheckIds::default(), hasher: SubjectHasher::new(&[0x33; 32]) }
    }
}

/// What distinguishes one question from another.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// Who asks.
    pub app: AppId,
    /// What.
    pub product: Product,
    /// About the line whose national number ends so.
    pub line: u32,
    /// Under which request id.
    pub request_id: Option<&'static str>,
}

/// The question that tests ask unless they say otherwise.
pub const QUESTION: Question = Question { app: app(1), product: Product::Imsi, line: 1, request_id: None };

/// An app of the tests.
pub const fn app(number: u64) -> AppId {
    AppId::from_stored(0x0123_4567_89ab_0000 + number)
}

/// 22 November 2026, 09:00 UTC, and so many seconds.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_338_000 + seconds).unwrap()
}

impl Desk {
    /// A check that was answered.
    pub fn answered(&self, question: Question, at: Timestamp) -> Draft {
        let number = number(question.line);
        let random = u64::from(question.line).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at.as_microsecond().cast_unsigned();
        Draft {
            id: self.ids.mint(at, random),
            at,
            partner: PartnerId::from_stored(0x0fed_cba9_8765_4321),
            app: question.app,
            agreement: Some(AgreementId::from_stored(u64::MAX >> 1)),
            product: question.product,
            environment: Environment::Production,
            purpose: Purpose::FraudPrevention,
            outcome: Outcome::Answered,
            price: PriceStamp { version: 3, list: Money::new(2_000, Currency::KES), exact: true },
            as_of: Some(at - SignedDuration::from_secs(5)),
            policy_version: 1,
            repeat: self.hasher.repeat(question.app, question.product, number, question.request_id.map(str::as_bytes)),
            subject: Subject {
                msisdn: number,
                facts: "active swap=none registration=older".to_owned(),
                reference: None,
                hash: self.hasher.number(number),
            },
        }
    }
}

/// A number of the sample plan.
pub fn number(line: u32) -> Msisdn {
    NumberPlan::KENYA.parse(&format!("2547{line:08}")).unwrap()
}

/// Everything, from the beginning.
pub const ALL: RowQuery = RowQuery::every(100_000);

pub(super) async fn record(ledger: &Arc<dyn Ledger>, draft: &Draft) -> Recorded {
    ledger.record(draft.clone()).await.unwrap()
}

/// Every row of a ledger.
pub async fn all(ledger: &Arc<dyn Ledger>) -> Vec<LedgerRow> {
    let mut rows: Vec<LedgerRow> = Vec::new();
    loop {
        let page = ledger.rows(RowQuery { after: rows.last().map(|row| row.id), ..ALL }).await.unwrap();
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

pub(super) fn charged(draft: &Draft) -> Recorded {
    Recorded { outcome: Outcome::Answered, charge: Charge::Charged(draft.price.list) }
}

pub(super) const REPEATED: Recorded = Recorded { outcome: Outcome::Repeated, charge: Charge::Free(FreeReason::Repeat) };

pub async fn every_field_survives_a_reopen(home: &dyn LedgerHome) {
    let desk = Desk::default();
    let ledger = home.open();
    let mut drafts = Vec::new();
    for (place, product) in (0..).zip(Product::ALL) {
        for purpose in Purpose::ALL {
            let draft = desk.answered(Question { product, line: 100 + place, ..QUESTION }, at(i64::from(place)));
            drafts.push(Draft { purpose, ..draft });
        }
    }
    let odd = desk.answered(Question { line: 7, ..QUESTION }, at(9) + SignedDuration::from_micros(123_457));
    drafts.push(Draft {
        agreement: None,
        environment: Environment::Sandbox,
        as_of: None,
        price: PriceStamp {
            version: u32::MAX,
            list: Money::new(i64::MAX, Currency::parse("UGX").unwrap()),
            exact: false,
        },
        subject: Subject { reference: Some("cheque 17".to_owned()), ..odd.subject.clone() },
        ..odd
    });
    let mut expected = Vec::new();
    for draft in &drafts {
        let recorded = record(&ledger, draft).await;
        let sealed = FixedDayKeys::default().key(Date::constant(2026, 11, 22)).unwrap().seal(draft.id, &draft.subject);
        expected.push(draft.row(recorded, DayKey::digest(draft.subject.hash, draft.repeat.0, &sealed)));
    }
    assert_eq!(all(&ledger).await, expected);
    drop(ledger);
    assert_eq!(all(&home.open()).await, expected);
}

pub async fn each_outcome_has_its_charge(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    for (line, outcome) in (0..).zip(Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Reversal)) {
        let draft = Draft { outcome, ..desk.answered(Question { line, ..QUESTION }, at(0)) };
        let recorded = record(&ledger, &draft).await;
        let charge = outcome.free_reason().map_or(Charge::Charged(draft.price.list), Charge::Free);
        assert_eq!(recorded, Recorded { outcome, charge });
    }
    let charges: Vec<i64> = all(&ledger).await.iter().map(|row| row.charge.minor).collect();
    assert_eq!(charges, [2_000, 0, 0, 0, 0]);
}

pub async fn an_id_is_recorded_once(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let draft = desk.answered(QUESTION, at(0));
    let first = record(&ledger, &draft).await;
    assert_eq!(first, charged(&draft));
    assert_eq!(record(&ledger, &draft).await, first);
    let other = desk.answered(Question { line: 2, ..QUESTION }, at(1));
    let copies: Vec<_> = (0..20).map(|_| spawn(&ledger, other.clone())).collect();
    for copy in copies {
        assert_eq!(copy.await.unwrap().unwrap(), charged(&other));
    }
    drop(ledger);
    let ledger = home.open();
    assert_eq!(record(&ledger, &draft).await, first);
    assert_eq!(all(&ledger).await.len(), 2);
    assert_eq!(verify_ledger(&*ledger, chain_key(), |_| {}).await.unwrap(), (2, vec![]));
}

fn spawn(ledger: &Arc<dyn Ledger>, draft: Draft) -> tokio::task::JoinHandle<Result<Recorded, LedgerError>> {
    let ledger = Arc::clone(ledger);
    tokio::spawn(async move { ledger.record(draft).await })
}

pub async fn an_id_of_another_check_is_refused(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let draft = desk.answered(QUESTION, at(0));
    record(&ledger, &draft).await;
    let other = desk.answered(Question { line: 2, ..QUESTION }, at(0));
    let same_position = CheckId::from_parts(draft.id.position(), draft.id.tail() ^ 1);
    for id in [draft.id, same_position] {
        let refused = ledger.record(Draft { id, ..other.clone() }).await;
        assert!(matches!(refused, Err(LedgerError::NotRecorded(_))), "{refused:?}");
    }
    assert_eq!(all(&ledger).await.len(), 1);
    // What was refused has left nothing behind: the question is not a repeat of it.
    assert_eq!(record(&ledger, &other).await, charged(&other));
}

pub async fn a_repeat_is_free_within_its_time(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let with_id = Question { line: 2, request_id: Some("7e2c"), ..QUESTION };
    for (question, second, free) in [
        (QUESTION, 0, false),
        (with_id, 0, false),
        (QUESTION, 60, true),
        (QUESTION, 61, false),
        (with_id, 61, true),
        (with_id, 600, true),
        (with_id, 601, false),
    ] {
        let draft = desk.answered(question, at(second));
        let expected = if free { REPEATED } else { charged(&draft) };
        assert_eq!(record(&ledger, &draft).await, expected, "{question:?} after {second} s");
    }
    let free = all(&ledger).await.iter().filter(|row| row.charge.minor == 0).count();
    assert_eq!(free, 3);
}

pub async fn the_sixth_repeat_is_charged(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let mut outcomes = Vec::new();
    for second in 0..8 {
        outcomes.push(record(&ledger, &desk.answered(QUESTION, at(second))).await.outcome);
    }
    let (paid, free) = (Outcome::Answered, Outcome::Repeated);
    assert_eq!(outcomes, [paid, free, free, free, free, free, paid, free]);
    // The same when all ask at once: one in six is charged.
    let question = Question { line: 2, ..QUESTION };
    let callers: Vec<_> = (0..60).map(|_| spawn(&ledger, desk.answered(question, at(9)))).collect();
    let mut charged = 0;
    for caller in callers {
        charged += u32::from(caller.await.unwrap().unwrap().outcome == Outcome::Answered);
    }
    assert_eq!(charged, 10);
}

pub async fn another_question_is_no_repeat(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    for question in [
        QUESTION,
        Question { app: app(2), ..QUESTION },
        Question { product: Product::Swap, ..QUESTION },
        Question { line: 2, ..QUESTION },
        Question { request_id: Some("a"), ..QUESTION },
        Question { request_id: Some("b"), ..QUESTION },
    ] {
        let draft = desk.answered(question, at(0));
        assert_eq!(record(&ledger, &draft).await, charged(&draft), "{question:?}");
    }
}

pub async fn only_charged_checks_can_be_repeated(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    for outcome in [Outcome::Unknown, Outcome::NotServed, Outcome::Withheld] {
        let draft = Draft { outcome, ..desk.answered(QUESTION, at(0)) };
        assert_eq!(record(&ledger, &draft).await.outcome, outcome);
    }
    let draft = desk.answered(QUESTION, at(1));
    assert_eq!(record(&ledger, &draft).await, charged(&draft));
    // An unknown in between is not one of the five.
    for second in 2..7 {
        let unknown = Draft { outcome: Outcome::Unknown, ..desk.answered(QUESTION, at(second)) };
        assert_eq!(record(&ledger, &unknown).await.outcome, Outcome::Unknown);
        assert_eq!(record(&ledger, &desk.answered(QUESTION, at(second))).await, REPEATED);
    }
}

pub async fn repeats_are_remembered_across_a_reopen(home: &dyn LedgerHome) {
    let desk = Desk::default();
    let with_id = Question { line: 2, request_id: Some("7e2c"), ..QUESTION };
    let ledger = home.open();
    for question in [QUESTION, with_id, with_id, with_id] {
        record(&ledger, &desk.answered(question, at(0))).await;
    }
    drop(ledger);
    let ledger = home.open();
    assert_eq!(record(&ledger, &desk.answered(QUESTION, at(30))).await, REPEATED);
    // Two of the five were used before.
    for _ in 0..3 {
        assert_eq!(record(&ledger, &desk.answered(with_id, at(500))).await, REPEATED);
    }
    let sixth = desk.answered(with_id, at(500));
    assert_eq!(record(&ledger, &sixth).await, charged(&sixth));
    drop(ledger);
    let ledger = home.open();
    assert_eq!(record(&ledger, &desk.answered(with_id, at(1_100))).await, REPEATED);
    let late = desk.answered(QUESTION, at(1_100));
    assert_eq!(record(&ledger, &late).await, charged(&late));
}

pub async fn rows_are_found_by_partner_app_outcome_and_time(home: &dyn LedgerHome) {
    let (ledger, desk, other) = (home.open(), Desk::default(), PartnerId::from_stored(9));
    for place in 0..60u32 {
        let question = Question { line: place, app: app(u64::from(place % 3)), ..QUESTION };
        let draft = desk.answered(question, at(i64::from(place) * 3_600));
        let outcome = if place % 2 == 0 { Outcome::Answered } else { Outcome::NotServed };
        record(&ledger, &Draft { outcome, partner: if place == 12 { other } else { draft.partner }, ..draft }).await;
    }
    let hours = async |query: RowQuery| -> Vec<i64> {
        let rows = ledger.rows(query).await.unwrap();
        rows.iter().map(|row| row.at.duration_since(at(0)).as_hours()).collect()
    };
    let (from, until) = (Some(at(10 * 3_600)), Some(at(20 * 3_600)));
    assert_eq!(hours(RowQuery { from, until, ..ALL }).await, (10..20).collect::<Vec<_>>());
    assert_eq!(hours(RowQuery { from, until, app: Some(app(2)), ..ALL }).await, [11, 14, 17]);
    assert_eq!(hours(RowQuery { from, partner: Some(other), ..ALL }).await, [12]);
    let outcome = Some(Outcome::Answered);
    assert_eq!(hours(RowQuery { from, until, outcome, ..ALL }).await, [10, 12, 14, 16, 18]);
    assert_eq!(hours(RowQuery { outcome, app: Some(app(1)), limit: 2, ..ALL }).await, [4, 10]);
    assert_eq!(hours(RowQuery { from: Some(at(58 * 3_600 + 1)), ..ALL }).await, [59]);
    assert_eq!(hours(RowQuery { until: Some(at(0)), ..ALL }).await, [0i64; 0]);
    assert_eq!(hours(RowQuery { app: Some(app(9)), ..ALL }).await, [0i64; 0]);
    assert_eq!(hours(RowQuery { limit: 0, ..ALL }).await, [0i64; 0]);
}

pub async fn rows_come_in_pages(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    for line in 0..25 {
        record(&ledger, &desk.answered(Question { line, app: app(u64::from(line % 2)), ..QUESTION }, at(0))).await;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = ledger.rows(RowQuery { after, app: Some(app(0)), limit: 4, ..ALL }).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 4);
        after = Some(last.id);
        seen.extend(page);
    }
    assert_eq!(seen.len(), 13);
    assert!(seen.windows(2).all(|pair| pair[0].id < pair[1].id));
}

/// An id is minted when a request comes; its row carries the instant of the decision.
pub async fn a_decision_can_trail_its_id(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let trailing = Draft { at: at(8), ..desk.answered(QUESTION, at(0)) };
    // A clock that was set back leaves ids ahead of their rows.
    let ahead = Draft { at: at(9), ..desk.answered(Question { line: 2, ..QUESTION }, at(3_600)) };
    for draft in [&ahead, &trailing] {
        record(&ledger, draft).await;
    }
    let found = ledger.rows(RowQuery { from: Some(at(8)), until: Some(at(10)), ..ALL }).await.unwrap();
    assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [trailing.id, ahead.id]);
}

pub async fn the_newest_id_is_known(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    assert_eq!(ledger.newest().await.unwrap(), None);
    let (first, second) = (desk.answered(QUESTION, at(0)), desk.answered(QUESTION, at(0)));
    record(&ledger, &second).await;
    record(&ledger, &first).await;
    assert_eq!(ledger.newest().await.unwrap(), Some(second.id));
    drop(ledger);
    assert_eq!(home.open().newest().await.unwrap(), Some(second.id));
}

pub async fn the_chain_verifies_across_reopens(home: &dyn LedgerHome) {
    let desk = Desk::default();
    for round in 0..3 {
        let ledger = home.open();
        for line in 0..10 {
            record(&ledger, &desk.answered(Question { line, ..QUESTION }, at(round))).await;
        }
    }
    let ledger = home.open();
    assert_eq!(verify_ledger(&*ledger, chain_key(), |_| {}).await.unwrap(), (30, vec![]));
    // Each clean close wrote down where the chain ended.
    let heads: Vec<u64> = ledger.heads().await.unwrap().iter().map(|head| head.seq).collect();
    assert!([10, 20, 30].iter().all(|end| heads.contains(end)), "{heads:?}");
    let wrong_key = verify_ledger(&*ledger, ChainKey::new(&[0; 32]), |_| {}).await.unwrap();
    assert_eq!(wrong_key.1.len(), 30);
    let page = ledger.chain(None, 7).await.unwrap();
    let next = ledger.chain(page.rows.last().map(|row| row.row.id), 7).await.unwrap();
    assert_eq!((page.rows.len(), next.rows.len()), (7, 7));
    assert!(page.rows[6].row.id < next.rows[0].row.id);
}

pub async fn concurrent_checks_are_all_recorded_once(home: &dyn LedgerHome) {
    const CALLERS: u32 = 64;
    const CHECKS: u32 = 200;
    let (ledger, desk) = (home.open(), Arc::new(Desk::default()));
    let caller = |caller: u32| {
        let (ledger, desk) = (Arc::clone(&ledger), Arc::clone(&desk));
        tokio::spawn(async move {
            let mut ids = Vec::new();
            for check in 0..CHECKS {
                let draft = desk.answered(Question { line: caller * CHECKS + check, ..QUESTION }, at(i64::from(check)));
                ids.push(draft.id);
                assert_eq!(ledger.record(draft.clone()).await.unwrap(), charged(&draft));
            }
            ids
        })
    };
    let callers: Vec<_> = (0..CALLERS).map(caller).collect();
    // Verifying beside them finds nothing wrong in what stood there when it began.
    for _ in 0..5 {
        assert_eq!(verify_ledger(&*ledger, chain_key(), |_| {}).await.unwrap().1, []);
    }
    let mut recorded = Vec::new();
    for caller in callers {
        recorded.extend(caller.await.unwrap());
    }
    recorded.sort_unstable();
    drop(ledger);
    let ledger = home.open();
    let stored: Vec<CheckId> = all(&ledger).await.iter().map(|row| row.id).collect();
    assert_eq!(stored, recorded);
    assert_eq!(verify_ledger(&*ledger, chain_key(), |_| {}).await.unwrap(), (u64::from(CALLERS * CHECKS), vec![]));
}
