//! What the tests of others stand on, tested itself.
//!
//! Owns proofs that servers and databases made for tests come, hold and go. Must never need a server of this machine.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]

mod fault_proxy;
mod postgres;
