//! The store contract: what every engine must do, written against the ports alone.
//!
//! An engine's own test calls each `pub async fn` here with a fresh store.

pub mod accounts;
pub mod ledger;
pub mod registry;
