//! The three checks: their paths, the one request, the three answers.
//!
//! Owns field names, their order and the texts that stand for "none". Must never judge a number or a
//! date: it reads and writes them as text.

mod answer;
mod request;

pub use answer::{AgeAnswer, ImsiAnswer, SwapAnswer};
pub use request::{CheckRequest, CheckRequestError};

/// Product `imsi`.
pub const IMSI_PATH: &str = "/imsi/v1/checkATI";
/// Product `swap`.
pub const SWAP_PATH: &str = "/imsi/v2/checkATI";
/// Product `age`.
pub const AGE_PATH: &str = "/registration/lookup/v1/checkATI";

/// `responseCode` of an answer.
pub const RESPONSE_CODE_OK: &str = "200";
/// `responseDesc` of an answer.
pub const RESPONSE_DESC_OK: &str = "Success";
/// `lastSwapDate` without a swap inside the window: the form published for `imsi`.
pub const NO_SWAP_DATE: &str = "01-01-1900";
/// `lastSwapDate` without a swap inside the window: the form published for `swap`.
pub const NO_SWAP_DATE_TIME: &str = "01-01-1900 00:00";
/// `msisdnRegistrationDate` before the window: this, the window in words (`one year`), and
/// [`OLDER_TEXT_END`].
pub const OLDER_TEXT_START: &str = "MSISDN registration is more than ";
/// See [`OLDER_TEXT_START`].
pub const OLDER_TEXT_END: &str = " old";
