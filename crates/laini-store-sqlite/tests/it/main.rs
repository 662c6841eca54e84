//! The embedded engine passes the store contract, and keeps the promises that only it makes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod accounts;
mod ledger;
mod ledger_file;
mod office;
mod registry;
mod worlds;
