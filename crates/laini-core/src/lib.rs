//! The rules of laini, pure.
//!
//! Owns what a line, a disclosure, a partner, a credential, a charge, a delivery, a privacy request,
//! an incident and a ticket *are*, and the ports through which an engine remembers them. Must never do I/O, read a clock, draw randomness, or know HTTP,
//! JSON or SQL: `now` and random bytes are arguments.

pub mod access;
pub mod billing;
pub mod delivery;
pub mod desk;
pub mod disclosure;
pub mod line;
mod mac;
mod outside;
pub mod partner;
pub mod privacy;
pub mod sandbox;
pub mod sharing;
pub mod store;
pub mod support;
mod synthetic;

pub use outside::{Clock, Entropy};
