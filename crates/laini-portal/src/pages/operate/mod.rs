//! The workspace of the operator's staff.
//!
//! Owns what staff see of all partners together. Must never be shown to a member.

mod closes;
mod incidents;
mod invoices;
mod partners;
mod payments;
mod prices;
mod revenue;
mod tickets;

use laini_core::partner::{May, StaffRole};

use crate::page::{Access, Page};

/// All staff look.
const LOOKS: Access = Access::SignedIn(May::STAFF);

/// Finance looks,
const FINANCE_LOOKS: Access =
    Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor] });
/// and acts.
const FINANCE_ACTS: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance] });

pub(super) fn pages() -> Vec<Page> {
    [
        partners::pages(),
        prices::pages(),
        revenue::pages(),
        invoices::pages(),
        closes::pages(),
        payments::pages(),
        incidents::pages(),
        tickets::pages(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
