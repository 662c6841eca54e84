//! The log of requests: rows of the ledger and refused calls as one list.

use std::sync::Arc;

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::access::{KeyTree, RootKey};
use laini_core::billing::{CheckId, Currency, Outcome};
use laini_core::disclosure::Windows;
use laini_core::line::NumberPlan;
use laini_core::partner::{
    Agreement, AgreementId, AppId, Environment, MemberRole, Partner, PartnerId, PersonId, Product, Purpose, StaffRole,
};
use laini_core::store::{
    AccountStore, AuditEntry, Draft, Ledger, MaskedNumber, REFUSED_CALLS_PER_APP, RefusalLog, RefusedCall, Stage,
    Subject, TrailQuery,
};
use laini_office::requests::{About, Answered, Request, RequestFilter, StepState, causes, failed_between, list, open};
use laini_office::{Actor, Office, OfficeSettings, Problem, SubjectStores, Work};
use laini_store_sqlite::{LedgerSettings, RegistrySettings, SqliteAccounts, SqliteLedger, SqliteRegistry};
use laini_testkit::contract::ledger::{Desk, FixedDayKeys, QUESTION, Question, app, at, number};
use tempfile::TempDir;

use crate::desk::Counted;

pub(crate) const BANK: PartnerId = PartnerId::from_stored(1);
const OTHER: PartnerId = PartnerId::from_stored(2);

pub(crate) struct Log {
    pub(crate) office: Office,
    ledger: Arc<SqliteLedger>,
    accounts: Arc<SqliteAccounts>,
    desk: Desk,
    _dir: TempDir,
}

impl Log {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let accounts = Arc::new(SqliteAccounts::open(dir.path()).unwrap());
        let keys = Arc::new(KeyTree::new(RootKey::new([7; 32])));
        let days = Arc::new(FixedDayKeys::default());
        let ledger = SqliteLedger::open(dir.path(), keys.chain(), days, LedgerSettings::default()).unwrap();
        let ledger = Arc::new(ledger);
        for partner in [BANK, OTHER] {
            let agreement = agreement(partner);
            let row = AuditEntry {
                at: at(0),
                actor: "test".to_owned(),
                action: "partner.add".to_owned(),
                target: String::new(),
                reason: String::new(),
                partner: None,
            };
            block_on(accounts.add_partner(Partner::new(partner, partner.to_string()), agreement, row)).unwrap();
        }
        let registry = SqliteRegistry::open(RegistrySettings::new(dir.path()), keys.registry_seal()).unwrap();
        let registry = Arc::new(registry);
        let office = Office {
            store: Arc::clone(&accounts) as _,
            refusals: Arc::clone(&accounts) as _,
            accounts: Arc::clone(&accounts) as _,
            outbox: Arc::clone(&ledger) as _,
            ledger: Arc::clone(&ledger) as _,
            registry: Some(Arc::clone(&registry) as _),
            subjects: Some(SubjectStores {
                feed: registry,
                retention: Arc::clone(&ledger) as _,
                is_answered_elsewhere: false,
            }),
            keys,
            entropy: Arc::new(Counted::default()),
            settings: OfficeSettings::new("Test Mobile", jiff::tz::TimeZone::UTC, Currency::KES),
            counted: laini_office::billing::CountedDays::default(),
            jobs: laini_office::jobs::Jobs::default(),
        };
        Self { office, ledger, accounts, desk: Desk::default(), _dir: dir }
    }

    /// A row of the second, about the line of its number.
    pub(crate) fn recorded(&self, partner: PartnerId, second: u32, outcome: Outcome) -> CheckId {
        let question = Question { line: second, app: app(partner.as_u64()), ..QUESTION };
        let draft = self.desk.answered(question, at(second.into()));
        let hash = self.office.keys.subject().number(number(second));
        let draft = Draft { partner, outcome, subject: Subject { hash, ..draft.subject.clone() }, ..draft };
        block_on(self.ledger.record(draft.clone())).unwrap();
        draft.id
    }

    /// A refused call of the second; of a row where its id is given.
    pub(crate) fn refused(&self, partner: PartnerId, second: u32, code: &str, id: Option<CheckId>) -> CheckId {
        let when = at(second.into());
        let id = id.unwrap_or_else(|| CheckId::from_parts(CheckId::floor(when).position(), 7));
        self.keep(vec![RefusedCall { id, ..self.call(partner, second, code) }]);
        id
    }

    fn keep(&self, calls: Vec<RefusedCall>) {
        block_on(self.accounts.keep(calls, REFUSED_CALLS_PER_APP)).unwrap();
    }

    /// A call of the second that was refused, about the line of its number.
    fn call(&self, partner: PartnerId, second: u32, code: &str) -> RefusedCall {
        let when = at(second.into());
        let hash = self.office.keys.subject().number(number(second));
        RefusedCall {
            id: CheckId::from_parts(CheckId::floor(when).position(), 7),
            at: when,
            partner,
            app: app(partner.as_u64()),
            environment: Environment::Production,
            path: "/imsi/v1/checkATI".to_owned(),
            product: Some(Product::Imsi),
            status: code[..3].parse().unwrap(),
            code: code.to_owned(),
            stage: if code.starts_with("404") { Stage::Registry } else { Stage::Limits },
            reason: format!("why {code}"),
            micros: 250,
            about: Some(MaskedNumber::of(number(second), hash)),
        }
    }

    fn work<T>(&self, work: impl Fn(&mut Work<'_>) -> Result<T, Problem>) -> Result<T, Problem> {
        self.office.run(&Actor::System, at(3_600), work)
    }

    /// The seconds of all calls that fit, page by page.
    fn seconds(&self, filter: &RequestFilter, limit: usize) -> Vec<i64> {
        let (mut found, mut after): (Vec<Request>, _) = (Vec::new(), None);
        loop {
            let page = self.work(|work| list(work, BANK, filter, after, limit)).unwrap();
            assert!(page.requests.len() <= limit);
            found.extend(page.requests);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        found.iter().map(|request| request.at.duration_since(at(0)).as_secs()).collect()
    }
}

fn agreement(partner: PartnerId) -> Agreement {
    Agreement {
        id: AgreementId::from_stored(partner.as_u64()),
        partner,
        valid_from: at(0),
        valid_until: None,
        windows: Windows::default(),
        prices: Vec::new(),
        pass_hashed_imsi: false,
        purposes: vec![Purpose::FraudPrevention],
        exact_times: false,
    }
}

/// Rows at 1, 3 (not served, and so a 404 too), 5 and 9; calls that were refused at 2, 7 and 8; somebody else's.
fn filled() -> (Log, CheckId) {
    let log = Log::new();
    log.recorded(BANK, 1, Outcome::Answered);
    log.refused(BANK, 2, "429.1", None);
    let both = log.recorded(BANK, 3, Outcome::NotServed);
    log.refused(BANK, 3, "404.002.01", Some(both));
    log.recorded(OTHER, 4, Outcome::Answered);
    log.recorded(BANK, 5, Outcome::Answered);
    log.refused(OTHER, 6, "429.1", None);
    log.refused(BANK, 7, "429.1", None);
    log.refused(BANK, 8, "503.1", None);
    log.recorded(BANK, 9, Outcome::Answered);
    (log, both)
}

#[test]
fn rows_and_refused_calls_are_one_list_from_either_end() {
    let (log, _) = filled();
    let every = RequestFilter::default();
    let number_of = |second| RequestFilter { about: Some(About::Number(number(second))), ..RequestFilter::default() };
    let masked = |second| RequestFilter {
        about: About::parse(&number(second).masked(), &NumberPlan::KENYA),
        ..RequestFilter::default()
    };
    let of = |answered| RequestFilter { answered, ..RequestFilter::default() };
    let status = |status| RequestFilter { status: Some(status), ..RequestFilter::default() };
    let cases = [
        (every.clone(), vec![9, 8, 7, 5, 3, 2, 1]),
        (of(Answered::WithError), vec![8, 7, 3, 2]),
        (of(Answered::WithAnswer), vec![9, 5, 1]),
        (status(429), vec![7, 2]),
        (status(404), vec![3]),
        (status(200), vec![9, 5, 1]),
        (RequestFilter { code: Some("503.1".to_owned()), ..every.clone() }, vec![8]),
        (RequestFilter { outcome: Some(Outcome::NotServed), ..every.clone() }, vec![3]),
        (RequestFilter { from: Some(at(3)), until: Some(at(8)), ..every.clone() }, vec![7, 5, 3]),
        (RequestFilter { app: Some(app(OTHER.as_u64())), ..every.clone() }, vec![]),
        (number_of(3), vec![3]),
        (masked(3), vec![3]),
        (masked(7), vec![7]),
        (masked(4), vec![]),
        (number_of(7), vec![7]),
        (number_of(4), vec![]),
    ];
    for (filter, expected) in cases {
        for limit in [1, 2, 3, 100] {
            assert_eq!(log.seconds(&filter, limit), expected, "{filter:?} by {limit}");
            let turned = RequestFilter { oldest_first: true, ..filter.clone() };
            assert!(log.seconds(&turned, limit).iter().eq(expected.iter().rev()), "{turned:?} by {limit}");
        }
    }
    let nobody = PartnerId::from_stored(99);
    assert_eq!(log.work(|work| list(work, nobody, &every, None, 1)), Err(Problem::NotFound("partner")));
}

/// Searches for a number or a mask, as somebody.
fn search(log: &Log, actor: &Actor, text: &str, at: Timestamp) -> Result<usize, Problem> {
    let filter = RequestFilter { about: About::parse(text, &NumberPlan::KENYA), ..RequestFilter::default() };
    assert!(filter.about.is_some(), "{text}");
    log.office.run(actor, at, |work| list(work, BANK, &filter, None, 10)).map(|page| page.requests.len())
}

#[test]
fn calls_are_searched_by_a_number_by_whom_it_concerns_and_the_trail_has_it_masked() {
    let (log, _) = filled();
    let person = PersonId::from_stored;
    let members = MemberRole::ALL.map(|role| Actor::Member { person: person(1), partner: BANK, role });
    let staff = StaffRole::ALL.map(|role| Actor::Staff { person: person(2), role });
    let may = |actor: &Actor| match actor {
        Actor::Member { role, .. } => {
            matches!(role, MemberRole::Owner | MemberRole::Developer | MemberRole::FraudDesk)
        }
        Actor::Staff { role, .. } => matches!(role, StaffRole::Admin | StaffRole::Support | StaffRole::Auditor),
        Actor::Console { .. } | Actor::Stranger | Actor::System => true,
    };
    let (whole, mask) = (number(3).digits(), format!("{}*{}", &number(3).digits()[..9], &number(3).digits()[9..]));
    let actors: Vec<Actor> =
        members.into_iter().chain(staff).chain([Actor::Console { user: "test".to_owned() }]).collect();
    for actor in &actors {
        for text in [whole.as_str(), mask.as_str()] {
            match search(&log, actor, text, at(3_600)) {
                Ok(_) => assert!(may(actor), "{actor:?}"),
                Err(Problem::Forbidden(why)) => assert!(!may(actor) && why.contains("fraud desk"), "{actor:?} {why}"),
                Err(problem) => panic!("{actor:?}: {problem}"),
            }
        }
        let every = RequestFilter::default();
        assert!(log.office.run(actor, at(3_600), |work| list(work, BANK, &every, None, 10)).is_ok(), "{actor:?}");
    }
    let query = TrailQuery { limit: 100, ..TrailQuery::default() };
    let rows = block_on(log.office.store.trail(query)).unwrap();
    let searched: Vec<_> = rows.into_iter().filter(|row| row.entry.action == "subject.search").collect();
    assert_eq!(searched.len(), 2 * actors.iter().filter(|actor| may(actor)).count());
    let hash = log.office.keys.subject().number(number(3)).hex();
    for row in searched.into_iter().map(|row| row.entry) {
        let is_whole = row.target == format!("{} {hash}", number(3).masked());
        assert!(is_whole || row.target.chars().count() == 7, "{row:?}");
        assert!(!format!("{row:?}").contains(&whole[3..9]), "no number: {row:?}");
        // What the operator looks into is not told to the partner.
        assert_eq!(row.partner, row.actor.starts_with("member:").then_some(BANK), "{row:?}");
    }
}

#[test]
fn one_person_searches_by_a_number_200_times_a_day() {
    let (log, _) = filled();
    let member = |id| Actor::Member { person: PersonId::from_stored(id), partner: BANK, role: MemberRole::FraudDesk };
    let whole = number(3).digits();
    for _ in 0..200 {
        assert_eq!(search(&log, &member(1), &whole, at(3_600)), Ok(1));
    }
    for text in [whole.as_str(), "254***54"] {
        let refused = search(&log, &member(1), text, at(3_600));
        assert!(matches!(&refused, Err(Problem::NotNow(why)) if why.contains("200 times a day")), "{refused:?}");
    }
    assert_eq!(search(&log, &member(2), &whole, at(3_600)), Ok(1), "each person has their own");
    let every = RequestFilter::default();
    assert!(log.office.run(&member(1), at(3_600), |work| list(work, BANK, &every, None, 10)).is_ok());
    let tomorrow = at(3_600) + SignedDuration::from_hours(24);
    assert_eq!(search(&log, &member(1), &whole, tomorrow), Ok(1));
}

#[test]
fn the_pages_of_one_search_are_counted_and_noted_once() {
    let (log, _) = filled();
    let member = Actor::Member { person: PersonId::from_stored(1), partner: BANK, role: MemberRole::FraudDesk };
    let page = |second, after, now: i64| {
        let about = Some(About::Number(number(second)));
        let filter = RequestFilter { about, ..RequestFilter::default() };
        log.office.run(&member, at(now), |work| list(work, BANK, &filter, after, 1)).map(|page| page.requests.len())
    };
    let noted = || {
        let rows = block_on(log.office.store.trail(TrailQuery { limit: 500, ..TrailQuery::default() })).unwrap();
        rows.iter().filter(|row| row.entry.action == "subject.search").count()
    };
    let after = |second: i64| Some(CheckId::floor(at(second)));
    for second in [3, 5] {
        page(second, None, 3_600).unwrap();
    }
    assert_eq!(noted(), 2);
    // Two that go on in turn, each as often as it has pages.
    for second in [9, 8, 7] {
        assert_eq!((page(3, after(second), 3_601), page(5, after(second), 3_601)), (Ok(1), Ok(1)));
    }
    assert_eq!(noted(), 2);
    // Another number, what came since, the next day, and a search of which nobody knows any more, are searches anew.
    page(1, after(9), 3_602).unwrap();
    page(3, after(3_601), 3_602).unwrap();
    assert_eq!(noted(), 4);
    page(3, after(9), 3_600 + 24 * 3_600).unwrap();
    assert_eq!(noted(), 5);
    for second in 11..19 {
        page(second, None, 90_001).unwrap();
    }
    page(3, after(9), 90_002).unwrap();
    assert_eq!(noted(), 14);
    // At the cap, what was counted goes on.
    for _ in 10..200 {
        page(9, None, 90_003).unwrap();
    }
    assert_eq!(page(9, after(9), 90_004), Ok(0));
    for after in [None, after(90_004)] {
        assert!(matches!(page(9, after, 90_004), Err(Problem::NotNow(_))), "after {after:?}");
    }
}

#[test]
fn a_look_for_a_masked_number_ends_and_the_next_page_goes_on() {
    let log = Log::new();
    let calls: Vec<_> = (1..=4_500).map(|second| log.call(BANK, second, "429.1")).collect();
    log.keep(calls);
    let recorded = log.recorded(BANK, 2, Outcome::Answered);
    for oldest_first in [false, true] {
        let about = About::parse(&number(2).masked(), &NumberPlan::KENYA);
        let filter = RequestFilter { about, oldest_first, ..RequestFilter::default() };
        let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = log.work(|work| list(work, BANK, &filter, after, 10)).unwrap();
            found.extend(page.requests.iter().map(|request| request.id));
            pages += 1;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut unique = found.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), found.len(), "each once");
        assert_eq!(found.len(), 6, "five numbers end so, one of them in the ledger, too");
        assert!(found.contains(&recorded));
        assert!(pages >= 3, "{pages} pages for 4,500 calls");
    }
}

#[test]
fn a_call_is_opened_by_its_partner_alone() {
    let (log, both) = filled();
    let opened = log.work(|work| open(work, BANK, both)).unwrap();
    assert_eq!(opened.request.status(), Some(404));
    assert_eq!(opened.request.number.as_deref(), Some(number(3).masked().as_str()));
    let recorded = opened.request.recorded.unwrap();
    assert_eq!((recorded.outcome, recorded.charge.minor), (Outcome::NotServed, 0));
    let failed: Vec<_> = opened.steps.iter().filter(|step| step.state == StepState::Failed).collect();
    assert_eq!(failed.iter().map(|step| step.stage).collect::<Vec<_>>(), [Stage::Registry]);
    assert_eq!(log.work(|work| open(work, OTHER, both)), Err(Problem::NotFound("request")));
    let nothing = CheckId::from_parts(1 << 50, 3);
    assert_eq!(log.work(|work| open(work, BANK, nothing)), Err(Problem::NotFound("request")));
}

#[test]
fn what_failed_on_our_side_between_two_instants_is_counted_by_cause() {
    let (log, _) = filled();
    for (second, code) in [(10, "504.1"), (11, "503.1"), (12, "501.1"), (13, "400.1")] {
        log.refused(BANK, second, code, None);
    }
    let hour = |apps: &[AppId], from: i64, until: i64| {
        log.work(|work| failed_between(work, (BANK, apps), at(from), at(until))).unwrap()
    };
    let (own, other) = (app(BANK.as_u64()), app(OTHER.as_u64()));
    let all = hour(&[own, other], 0, 3_600);
    let seconds = |when: Timestamp| when.duration_since(at(0)).as_secs();
    assert_eq!(all.calls, 3);
    assert_eq!(all.newest.iter().map(|call| seconds(call.at)).collect::<Vec<_>>(), [11, 10, 8]);
    let told: Vec<_> = all.causes.iter().map(|cause| (cause.code.as_str(), cause.calls)).collect();
    assert_eq!(told, [("503.1", 2), ("504.1", 1)]);
    assert_eq!(hour(&[own], 8, 11).calls, 2);
    assert_eq!(hour(&[own], 9, 9).calls, 0);
    assert_eq!(hour(&[other], 0, 3_600), hour(&[], 0, 3_600), "another app's calls are not counted");
    let week = log.work(|work| causes(work, BANK, &RequestFilter::default(), None)).unwrap();
    assert_eq!((week[0].code.as_str(), week.iter().map(|cause| cause.calls).sum::<u64>()), ("503.1", 8));
    let later = at(3_600) + SignedDuration::from_hours(8 * 24);
    let past =
        log.office.run(&Actor::System, later, |work| causes(work, BANK, &RequestFilter::default(), None)).unwrap();
    assert_eq!(past, [], "a week is over");
}
