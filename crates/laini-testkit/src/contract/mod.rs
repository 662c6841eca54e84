//! The store contract: what every engine must do, written against the ports alone.
//!
//! Owns what the ports promise, as tests. Must never know an engine.
//!
//! An engine's own test calls each `pub async fn` here with a fresh store.

pub mod accounts;
pub mod ledger;
pub mod registry;
