//! Privacy: what a subscriber may ask of the operator, and what is withheld of whom.
//!
//! Owns which numbers are restricted, how a privacy request goes from its receipt to its end, and how long one is held
//! after a swap. Must never hold a number in the clear: a number is its keyed hash here.

mod hold;
mod request;
mod restriction;

pub use hold::{ERASABLE_AFTER, HOLD, LAWFUL_TIME, erasable_until, held_by_swap, held_until};
pub use request::{IdentityProof, PrivacyAction, RequestRefusal, RequestState, Standing};
pub use restriction::{RestrictionCursor, RestrictionRow, Restrictions};
