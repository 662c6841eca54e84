//! The exact JSON of laini's APIs.
//!
//! Owns the paths, the header names, the error codes and the shape of every body, with the fields in
//! the order in which they are sent. Server and SDK share it, so that they cannot disagree. Must never
//! decide anything (no rule, no number plan, no calendar), and knows no other laini crate and no HTTP
//! crate. Bodies hold phone numbers and tokens, so none of them shows its content in `Debug`.

pub mod check;
pub mod checks;
pub mod delivery;
pub mod error;
pub mod header;
mod object;
pub mod office;
pub mod operator;
pub mod status;
pub mod token;
pub mod world;
