use std::time::Duration;

use jiff::Timestamp;
use laini_core::partner::AppId;
use laini_core::store::WorldStore;
use laini_store_postgres::{Database, DatabaseSettings, PostgresWorlds};
use laini_testkit::contract::worlds::WorldsHome;
use laini_testkit::postgres::{TestDatabase, fresh_database};

struct Home(TestDatabase);

impl WorldsHome for Home {
    fn open(&self) -> Box<dyn WorldStore> {
        Box::new(PostgresWorlds::open(Database::open(DatabaseSettings::new(&self.0.url())).unwrap()))
    }
}

laini_testkit::worlds_contract!(Home(fresh_database()));

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_world_that_another_node_touches_at_this_moment_is_not_purged() {
    let home = Home(fresh_database());
    let store = home.open();
    home.0.execute("INSERT INTO world VALUES (1, 1, 0, 0, NULL, 0)");
    let (mut other, connection) = tokio_postgres::connect(&home.0.url(), tokio_postgres::NoTls).await.unwrap();
    let driving = tokio::spawn(connection);
    let touching = other.transaction().await.unwrap();
    touching.execute("UPDATE world SET used = 2000000", &[]).await.unwrap();
    let idle_since = Timestamp::from_second(1).unwrap();
    let (purged, touched) = tokio::join!(
        store.purge(idle_since, 10),
        tokio::time::timeout(Duration::from_secs(10), async {
            let waits = "SELECT EXISTS (SELECT FROM pg_locks held JOIN pg_locks awaited USING (transactionid)
                 WHERE held.pid = pg_backend_pid() AND held.granted AND NOT awaited.granted)";
            while !touching.query_one(waits, &[]).await.unwrap().get::<_, bool>(0) {}
            touching.commit().await.unwrap();
        })
    );
    touched.unwrap();
    assert_eq!(purged.unwrap(), 0);
    assert!(store.load(AppId::from_stored(1)).await.unwrap().is_some());
    driving.abort();
}
