//! Deliveries of a partner's apps: what was sent to their result addresses, what waits, and what was given up.
//!
//! Owns who may see and repeat which. Must never show a body, or send anything by itself: the worker does.

use futures_executor::block_on;
use laini_core::billing::{CheckId, Outcome};
use laini_core::partner::{AppStatus, Environment, PartnerId, PartnerStatus};
use laini_core::privacy::Restrictions;
use laini_core::store::{Delivery, DeliveryId, DeliveryKind, DeliveryQuery, Registry};

use crate::{Problem, Work};

/// Some deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveriesPage {
    /// In the order asked for, without their bodies.
    pub deliveries: Vec<Delivery>,
    /// After which the next page begins; `None` = this was the last.
    pub next: Option<DeliveryId>,
}

/// Deliveries of a partner's apps, or of one of them, as `query` asks.
pub fn list(work: &Work<'_>, partner: PartnerId, query: &DeliveryQuery) -> Result<DeliveriesPage, Problem> {
    let book = work.book()?;
    if !book.partners.iter().any(|known| known.id == partner) {
        return Err(Problem::NotFound("partner"));
    }
    let own = book.apps.iter().filter(|found| found.partner == partner && query.app.is_none_or(|app| app == found.id));
    let mut deliveries = Vec::new();
    for of in own {
        let query = DeliveryQuery { app: Some(of.id), limit: query.limit + 1, ..query.clone() };
        deliveries.extend(block_on(work.office.outbox.deliveries(query))?);
    }
    deliveries.sort_by_key(|delivery| delivery.id);
    if !query.oldest_first {
        deliveries.reverse();
    }
    let has_more = deliveries.len() > query.limit;
    deliveries.truncate(query.limit);
    let next = deliveries.last().filter(|_| has_more).map(|last| last.id);
    Ok(DeliveriesPage { deliveries, next })
}

/// The delivery of this id, where it is of one of the partner's apps.
pub fn the_delivery(work: &Work<'_>, partner: PartnerId, id: CheckId) -> Result<Delivery, Problem> {
    let next = DeliveryId(CheckId::from_parts(id.position() + 1, 0));
    let query = DeliveryQuery { after: Some(next), limit: 1, ..DeliveryQuery::default() };
    let found = block_on(work.office.outbox.deliveries(query))?.into_iter().find(|delivery| delivery.id.0 == id);
    let found = found.ok_or(Problem::NotFound("delivery"))?;
    let book = work.book()?;
    let is_theirs = book.apps.iter().any(|app| app.id == found.app && app.partner == partner);
    is_theirs.then_some(found).ok_or(Problem::NotFound("delivery"))
}

/// Makes a delivery due again, whatever became of it: it is sent within a second, with the id and body that it had. A
/// result is not, while its app or partner is suspended, nor once its number is restricted.
pub fn redeliver(work: &mut Work<'_>, partner: PartnerId, id: CheckId, reason: &str) -> Result<(), Problem> {
    let delivery = the_delivery(work, partner, id)?;
    if delivery.kind == DeliveryKind::Result {
        may_be_told(work, &delivery)?;
    }
    // Beside this work's records, and the same once more: it may be begun anew.
    if !block_on(work.office.outbox.redeliver(delivery.id, work.at))? {
        return Err(Problem::not_now("it was forgotten: its body is not kept any more"));
    }
    work.note("delivery.redeliver", Some(partner), id.request_ref(), reason);
    Ok(())
}

/// Whether a result may be told once more, as far as that is known here: the worker asks again before it sends.
fn may_be_told(work: &Work<'_>, delivery: &Delivery) -> Result<(), Problem> {
    // Without a row it was refused, and that is all it tells.
    let Some(found) = block_on(work.office.ledger.find(delivery.id.0))? else { return Ok(()) };
    let book = work.read_book()?;
    let app = book.apps.iter().find(|app| app.id == delivery.app).ok_or(Problem::NotFound("app"))?;
    let partner = book.partners.iter().find(|partner| partner.id == app.partner);
    if partner.is_some_and(|partner| partner.status == PartnerStatus::Suspended) {
        return Err(Problem::not_now("the partner is suspended: its results wait until it is resumed"));
    }
    if app.status == AppStatus::Suspended {
        return Err(Problem::not_now("the app is suspended: its results wait until it is resumed"));
    }
    if app.environment == Environment::Sandbox {
        return Ok(());
    }
    let Some(number) = found.number.filter(|_| found.row.outcome != Outcome::Withheld) else { return Ok(()) };
    let Some(restriction) = block_on(work.office.accounts.restriction(number))? else { return Ok(()) };
    let restrictions = Restrictions::default().with(vec![restriction]);
    let is_withheld_now = |registry: &dyn Registry, msisdn| {
        block_on(registry.look_up(msisdn)).is_ok_and(|found| restrictions.withhold(number, &found.state))
    };
    let is_named = restrictions.names(number);
    let is_withheld = match &found.subject {
        Some(subject) => {
            let registry = work.office.registry.as_deref().filter(|_| is_named);
            restrictions.withhold_again(number, found.row.at)
                || registry.is_some_and(|registry| is_withheld_now(registry, subject.msisdn))
        }
        // The number was forgotten, so nobody can look up who holds it: any restriction of it withholds the result.
        None => is_named,
    };
    if is_withheld {
        return Err(Problem::not_now("its number was restricted, so its result is not told any more"));
    }
    Ok(())
}
