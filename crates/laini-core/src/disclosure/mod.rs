//! Disclosure: what a partner may learn of a line, and in which words.
//!
//! Owns windows, facts and pseudonyms. Must never show an unknown as fine: where the registry cannot
//! say, the decision is an unknown with its reason.

mod decide;
mod pseudonym;
mod told;
mod window;

pub use decide::{Decision, Facts, Freshness, Horizon, RegistrationFact, SwapFact, UnknownReason, disclose};
pub use pseudonym::{Pseudonym, PseudonymKey};
pub use told::{Compared, FactSet, PartnerSim, Told};
pub use window::{Window, WindowError, Windows};

/// The version of these rules, frozen into each ledger row; grows when an answer would differ.
pub const POLICY_VERSION: u32 = 1;
