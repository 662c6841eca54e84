//! Databases that speak PostgreSQL's protocol, as tests need them.
//!
//! Owns the servers that it starts: on loopback, in directories of their own, gone with the test process.
//! Must never start one where the environment names one (`LAINI_TEST_POSTGRES_URL`), or leave one behind.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that gets no database must end")]

mod cluster;
mod fault_proxy;
mod network;
mod pooler;
mod server;
mod template;

use std::sync::OnceLock;

use tokio_postgres::{NoTls, SimpleQueryMessage};

pub use cluster::Cluster;
pub use fault_proxy::{Act, Door, FaultProxy, Faults, Rule};
pub use network::Network;
pub use pooler::Pooler;
pub use server::{Server, ServerOptions};

/// Names a server that tests are to use instead of one of their own: any that speaks the protocol. Its
/// user must be allowed to make databases.
pub const URL_VARIABLE: &str = "LAINI_TEST_POSTGRES_URL";

/// An empty database of its own for one test, dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    base: String,
    name: String,
}

/// Makes an empty database.
pub fn fresh_database() -> TestDatabase {
    let database = TestDatabase { base: base_url(), name: format!("laini_test_{:016x}", fastrand::u64(..)) };
    execute(&database.base, &format!("CREATE DATABASE {}", database.name));
    database
}

impl TestDatabase {
    /// Where it is.
    pub fn url(&self) -> String {
        let (before, _) = self.base.rsplit_once('/').expect("a URL with a database's name");
        format!("{before}/{}", self.name)
    }

    /// The same database at another port of loopback: behind a proxy.
    pub fn url_at(&self, port: u16) -> String {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, name) = rest.split_once('/').expect("a URL with a database's name");
        let user = authority.rsplit_once('@').map(|(user, _)| format!("{user}@")).unwrap_or_default();
        format!("{scheme}://{user}127.0.0.1:{port}/{name}")
    }

    /// Runs statements in it.
    pub fn execute(&self, sql: &str) {
        execute(&self.url(), sql);
    }

    /// The first column of the first row, as text; `None` where there is no row or it is NULL.
    pub fn value(&self, sql: &str) -> Option<String> {
        value(&self.url(), sql)
    }
}

impl Drop for TestDatabase {
    /// With whoever still uses it; an engine without that word refuses it, and gets it without.
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {}", self.name);
        let dropped = ask(&self.base, &format!("{drop} WITH (FORCE)")).is_ok() || ask(&self.base, &drop).is_ok();
        // A test that fails already says why by itself.
        assert!(dropped || std::thread::panicking(), "the database of a test cannot be dropped");
    }
}

static OWN: OnceLock<Server> = OnceLock::new();

/// The server of the environment, or one of this process.
fn base_url() -> String {
    #[expect(clippy::disallowed_methods, reason = "the environment names the server to test with")]
    if let Ok(url) = std::env::var(URL_VARIABLE) {
        return url;
    }
    OWN.get_or_init(|| Server::start(&ServerOptions::quick())).url()
}

/// Runs statements, on a thread of its own: callers may be in a runtime already.
pub fn execute(url: &str, sql: &str) {
    value(url, sql);
}

/// The first column of the first row that a statement gives.
pub fn value(url: &str, sql: &str) -> Option<String> {
    ask(url, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
}

fn ask(url: &str, sql: &str) -> Result<Option<String>, tokio_postgres::Error> {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
            let driving = tokio::spawn(connection);
            let messages = client.simple_query(&sql).await;
            driving.abort();
            Ok(messages?.iter().find_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            }))
        })
    });
    asking.join().expect("a thread that asks")
}
