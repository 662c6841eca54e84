//! The HTTP side of laini.
//!
//! Owns the listener, the gateway's endpoints, the sandbox and the operator's feed. Must never name
//! an engine, read the clock or draw randomness by itself: all three come in through [`Deps`].

pub mod gateway;
pub mod http;
pub mod operator;
pub mod sandbox;
