//! The embedded engine: registry, ledger, accounts and sandbox worlds in SQLite files of one data directory.
//!
//! Owns the files `registry-<generation>.db`, `registry-events.db`, `ledger.db`, `accounts.db`
//! and `sandbox.db`, and the SQL in them. Must never hold a key in a database, decide what is disclosed or charged
//! (laini-core does), or show more through a port than the port promises.

mod accounts;
mod backup;
mod copy;
mod inspect;
mod ledger;
mod registry;
mod sql;
mod worlds;

pub use accounts::SqliteAccounts;
pub use backup::back_up;
pub use copy::{SqliteCopy, is_half_copied};
pub use inspect::{FileState, inspect};
pub use ledger::{LedgerSettings, SqliteLedger, last_holder};
pub use registry::{RegistrySettings, SqliteRegistry};
pub use sql::StoreError;
pub use worlds::SqliteWorlds;
