//! The operator's side: how its truth comes in.
//!
//! Owns the reading of extracts and event feeds, from bytes to what the registry's port takes, and the
//! operator's own API. Must never decide what an event does to a line (laini-core derives that), open
//! files, or put a subscriber's data into an error.

mod api;
pub mod feed;

pub(crate) use api::OperatorApi;
pub use api::{LastLoad, LoadWish, Sources};
