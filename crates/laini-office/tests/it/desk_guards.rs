use laini_core::desk::{Thresholds, ThresholdsError, Verdict, WorkingHours};
use laini_core::line::{Msisdn, NumberPlan};
use laini_core::partner::{MemberRole, PartnerId, ProductSet, Purpose};
use laini_office::apps::add_sandbox_app;
use laini_office::desk::{DeskSettings, TypedCheck, admit, begin_check, set_settings, settings};
use laini_office::people::Seat;
use laini_office::{Actor, Problem};

use crate::desk::{Desk, OWN};

fn numbers(count: u32) -> Vec<Msisdn> {
    (0..count).map(|n| NumberPlan::KENYA.parse(&format!("2547220{n:05}")).unwrap()).collect()
}

/// An owner, and somebody of the fraud desk.
fn bank() -> (Desk, Actor, Actor) {
    let desk = Desk::open();
    let seat = |role| Seat::Member { partner: OWN, role };
    let owner = desk.person("owner@bank.example", seat(MemberRole::Owner)).actor();
    let clerk = desk.person("clerk@bank.example", seat(MemberRole::FraudDesk)).actor();
    (desk, owner, clerk)
}

fn set(desk: &Desk, owner: &Actor, change: impl Fn(&mut DeskSettings)) -> Result<(), Problem> {
    desk.run(owner, |work| {
        let mut present = settings(work, OWN)?;
        change(&mut present);
        set_settings(work, &present)
    })
}

fn alarms(desk: &Desk) -> Vec<String> {
    let rows = desk.trail().into_iter().filter(|row| row.entry.action == "desk.alarm");
    rows.map(|row| row.entry.reason).collect()
}

#[test]
fn a_person_has_so_many_look_ups_a_day_and_what_is_refused_counts_for_nothing() {
    let (mut desk, owner, clerk) = bank();
    set(&desk, &owner, |settings| settings.look_ups_per_day = 10).unwrap();
    let ask = |desk: &Desk, who: &Actor, count| desk.run(who, |work| admit(work, OWN, &numbers(count)));
    ask(&desk, &clerk, 7).unwrap();
    let refused = ask(&desk, &clerk, 4).unwrap_err();
    assert!(refused.to_string().contains("3 are left"), "{refused}");
    ask(&desk, &clerk, 3).unwrap();
    ask(&desk, &clerk, 1).unwrap_err();
    ask(&desk, &owner, 10).unwrap();
    // The day of the operator's zone, 09:00 UTC at first.
    desk.wait_s(15 * 3_600);
    ask(&desk, &clerk, 10).unwrap();
}

#[test]
fn the_first_look_up_that_is_refused_for_the_cap_is_told_once_a_day() {
    let (mut desk, owner, clerk) = bank();
    set(&desk, &owner, |settings| settings.look_ups_per_day = 10).unwrap();
    let ask = |desk: &Desk, count| desk.run(&clerk, |work| admit(work, OWN, &numbers(count)));
    ask(&desk, 10).unwrap();
    assert_eq!(alarms(&desk).len(), 0, "whoever uses up their day was refused nothing");
    ask(&desk, 1).unwrap_err();
    ask(&desk, 2).unwrap_err();
    assert_eq!(alarms(&desk), ["cap reached"]);
    let raised = desk.trail().into_iter().find(|row| row.entry.action == "desk.alarm").unwrap();
    assert_eq!(raised.entry.actor, clerk.in_trail());
    desk.wait_s(24 * 3_600);
    ask(&desk, 11).unwrap_err();
    assert_eq!(alarms(&desk).len(), 2, "a day of which nothing was used");
    ask(&desk, 10).unwrap();
}

#[test]
fn what_somebody_types_counts_for_their_day_once_it_can_be_asked() {
    let (desk, owner, clerk) = bank();
    set(&desk, &owner, |settings| settings.look_ups_per_day = 1).unwrap();
    let (app, _) = desk.run(&owner, |work| add_sandbox_app(work, OWN, "Desk", ProductSet::all())).unwrap();
    let right = TypedCheck {
        number: " 0722 000 001 ".to_owned(),
        app: app.id.to_string(),
        purpose: "onboarding".to_owned(),
        reference: " cheque 9 ".to_owned(),
        expect: String::new(),
    };
    let begin = |partner, typed: &TypedCheck| desk.run(&clerk, |work| begin_check(work, partner, typed));
    let refused = |typed: TypedCheck, field| {
        let refused = begin(OWN, &typed).err().unwrap();
        assert!(matches!(refused, Problem::Invalid { field: named, .. } if named == field), "{field}: {refused}");
    };
    refused(TypedCheck { number: "nobody".to_owned(), ..right.clone() }, "number");
    refused(TypedCheck { app: "0000000000000009".to_owned(), ..right.clone() }, "app");
    refused(TypedCheck { purpose: "curiosity".to_owned(), ..right.clone() }, "purpose");
    refused(TypedCheck { reference: " ".to_owned(), ..right.clone() }, "reference");
    assert!(begin(PartnerId::from_stored(12), &right).is_err(), "another partner's app");
    let about = begin(OWN, &right).unwrap();
    assert_eq!((about.number.digits().as_str(), about.reference.as_str()), ("254722000001", "cheque 9"));
    assert_eq!((about.app.id, about.purpose, about.expect), (app.id, Purpose::Onboarding, None));
    assert!(matches!(begin(OWN, &right), Err(Problem::NotNow(_))), "their day is used up");
}

#[test]
fn a_canary_raises_an_alarm_that_holds_no_number() {
    let (desk, owner, clerk) = bank();
    let canary = numbers(1);
    desk.run(&owner, |work| {
        let present = settings(work, OWN)?.with_canaries(work.office, &canary);
        set_settings(work, &present)
    })
    .unwrap();
    assert_eq!(desk.run(&owner, |work| settings(work, OWN)).unwrap().canaries(), 1);
    desk.run(&clerk, |work| admit(work, OWN, &numbers(3))).unwrap();
    assert_eq!(alarms(&desk), ["canary"]);
    desk.run(&clerk, |work| admit(work, OWN, &numbers(3)[1..])).unwrap();
    assert_eq!(alarms(&desk).len(), 1, "others raise none");
    assert!(!format!("{:?}", desk.trail()).contains("254722"), "no number is written down");
}

#[test]
fn the_first_look_up_outside_working_hours_is_told_once_a_day() {
    let (mut desk, owner, clerk) = bank();
    let hours = Some(WorkingHours { from_hour: 8, until_hour: 18, weekends: true });
    set(&desk, &owner, |settings| settings.hours = hours).unwrap();
    let ask = |desk: &Desk| desk.run(&clerk, |work| admit(work, OWN, &numbers(1))).unwrap();
    ask(&desk);
    assert_eq!(alarms(&desk).len(), 0, "at nine there is work");
    desk.wait_s(10 * 3_600);
    ask(&desk);
    ask(&desk);
    assert_eq!(alarms(&desk), ["outside hours"]);
}

#[test]
fn thresholds_that_would_allow_an_unknown_are_refused() {
    let (desk, owner, _) = bank();
    let with = |thresholds: Thresholds| set(&desk, &owner, |settings| settings.thresholds = thresholds);
    let usual = Thresholds::default();
    for (wrong, why) in [
        (Thresholds { unknown: Verdict::Allow, ..usual }, ThresholdsError::UnknownAllowed),
        (Thresholds { not_served: Verdict::Allow, ..usual }, ThresholdsError::UnknownAllowed),
        (Thresholds { swap_step_up_days: 0, ..usual }, ThresholdsError::Crossed),
        (Thresholds { age_step_up_days: 9_999, ..usual }, ThresholdsError::TooLong(Thresholds::DAYS_MAX)),
    ] {
        assert!(with(wrong).unwrap_err().to_string().contains(&why.to_string()), "{wrong:?}");
    }
    with(Thresholds { unknown: Verdict::StepUp, ..usual }).unwrap();
}
