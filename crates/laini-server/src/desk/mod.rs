//! The desk over the API: how what was answered is read, and what asks batches.
//!
//! Owns the way from an answer of `/v1/checks` to the rules of a verdict, and how many rows are asked at once.
//! Must never judge, ask in another way than an app does, or hear less than a refusal says.

mod batches;
mod told;

pub(crate) use batches::BatchRunner;
pub use told::told;
