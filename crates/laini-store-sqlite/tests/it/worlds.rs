use laini_core::store::WorldStore;
use laini_store_sqlite::SqliteWorlds;
use laini_testkit::contract::worlds::WorldsHome;
use tempfile::TempDir;

struct Home(TempDir);

impl WorldsHome for Home {
    fn open(&self) -> Box<dyn WorldStore> {
        Box::new(SqliteWorlds::open(self.0.path()).unwrap())
    }
}

laini_testkit::worlds_contract!(Home(tempfile::tempdir().unwrap()));
