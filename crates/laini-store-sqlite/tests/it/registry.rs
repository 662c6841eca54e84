use std::fs;
use std::path::Path;

use laini_core::line::{EventText, ImsiSeal};
use laini_store_sqlite::{RegistrySettings, SqliteRegistry};
use laini_testkit::contract::registry::RegistryPlace;
use tempfile::TempDir;

/// A directory of its own; few rows in memory, so that every larger load spills.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl RegistryPlace for Place {
    type Handle = SqliteRegistry;

    fn open_requiring(&self, required_feeds: Vec<EventText>) -> SqliteRegistry {
        let settings = RegistrySettings { required_feeds, sort_chunk_rows: 64, ..RegistrySettings::new(self.0.path()) };
        SqliteRegistry::open(settings, ImsiSeal::new(&[7; 32])).unwrap()
    }
}

laini_testkit::registry_contract!(Place::new());
