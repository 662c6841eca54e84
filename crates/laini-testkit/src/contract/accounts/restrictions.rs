use jiff::Timestamp;
use laini_core::privacy::{RestrictionCursor, RestrictionRow};
use laini_core::store::{
    AccountsChange, AuditEntry, OfficeChange, OfficeError, OfficeStore, RecordChange, RecordId, RecordKind, SubjectHash,
};

use super::AccountsHome;

const BEGINNING: RestrictionCursor = RestrictionCursor { change: 0, number: SubjectHash([0; 16]) };

fn number(n: u8) -> SubjectHash {
    SubjectHash([n; 16])
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_338_000 + second).unwrap()
}

fn change(restrictions: &[(u8, Option<Timestamp>)], records: Vec<RecordChange>) -> OfficeChange {
    let changes = restrictions.iter().map(|(n, until)| AccountsChange::Restriction(number(*n), *until));
    let audit = AuditEntry {
        at: at(0),
        actor: "a test".to_owned(),
        action: "subject.restrict".to_owned(),
        target: "254******001".to_owned(),
        reason: "asked for".to_owned(),
        partner: None,
    };
    OfficeChange { records, accounts: changes.collect(), trail: vec![audit] }
}

async fn commit(office: &dyn OfficeStore, restrictions: &[(u8, Option<Timestamp>)]) {
    office.commit(change(restrictions, vec![])).await.unwrap();
}

pub async fn restrictions_are_told_in_the_order_of_their_changes(home: &dyn AccountsHome) {
    let (accounts, office) = (home.open(), home.open_office());
    let told = async |after, limit| accounts.restrictions(after, limit).await.unwrap();
    assert_eq!(told(BEGINNING, 9).await, []);
    let before = accounts.version().await.unwrap();
    commit(&*office, &[(9, Some(at(1))), (3, Some(Timestamp::MAX))]).await;
    let first = accounts.version().await.unwrap();
    assert!(first > before);
    let row = |n, until, change| RestrictionRow { number: number(n), until, change };
    let all = told(BEGINNING, 9).await;
    assert_eq!(all, [row(3, Some(Timestamp::MAX), first), row(9, Some(at(1)), first)]);
    // Two of one change may come on two pages.
    assert_eq!(told(all[0].cursor(), 9).await, all[1..]);
    assert_eq!(told(BEGINNING, 1).await, all[..1]);
    // A number that changes again comes once, as it is now; a lifted one is told too.
    commit(&*office, &[(3, None), (1, Some(at(2)))]).await;
    let second = accounts.version().await.unwrap();
    let news = [row(1, Some(at(2)), second), row(3, None, second)];
    assert_eq!(told(all[1].cursor(), 9).await, news);
    assert_eq!(told(BEGINNING, 9).await, [row(9, Some(at(1)), first), news[0], news[1]]);
    assert_eq!(accounts.restriction(number(3)).await.unwrap(), Some(news[1]));
    assert_eq!(accounts.restriction(number(9)).await.unwrap(), Some(row(9, Some(at(1)), first)));
    assert_eq!(accounts.restriction(number(4)).await.unwrap(), None);
    // As it was across a reopen.
    drop((accounts, office));
    assert_eq!(home.open().restrictions(BEGINNING, 9).await.unwrap().len(), 3);
}

pub async fn a_restriction_is_made_with_its_record_or_not_at_all(home: &dyn AccountsHome) {
    let (accounts, office) = (home.open(), home.open_office());
    let record = |expected| RecordChange {
        kind: RecordKind("privacy_request"),
        id: RecordId(5),
        expected,
        body: Some(b"a request".to_vec()),
        keys: vec![],
    };
    let version = accounts.version().await.unwrap();
    let refused = office.commit(change(&[(1, Some(at(1)))], vec![record(7)])).await;
    assert!(matches!(refused, Err(OfficeError::Conflict(..))), "{refused:?}");
    assert_eq!(accounts.restriction(number(1)).await.unwrap(), None);
    assert_eq!(accounts.version().await.unwrap(), version);
    office.commit(change(&[(1, Some(at(1)))], vec![record(0)])).await.unwrap();
    assert!(accounts.restriction(number(1)).await.unwrap().is_some());
}
