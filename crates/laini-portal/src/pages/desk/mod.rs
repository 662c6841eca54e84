//! The desk of a bank: one number, one verdict.
//!
//! Owns what a clerk sees of a check, and the page of thresholds and guards. Must never show a whole number, or turn what is not
//! known into a verdict of its own: that is laini-core's.

mod check;
mod settings;

use laini_core::partner::{May, MemberRole};

use crate::page::{Access, Page};

/// Who looks numbers up,
const INVESTIGATES: Access = Access::SignedIn(May { members: &[MemberRole::Owner, MemberRole::FraudDesk], staff: &[] });
/// and who says what leads to which verdict.
const SETS: Access = Access::SignedIn(May { members: &[MemberRole::Owner], staff: &[] });

pub(super) fn pages() -> Vec<Page> {
    check::pages().into_iter().chain(settings::pages()).collect()
}
