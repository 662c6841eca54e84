//! An operator's back end as tests need it: healthy, or misbehaving in one of many ways.
//!
//! Owns the script of each way. Must never listen on anything but loopback, or outlive its test.

mod certificates;
mod misbehaviour;
mod server;

pub use certificates::{Authority, Identity};
pub use misbehaviour::{MISBEHAVIOURS, Misbehaviour, Seen};
pub use server::BackEnd;

/// What a connection does, step by step, once it was accepted.
#[derive(Debug, Clone)]
pub enum Step {
    /// Reads one request to the end of its head (and its body, if it states a length).
    Read,
    /// Writes; `{msisdn}` becomes the number of the last request.
    Write(Vec<u8>),
    /// Writes the same for as long as it is taken.
    Repeat(Vec<u8>),
    /// Writes a byte at a time, 50 ms apart.
    Drip(Vec<u8>),
    /// Does nothing until the other side goes away.
    Stall,
    /// Goes away with a reset.
    Reset,
    /// Goes away.
    Close,
}

/// A 200 of JSON with a length.
pub fn json(body: &str) -> Vec<u8> {
    let length = body.replace("{msisdn}", "254700000000").len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// What a healthy back end says of any number: never swapped, registered long ago.
pub const HEALTHY: &str = r#"{"msisdn":"{msisdn}","status":"active","imsi":"639021860913909","registered_at":"2015-01-01","last_swap_at":null,"restricted":false}"#;
