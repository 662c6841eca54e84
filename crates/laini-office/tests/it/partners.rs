//! Partners as the operator's staff list, add and stop them.

use jiff::SignedDuration;
use laini_core::billing::Outcome;
use laini_core::partner::{Environment, OnboardingStep, PartnerId, Product, StaffRole};
use laini_core::store::Draft;
use laini_office::apps::{Why, debt_suspension_from, give_debt_notice, suspend_partner, withdraw_debt_notice};
use laini_office::onboarding::{Begins, Onboarding, add, beginning};
use laini_office::people::Seat;
use laini_office::traffic::checks_of_partners;
use laini_office::{Actor, Problem};

use crate::billing::{BANK, Bench, FINTECH, at};
use crate::desk::{Desk, OWN};

#[test]
fn a_partner_is_added_with_the_standard_agreement_or_on_its_way() {
    let desk = Desk::open();
    let staff = desk.person("desk@operator.example", Seat::Staff { role: StaffRole::Onboarding }).actor();
    let added = |name: &str, begins| desk.run(&staff, |work| add(work, name, begins));
    let step = |partner: PartnerId| {
        let way = desk.run(&staff, |work| work.look::<Onboarding>(partner)).unwrap();
        way.map(|way| way.step)
    };
    let agreed =
        |partner: PartnerId| desk.run(&staff, |work| Ok(work.book()?.agreements_of(partner).at(work.at).is_ok()));
    let with = added(" Example Bank ", Begins::WithStandardAgreement).unwrap();
    assert_eq!((step(with), agreed(with)), (None, Ok(true)));
    let on_its_way = added("Sacco", Begins::Onboarding).unwrap();
    assert_eq!((step(on_its_way), agreed(on_its_way)), (Some(OnboardingStep::Submitted), Ok(false)));
    for name in ["example bank", "SACCO", "test bank"] {
        assert!(matches!(added(name, Begins::Onboarding), Err(Problem::Taken(_))), "{name}");
    }
    for name in ["", "=1+1", "two\nlines"] {
        assert!(matches!(added(name, Begins::Onboarding), Err(Problem::Invalid { field: "name", .. })), "{name:?}");
    }
    let names: Vec<_> =
        desk.run(&staff, |work| work.book()).unwrap().partners.into_iter().map(|one| one.name).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for (word, begins) in [("standard", Begins::WithStandardAgreement), ("none", Begins::Onboarding)] {
        assert_eq!((Begins::parse(word), begins.word()), (Ok(begins), word));
    }
    assert!(matches!(Begins::parse("x"), Err(Problem::Invalid { field: "agreement", .. })));
    let came = desk.run(&staff, |work| beginning(work, with)).unwrap().unwrap();
    assert_eq!((came.at, came.by, came.how.as_str()), (desk.at, staff.in_trail(), "standard agreement"));
    let unknown = desk.run(&staff, |work| beginning(work, PartnerId::from_stored(999)));
    assert_eq!(unknown, Ok(None));
}

#[test]
fn production_checks_of_the_last_hours_are_counted_by_partner() {
    let bench = Bench::new();
    bench.ask(BANK, Product::Swap, 8, "2026-11-10T09:00:00Z");
    bench.ask(BANK, Product::Imsi, 2, "2026-11-11T09:00:00Z");
    let sandbox = bench.draft(BANK, Product::Imsi, at("2026-11-13T09:00:00Z"));
    bench.record(Draft { environment: Environment::Sandbox, ..sandbox });
    let unknown = bench.draft(BANK, Product::Imsi, at("2026-11-13T09:00:01Z"));
    bench.record(Draft { outcome: Outcome::Unknown, ..unknown });
    bench.ask(FINTECH, Product::Age, 2, "2026-11-13T09:30:00Z");
    let told = |now: &str, hours| bench.office.run(&Actor::System, at(now), |work| checks_of_partners(work, hours));
    let of = |now: &str| told(now, 24).unwrap().into_iter().collect::<Vec<_>>();
    assert_eq!(of("2026-11-11T07:30:00Z"), [(BANK, 8)]);
    assert_eq!(of("2026-11-11T09:30:00Z"), [(BANK, 2)], "the hour of the others lies too far back");
    assert_eq!(of("2026-11-13T10:00:00Z"), [(BANK, 1), (FINTECH, 2)], "not what was asked in the sandbox");
    assert!(of("2026-11-20T00:00:00Z").is_empty());
    for hours in [0, 24 * 7 + 1] {
        assert!(matches!(told("2026-11-20T00:00:00Z", hours), Err(Problem::Invalid { field: "hours", .. })), "{hours}");
    }
}

#[test]
fn from_when_on_a_partner_may_be_suspended_for_debt_is_told_before_it_is_done() {
    let mut desk = Desk::open();
    let console = Actor::Console { user: "test".to_owned() };
    let from = |desk: &Desk| desk.run(&console, |work| debt_suspension_from(work, OWN)).unwrap();
    let suspend = |desk: &Desk| desk.run(&console, |work| suspend_partner(work, OWN, Why::Debt, "invoice 17"));
    assert_eq!(from(&desk), None);
    assert!(matches!(suspend(&desk), Err(Problem::NotNow(_))));
    let give = |desk: &Desk, days| desk.run(&console, |work| give_debt_notice(work, OWN, days, "invoice 17")).unwrap();
    let (late, early) = (give(&desk, 30), give(&desk, 7));
    assert_eq!((from(&desk), early.effective), (Some(early.effective), desk.at + SignedDuration::from_hours(7 * 24)));
    desk.run(&console, |work| withdraw_debt_notice(work, OWN, early.id)).unwrap();
    assert_eq!(from(&desk), Some(late.effective));
    desk.wait_s(30 * 86_400 - 1);
    assert!(matches!(suspend(&desk), Err(Problem::NotNow(_))), "not before");
    desk.wait_s(1);
    assert_eq!(suspend(&desk), Ok(()));
}
