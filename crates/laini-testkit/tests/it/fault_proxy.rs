use std::time::Duration;

use laini_testkit::postgres::{Act, Door, FaultProxy, Faults, Rule, TestDatabase, fresh_database};
use tokio_postgres::{Client, Error, NoTls};

struct Link {
    database: TestDatabase,
    proxy: FaultProxy,
}

impl Link {
    fn new() -> Self {
        let database = fresh_database();
        database.execute("CREATE TABLE one (n int)");
        let port = database.url().rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
        Self { database, proxy: FaultProxy::start(port, 7) }
    }

    async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = tokio_postgres::connect(&self.database.url_at(self.proxy.port()), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    fn act(&self, holds: &'static str, act: Act) {
        self.proxy.set(Faults { rules: vec![Rule { holds, per_mille: 1_000, act }], ..Faults::default() });
    }

    fn rows(&self) -> String {
        self.database.value("SELECT count(*) FROM one").unwrap()
    }
}

#[tokio::test]
async fn without_faults_it_passes_everything_on() {
    let link = Link::new();
    let client = link.connect().await.unwrap();
    let statement = client.prepare("INSERT INTO one VALUES ($1)").await.unwrap();
    for n in 0..5i32 {
        client.execute(&statement, &[&n]).await.unwrap();
    }
    client.batch_execute("BEGIN; INSERT INTO one VALUES (9); COMMIT").await.unwrap();
    assert_eq!((link.rows().as_str(), link.proxy.counts()), ("6", (7, 0)));
}

#[tokio::test]
async fn a_reply_is_lost_after_the_server_has_committed_and_a_request_before() {
    let link = Link::new();
    let client = link.connect().await.unwrap();
    let statement = client.prepare("INSERT INTO one VALUES ($1)").await.unwrap();
    link.act("INSERT INTO one", Act::LoseReply);
    client.query_one("SELECT 1", &[]).await.unwrap();
    assert!(client.execute(&statement, &[&1i32]).await.unwrap_err().as_db_error().is_none());
    assert_eq!(link.rows(), "1");
    let client = link.connect().await.unwrap();
    link.act("INSERT INTO one", Act::LoseRequest);
    assert!(client.batch_execute("INSERT INTO one VALUES (2)").await.is_err());
    assert_eq!(link.rows(), "1");
}

#[tokio::test]
async fn a_statement_fails_as_the_server_would_have_it_and_takes_its_transaction_along() {
    let link = Link::new();
    for state in ["40001", "40P01", "55P03", "57P01"] {
        let client = link.connect().await.unwrap();
        client.batch_execute("BEGIN; INSERT INTO one VALUES (1)").await.unwrap();
        link.act("SELECT 2", Act::Fail(state));
        let error = client.query("SELECT 2", &[]).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), state);
        link.proxy.set(Faults::default());
        let ended = client.batch_execute("COMMIT").await;
        assert_eq!(ended.is_err(), state == "57P01", "{state}");
    }
    assert_eq!(link.rows(), "0");
}

#[tokio::test]
async fn connections_are_refused_lost_or_slow() {
    let link = Link::new();
    link.proxy.set(Faults { door: Door::Full, ..Faults::default() });
    let refused = link.connect().await.map(drop).unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "53300");
    link.proxy.set(Faults { door: Door::Cut, ..Faults::default() });
    assert!(link.connect().await.is_err());
    link.proxy.set(Faults::default());
    let client = link.connect().await.unwrap();
    for faults in [Faults { is_mute: true, ..Faults::default() }, Faults { is_deaf: true, ..Faults::default() }] {
        link.proxy.set(faults);
        let asked = tokio::time::timeout(Duration::from_millis(50), client.query("SELECT 1", &[]));
        assert!(asked.await.is_err());
    }
}
