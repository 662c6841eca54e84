//! Privacy: what subscribers ask of the operator about a number, and who asked about whom.
//!
//! Owns the privacy requests from receipt to end, what is held about a number, and what is forgotten of it. Must never
//! keep a number in a record or write one into the trail (its keyed hash and a masked form stand for it), or touch money.

mod dossier;
mod dossier_paper;
mod erase;
mod lookups;
mod reason;
mod request;
mod steps;

pub use dossier::{
    CheckHeld, DeskHeld, Dossier, EventHeld, LineHeld, RefusedHeld, RequestHeld, Sources, Span, dossier,
};
pub use erase::{EraseError, Erased, erase};
pub use lookups::{LOOKUP_COLUMNS, LookupRow, lookup_row, lookups_csv, scan};
pub use reason::reason;
pub use request::{Approval, Ending, IdentityCheck, PrivacyRequest};
pub use steps::{NewRequest, approve, carry_out, check_identity, held_until, receive, refuse, target_of};
