//! The sandbox: made-up lines behind the same gateway.
//!
//! Owns what a sandbox app finds in place of the operator's registry, and the API by which it changes its
//! own world. Must never see a real line, and never change how a request is validated, recorded or
//! answered.

mod api;
mod run_watch;
mod words;
mod worlds;

pub(crate) use api::routes;
pub(crate) use run_watch::RunWatch;
pub use words::{Life, Step, WordError, clock_answer, feed_answer, life_event, line_answer, line_change, world_answer};
pub use worlds::{SandboxLookup, SandboxWorlds};
