//! `/v1/checks`: the answer that cannot be misread.
//!
//! Owns the request, single or batch, and the items of the answer: every fact with an explicit status,
//! no sentinel, no null. Must never judge a number, a date or a word: it reads and writes text.

mod item;
mod request;

pub use item::{ChargeItem, CheckItem, ChecksAnswer, ChecksQuote, QuoteItem, RegistrationItem, SimItem, SwapItem};
pub use request::{ChecksRequest, ChecksRequestError, NUMBERS_MAX};

/// Where checks are asked, and with `/{requestRefID}` read again.
pub const CHECKS_PATH: &str = "/v1/checks";
