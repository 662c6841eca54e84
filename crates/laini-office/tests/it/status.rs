//! The status: what probes come to, day by day, and the picture that everybody is shown.

use jiff::SignedDuration;
use laini_core::partner::StaffRole;
use laini_core::support::{Affected, Component, Health, IncidentState, Severity, Tally};
use laini_office::Actor;
use laini_office::incidents::{NewIncident, open, resolve};
use laini_office::status::{DAYS, Picture, Probed, UptimeDay, picture, record};

use crate::desk::Desk;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn probe(desk: &Desk, health: Health, micros: u64) {
    let probed = [
        Probed { component: Component::Tokens, health: Health::Ok, micros: 100 },
        Probed { component: Component::Checks, health, micros },
    ];
    desk.run(&Actor::System, |work| record(work, MINUTE, &probed)).unwrap();
}

fn shown(desk: &Desk) -> Picture {
    desk.run(&Actor::Stranger, |work| picture(work, MINUTE)).unwrap()
}

fn checks(picture: &Picture) -> (Option<Health>, Tally) {
    let of = picture.components.iter().find(|of| of.component == Component::Checks).unwrap();
    (of.health, of.total)
}

#[test]
fn minutes_in_which_nobody_looked_count_as_down_and_weeks_as_switched_off() {
    let mut desk = Desk::open();
    assert_eq!(shown(&desk).components, []);
    probe(&desk, Health::Ok, 300);
    desk.wait_s(60);
    probe(&desk, Health::Degraded, 900_000);
    assert_eq!(
        checks(&shown(&desk)),
        (
            Some(Health::Degraded),
            Tally { probes: 2, degraded: 1, down: 0, worst_micros: 900_000, answered_micros: 900_300 }
        )
    );
    // The same round twice, of a node that believed that it was alone, counts once.
    probe(&desk, Health::Ok, 1);
    assert_eq!(checks(&shown(&desk)).1.probes, 2);
    desk.wait_s(600);
    assert_eq!(checks(&shown(&desk)).0, None, "an old probe says nothing of now");
    probe(&desk, Health::Ok, 300);
    let tally = Tally { probes: 12, degraded: 1, down: 9, worst_micros: 900_000, answered_micros: 900_600 };
    assert_eq!(checks(&shown(&desk)).1, tally);
    desk.wait_s(8 * 86_400);
    probe(&desk, Health::Ok, 300);
    assert_eq!(checks(&shown(&desk)).1.probes, 13);
}

#[test]
fn ninety_days_are_kept_and_hours_of_three() {
    let mut desk = Desk::open();
    for _ in 0..DAYS + 8 {
        desk.wait_s(86_400);
        probe(&desk, Health::Ok, 300);
    }
    let days = desk.run(&Actor::System, |work| work.all::<UptimeDay>("on", "all")).unwrap();
    assert!(days.len() <= DAYS, "{}", days.len());
    let with_hours = days.iter().filter(|day| !day.hours.is_empty()).count();
    assert!((1..=4).contains(&with_hours), "{with_hours}");
    let picture = shown(&desk);
    assert_eq!(picture.components[0].days.len(), DAYS);
    let recent = &picture.components.iter().find(|of| of.component == Component::Checks).unwrap().recent;
    assert_eq!(recent.len(), 24);
    assert!(recent.windows(2).all(|pair| (pair[0].0, pair[0].1.hour) < (pair[1].0, pair[1].1.hour)));
    // Nobody looked until now: what counts as down took no time.
    let means: Vec<_> = recent.iter().map(|(_, hour)| hour.tally.mean_micros()).collect();
    assert_eq!((means[0], means[23]), (None, Some(300)));
    assert!(picture.components[0].days.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[test]
fn an_incident_says_more_than_probes_while_it_goes_on() {
    let desk = Desk::open();
    probe(&desk, Health::Ok, 300);
    let staff = Actor::Staff { person: laini_core::partner::PersonId::from_stored(99), role: StaffRole::Admin };
    let new = NewIncident {
        title: "Deliveries stand still".to_owned(),
        severity: Severity::Critical,
        components: vec![Component::Deliveries],
        affected: Affected::Everyone,
        is_public: true,
        started: None,
        state: IncidentState::Investigating,
        text: "We look into it.".to_owned(),
    };
    let hidden = NewIncident { is_public: false, components: vec![Component::Checks], ..new.clone() };
    desk.run(&staff, |work| open(work, &hidden)).unwrap();
    assert_eq!(shown(&desk).health(), Some(Health::Ok), "what is not public is not in the picture");
    let incident = desk.run(&staff, |work| open(work, &new)).unwrap();
    let during = shown(&desk);
    assert_eq!((during.health(), during.open.len(), during.past.len()), (Some(Health::Down), 1, 0));
    assert!(during.components.iter().any(|of| of.component == Component::Deliveries && of.total.probes == 0));
    desk.run(&staff, |work| resolve(work, incident.id, "Over.")).unwrap();
    let after = shown(&desk);
    assert_eq!((after.health(), after.open.len(), after.past.len()), (Some(Health::Ok), 0, 1));
}
