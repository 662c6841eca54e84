use laini_core::line::{EventText, RegistrySeal};
use laini_store_postgres::{Database, DatabaseSettings, PostgresRegistry, RegistrySettings};
use laini_testkit::contract::registry::RegistryPlace;
use tempfile::TempDir;

use laini_testkit::postgres::{TestDatabase, fresh_database};

/// A database of its own; few rows in memory, so that every larger load spills.
struct Place {
    database: TestDatabase,
    spill: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { database: fresh_database(), spill: tempfile::tempdir().unwrap() }
    }

    fn settings(&self) -> RegistrySettings {
        RegistrySettings { sort_chunk_rows: 64, ..RegistrySettings::new(self.spill.path()) }
    }

    fn open_with(&self, settings: RegistrySettings) -> PostgresRegistry {
        let database = Database::open(DatabaseSettings::new(&self.database.url())).unwrap();
        PostgresRegistry::open(database, settings, RegistrySeal::new(&[7; 32]))
    }
}

impl RegistryPlace for Place {
    type Handle = PostgresRegistry;

    fn open_requiring(&self, required_feeds: Vec<EventText>) -> PostgresRegistry {
        self.open_with(RegistrySettings { required_feeds, ..self.settings() })
    }
}

laini_testkit::registry_contract!(Place::new());
