//! The office's JSON, a file for each noun. Requests take no field that they do not name.

pub mod agreements;
pub mod apps;
pub mod going_live;
pub mod invoices;
pub mod onboarding;
pub mod organisation;
pub mod payments;
pub mod people;
pub mod privacy;
mod reason;
pub mod usage;

pub use reason::ReasonRequest;
