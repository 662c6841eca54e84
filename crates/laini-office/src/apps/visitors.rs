use jiff::Timestamp;
use laini_core::partner::{AppId, AppStatus, Environment, Partner, PartnerId, ProductSet};
use laini_core::store::AccountsChange;

use super::issue;
use crate::{Actor, Office, Problem, Work};

/// The partner that everybody belongs to who tries the sandbox without an account.
pub const VISITORS: &str = "Visitors of the portal";

/// The sandbox app in whose name visitors try numbers; made where there is none. Nobody is told its secret.
pub fn visitors_app(office: &Office, at: Timestamp) -> Result<AppId, Problem> {
    let partner = office.run(&Actor::System, at, visitors)?;
    office.run(&Actor::System, at, |work| {
        let book = work.book()?;
        let mut own = book.apps.iter().filter(|app| app.partner == partner && app.status == AppStatus::Active);
        match own.next() {
            Some(app) => Ok(app.id),
            None => Ok(issue(work, partner, "Try a number", Environment::Sandbox, ProductSet::all())?.0.id),
        }
    })
}

/// Their partner; made where there is none.
fn visitors(work: &mut Work<'_>) -> Result<PartnerId, Problem> {
    if let Some(partner) = work.book()?.partners.iter().find(|partner| partner.name == VISITORS) {
        return Ok(partner.id);
    }
    let id = PartnerId::from_random(work.office.entropy.next_u64());
    work.accounts(AccountsChange::AddPartner(Partner::new(id, VISITORS.to_owned())));
    work.note("partner.add", Some(id), id, "for visitors of the portal");
    Ok(id)
}
