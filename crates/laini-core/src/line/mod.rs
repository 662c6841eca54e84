//! Lines: one MSISDN, the SIM that serves it, and what happened to it.
//!
//! Owns the types that cannot hold a malformed number and the derivation of a line's present state
//! from a snapshot and the events after it. Must never decide what a partner may see: that is
//! [`crate::disclosure`].

mod amend;
mod derive;
mod event;
mod hashed_imsi;
mod imsi;
mod msisdn;
mod seal;
mod sim;
mod snapshot;
mod state;

pub use derive::{Derivation, RefusedRow, Verdict, derive};
pub use event::{Event, EventKey, EventKind, EventText, Happening, Refusal, TextError};
pub use hashed_imsi::{HashedImsi, HashedImsiError};
pub use imsi::{Imsi, ImsiError};
pub use msisdn::{Msisdn, MsisdnError, NumberPlan, NumberPlanError};
pub use seal::{BrokenSeal, FeedLine, RegistrySeal, SealedFeedLine, SealedImsi};
pub use sim::Sim;
pub use snapshot::{Before, SnapshotRow, settle, swap_of_holder};
pub use state::{ContractType, Line, LineState, LineStatus, Swap, SwapCause};
