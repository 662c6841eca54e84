use std::sync::Arc;

use laini_core::store::{Ledger, LimitShares};
use laini_store_postgres::{Database, DatabaseSettings, LedgerSettings, PostgresLedger, PostgresShares};
use laini_testkit::contract::ledger::{FixedDayKeys, chain_key};
use laini_testkit::contract::shares::SharesHome;
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

    fn open(&self) -> Arc<Database> {
        Database::open(DatabaseSettings::new(&self.database.url())).unwrap()
    }
}

impl SharesHome for Home {
    fn node(&self, name: &str) -> Arc<dyn LimitShares> {
        Arc::new(PostgresShares::new(self.open(), name))
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        let day_keys = Arc::new(FixedDayKeys::default());
        let settings = LedgerSettings::new("node-a");
        Arc::new(PostgresLedger::open(self.open(), self.dir.path(), chain_key(), day_keys, settings).unwrap())
    }
}

laini_testkit::shares_contract!(Home::new());
