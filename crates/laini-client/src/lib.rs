//! Ask an operator whether a phone number can still be trusted.
//!
//! Owns what a caller needs around one question: a token that is fetched, kept and renewed; repeats
//! that are never charged twice; answers as types. Must never let "not swapped" be read out of
//! anything but an answer that says so, and never show a secret, a token or a phone number in an
//! error or in `Debug`.
//!
//! ```no_run
//! use laini_client::{Answer, Laini, SwapStatus};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let laini = Laini::builder()
//!     .base_url("https://sandbox.operator.example")
//!     .credentials("testKey", "secret")
//!     .build()?;
//!
//! let checked = laini.imsi("254722000000").await?;
//! match checked.answer {
//!     Answer::Known(facts) => match facts.swap {
//!         SwapStatus::NotSwapped { within } => println!("same SIM for {within}: go on"),
//!         SwapStatus::Swapped { on, .. } => println!("new SIM on {on}: call the customer"),
//!     },
//!     Answer::Unknown(unknown) => println!("not checked ({}): treat as risky", unknown.reason),
//!     Answer::NotServed => println!("not this operator's number: not checked, so risky"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A failed call is an [`Error`]: [`Error::hint`] says what to do about it.

mod answer;
mod attempts;
mod backoff;
mod calendar;
mod client;
mod error;
mod invoice;
mod private;
mod reply;
mod settings;
mod token;
mod transport;

pub use answer::{
    AgeFacts, Answer, Checked, Environment, ImsiFacts, Receipt, Registration, SwapFacts, SwapStatus, Unknown,
    UnknownReason,
};
pub use calendar::{Date, TimeOfDay, Window};
pub use client::{Check, Laini};
pub use error::{Error, ErrorKind};
pub use invoice::{ExportedRow, InvoiceCheck, InvoiceProblem, check_invoice};
pub use laini_wire::office::invoices;
pub use private::Private;
pub use settings::{BuildError, Builder};
