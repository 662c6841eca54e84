//! The workspace of the operator's staff.
//!
//! Owns what staff see of all partners together. Must never be shown to a member.

mod incidents;
mod partners;
mod tickets;

use laini_core::partner::May;

use crate::page::{Access, Page};

/// All staff look.
const LOOKS: Access = Access::SignedIn(May::STAFF);

pub(super) fn pages() -> Vec<Page> {
    [partners::pages(), incidents::pages(), tickets::pages()].into_iter().flatten().collect()
}
