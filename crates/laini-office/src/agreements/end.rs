use jiff::{Timestamp, ToSpan as _};
use laini_core::partner::PartnerId;
use laini_core::store::{AccountsChange, PartnerChange};

use super::{AgreementState, versions};
use crate::organisation::find_partner;
use crate::{Problem, Work};

/// The notice where no version says another.
const NOTICE_DAYS: u16 = 30;

/// From when on a partner's agreement can be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndsFrom {
    /// With so many days' notice.
    pub notice_days: u16,
    /// The operator's midnight after them.
    pub at: Timestamp,
}

/// From when on a partner's agreement can be over, if notice is given now.
pub fn ends_from(work: &mut Work<'_>, partner: PartnerId) -> Result<EndsFrom, Problem> {
    let signed = versions(work, partner)?.into_iter().rev().find(|version| version.state == AgreementState::Signed);
    let notice_days = signed.map_or(NOTICE_DAYS, |version| version.terms.notice_days);
    let here = work.at.to_zoned(work.office.settings.zone.clone());
    let last = here.date().checked_add((i64::from(notice_days) + 1).days());
    let midnight = last.and_then(|day| day.to_zoned(work.office.settings.zone.clone()));
    let at = midnight.map_err(|error| Problem::Store(error.to_string()))?.timestamp();
    Ok(EndsFrom { notice_days, at })
}

/// Ends a partner's agreement with notice: `at`, or as early as its notice allows.
pub fn end(work: &mut Work<'_>, partner: PartnerId, at: Option<Timestamp>, reason: &str) -> Result<Timestamp, Problem> {
    find_partner(work, partner)?;
    if reason.trim().is_empty() {
        return Err(Problem::invalid("reason", "say why it ends"));
    }
    let agreements = work.book()?.agreements_of(partner);
    if agreements.versions().iter().all(|version| version.valid_until.is_some_and(|end| end <= work.at)) {
        return Err(Problem::not_now("there is no agreement to end"));
    }
    let earliest = ends_from(work, partner)?;
    let at = at.unwrap_or(earliest.at);
    if at < earliest.at {
        let EndsFrom { notice_days, at } = earliest;
        return Err(Problem::not_now(format!("notice is {notice_days} days: it can end at {at:.0} at the earliest")));
    }
    work.accounts(AccountsChange::Partner(partner, PartnerChange::AgreementsEnd(at)));
    work.note("agreement.end", Some(partner), partner, &format!("at {at:.0}: {}", reason.trim()));
    Ok(at)
}
