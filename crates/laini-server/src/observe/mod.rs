//! Seeing a server run: the request that a log line belongs to.
//!
//! Owns what is told about the server's own work. Must never take in a number, an IMSI, a token, a
//! secret or any text of a caller, or cost a check anything where nobody looks.

mod request;

pub use request::current_request;
pub(crate) use request::of_request;
