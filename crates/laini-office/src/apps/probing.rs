use laini_core::partner::{AppId, PartnerId, Probing};
use laini_core::store::{AccountsChange, AppChange};

use super::{is_alive, the_app};
use crate::{Problem, Work};

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
    work.accounts(AccountsChange::App(app, AppChange::Probing(probing)));
    let because = if reason.is_empty() { set } else { format!("{set}: {reason}") };
    work.note("app.probing", Some(partner), app, &because);
    Ok(())
}
