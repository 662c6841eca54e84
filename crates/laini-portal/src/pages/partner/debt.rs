//! Notices of debt: without one that has taken effect, no partner is suspended for what it owes.

use std::sync::Arc;

use jiff::Timestamp;
use laini_core::partner::{DebtNoticeId, May, PartnerId, StaffRole};
use laini_office::apps::{self, DebtNotice};
use laini_office::{PageRequest, Problem, Work};

use super::{apps as page_of_apps, path_of};
use crate::answer::Answer;
use crate::fields::Fields;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::Visit;
use crate::words::PayingWords;

/// Who gives and withdraws notices.
pub(super) const GIVES_NOTICE: Access =
    Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance] });
/// For how many days a notice runs where nobody says.
const DAYS: i64 = 14;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::post("/partners/{partner}/debt-notices", GIVES_NOTICE, give, page_of_apps::show),
        Page::post("/partners/{partner}/debt-notices/{notice}/withdraw", GIVES_NOTICE, withdraw, page_of_apps::show),
    ]
}

/// What was told of a partner's debt: the newest notices, and from when on it may be suspended for it.
pub(super) struct Known {
    notices: Vec<DebtNotice>,
    from: Option<Timestamp>,
}

pub(super) fn known(work: &mut Work<'_>, partner: PartnerId) -> Result<Known, Problem> {
    let notices = work.find::<DebtNotice>("partner", partner, true, PageRequest::FIRST)?.items;
    Ok(Known { notices, from: apps::debt_suspension_from(work, partner)? })
}

/// The same, as a page tells it.
pub(super) struct DebtShown {
    pub(super) notices: Vec<NoticeRow>,
    /// From when on the partner may be suspended, and whether that has come.
    pub(super) from: Option<(String, bool)>,
    pub(super) fields: Fields,
}

pub(super) struct NoticeRow {
    pub(super) id: DebtNoticeId,
    pub(super) sent: String,
    pub(super) effective: String,
    pub(super) reason: String,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    pub(super) is_withdrawn: bool,
}

impl DebtShown {
    pub(super) fn of(known: &Known, portal: &Portal, visit: &Visit) -> Self {
        let (words, now) = (&visit.language.words().paying, visit.context.at);
        let kept = || vec![crate::fields::field("days", DAYS)];
        Self {
            notices: known.notices.iter().map(|notice| NoticeRow::of(notice, portal, now, words)).collect(),
            from: known.from.map(|from| (portal.shown(from), from <= now)),
            fields: Fields::sent_or(visit, "days", kept),
        }
    }
}

impl NoticeRow {
    fn of(notice: &DebtNotice, portal: &Portal, now: Timestamp, words: &PayingWords) -> Self {
        let (place, tone) = match notice.withdrawn {
            Some(_) => (2, ""),
            None if notice.effective <= now => (1, "stop"),
            None => (0, "care"),
        };
        Self {
            id: notice.id,
            sent: portal.shown(notice.sent),
            effective: portal.shown(notice.effective),
            reason: notice.reason.clone(),
            state: words.notice_states[place],
            tone,
            is_withdrawn: notice.withdrawn.is_some(),
        }
    }
}

async fn give(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let give = |work: &mut Work<'_>, visit: &Visit| {
        let days = visit.field("days").parse().map_err(|_| Problem::invalid("days", "expected a whole number"))?;
        apps::give_debt_notice(work, visit.partner()?, days, visit.field("invoices")).map(drop)
    };
    portal.work(&visit, give).await?;
    back(&visit)
}

async fn withdraw(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let notice = visit.id("notice", DebtNoticeId::parse)?;
    let withdraw =
        move |work: &mut Work<'_>, visit: &Visit| apps::withdraw_debt_notice(work, visit.partner()?, notice).map(drop);
    portal.work(&visit, withdraw).await?;
    back(&visit)
}

fn back(visit: &Visit) -> Result<Answer, Problem> {
    Ok(Answer::see_other(format!("{}#debt", path_of(visit.partner()?, "apps"))))
}
