//! Incidents: who may know of them, who is told, and what waits to be sent to apps.

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::billing::CheckId;
use laini_core::partner::{AppId, Environment, MemberRole, PartnerId, Product, ProductSet, StaffRole};
use laini_core::store::{RefusedCall, Stage};
use laini_core::support::{Affected, Component, IncidentState, Severity};
use laini_office::apps::{add_sandbox_app, terminate_app};
use laini_office::incidents::{
    Incident, NewIncident, Which, audience, due_events, end_event, impact, is_subscribed, list, open, resolve,
    subscribe, the_incident, update,
};
use laini_office::mail::send_due;
use laini_office::organisation::{Contact, Details, set_details};
use laini_office::people::{Seat, disable};
use laini_office::{Actor, PageRequest, Problem};

use crate::desk::{Desk, OWN};
use crate::people::Pocket;

fn staff() -> Actor {
    Actor::Staff { person: laini_core::partner::PersonId::from_stored(99), role: StaffRole::Support }
}

fn new(affected: Affected) -> NewIncident {
    NewIncident {
        title: "Checks are slow".to_owned(),
        severity: Severity::Major,
        components: vec![Component::Checks, Component::Tokens, Component::Checks],
        affected,
        is_public: true,
        started: None,
        state: IncidentState::Investigating,
        text: "Since 10:15 checks of 0722 000 001 and others take long.".to_owned(),
    }
}

fn opened(desk: &Desk, new: &NewIncident) -> Incident {
    desk.run(&staff(), |work| open(work, new)).unwrap()
}

fn app(desk: &Desk, name: &str, product: Product) -> AppId {
    let products: ProductSet = [product].into_iter().collect();
    desk.run(&Actor::System, |work| add_sandbox_app(work, OWN, name, products)).unwrap().0.id
}

/// Whom letters went to since this was asked last.
fn letters(desk: &Desk) -> Vec<(String, String)> {
    let pocket = Pocket::default();
    send_due(&desk.office, &pocket, desk.at).unwrap();
    let carried = pocket.0.lock().unwrap();
    let mut to: Vec<_> = carried.iter().map(|letter| (letter.to.clone(), letter.subject.clone())).collect();
    to.sort();
    to
}

fn told(desk: &Desk, affected: &Affected) -> Vec<(PartnerId, usize, usize)> {
    let told = desk.run(&staff(), |work| audience(work, affected)).unwrap();
    told.iter().map(|told| (told.partner, told.apps, told.letters.len())).collect()
}

#[test]
fn an_incident_goes_from_its_opening_to_its_end_and_no_further() {
    let mut desk = Desk::open();
    let incident = opened(&desk, &new(Affected::Everyone));
    assert_eq!(incident.components, [Component::Tokens, Component::Checks], "each once, in their order");
    assert_eq!(incident.updates[0].text, "Since 10:15 checks of 254******001 and others take long.");
    desk.wait_s(60);
    let id = incident.id;
    let said = |state, text: &'static str| desk.run(&staff(), |work| update(work, id, state, text));
    assert_eq!(said(IncidentState::Monitoring, "Mended.").unwrap().resolved, None);
    assert_eq!(said(IncidentState::Identified, "Not yet.").unwrap().state, IncidentState::Identified);
    let over = desk.run(&staff(), |work| resolve(work, id, "Over.")).unwrap();
    assert_eq!((over.state, over.resolved, over.updates.len()), (IncidentState::Resolved, Some(desk.at), 4));
    for state in IncidentState::ALL {
        assert!(matches!(said(state, "Again."), Err(Problem::NotNow(_))), "{state:?}");
    }
    let verbs: Vec<_> = desk.trail().into_iter().map(|row| row.entry.action).take(4).collect();
    assert_eq!(verbs, ["incident.resolve", "incident.update", "incident.update", "incident.open"]);
}

#[test]
fn what_is_no_incident_is_refused() {
    let desk = Desk::open();
    let good = new(Affected::Everyone);
    let hour = SignedDuration::from_hours(1);
    for bad in [
        NewIncident { title: String::new(), ..good.clone() },
        NewIncident { title: "a\nb".to_owned(), ..good.clone() },
        NewIncident { title: "a".repeat(121), ..good.clone() },
        NewIncident { text: "a".repeat(2_001), ..good.clone() },
        NewIncident { components: Vec::new(), ..good.clone() },
        NewIncident { state: IncidentState::Resolved, ..good.clone() },
        NewIncident { started: Some(desk.at + hour), ..good.clone() },
        NewIncident { started: Some(desk.at - hour * 24 * 31), ..good.clone() },
        NewIncident { affected: Affected::Products(Vec::new()), ..good.clone() },
        NewIncident { affected: Affected::Apps(Vec::new()), ..good.clone() },
        NewIncident { affected: Affected::Apps(vec![AppId::from_stored(7)]), ..good.clone() },
    ] {
        let refused = desk.run(&staff(), |work| open(work, &bad));
        assert!(matches!(refused, Err(Problem::Invalid { .. })), "{bad:?}: {refused:?}");
    }
    assert_eq!(letters(&desk), []);
}

#[test]
fn whom_it_reaches_is_told_once_each_and_nobody_else() {
    let desk = Desk::open();
    let (swap, _) = (app(&desk, "Swaps", Product::Swap), app(&desk, "Ages", Product::Age));
    assert_eq!(told(&desk, &Affected::Everyone), [(OWN, 2, 0)]);
    let owner = desk.person("owner@bank.example", Seat::Member { partner: OWN, role: MemberRole::Owner });
    assert_eq!(told(&desk, &Affected::Products(vec![Product::Swap])), [(OWN, 1, 1)], "an owner where nobody else is");
    desk.person("a.developer@bank.example", Seat::Member { partner: OWN, role: MemberRole::Developer });
    letters(&desk);
    opened(&desk, &new(Affected::Products(vec![Product::Swap])));
    assert_eq!(letters(&desk), [("a.developer@bank.example".to_owned(), "Incident: Checks are slow".to_owned())]);
    let contact = Contact { name: "N. Oncall".to_owned(), email: "Oncall@bank.example".to_owned(), phone: None };
    let details = Details { technical_contact: Some(contact), ..Details::default() };
    desk.run(&Actor::System, |work| set_details(work, OWN, details.clone())).unwrap();
    // A member's own wish comes on top, once.
    let wish = |is_wanted| desk.run(&owner.actor(), move |work| subscribe(work, is_wanted)).unwrap();
    wish(true);
    wish(true);
    assert_eq!(desk.run(&owner.actor(), is_subscribed), Ok(true));
    let incident = opened(&desk, &new(Affected::Apps(vec![swap, swap])));
    let to = |all: Vec<(String, String)>| all.into_iter().map(|(to, _)| to).collect::<Vec<_>>();
    assert_eq!(to(letters(&desk)), ["oncall@bank.example", "owner@bank.example"]);
    wish(false);
    desk.run(&staff(), |work| resolve(work, incident.id, "Over.")).unwrap();
    assert_eq!(letters(&desk), [("oncall@bank.example".to_owned(), "Incident resolved: Checks are slow".to_owned())]);
    // An app that was ended is reached by nothing, and who left gets no letters.
    let roster = laini_office::people::Roster::Partner(OWN);
    let other = desk.person("viewer@bank.example", Seat::Member { partner: OWN, role: MemberRole::Viewer });
    desk.run(&other.actor(), |work| subscribe(work, true)).unwrap();
    assert_eq!(told(&desk, &Affected::Everyone), [(OWN, 2, 2)]);
    desk.run(&Actor::System, |work| disable(work, roster, other.id, "left")).unwrap();
    assert_eq!(told(&desk, &Affected::Everyone), [(OWN, 2, 1)]);
    desk.run(&Actor::System, |work| terminate_app(work, OWN, swap, "over")).unwrap();
    assert_eq!(told(&desk, &Affected::Apps(vec![swap])), []);
    assert!(matches!(desk.run(&staff(), |work| subscribe(work, true)), Err(Problem::Forbidden(_))));
}

#[test]
fn what_is_not_public_is_known_to_staff_and_to_whom_it_reaches_alone() {
    let desk = Desk::open();
    let swap = app(&desk, "Swaps", Product::Swap);
    let hidden = NewIncident { is_public: false, ..new(Affected::Apps(vec![swap])) };
    let hidden = opened(&desk, &hidden).id;
    let public = opened(&desk, &new(Affected::Products(vec![Product::Imsi]))).id;
    let reached =
        Actor::Member { person: laini_core::partner::PersonId::from_stored(1), partner: OWN, role: MemberRole::Viewer };
    let other = Actor::Member {
        person: laini_core::partner::PersonId::from_stored(2),
        partner: PartnerId::from_stored(12),
        role: MemberRole::Owner,
    };
    for (actor, knows) in [(&reached, true), (&other, false), (&Actor::Stranger, false), (&staff(), true)] {
        let shown = |which| {
            let page = desk.run(actor, |work| list(work, which, PageRequest::FIRST)).unwrap();
            page.items.iter().map(|incident| incident.id).collect::<Vec<_>>()
        };
        assert_eq!(shown(Which::Open).contains(&hidden), knows, "{actor:?}");
        assert!(shown(Which::All).contains(&public) && shown(Which::Resolved).is_empty(), "{actor:?}");
        let found = desk.run(actor, |work| the_incident(work, hidden));
        assert_eq!(found.is_ok(), knows, "{actor:?}");
        assert_eq!(desk.run(actor, |work| impact(work, OWN, hidden)).is_ok(), knows, "{actor:?}");
    }
}

#[test]
fn the_impact_is_what_failed_on_our_side_of_the_apps_that_are_reached_between_beginning_and_end() {
    let mut desk = Desk::open();
    let (swap, age) = (app(&desk, "Swaps", Product::Swap), app(&desk, "Ages", Product::Age));
    let call = |number: u64, at: Timestamp, (partner, app): (PartnerId, AppId), status: u16| RefusedCall {
        id: CheckId::from_parts(CheckId::floor(at).position() + number, number),
        at,
        partner,
        app,
        environment: Environment::Sandbox,
        path: "/swap/v1/checkATI".to_owned(),
        product: Some(Product::Swap),
        status,
        code: format!("{status}.001.01"),
        stage: Stage::Registry,
        reason: "it cannot be reached".to_owned(),
        micros: 900,
        about: None,
    };
    let began = desk.at;
    let incident = opened(&desk, &new(Affected::Products(vec![Product::Swap])));
    let everyone = opened(&desk, &new(Affected::Everyone));
    desk.wait_s(600);
    for id in [incident.id, everyone.id] {
        desk.run(&staff(), |work| resolve(work, id, "Over.")).unwrap();
    }
    let (before, during, after) =
        (began - SignedDuration::from_secs(1), began + SignedDuration::from_secs(60), desk.at);
    let calls = vec![
        call(1, before, (OWN, swap), 503),
        call(2, during, (OWN, swap), 503),
        call(3, during, (OWN, swap), 504),
        call(4, during, (OWN, swap), 400),
        call(5, during, (OWN, swap), 429),
        call(6, during, (PartnerId::from_stored(12), swap), 503),
        call(7, after, (OWN, swap), 503),
        call(8, during, (OWN, age), 503),
    ];
    block_on(desk.office.refusals.keep(calls, 100)).unwrap();
    desk.wait_s(600);
    let found = desk.run(&staff(), |work| impact(work, OWN, incident.id)).unwrap();
    assert_eq!((found.failures.calls, found.apps, found.until), (2, 1, after));
    let newest: Vec<_> = found.failures.newest.iter().map(|call| call.status).collect();
    assert_eq!(newest, [504, 503], "neither what was the caller's nor what another app asked");
    let found = desk.run(&staff(), |work| impact(work, OWN, everyone.id)).unwrap();
    assert_eq!((found.failures.calls, found.failures.causes[0].calls, found.apps), (3, 2, 2));
}

#[test]
fn apps_that_are_reached_are_sent_every_event_until_it_is_ended() {
    let mut desk = Desk::open();
    let (swap, age) = (app(&desk, "Swaps", Product::Swap), app(&desk, "Ages", Product::Age));
    let incident = opened(&desk, &new(Affected::Products(vec![Product::Swap])));
    desk.wait_s(1);
    desk.run(&staff(), |work| resolve(work, incident.id, "Over.")).unwrap();
    let due = desk.run(&Actor::System, |work| due_events(work, 10)).unwrap();
    let kinds: Vec<_> = due.iter().map(|(event, ..)| (event.r#type(), event.update)).collect();
    assert_eq!(kinds, [("incident.opened", 1), ("incident.resolved", 2)]);
    assert!(due.iter().all(|(_, _, apps)| apps.contains(&swap) && !apps.contains(&age)));
    for (event, ..) in due {
        desk.run(&Actor::System, |work| end_event(work, event.id)).unwrap();
    }
    assert_eq!(desk.run(&Actor::System, |work| due_events(work, 10)).unwrap(), []);
}
