//! The desk of a bank: one number, one verdict; many numbers, a verdict each.
//!
//! Owns what a clerk sees of checks, batches and receipts, and the pages of thresholds, guards and alarms. Must never
//! show a whole number that nobody uncovered, or turn what is not known into a verdict of its own: that is
//! laini-core's.

mod alarms;
mod batch;
mod check;
mod history;
mod receipt;
mod settings;

use laini_core::partner::{May, MemberRole};

use crate::page::{Access, Page};

/// Who looks numbers up,
const INVESTIGATES: Access = Access::SignedIn(laini_office::desk::INVESTIGATES);
/// and who says what leads to which verdict.
const SETS: Access = Access::SignedIn(May { members: &[MemberRole::Owner], staff: &[] });

pub(super) fn pages() -> Vec<Page> {
    [check::pages(), batch::pages(), history::pages(), alarms::pages(), settings::pages()]
        .into_iter()
        .flatten()
        .collect()
}
