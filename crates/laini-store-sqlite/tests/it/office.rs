use laini_core::store::{AccountStore, OfficeStore, RefusalLog};
use laini_store_sqlite::SqliteAccounts;
use laini_testkit::contract::office::OfficeHome;
use laini_testkit::contract::refusals::RefusalsHome;
use tempfile::TempDir;

struct Home(TempDir);

impl OfficeHome for Home {
    fn open(&self) -> Box<dyn OfficeStore> {
        Box::new(SqliteAccounts::open(self.0.path()).unwrap())
    }

    fn accounts(&self) -> Box<dyn AccountStore> {
        Box::new(SqliteAccounts::open(self.0.path()).unwrap())
    }
}

laini_testkit::office_contract!(Home(tempfile::tempdir().unwrap()));

impl RefusalsHome for Home {
    fn open(&self) -> Box<dyn RefusalLog> {
        Box::new(SqliteAccounts::open(self.0.path()).unwrap())
    }
}

laini_testkit::refusals_contract!(Home(tempfile::tempdir().unwrap()));
