//! Whether apps and partners are answered: suspended, resumed, ended, each with a reason; for debt only after a notice.

use jiff::{SignedDuration, Timestamp};
use laini_core::partner::{AppId, AppStatus, DebtNoticeId, PartnerId, PartnerStatus};
use laini_core::store::{AccountsChange, AppChange, PartnerChange, RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::{is_alive, the_app, the_partner};
use crate::payments::overdue;
use crate::{Kept, Problem, Work, key};

/// Between a notice of debt and its effect lie so many days at least,
const NOTICE_DAYS_MIN: i64 = 7;
/// and so many at most.
const NOTICE_DAYS_MAX: i64 = 180;
/// The longest reason.
const REASON_CHARS_MAX: usize = 500;

/// Why a partner is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It does not pay; only once a notice has taken effect, or that of the last reminder.
    Debt,
    /// Something else, at once.
    Other,
}

/// A notice to a partner that it is suspended if it does not pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtNotice {
    /// Its id.
    pub id: DebtNoticeId,
    /// To whom.
    pub partner: PartnerId,
    /// When it was sent.
    pub sent: Timestamp,
    /// From when on the partner may be suspended.
    pub effective: Timestamp,
    /// Why: which invoices.
    pub reason: String,
    /// When it was withdrawn, for it was paid.
    pub withdrawn: Option<Timestamp>,
}

impl Kept for DebtNotice {
    const KIND: RecordKind = RecordKind("debt_notice");
    const NOUN: &'static str = "notice of debt";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("partner", self.partner, self.sent.as_microsecond())]
    }
}

/// A partner whose apps were all ended for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerEnd {
    /// Which.
    pub partner: PartnerId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl Kept for PartnerEnd {
    const KIND: RecordKind = RecordKind("partner_end");
    const NOUN: &'static str = "end of a partner";

    fn id(&self) -> RecordId {
        self.partner.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("at", "all", self.at.as_microsecond())]
    }
}

/// A reason that somebody can read later.
fn reason(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= REASON_CHARS_MAX && !text.chars().any(char::is_control);
    let expected = || Problem::invalid("reason", format!("expected 1 to {REASON_CHARS_MAX} characters on one line"));
    fits.then_some(text).ok_or_else(expected)
}

/// Refuses an app until it is resumed.
pub fn suspend_app(work: &mut Work<'_>, partner: PartnerId, app: AppId, why: &str) -> Result<(), Problem> {
    set_app(work, partner, app, (AppStatus::Suspended, "app.suspend"), why)
}

/// Answers a suspended app again.
pub fn resume_app(work: &mut Work<'_>, partner: PartnerId, app: AppId, why: &str) -> Result<(), Problem> {
    set_app(work, partner, app, (AppStatus::Active, "app.resume"), why)
}

/// Ends an app for good.
pub fn terminate_app(work: &mut Work<'_>, partner: PartnerId, app: AppId, why: &str) -> Result<(), Problem> {
    set_app(work, partner, app, (AppStatus::Revoked, "app.revoke"), why)
}

fn set_app(
    work: &mut Work<'_>,
    partner: PartnerId,
    app: AppId,
    (status, action): (AppStatus, &str),
    why: &str,
) -> Result<(), Problem> {
    let of = the_app(work, partner, app)?;
    is_alive(&of.app)?;
    let why = reason(why)?;
    let change = match status {
        AppStatus::Revoked => AccountsChange::RevokeApp(app),
        status => AccountsChange::App(app, AppChange::Status(status)),
    };
    work.accounts(change);
    work.note(action, Some(partner), app, why);
    Ok(())
}

/// Refuses all apps of a partner until it is resumed.
pub fn suspend_partner(work: &mut Work<'_>, partner: PartnerId, because: Why, why: &str) -> Result<(), Problem> {
    the_partner(&work.book()?, partner)?;
    is_not_ended(work, partner)?;
    let why = reason(why)?;
    if because == Why::Debt {
        was_given_notice(work, partner)?;
    }
    work.accounts(AccountsChange::Partner(partner, PartnerChange::Status(PartnerStatus::Suspended)));
    let action = if because == Why::Debt { "partner.suspend-for-debt" } else { "partner.suspend" };
    work.note(action, Some(partner), partner, why);
    Ok(())
}

/// Whether a partner was told long enough ago that it is suspended if it does not pay: by a notice of debt, or by the
/// last reminder of an invoice that is overdue still.
fn was_given_notice(work: &mut Work<'_>, partner: PartnerId) -> Result<(), Problem> {
    match debt_suspension_from(work, partner)? {
        None => Err(Problem::not_now("no notice of debt was given; give one first")),
        Some(effective) if effective > work.at => {
            Err(Problem::not_now(format!("the notice of debt takes effect at {effective:.0}, not before")))
        }
        Some(_) => Ok(()),
    }
}

/// From when on a partner may be suspended for debt: by the notice, or the last reminder, that takes effect first;
/// `None` where it was told of none.
pub fn debt_suspension_from(work: &mut Work<'_>, partner: PartnerId) -> Result<Option<Timestamp>, Problem> {
    let notices: Vec<DebtNotice> = work.all("partner", partner)?;
    let standing = notices.iter().filter(|notice| notice.withdrawn.is_none()).map(|notice| notice.effective);
    let reminded = overdue(work, partner)?.suspend_from;
    let zone = &work.office.settings.zone;
    let reminded = reminded.and_then(|day| zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible().ok());
    Ok(standing.chain(reminded).min())
}

/// Answers the apps of a suspended partner again.
pub fn resume_partner(work: &mut Work<'_>, partner: PartnerId, why: &str) -> Result<(), Problem> {
    the_partner(&work.book()?, partner)?;
    is_not_ended(work, partner)?;
    let why = reason(why)?;
    work.accounts(AccountsChange::Partner(partner, PartnerChange::Status(PartnerStatus::Active)));
    work.note("partner.resume", Some(partner), partner, why);
    Ok(())
}

/// Ends all apps of a partner for good, and the partner with them.
pub fn terminate_partner(work: &mut Work<'_>, partner: PartnerId, why: &str) -> Result<(), Problem> {
    let book = work.book()?;
    the_partner(&book, partner)?;
    is_not_ended(work, partner)?;
    let why = reason(why)?;
    let own = book.apps.iter().filter(|app| app.partner == partner && app.status != AppStatus::Revoked);
    for app in own {
        work.accounts(AccountsChange::RevokeApp(app.id));
        work.note("app.revoke", Some(partner), app.id, why);
    }
    // An app that is added at the same moment is refused all the same.
    work.accounts(AccountsChange::Partner(partner, PartnerChange::Status(PartnerStatus::Suspended)));
    work.note("partner.terminate", Some(partner), partner, why);
    let at = work.at;
    work.put(&PartnerEnd { partner, at, reason: why.to_owned() })
}

/// Whether a partner was ended for good.
pub(crate) fn is_not_ended(work: &mut Work<'_>, partner: PartnerId) -> Result<(), Problem> {
    match work.look::<PartnerEnd>(partner)? {
        Some(_) => Err(Problem::not_now("the partner was ended for good; add it anew under another name")),
        None => Ok(()),
    }
}

/// Gives a partner notice that it is suspended for debt `days` from now.
pub fn give_debt_notice(work: &mut Work<'_>, partner: PartnerId, days: i64, why: &str) -> Result<DebtNotice, Problem> {
    the_partner(&work.book()?, partner)?;
    let why = reason(why)?;
    if !(NOTICE_DAYS_MIN..=NOTICE_DAYS_MAX).contains(&days) {
        return Err(Problem::invalid("days", format!("expected {NOTICE_DAYS_MIN} to {NOTICE_DAYS_MAX}")));
    }
    let notice = DebtNotice {
        id: DebtNoticeId::from_random(work.office.entropy.next_u64()),
        partner,
        sent: work.at,
        effective: work.at + SignedDuration::from_hours(24 * days),
        reason: why.to_owned(),
        withdrawn: None,
    };
    work.put(&notice)?;
    work.note("partner.debt-notice", Some(partner), notice.id, why);
    Ok(notice)
}

/// Withdraws a notice, for its debt was paid.
pub fn withdraw_debt_notice(
    work: &mut Work<'_>,
    partner: PartnerId,
    notice: DebtNoticeId,
) -> Result<DebtNotice, Problem> {
    let mut notice: DebtNotice = work.get(notice)?;
    if notice.partner != partner {
        return Err(Problem::NotFound(DebtNotice::NOUN));
    }
    if notice.withdrawn.is_none() {
        notice.withdrawn = Some(work.at);
        work.put(&notice)?;
        work.note("partner.debt-notice-withdraw", Some(partner), notice.id, "");
    }
    Ok(notice)
}
