//! Asynchronous delivery: results and warnings that are sent instead of answered.
//!
//! Owns the only way out to addresses that partners chose, signatures, challenges, and the worker that
//! decides accepted checks and sends what waits. Must never connect to an address that was not judged,
//! follow a redirect, charge without the delivery in the same transaction, or put a result address's
//! path, a number or a body into a log.

mod challenge;
mod deliveries;
mod hosts;
mod listeners;
mod outbound;
mod send;
mod signature;
mod worker;

pub(crate) use deliveries::Deliveries;
pub(crate) use hosts::Hosts;
pub(crate) use worker::Worker;

pub use challenge::{ChallengeError, prove};
pub use outbound::{Outbound, OutboundError, Resolver, SendError, SystemResolver};
pub use signature::{SignedMessage, signing_secret};
