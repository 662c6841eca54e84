//! The office's JSON, a file for each noun. Requests take no field that they do not name.

pub mod payments;
pub mod people;
