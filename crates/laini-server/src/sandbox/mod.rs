//! The sandbox: made-up lines behind the same gateway.
//!
//! Owns what a sandbox app finds in place of the operator's registry. Must never see a real line,
//! and never change how a request is validated, recorded or answered.

mod worlds;

pub use worlds::{SandboxLookup, SandboxWorlds};
