//! Payments: money that comes in, and the accounts of partners that it settles.
//!
//! Owns payments and where they come from, what they are matched with, certificates of withheld tax, statements of
//! account, ageing and reminders. Must never issue an invoice or a credit note (whoever does posts it here), keep an
//! allocation, or take the same money twice.

mod account;
mod certificate;
mod import;
mod matching;
mod paper;
mod payer;
mod payment;
mod receivable;
mod reminding;
pub mod statement;

pub use account::{Overdue, PartnerAgeing, account, ageing, overdue, statement_between};
pub use certificate::{Certificate, CertificateState, NewCertificate, accept, certificates, refuse, register};
pub use import::{Imported, import};
pub use matching::{MatchedBy, Suggestion, suggestions};
pub use paper::{csv as statement_csv, id_of as entry_id, paper as statement_paper};
pub use payer::{Payer, references, set_references};
pub use payment::{NewPayment, Payment, Reversed, Source, list, match_with, of_partner, record, reverse};
pub use receivable::{CreditPosting, Receivable, post, post_credit};
pub use reminding::{Reminded, SUSPENSION_NOTICE_DAYS, remind};

use jiff::civil::Date;
use laini_core::billing::{Money, MoneyError};
use laini_core::partner::{Partner, PartnerId};

use crate::{Problem, Work};

/// What people write as a reason, at most.
const REASON_CHARS_MAX: usize = 500;

/// Today, in the operator's zone.
pub fn today(work: &Work<'_>) -> Date {
    work.office.settings.zone.to_datetime(work.at).date()
}

/// The partner of this id.
pub fn known_partner(work: &Work<'_>, id: PartnerId) -> Result<Partner, Problem> {
    let found = work.book()?.partners.into_iter().find(|partner| partner.id == id);
    found.ok_or(Problem::NotFound("partner"))
}

/// An amount above zero of the operator's currency.
pub(crate) fn positive(work: &Work<'_>, field: &'static str, amount_minor: i64) -> Result<Money, Problem> {
    if amount_minor <= 0 {
        return Err(Problem::invalid(field, "an amount above zero, in minor units"));
    }
    Ok(Money::new(amount_minor, work.office.settings.currency))
}

pub(crate) fn reason(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let fits = (1..=REASON_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Problem::invalid("reason", "1 to 500 characters in one line")) }
}

/// An account whose sums do not fit.
pub fn uncountable(error: MoneyError) -> Problem {
    Problem::not_now(format!("the account cannot be added up: {error}"))
}

/// Where a day stands among others: days since 1970.
fn order(on: Date) -> i64 {
    (on - Date::constant(1970, 1, 1)).get_days().into()
}
