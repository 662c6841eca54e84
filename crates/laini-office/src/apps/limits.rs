//! Limits that the operator sets: of a partner's apps together, and what becomes of an app that seems to be probing.

use laini_core::partner::{AppId, AppLimits, Limits, PartnerId, Probing};
use laini_core::store::{AccountsChange, AppChange, PartnerChange};

use super::{is_alive, the_app, the_partner};
use crate::{Problem, Work};

/// Limits all production apps of a partner together.
pub fn set_partner_limits(
    work: &mut Work<'_>,
    partner: PartnerId,
    limits: Limits,
    reason: &str,
) -> Result<(), Problem> {
    the_partner(&work.book()?, partner)?;
    work.accounts(AccountsChange::Partner(partner, PartnerChange::Limits(limits)));
    work.note("partner.limits", Some(partner), partner, reason);
    Ok(())
}

/// Says what becomes of an app while it is flagged.
pub fn set_probing(
    work: &mut Work<'_>,
    partner: PartnerId,
    app: AppId,
    probing: Probing,
    reason: &str,
) -> Result<(), Problem> {
    let of = the_app(work, partner, app)?;
    is_alive(&of.app)?;
    let set = match probing {
        Probing::Flag => "flag".to_owned(),
        Probing::Slow(rate) => format!("slow to {} a second", rate.per_second),
    };
    work.accounts(AccountsChange::App(app, AppChange::Limits(AppLimits { probing, ..of.app.limits })));
    let because = if reason.is_empty() { set } else { format!("{set}: {reason}") };
    work.note("app.probing", Some(partner), app, &because);
    Ok(())
}
