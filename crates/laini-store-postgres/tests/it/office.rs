use laini_core::store::{AccountStore, OfficeStore, RefusalLog};
use laini_store_postgres::{Database, DatabaseSettings, PostgresAccounts};
use laini_testkit::contract::office::OfficeHome;
use laini_testkit::contract::refusals::RefusalsHome;
use laini_testkit::postgres::{TestDatabase, fresh_database};

struct Home(TestDatabase);

impl Home {
    fn accounts_of_database(&self) -> PostgresAccounts {
        PostgresAccounts::open(Database::open(DatabaseSettings::new(&self.0.url())).unwrap())
    }
}

impl OfficeHome for Home {
    fn open(&self) -> Box<dyn OfficeStore> {
        Box::new(self.accounts_of_database())
    }

    fn accounts(&self) -> Box<dyn AccountStore> {
        Box::new(self.accounts_of_database())
    }
}

laini_testkit::office_contract!(Home(fresh_database()));

impl RefusalsHome for Home {
    fn open(&self) -> Box<dyn RefusalLog> {
        Box::new(self.accounts_of_database())
    }
}

laini_testkit::refusals_contract!(Home(fresh_database()));
