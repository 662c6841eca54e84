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
