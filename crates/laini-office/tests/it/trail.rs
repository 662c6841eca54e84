//! The audit trail: a partner learns what concerns it, and never who of the operator's people did it.

use laini_core::partner::{Limits, MemberRole};
use laini_core::store::TrailQuery;
use laini_office::apps::limit_partner;
use laini_office::people::{Entry, Roster, Seat, SignIn, list_people, sign_in};
use laini_office::{Actor, PageRequest, Problem, trail};

use crate::desk::{ADDRESS, Desk, OWN, PASSWORD};

#[test]
fn who_of_the_operators_people_did_something_is_not_told_and_cannot_be_asked_for() {
    let desk = Desk::open();
    let owner = desk.person("owner@bank.example", Seat::Member { partner: OWN, role: MemberRole::Owner });
    let console = Actor::Console { user: "somebody".to_owned() };
    let limits = Limits { per_day: Some(10_000), ..Limits::NONE };
    desk.run(&console, |work| limit_partner(work, OWN, limits, "ticket 4711")).unwrap();
    let ask = |actor: &Actor, by: &str, action: &str| {
        let query = TrailQuery {
            partner: Some(OWN),
            actor: by.to_owned(),
            action: action.to_owned(),
            limit: 50,
            ..TrailQuery::default()
        };
        desk.run(actor, |work| trail(work, query.clone()))
    };
    let told = ask(&owner.actor(), "", "partner.limits").unwrap();
    let told: Vec<_> = told.into_iter().map(|row| (row.entry.actor, row.entry.reason)).collect();
    assert_eq!(told, [("operator".to_owned(), "10000 a day: ticket 4711".to_owned())]);
    for by in ["cli:", "cli:somebody", "staff:", "s", "member"] {
        let refused = ask(&owner.actor(), by, "");
        assert!(matches!(refused, Err(Problem::Invalid { field: "actor", .. })), "{by}: {refused:?}");
    }
    let own = ask(&owner.actor(), "member:", "").unwrap();
    assert!(own.iter().all(|row| row.entry.actor.starts_with("member:")) && !own.is_empty(), "{own:?}");
    assert_eq!(ask(&console, "cli:somebody", "").unwrap().len(), 1);
    for text in ["a\0b", &"x".repeat(101)] {
        assert!(matches!(ask(&console, "", text), Err(Problem::Invalid { field: "action", .. })));
    }
}

#[test]
fn a_roster_tells_when_somebody_signed_in_last() {
    let mut desk = Desk::open();
    let owner = desk.person("owner@bank.example", Seat::Member { partner: OWN, role: MemberRole::Owner });
    let came_in = desk.at;
    desk.wait_s(600);
    let listed = |desk: &Desk| -> Vec<Entry> {
        let page = desk.run(&owner.actor(), |work| list_people(work, Roster::Partner(OWN), PageRequest::FIRST));
        page.unwrap().items
    };
    assert_eq!(listed(&desk)[0].signed_in, Some(came_in));
    let (email, password) = ("owner@bank.example", PASSWORD);
    let (address, peer) = (ADDRESS, ADDRESS);
    let shown = SignIn { email, password, code: None, recovery_code: None, address, peer, before: None };
    desk.run(&Actor::Stranger, |work| sign_in(work, &shown)).unwrap();
    assert_eq!(listed(&desk)[0].signed_in, Some(desk.at));
}
