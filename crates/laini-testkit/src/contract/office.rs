//! What every store of the office does, whichever engine it stands on.
//!
//! Owns the promises of the port as cases, each on an empty store. Must never know an engine: an
//! [`OfficeHome`] opens it, and the cases use the ports alone.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

use jiff::Timestamp;
use laini_core::partner::{Partner, PartnerId, PartnerStatus};
use laini_core::store::{
    AccountStore, AccountsChange, AuditEntry, Found, OfficeChange, OfficeError, OfficeStore, PartnerChange, Record,
    RecordChange, RecordId, RecordKey, RecordKind, RecordQuery, TrailQuery,
};

/// Runs the whole suite: one test per promise, each in a new `$home` (an expression that makes an
/// [`OfficeHome`](crate::contract::office::OfficeHome)).
#[macro_export]
macro_rules! office_contract {
    ($home:expr) => {
        $crate::office_contract!($home =>
            a_record_is_read_as_it_was_written
            a_version_that_is_not_the_one_that_was_read_is_a_conflict
            a_removed_record_is_gone_with_its_keys
            records_are_found_by_key_in_order_and_by_pages
            a_unique_key_is_had_by_one
            a_record_that_changes_is_found_by_its_new_keys_alone
            all_of_a_change_or_nothing
            accounts_change_with_the_records
            records_alone_do_not_disturb_the_accounts
            of_many_that_change_one_record_at_once_each_counts
            documents_are_kept_once
            the_trail_is_read_by_pages_and_by_partner
            the_trail_is_read_by_actor_action_and_time
        );
    };
    ($home:expr => $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::contract::office::$case(&$home).await;
        })*
    };
}

/// Where the office of one test lives, empty at first.
pub trait OfficeHome {
    /// Opens its records; others may have them open too.
    fn open(&self) -> Box<dyn OfficeStore>;

    /// Opens the accounts that lie beside them.
    fn accounts(&self) -> Box<dyn AccountStore>;
}

const NOTE: RecordKind = RecordKind("note");
const OTHER: RecordKind = RecordKind("other");
const BANK: PartnerId = PartnerId::from_stored(u64::MAX >> 1);

fn note(id: u64, expected: u64, body: &str) -> RecordChange {
    RecordChange { kind: NOTE, id: RecordId(id), expected, body: Some(body.as_bytes().to_vec()), keys: Vec::new() }
}

fn under(change: RecordChange, index: &'static str, value: &str, order: i64) -> RecordChange {
    let key = RecordKey { index, key: value.to_owned(), order, is_unique: false };
    RecordChange { keys: [change.keys, vec![key]].concat(), ..change }
}

fn alone_under(change: RecordChange, index: &'static str, value: &str) -> RecordChange {
    let key = RecordKey { index, key: value.to_owned(), order: 0, is_unique: true };
    RecordChange { keys: [change.keys, vec![key]].concat(), ..change }
}

fn of(records: Vec<RecordChange>) -> OfficeChange {
    OfficeChange { records, ..OfficeChange::default() }
}

fn entry(second: i64, partner: Option<PartnerId>) -> AuditEntry {
    AuditEntry {
        at: Timestamp::from_second(1_795_338_000 + second).unwrap(),
        actor: "staff:1".to_owned(),
        action: "note.change".to_owned(),
        target: second.to_string(),
        reason: String::new(),
        partner,
    }
}

fn query(index: &'static str, value: &str) -> RecordQuery {
    let key = value.to_owned();
    RecordQuery { kind: NOTE, index, key, after: None, newest_first: false, limit: 100 }
}

fn ids(found: &[Found]) -> Vec<u64> {
    found.iter().map(|one| one.id.0).collect()
}

async fn read(store: &dyn OfficeStore, id: u64) -> Option<Record> {
    store.record(NOTE, RecordId(id)).await.unwrap()
}

pub async fn a_record_is_read_as_it_was_written(home: &impl OfficeHome) {
    let largest = u64::MAX >> 1;
    let store = home.open();
    assert_eq!(read(&*store, largest).await, None);
    let body = "bytes \0 and “words”";
    store.commit(of(vec![note(largest, 0, body)])).await.unwrap();
    let expected = Record { version: 1, body: body.as_bytes().to_vec() };
    assert_eq!(read(&*home.open(), largest).await, Some(expected));
    assert_eq!(store.record(OTHER, RecordId(largest)).await.unwrap(), None);
    store.commit(of(vec![note(largest, 1, "")])).await.unwrap();
    assert_eq!(read(&*store, largest).await, Some(Record { version: 2, body: Vec::new() }));
}

pub async fn a_version_that_is_not_the_one_that_was_read_is_a_conflict(home: &impl OfficeHome) {
    let store = home.open();
    store.commit(of(vec![note(1, 0, "first")])).await.unwrap();
    let conflict = Err(OfficeError::Conflict(NOTE, RecordId(1)));
    for expected in [0, 2, 9] {
        assert_eq!(store.commit(of(vec![note(1, expected, "late")])).await, conflict, "{expected}");
    }
    let removal = RecordChange { body: None, ..note(1, 7, "") };
    assert_eq!(store.commit(of(vec![removal])).await, conflict);
    assert_eq!(store.commit(of(vec![note(2, 1, "none there")])).await, Err(OfficeError::Conflict(NOTE, RecordId(2))));
    assert_eq!(read(&*store, 1).await.unwrap().body, b"first");
}

pub async fn a_removed_record_is_gone_with_its_keys(home: &impl OfficeHome) {
    let store = home.open();
    store.commit(of(vec![alone_under(note(1, 0, "x"), "name", "a")])).await.unwrap();
    store.commit(of(vec![RecordChange { body: None, ..note(1, 1, "") }])).await.unwrap();
    assert_eq!(read(&*store, 1).await, None);
    assert_eq!(store.find(query("name", "a")).await.unwrap(), []);
    store.commit(of(vec![alone_under(note(2, 0, "y"), "name", "a")])).await.unwrap();
    assert_eq!(ids(&store.find(query("name", "a")).await.unwrap()), [2]);
}

pub async fn records_are_found_by_key_in_order_and_by_pages(home: &impl OfficeHome) {
    let store = home.open();
    // In two orders, some of them equal; and what must not be found.
    let mut changes: Vec<_> =
        (1..=9).map(|id| under(note(id, 0, "x"), "of", "bank", i64::try_from(id / 3).unwrap() - 1)).collect();
    changes.push(under(note(10, 0, "x"), "of", "other", 0));
    changes.push(under(note(11, 0, "x"), "by", "bank", 0));
    changes.push(RecordChange { kind: OTHER, ..under(note(12, 0, "x"), "of", "bank", 0) });
    store.commit(of(changes)).await.unwrap();
    assert_eq!(ids(&store.find(query("of", "bank")).await.unwrap()), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for newest_first in [false, true] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.find(RecordQuery { after, newest_first, limit: 2, ..query("of", "bank") }).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.order, last.id));
            assert!(page.len() <= 2);
            seen.extend(ids(&page));
        }
        if newest_first {
            seen.reverse();
        }
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
}

pub async fn a_unique_key_is_had_by_one(home: &impl OfficeHome) {
    let store = home.open();
    store.commit(of(vec![alone_under(note(1, 0, "x"), "email", "a@b.example")])).await.unwrap();
    let taken = Err(OfficeError::Taken { kind: NOTE, index: "email" });
    assert_eq!(store.commit(of(vec![alone_under(note(2, 0, "y"), "email", "a@b.example")])).await, taken);
    assert_eq!(read(&*store, 2).await, None);
    // Its own keeps it, another kind may have the same, and so may another key of the kind.
    store.commit(of(vec![alone_under(note(1, 1, "x"), "email", "a@b.example")])).await.unwrap();
    let other = RecordChange { kind: OTHER, ..alone_under(note(2, 0, "y"), "email", "a@b.example") };
    store.commit(of(vec![other, alone_under(note(3, 0, "z"), "name", "a@b.example")])).await.unwrap();
}

pub async fn a_record_that_changes_is_found_by_its_new_keys_alone(home: &impl OfficeHome) {
    let store = home.open();
    store.commit(of(vec![under(note(1, 0, "x"), "state", "open", 5)])).await.unwrap();
    store.commit(of(vec![under(note(1, 1, "x"), "state", "done", 6)])).await.unwrap();
    assert_eq!(store.find(query("state", "open")).await.unwrap(), []);
    let found = store.find(query("state", "done")).await.unwrap();
    assert_eq!((ids(&found), found[0].order, found[0].record.version), (vec![1], 6, 2));
}

pub async fn all_of_a_change_or_nothing(home: &impl OfficeHome) {
    let (store, accounts) = (home.open(), home.accounts());
    let change = OfficeChange {
        records: vec![note(1, 0, "x"), note(2, 5, "of no version that is there")],
        accounts: vec![AccountsChange::AddPartner(Partner::new(BANK, "Bank A".to_owned()))],
        trail: vec![entry(0, None)],
    };
    let version = accounts.version().await.unwrap();
    assert_eq!(store.commit(change).await, Err(OfficeError::Conflict(NOTE, RecordId(2))));
    assert_eq!(read(&*store, 1).await, None);
    let book = accounts.load().await.unwrap();
    assert_eq!((book.partners, book.version), (Vec::new(), version));
    assert_eq!(accounts.audits(10).await.unwrap(), []);
}

pub async fn accounts_change_with_the_records(home: &impl OfficeHome) {
    let (store, accounts) = (home.open(), home.accounts());
    let version = accounts.version().await.unwrap();
    let status = PartnerChange::Status(PartnerStatus::Suspended);
    let change = OfficeChange {
        records: vec![note(1, 0, "x")],
        accounts: vec![
            AccountsChange::AddPartner(Partner::new(BANK, "Bank A".to_owned())),
            AccountsChange::Partner(BANK, status),
        ],
        trail: vec![entry(0, Some(BANK)), entry(1, None)],
    };
    store.commit(change).await.unwrap();
    let book = accounts.load().await.unwrap();
    assert_eq!(book.partners[0].status, PartnerStatus::Suspended);
    assert!(book.version > version);
    assert_eq!(accounts.audits(10).await.unwrap(), [entry(1, None), entry(0, Some(BANK))]);
    let again = AccountsChange::AddPartner(Partner::new(PartnerId::from_stored(2), "Bank A".to_owned()));
    let refused = store.commit(OfficeChange { accounts: vec![again], ..OfficeChange::default() }).await;
    assert!(matches!(refused, Err(OfficeError::Accounts(_))), "{refused:?}");
}

pub async fn records_alone_do_not_disturb_the_accounts(home: &impl OfficeHome) {
    let (store, accounts) = (home.open(), home.accounts());
    let version = accounts.version().await.unwrap();
    let change = OfficeChange { trail: vec![entry(0, None)], ..of(vec![note(1, 0, "x")]) };
    store.commit(change).await.unwrap();
    assert_eq!(accounts.version().await.unwrap(), version);
}

pub async fn of_many_that_change_one_record_at_once_each_counts(home: &impl OfficeHome) {
    const CALLERS: usize = 8;
    const EACH: usize = 5;
    home.open().commit(of(vec![note(1, 0, "")])).await.unwrap();
    let count = |store: Box<dyn OfficeStore>| async move {
        for _ in 0..EACH {
            loop {
                let found = read(&*store, 1).await.unwrap();
                let body = format!("{}x", String::from_utf8(found.body).unwrap());
                match store.commit(of(vec![note(1, found.version, &body)])).await {
                    Ok(()) => break,
                    Err(OfficeError::Conflict(..)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    let callers: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(count(home.open()))).collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let found = read(&*home.open(), 1).await.unwrap();
    assert_eq!((found.body.len(), found.version), (CALLERS * EACH, (CALLERS * EACH + 1) as u64));
}

pub async fn documents_are_kept_once(home: &impl OfficeHome) {
    let store = home.open();
    assert_eq!(store.document([7; 32]).await.unwrap(), None);
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    for _ in 0..2 {
        store.keep_document([7; 32], bytes.clone()).await.unwrap();
    }
    assert_eq!(home.open().document([7; 32]).await.unwrap(), Some(bytes));
    assert_eq!(store.document([8; 32]).await.unwrap(), None);
}

pub async fn the_trail_is_read_by_pages_and_by_partner(home: &impl OfficeHome) {
    let store = home.open();
    let partner = |second| (second % 2 == 0).then_some(BANK);
    let first = (0..4).map(|second| entry(second, partner(second))).collect();
    store.commit(OfficeChange { trail: first, ..OfficeChange::default() }).await.unwrap();
    for second in 4..7 {
        home.accounts().audit(entry(second, partner(second))).await.unwrap();
    }
    let targets = async |partner: Option<PartnerId>, oldest_first: bool| {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let query = TrailQuery { after, oldest_first, partner, limit: 2, ..TrailQuery::default() };
            let rows = store.trail(query).await.unwrap();
            let Some(last) = rows.last() else { return seen };
            after = Some(last.number);
            seen.extend(rows.into_iter().map(|row| row.entry.target));
        }
    };
    assert_eq!(targets(None, false).await, ["6", "5", "4", "3", "2", "1", "0"]);
    assert_eq!(targets(Some(BANK), false).await, ["6", "4", "2", "0"]);
    assert_eq!(targets(Some(BANK), true).await, ["0", "2", "4", "6"]);
    assert_eq!(targets(Some(PartnerId::from_stored(3)), false).await, [""; 0]);
}

pub async fn the_trail_is_read_by_actor_action_and_time(home: &impl OfficeHome) {
    let store = home.open();
    let by = |second, actor: &str, action: &str| AuditEntry {
        actor: actor.to_owned(),
        action: action.to_owned(),
        ..entry(second, None)
    };
    let trail = vec![
        by(0, "staff:1", "app.add"),
        by(1, "member:1", "app.add"),
        by(2, "member:12", "app.revoke"),
        by(3, "member:1%", "agreement.sign"),
    ];
    let at = |n: usize| Some(trail[n].at);
    let asked = [
        ("", "", None, None, vec!["3", "2", "1", "0"]),
        ("member:", "", None, None, vec!["3", "2", "1"]),
        ("member:12", "", None, None, vec!["2"]),
        // What is asked for is a text, and no pattern.
        ("member:1%", "", None, None, vec!["3"]),
        ("m%", "", None, None, vec![]),
        ("", "app.", None, None, vec!["2", "1", "0"]),
        ("member:1", "app.add", None, None, vec!["1"]),
        ("", "", at(1), at(3), vec!["2", "1"]),
        ("staff:", "", at(1), None, vec![]),
    ];
    store.commit(OfficeChange { trail: trail.clone(), ..OfficeChange::default() }).await.unwrap();
    for (actor, action, from, until, expected) in asked {
        let (actor, action) = (actor.to_owned(), action.to_owned());
        let query = TrailQuery { actor, action, from, until, limit: 10, ..TrailQuery::default() };
        let told: Vec<_> = store.trail(query.clone()).await.unwrap().into_iter().map(|row| row.entry.target).collect();
        assert_eq!(told, expected, "{query:?}");
    }
}
