use std::sync::Arc;

use laini_core::store::AccountStore;
use laini_store_postgres::{Database, DatabaseSettings, PostgresAccounts};
use laini_testkit::contract::accounts::AccountsHome;
use laini_testkit::postgres::{TestDatabase, fresh_database};

struct Home(TestDatabase);

impl AccountsHome for Home {
    fn open(&self) -> Box<dyn AccountStore> {
        let database: Arc<Database> = Database::open(DatabaseSettings::new(&self.0.url())).unwrap();
        Box::new(PostgresAccounts::open(database))
    }
}

laini_testkit::accounts_contract!(Home(fresh_database()));
