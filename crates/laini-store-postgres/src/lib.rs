//! The engine for several nodes: every port on PostgreSQL, or on what speaks its protocol.
//!
//! Owns the tables, the connections and the thread that they live on. Must never use what does not
//! work behind a pooler in transaction mode or on a sharded engine: session state, advisory locks,
//! LISTEN/NOTIFY, triggers, sequences.

mod accounts;
mod columns;
mod copy;
mod database;
mod day_keys;
mod error;
mod ledger;
mod nodes;
mod registry;
mod schema;
mod shares;
mod worlds;

pub use accounts::PostgresAccounts;
pub use copy::PostgresCopy;
pub use database::{Database, DatabaseSettings};
pub use day_keys::{PostgresDayKeys, Random};
pub use error::StoreError;
pub use ledger::{LedgerSettings, PostgresLedger};
pub use nodes::PostgresNodes;
pub use registry::{PostgresRegistry, RegistrySettings};
pub use shares::PostgresShares;
pub use worlds::PostgresWorlds;
