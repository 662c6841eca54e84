//! Delivery: what may be sent where, and when it is tried again.
//!
//! Owns which addresses results may go to and how attempts are spread over time. Must never resolve a
//! name or send anything: it judges what others found.

mod attempts;
mod network;
mod result_url;

pub use attempts::{GIVEN_UP_AFTER, Verdict, after_failure};
pub use network::{Network, Reach};
pub use result_url::{Destination, LISTEN, ResultUrl, ResultUrlError};
