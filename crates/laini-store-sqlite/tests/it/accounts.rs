use laini_core::store::AccountStore;
use laini_store_sqlite::SqliteAccounts;
use laini_testkit::contract::accounts::AccountsHome;
use tempfile::TempDir;

struct Home(TempDir);

impl AccountsHome for Home {
    fn open(&self) -> Box<dyn AccountStore> {
        Box::new(SqliteAccounts::open(self.0.path()).unwrap())
    }
}

laini_testkit::accounts_contract!(Home(tempfile::tempdir().unwrap()));
