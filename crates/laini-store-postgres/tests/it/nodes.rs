//! Several nodes on one database.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use laini_core::billing::Outcome;
use laini_core::store::{
    AnswerMemory, Claimed, Draft, Ledger, LedgerError, NodeStore, Submission, Submitted, verify_ledger,
};
use laini_store_postgres::{
    Database, DatabaseSettings, LedgerSettings, PostgresDayKeys, PostgresLedger, PostgresNodes, StoreError,
};
use laini_testkit::contract::ledger::{Desk, FixedDayKeys, QUESTION, Question, all, app, at, chain_key};
use laini_testkit::contract::submit::{assert_counters_equal_rows, claim, keyed};
use laini_testkit::postgres::{FaultProxy, Faults, TestDatabase, fresh_database};
use tempfile::TempDir;

/// A node with a data directory of its own.
struct Node {
    _dir: TempDir,
    ledger: Arc<PostgresLedger>,
}

impl Node {
    fn start(database: &TestDatabase, name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let connection = Database::open(DatabaseSettings::new(&database.url())).unwrap();
        let day_keys = Arc::new(FixedDayKeys::default());
        let settings = LedgerSettings::new(name);
        let ledger = PostgresLedger::open(connection, dir.path(), chain_key(), day_keys, settings).unwrap();
        Self { _dir: dir, ledger: Arc::new(ledger) }
    }

    fn port(&self) -> Arc<dyn Ledger> {
        self.ledger.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_writes_a_chain_and_all_of_them_verify() {
    const NODES: u32 = 3;
    const CHECKS: u32 = 300;
    let database = fresh_database();
    let nodes: Vec<Node> = (0..NODES).map(|node| Node::start(&database, &format!("node-{node}"))).collect();
    let mut callers = Vec::new();
    for (number, node) in (0..).zip(&nodes) {
        for caller in 0..8 {
            let (ledger, desk) = (node.port(), Desk::default());
            callers.push(tokio::spawn(async move {
                for check in 0..CHECKS / 8 {
                    let line = (number * 8 + caller) * CHECKS + check;
                    let draft = desk.answered(Question { line, ..QUESTION }, at(i64::from(caller * 60 + check)));
                    assert_eq!(ledger.record(draft).await.unwrap().outcome, Outcome::Answered);
                }
            }));
        }
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let ledger = nodes[0].port();
    let rows = all(&ledger).await;
    assert_eq!(u32::try_from(rows.len()), Ok(NODES * 8 * (CHECKS / 8)));
    assert!(rows.is_sorted_by(|one, next| one.id < next.id));
    let (verified, breaks) = verify_ledger(&*ledger, chain_key(), |_| {}).await.unwrap();
    assert_eq!((verified, breaks), (rows.len() as u64, vec![]));
    assert_counters_equal_rows(&ledger).await;
    assert_eq!(database.value("SELECT count(DISTINCT writer) FROM ledger").as_deref(), Some("3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_charged_once_whichever_node_is_asked() {
    let database = fresh_database();
    let nodes = ["a", "b", "c"].map(|name| Node::start(&database, name));
    let desk = Desk::default();
    let mut outcomes = Vec::new();
    for second in 0..8 {
        let node = &nodes[usize::try_from(second).unwrap() % 3];
        outcomes.push(node.ledger.record(desk.answered(QUESTION, at(second))).await.unwrap().outcome);
    }
    let (paid, free) = (Outcome::Answered, Outcome::Repeated);
    assert_eq!(outcomes, [paid, free, free, free, free, free, paid, free]);
    // All at once: one in six.
    let question = Question { line: 2, ..QUESTION };
    let drafts: Vec<Draft> = (0..60).map(|_| desk.answered(question, at(100))).collect();
    let mut callers = Vec::new();
    for (place, draft) in drafts.into_iter().enumerate() {
        let ledger = nodes[place % 3].port();
        callers.push(tokio::spawn(async move { ledger.record(draft).await.unwrap().outcome }));
    }
    let mut charged = 0;
    for caller in callers {
        charged += u32::from(caller.await.unwrap() == Outcome::Answered);
    }
    assert_eq!(charged, 10);
    assert_counters_equal_rows(&nodes[0].port()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_two_nodes_record_is_recorded_once() {
    let database = fresh_database();
    let nodes = [Node::start(&database, "a"), Node::start(&database, "b")];
    let desk = Desk::default();
    for line in 0..50 {
        let draft = desk.answered(Question { line, ..QUESTION }, at(0));
        let (one, other) = tokio::join!(nodes[0].ledger.record(draft.clone()), nodes[1].ledger.record(draft.clone()));
        assert_eq!(one.unwrap(), other.unwrap());
    }
    assert_eq!(all(&nodes[1].port()).await.len(), 50);
    assert_eq!(verify_ledger(&*nodes[1].ledger, chain_key(), |_| {}).await.unwrap(), (50, vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idempotency_key_is_held_on_one_node() {
    let database = fresh_database();
    let nodes = [Node::start(&database, "a"), Node::start(&database, "b")];
    let desk = Desk::default();
    for key in 0..40 {
        let claimed = claim(key, 1, at(i64::from(key)));
        let (one, other) = tokio::join!(nodes[0].ledger.claim(claimed), nodes[1].ledger.claim(claimed));
        let held = [one.unwrap(), other.unwrap()];
        let mine = held.iter().filter(|held| matches!(held, Claimed::Mine(_))).count();
        assert_eq!(mine, 1, "{held:?}");
        let holder = held.iter().position(|held| matches!(held, Claimed::Mine(_))).unwrap();
        let drafts = vec![desk.answered(Question { line: key.into(), ..QUESTION }, claimed.at)];
        let submission = Submission { drafts, answer: Some(keyed(claimed)), ..Submission::default() };
        assert!(matches!(nodes[holder].ledger.submit(submission).await, Ok(Submitted::Recorded(..))));
        drop(held);
        for node in &nodes {
            assert!(matches!(node.ledger.claim(claimed).await.unwrap(), Claimed::Stored(_)));
        }
    }
    // Without having claimed, as after a crash that took the claim along: the answer keeps it to one charge.
    let late = claim(1, 1, at(90));
    let drafts = vec![desk.answered(Question { line: 900, ..QUESTION }, at(90))];
    let submission = Submission { drafts, answer: Some(keyed(late)), ..Submission::default() };
    assert!(matches!(nodes[1].ledger.submit(submission).await, Ok(Submitted::Answered(..))));
    assert_eq!(all(&nodes[0].port()).await.len(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_name_is_taken_over_records_nothing_more() {
    let database = fresh_database();
    let first = Node::start(&database, "twin");
    let desk = Desk::default();
    first.ledger.record(desk.answered(QUESTION, at(0))).await.unwrap();
    let second = Node::start(&database, "twin");
    second.ledger.record(desk.answered(Question { line: 2, ..QUESTION }, at(0))).await.unwrap();
    let refused = first.ledger.record(desk.answered(Question { line: 3, ..QUESTION }, at(0))).await;
    assert!(matches!(&refused, Err(LedgerError::NotRecorded(why)) if why.contains("taken over")), "{refused:?}");
    second.ledger.record(desk.answered(Question { line: 4, ..QUESTION }, at(0))).await.unwrap();
    assert_eq!(verify_ledger(&*second.ledger, chain_key(), |_| {}).await.unwrap(), (3, vec![]));
}

#[test]
fn of_eight_nodes_that_start_together_one_sets_up_the_tables() {
    let database = fresh_database();
    let starting: Vec<_> = (0..8)
        .map(|_| {
            let url = database.url();
            thread::spawn(move || Database::open(DatabaseSettings::new(&url)).map(drop))
        })
        .collect();
    for started in starting {
        started.join().unwrap().unwrap();
    }
    assert_eq!(database.value("SELECT fence FROM laini_schema").as_deref(), Some("1"));
    println!("family=set-up cases=8 failures=0 migrators=1");
}

/// One after the other each node that sets up the tables dies a little later, until one of them lives.
#[test]
fn a_set_up_that_dies_at_any_statement_is_gone_on_with() {
    let (database, whole) = (fresh_database(), fresh_database());
    drop(Database::open(DatabaseSettings::new(&whole.url())).unwrap());
    let (mut deaths, mut requests) = (0, 1);
    loop {
        let link = FaultProxy::start(port_of(&database.url()), 1);
        link.set(Faults { dies_after: Some(requests), ..Faults::default() });
        let mut settings = DatabaseSettings::new(&database.url_at(link.port()));
        (settings.setup_lease, settings.open_timeout) = (Duration::ZERO, Duration::ZERO);
        if Database::open(settings).is_ok() {
            break;
        }
        deaths += 1;
        // A step is four requests, behind three of the look and three of the lease: each death falls upon
        // another one of them.
        requests = 7 + deaths % 5;
        assert!(deaths < 1_000, "it never comes to an end");
    }
    let tables = "SELECT string_agg(relname || ' ' || relkind::text, ',' ORDER BY relname, relkind::text)
                  FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'";
    assert_eq!(database.value(tables), whole.value(tables));
    let done = "SELECT version || ' ' || step FROM laini_schema";
    assert_eq!(database.value(done), whole.value(done));
    let statements = "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
                      WHERE nspname = 'public' AND relkind IN ('r', 'p', 'i')";
    let statements: u64 = database.value(statements).unwrap().parse().unwrap();
    assert!(deaths > statements, "{deaths} deaths in {statements} tables and indexes");
    println!("family=set-up killed cases={deaths} failures=0");
}

fn port_of(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap()
}

#[test]
fn tables_of_a_newer_release_are_refused_unless_that_release_says_that_they_fit() {
    let database = fresh_database();
    drop(Database::open(DatabaseSettings::new(&database.url())).unwrap());
    database.execute("UPDATE laini_schema SET version = 10, compatible_from = 1");
    drop(Database::open(DatabaseSettings::new(&database.url())).unwrap());
    database.execute("UPDATE laini_schema SET version = 10, compatible_from = 10");
    let refused = Database::open(DatabaseSettings::new(&database.url())).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 10, .. }), "{refused}");
}

#[test]
fn a_wrong_address_or_password_is_told_at_once() {
    let database = fresh_database();
    let wrong = database.url().replace("laini_test_", "no_such_");
    let refused = Database::open(DatabaseSettings::new(&wrong)).map(drop).unwrap_err();
    assert!(refused.to_string().contains("does not exist"), "{refused}");
    let refused = Database::open(DatabaseSettings::new("postgresql://")).map(drop);
    assert!(refused.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_have_the_same_day_keys_and_only_those_of_their_installation() {
    use laini_core::store::{AnswerKey, BodyOwner, DayKeySeal, DayKeys};
    let test = fresh_database();
    let open = || Database::open(DatabaseSettings::new(&test.url())).unwrap();
    let random: laini_store_postgres::Random = Arc::new(|bytes| fastrand::fill(bytes));
    let keys = |seal: u8| PostgresDayKeys::open(open(), DayKeySeal::new(&[seal; 32]), Arc::clone(&random));
    let (one, other, foreign) = (keys(1), keys(1), keys(2));
    let day = jiff::civil::date(2026, 11, 22);
    let owner = BodyOwner::Answer(AnswerKey([3; 16]));
    assert!(other.existing(day).unwrap().is_none());
    let sealed = one.key(day).unwrap().seal_body(owner, b"a body");
    assert_eq!(other.key(day).unwrap().open_body(owner, &sealed).as_deref(), Ok(&b"a body"[..]));
    assert!(foreign.key(day).is_err());
    assert_eq!(one.destroy_before(day.tomorrow().unwrap()).unwrap(), 1);
    assert!(keys(1).existing(day).unwrap().is_none());
    let database = open();
    database.confirm_keys([1; 32]).unwrap();
    database.confirm_keys([1; 32]).unwrap();
    let refused = open().confirm_keys([2; 32]);
    assert!(matches!(refused, Err(StoreError::OtherKeys)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_listed_with_what_they_wrote() {
    let test = fresh_database();
    let node = Node::start(&test, "a");
    node.ledger.record(Desk::default().answered(Question { app: app(1), ..QUESTION }, at(0))).await.unwrap();
    let open = || Database::open(DatabaseSettings::new(&test.url())).unwrap();
    let _a = PostgresNodes::join(open(), "a", "1.2.3");
    let reader = PostgresNodes::beside(open());
    let listed = loop {
        let listed = reader.nodes().await.unwrap();
        if !listed.is_empty() {
            break listed;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(listed.len(), 1);
    let found = &listed[0];
    assert_eq!((found.name.as_str(), found.release.as_str(), found.is_alive), ("a", "1.2.3", true));
    assert_eq!((found.writer, found.rows), (Some(1), 1));
    test.execute("UPDATE node SET seen_ms = seen_ms - 60000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_that_nothing_can_repeat_any_more_are_removed() {
    let test = fresh_database();
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(DatabaseSettings::new(&test.url())).unwrap();
    let settings = LedgerSettings { purge_every: Duration::ZERO, ..LedgerSettings::new("a") };
    let day_keys = Arc::new(FixedDayKeys::default());
    let ledger = PostgresLedger::open(database, dir.path(), chain_key(), day_keys, settings).unwrap();
    let desk = Desk::default();
    for line in 0..20 {
        ledger.record(desk.answered(Question { line, ..QUESTION }, at(0))).await.unwrap();
    }
    let left = || test.value("SELECT count(*) FROM repeatable").unwrap();
    assert_eq!(left(), "20");
    // Twenty minutes later only what was asked then can be repeated.
    ledger.record(desk.answered(QUESTION, at(1_200))).await.unwrap();
    while left() != "1" {
        tokio::task::yield_now().await;
    }
}

/// Two nodes that do the same work: one has the turn, and a node that comes back late changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_away_notes_nothing_about_what_another_has() {
    use laini_core::store::{DeliveryState, Outbox, Retention};
    use laini_testkit::contract::outbox::delivery;
    let database = fresh_database();
    let nodes = [Node::start(&database, "a"), Node::start(&database, "b")];
    let desk = Desk::default();
    let made = delivery(&desk, 1, at(0));
    nodes[0].ledger.put(made.clone()).await.unwrap();
    assert_eq!(nodes[0].ledger.lease_deliveries(at(0), at(10), 9, 9).await.unwrap().len(), 1);
    // The first stands still until its lease has ended; the second delivers.
    assert_eq!(nodes[1].ledger.lease_deliveries(at(11), at(21), 9, 9).await.unwrap().len(), 1);
    let attempt = |second| laini_core::store::Attempt { at: at(second), status: Some(204), problem: String::new() };
    nodes[1].ledger.settle(made.id, attempt(12), DeliveryState::Delivered).await.unwrap();
    let late = nodes[0].ledger.settle(made.id, attempt(13), DeliveryState::Due(at(60))).await;
    assert!(matches!(late, Err(LedgerError::NotRecorded(_))), "{late:?}");
    assert!(nodes[1].ledger.lease_deliveries(at(100), at(110), 9, 9).await.unwrap().is_empty());
    // Forgetting: the first that comes has the turn, the other forgets nothing.
    for line in 0..10 {
        nodes[0].ledger.record(desk.answered(Question { line, ..QUESTION }, at(i64::from(line)))).await.unwrap();
    }
    assert_eq!(nodes[0].ledger.forget_subjects(at(100), 5).await.unwrap().count, 5);
    assert_eq!(nodes[1].ledger.forget_subjects(at(100), 5).await.unwrap().count, 0);
    database.execute("UPDATE worker SET until_ms = 0 WHERE name = 'retention'");
    assert_eq!(nodes[1].ledger.forget_subjects(at(100), 3).await.unwrap().count, 3);
    assert_eq!(nodes[0].ledger.forget_subjects(at(100), 5).await.unwrap().count, 0);
}
