use std::sync::Arc;

use laini_store_postgres::{Database, DatabaseSettings, LedgerSettings, PostgresLedger};
use laini_testkit::contract::ledger::{Everything, FixedDayKeys, LedgerHome, chain_key};
use laini_testkit::postgres::{TestDatabase, fresh_database};
use tempfile::TempDir;

struct Home {
    dir: TempDir,
    database: TestDatabase,
}

impl Home {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), database: fresh_database() }
    }
}

impl LedgerHome for Home {
    fn open_all(&self) -> Everything {
        let database = Database::open(DatabaseSettings::new(&self.database.url())).unwrap();
        let day_keys = Arc::new(FixedDayKeys::default());
        let settings = LedgerSettings::new("node-a");
        Everything::of(PostgresLedger::open(database, self.dir.path(), chain_key(), day_keys, settings).unwrap())
    }
}

laini_testkit::ledger_contract!(Home::new());
laini_testkit::beside_ledger_contract!(Home::new());
