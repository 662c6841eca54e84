//! What the tests of others stand on, tested itself.
//!
//! Owns proofs that servers and databases made for tests come, hold and go. Must never need a server of this machine.

mod fault_proxy;
mod postgres;
