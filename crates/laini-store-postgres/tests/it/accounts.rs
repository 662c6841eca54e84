use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use laini_core::access::ConsumerKey;
use laini_core::partner::{AppId, Environment, PartnerId, PartnerStatus, Purpose};
use laini_core::store::{AccountStore, AuditEntry, OfficeStore, PartnerChange};
use laini_store_postgres::{Database, DatabaseSettings, PostgresAccounts};
use laini_testkit::contract::accounts::AccountsHome;
use laini_testkit::postgres::{TestDatabase, fresh_database};

struct Home(TestDatabase);

impl AccountsHome for Home {
    fn open(&self) -> Box<dyn AccountStore> {
        let database: Arc<Database> = Database::open(DatabaseSettings::new(&self.0.url())).unwrap();
        Box::new(PostgresAccounts::open(database))
    }

    fn open_office(&self) -> Box<dyn OfficeStore> {
        let database: Arc<Database> = Database::open(DatabaseSettings::new(&self.0.url())).unwrap();
        Box::new(PostgresAccounts::open(database))
    }
}

laini_testkit::accounts_contract!(Home(fresh_database()));

/// Writes partners with that many apps in all, each with two secrets, a limit and a budget.
fn fill(database: &TestDatabase, partners: u64, apps: u64) {
    let (mut app_rows, mut secrets) = (String::new(), String::new());
    for id in 0..apps {
        let key = ConsumerKey::mint(Environment::Production, [id, 1, 2]);
        let comma = if id == 0 { "" } else { "," };
        write!(
            app_rows,
            "{comma}({id}, {}, 'app {id}', 'production', 'imsi,age', 'active', 1, '{}', NULL, false, '{}', \
             NULL, NULL, NULL, '')",
            id % partners,
            key.as_str(),
            Purpose::default().word()
        )
        .unwrap();
        let hash = format!("sha256(int8send({id}))");
        write!(secrets, "{comma}({id}, 0, {hash}), ({id}, 1, {hash})").unwrap();
    }
    database.execute(&format!(
        "INSERT INTO partner (id, name, status)
             SELECT id, 'partner ' || id, 'active' FROM generate_series(0, {partners} - 1) id;
         INSERT INTO app VALUES {app_rows};
         INSERT INTO app_secret VALUES {secrets};
         INSERT INTO app_limit (app, product, per_day) SELECT id, 'all', 1000 FROM app;
         INSERT INTO app_budget SELECT id, 100000, 'KES', '50,80', 10, true FROM app;
         UPDATE accounts_meta SET version = 1"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_apps_are_loaded_whole() {
    let home = Home(fresh_database());
    let store: Arc<dyn AccountStore> = home.open().into();
    fill(&home.0, 100, 10_000);
    store.load().await.unwrap();
    let (began, loading) = (Instant::now(), Arc::clone(&store));
    let loading = tokio::spawn(async move { (loading.load().await.unwrap(), began.elapsed()) });
    let mut longest = Duration::ZERO;
    while !loading.is_finished() {
        let began = Instant::now();
        store.version().await.unwrap();
        longest = longest.max(began.elapsed());
    }
    let (book, took) = loading.await.unwrap();
    assert_eq!((book.partners.len(), book.apps.len()), (100, 10_000));
    assert!(book.apps.iter().all(|app| app.secrets.len() == 2 && app.limits.budget.is_some()));
    println!("accounts: 10000 apps loaded in {took:?}, another read took {longest:?} at most meanwhile");
}

fn audit(action: String) -> AuditEntry {
    let [actor, target, reason] = ["uid 1000", "app", ""].map(str::to_owned);
    AuditEntry { at: Timestamp::UNIX_EPOCH, actor, action, target, reason, partner: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_on_two_nodes_lose_nothing() {
    const WRITERS: u64 = 8;
    const ROUNDS: u64 = 10;
    let home = Home(fresh_database());
    let nodes: [Arc<dyn AccountStore>; 2] = [home.open().into(), home.open().into()];
    fill(&home.0, 2, 2);
    let before = nodes[0].version().await.unwrap();
    let write = |writer: u64| {
        let store = Arc::clone(&nodes[usize::from(writer % 2 == 1)]);
        tokio::spawn(async move {
            // One app for all of them, and the partners in opposite order.
            let (app, partner) = (AppId::from_stored(0), PartnerId::from_stored(writer % 2));
            let mut epochs = Vec::new();
            for round in 0..ROUNDS {
                let suspended = PartnerChange::Status(PartnerStatus::Suspended);
                store.change_partner(partner, suspended, audit(format!("{writer}.{round}"))).await.unwrap();
                epochs.push(store.next_token_epoch(app, audit(format!("{writer}.{round}"))).await.unwrap());
            }
            epochs
        })
    };
    let mut epochs = Vec::new();
    for writer in (0..WRITERS).map(write).collect::<Vec<_>>() {
        epochs.extend(writer.await.unwrap());
    }
    epochs.sort_unstable();
    let changes = 2 * WRITERS * ROUNDS;
    let first = 2; // the apps are filled in with epoch 1
    assert!(epochs.iter().copied().eq(first..first + u32::try_from(changes / 2).unwrap()), "{epochs:?}");
    for node in &nodes {
        assert_eq!(node.version().await.unwrap(), before + changes);
        assert_eq!(node.audits(1_000).await.unwrap().len() as u64, changes);
    }
    let numbered = "SELECT count(*) || ' ' || min(number) || ' ' || max(number) FROM audit";
    assert_eq!(home.0.value(numbered), Some(format!("{changes} 1 {changes}")), "without a gap");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_in_the_order_of_their_bytes_whatever_the_language_of_the_database() {
    let home = Home(fresh_database());
    let store = home.open();
    home.0.execute(
        "ALTER TABLE partner ALTER COLUMN name TYPE text COLLATE \"en-x-icu\";
         INSERT INTO partner (id, name, status) VALUES (1, 'bank', 'active'), (2, 'Zoo', 'active'), (3, 'äther', 'active')",
    );
    let names: Vec<_> = store.load().await.unwrap().partners.into_iter().map(|partner| partner.name).collect();
    assert_eq!(names, ["Zoo", "bank", "äther"]);
}
