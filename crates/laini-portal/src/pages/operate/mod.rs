//! The workspace of the operator's staff.
//!
//! Owns what staff see of all partners together. Must never be shown to a member.

mod agreements;
mod alarms;
mod all_partners;
mod closes;
mod events;
mod incidents;
mod invoices;
mod limits;
mod partners;
mod payments;
mod prices;
mod privacy;
mod privacy_request;
mod revenue;
mod sources;
mod staff;
mod tickets;
mod traffic;

pub(super) use privacy::taken as taken_down;

use laini_core::partner::{May, StaffRole};

use crate::page::{Access, Page};

/// All staff look.
const LOOKS: Access = Access::SignedIn(May::STAFF);

/// Finance looks,
const FINANCE_LOOKS: Access =
    Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor] });
/// and acts.
const FINANCE_ACTS: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance] });
/// Who brings data in,
const FEEDS: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin] });
/// and who says how much may be asked.
const LIMITS: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Support] });

pub(super) fn pages() -> Vec<Page> {
    [
        partners::pages(),
        all_partners::pages(),
        agreements::pages(),
        prices::pages(),
        revenue::pages(),
        invoices::pages(),
        closes::pages(),
        payments::pages(),
        sources::pages(),
        events::pages(),
        traffic::pages(),
        limits::pages(),
        alarms::pages(),
        incidents::pages(),
        tickets::pages(),
        privacy::pages(),
        privacy_request::pages(),
        super::partner::pages_of_whole_trail(),
        staff::pages(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
