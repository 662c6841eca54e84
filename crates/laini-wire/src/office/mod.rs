//! The office's JSON, a file for each noun. Requests take no field that they do not name.

pub mod agreements;
pub mod onboarding;
pub mod organisation;
pub mod payments;
pub mod people;
