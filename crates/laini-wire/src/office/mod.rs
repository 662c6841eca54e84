//! The office's JSON.
//!
//! Owns the bodies of `/office/v1`, a file for each noun. Must never let a request take a field that it does not name.

pub mod agreements;
pub mod apps;
pub mod assistant;
pub mod deliveries;
pub mod desk;
pub mod going_live;
pub mod incidents;
pub mod invoices;
pub mod ledger;
pub mod onboarding;
pub mod organisation;
pub mod payments;
pub mod people;
pub mod privacy;
mod reason;
pub mod requests;
pub mod tickets;
pub mod traffic;
pub mod usage;

pub use reason::ReasonRequest;
