use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use laini_office::incidents::{due_events, end_event};
use laini_office::{Actor, Chore, Office, Problem};
use tokio::runtime::Handle;

use crate::delivery::Deliveries;
use crate::http::AccountsPicture;

/// How often it is looked for.
const EVERY: SignedDuration = SignedDuration::from_secs(2);
/// Events that one round sends; the next round goes on.
const ROUND_EVENTS_MAX: usize = 10;

/// Puts what is told of incidents into the outbox, for every proven address of the apps that they reach. An event is
/// ended after that: where a crash comes between, it is put there again, and says again which update it is.
pub(crate) fn send_incident_news(deliveries: Arc<Deliveries>, accounts: Arc<AccountsPicture>) -> Chore {
    Chore::new("send news of incidents", EVERY, move |office, at| round(&deliveries, &accounts, office, at))
}

fn round(
    deliveries: &Deliveries,
    accounts: &AccountsPicture,
    office: &Office,
    at: Timestamp,
) -> Result<usize, Problem> {
    let due = office.run(&Actor::System, at, |work| due_events(work, ROUND_EVENTS_MAX))?;
    let count = due.len();
    for (event, incident, apps) in due {
        let current = accounts.current();
        let views = apps.iter().filter_map(|app| current.app(*app));
        let drafts = views.flat_map(|view| deliveries.incident_news(view, (&event, &incident), at)).collect();
        Handle::current().block_on(deliveries.put(drafts))?;
        office.run(&Actor::System, at, |work| end_event(work, event.id))?;
    }
    Ok(count)
}
