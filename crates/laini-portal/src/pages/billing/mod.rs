//! What is asked, what it costs, and what is to be paid: for a partner's owners and billing, and for finance, who look at
//! any partner by the same pages.
//!
//! Owns the pages of usage, budgets, invoices and accounts. Must never compute an amount, or read the ledger for a figure
//! that its counters have.

mod account;
mod files;
mod invoice;
mod invoices;
mod paying;
mod references;
mod rows;
mod standing;
mod usage;

use jiff::civil::Date;
use laini_core::billing::Month;
use laini_core::partner::{May, MemberRole, StaffRole};
use laini_office::Problem;

pub(super) use invoices::{ALL, DISPUTED, InvoiceRow, OfAll, STILL_OPEN};

use crate::page::{Access, Page};
use crate::visit::Visit;

/// Members who look at money, and act on it.
const PAYERS: &[MemberRole] = &[MemberRole::Owner, MemberRole::Billing];
/// Staff who look at it,
const FINANCES: &[StaffRole] = &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor];
/// and who act.
const FINANCE: &[StaffRole] = &[StaffRole::Admin, StaffRole::Finance];

/// A member's own pages.
const OWN: Access = Access::SignedIn(May { members: PAYERS, staff: &[] });
/// The same of the partner in the path, for both sides.
const BOTH: Access = Access::SignedIn(May { members: PAYERS, staff: FINANCES });
/// What both sides do.
const BOTH_ACT: Access = Access::SignedIn(May { members: PAYERS, staff: FINANCE });
/// What staff do.
const STAFF_ACT: Access = Access::SignedIn(May { members: &[], staff: FINANCE });

/// Months that can be chosen, the running one with them.
const MONTHS: usize = 13;

pub(super) fn pages() -> Vec<Page> {
    [
        usage::pages(),
        references::pages(),
        standing::pages(),
        invoices::pages(),
        invoice::pages(),
        rows::pages(),
        files::pages(),
        account::pages(),
        paying::pages(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What paths of the partner begin with: nothing of a member's own.
fn base(visit: &Visit) -> String {
    visit.param("partner").map(|partner| format!("/partners/{partner}")).unwrap_or_default()
}

/// A month to choose.
struct MonthChoice {
    month: Month,
    is_chosen: bool,
}

/// The running month, in the operator's zone, and those before; the one that is asked for is chosen.
fn months(visit: &Visit, now: Month) -> Result<(Month, Vec<MonthChoice>), Problem> {
    let asked = match visit.query("month") {
        "" => now,
        text => Month::parse(text).map_err(|error| Problem::invalid("month", error.to_string()))?,
    };
    let all = std::iter::successors(Some(now), |month| Some(month.previous())).take(MONTHS);
    Ok((asked, all.map(|month| MonthChoice { month, is_chosen: month == asked }).collect()))
}

/// A day that is asked for; `None` = no day is.
fn day(visit: &Visit, name: &'static str) -> Result<Option<Date>, Problem> {
    match visit.query(name) {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Problem::invalid(name, "expected a day such as 2026-11-22")),
    }
}

/// Whether whoever looks may do what `access` says.
pub(super) fn may(visit: &Visit, access: Access) -> bool {
    matches!(access, Access::SignedIn(may) if visit.actor().is_allowed(&may))
}
