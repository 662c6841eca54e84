//! The desk over the API: how one number is asked, how what was answered is read, and what asks batches.
//!
//! Owns the way to `/v1/checks` and from its answer to the rules of a verdict, and how many rows are asked at once.
//! Must never judge, ask in another way than an app does, or hear less than a refusal says.

mod ask;
mod batches;
mod told;

pub use ask::ask;
pub(crate) use batches::BatchRunner;
use told::told;
