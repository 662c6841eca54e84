//! What the operations of payments, statements and balances have in common.

use jiff::civil::Date;
use laini_core::billing::Currency;
use laini_core::partner::{May, MemberRole, StaffRole};
use laini_office::{Problem, Work};

use crate::office::Call;

/// Who looks at what a partner owes.
pub(in crate::office) const MAY_READ: May = May {
    members: &[MemberRole::Owner, MemberRole::Billing],
    staff: &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor],
};
/// Who looks at what all partners owe.
pub(in crate::office) const MAY_READ_ALL: May =
    May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor] };
/// Who says what was paid.
pub(in crate::office) const MAY_ACT: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance] };
/// Who registers a certificate.
pub(in crate::office) const MAY_REGISTER: May =
    May { members: &[MemberRole::Owner, MemberRole::Billing], staff: &[StaffRole::Admin, StaffRole::Finance] };

/// A day.
pub(in crate::office) fn day(field: &'static str, text: &str) -> Result<Date, Problem> {
    text.parse().map_err(|_| Problem::invalid(field, "expected a day like 2026-11-22"))
}

/// A day of the query.
pub(in crate::office) fn day_of(call: &Call, name: &'static str) -> Result<Option<Date>, Problem> {
    call.query(name).map(|text| day(name, text)).transpose()
}

/// There is but one currency.
pub(in crate::office) fn own_currency(work: &Work<'_>, currency: &str) -> Result<(), Problem> {
    let own = work.office.settings.currency;
    if Currency::parse(currency) == Ok(own) {
        return Ok(());
    }
    Err(Problem::invalid("currency", format!("the accounts here are in {}", own.as_str())))
}
