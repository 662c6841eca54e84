//! Privacy: what subscribers ask of the operator about a number, and who asked about whom.
//!
//! Owns the privacy requests from receipt to end, what is held about a number, and what is forgotten of it. Must never
//! keep a number in a record or write one into the trail (its keyed hash and a masked form stand for it), or touch money.

mod dossier;
mod dossier_paper;
mod erase;
mod export;
mod forget;
mod hold;
mod lookups;
mod order;
mod reason;
mod rectify;
mod request;
mod steps;
mod subject;

pub use dossier::{
    CheckHeld, DeskHeld, Dossier, EventHeld, LineHeld, RefusedHeld, RequestHeld, Sources, Span, dossier,
};
pub use erase::{EraseError, Erased, erase};
pub use export::export;
pub use forget::{Erasure, erase_subject};
pub use hold::{held_until, hold_again};
pub use lookups::{LOOKUP_COLUMNS, LookupRow, lookup_row, lookups_csv, scan};
pub use order::{CarriedOut, Order, approved, begin_order, carry_out_order, take_dossier};
pub use reason::reason;
pub use rectify::{Amendment, Rectified, Right, rectifiable, rectify};
pub use request::{Approval, Ending, IdentityCheck, PrivacyRequest};
pub use steps::{NewRequest, approve, carry_out, check_identity, receive, refuse, target_of};
pub use subject::{Holdings, Subject, number_named};
