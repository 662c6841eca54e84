//! The engine for several nodes, by the contracts that every engine keeps and by what is special to it.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]

mod accounts;
mod faults;
mod ledger;
mod nodes;
mod office;
mod registry;
mod shares;
mod worlds;
