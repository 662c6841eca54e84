//! Registrations: a stranger brings an organisation, and is nobody before their address is confirmed.

use laini_core::partner::{MemberRole, OnboardingStep, PartnerId};
use laini_office::going_live::{accepted_by, terms};
use laini_office::mail::send_due;
use laini_office::onboarding::timeline;
use laini_office::people::{
    Confirmation, Person, Seat, SignedIn, Stranger, answer_registrations, confirm_registration, disable,
    forget_what_is_over, invite, register,
};
use laini_office::people::{Roster, SessionProblem, SignIn, authenticate, sign_in};
use laini_office::{Actor, PeopleSettings, Problem};

use crate::desk::{ADDRESS, Desk, OWN, PASSWORD};
use crate::people::Pocket;

const EMAIL: &str = "founder@new.example";
const COMPANY: &str = "New Bank visit evil.example";
const NAME: &str = "F. Ounder";

fn ask(desk: &Desk, company: &str, email: &str, peer: &str) -> Result<(), Problem> {
    let terms = (terms().version, terms().digest);
    desk.run(&Actor::Stranger, |work| register(work, &Stranger { company, email, name: NAME, terms, peer }))
}

/// The letters that leave now.
fn letters(desk: &Desk) -> Vec<laini_office::mail::Letter> {
    let pocket = Pocket::default();
    answer_registrations(&desk.office, desk.at).unwrap();
    send_due(&desk.office, &pocket, desk.at).unwrap();
    pocket.0.into_inner().unwrap()
}

/// The token of the one letter that leaves now.
fn token(desk: &Desk) -> String {
    let letters = letters(desk);
    assert_eq!(letters.len(), 1);
    let text = &letters[0].text;
    text.lines().find_map(|line| line.strip_prefix("https://portal.example/registration#")).unwrap().to_owned()
}

fn confirmed(desk: &Desk, shown: &Confirmation<'_>) -> Result<SignedIn, Problem> {
    desk.run(&Actor::Stranger, |work| confirm_registration(work, shown))
}

fn with(token: &str) -> Confirmation<'_> {
    Confirmation { token, password: PASSWORD, name: None, company: None, address: ADDRESS, before: None }
}

fn partners(desk: &Desk) -> Vec<String> {
    let partners = desk.run(&Actor::System, |work| work.book()).unwrap().partners;
    let mut names: Vec<_> = partners.into_iter().map(|partner| partner.name).collect();
    names.sort();
    names
}

fn partner_of(person: &Person) -> PartnerId {
    person.seat.partner().unwrap()
}

#[test]
fn whoever_confirms_a_registration_is_the_owner_of_a_partner_without_an_agreement() {
    let desk = Desk::open();
    ask(&desk, COMPANY, EMAIL, ADDRESS).unwrap();
    let letters = letters(&desk);
    assert_eq!((letters.len(), letters[0].to.as_str()), (1, EMAIL));
    let text = &letters[0].text;
    assert!(!text.contains("evil") && !text.contains("Ounder"), "a stranger's words in a letter: {text}");
    assert_eq!(partners(&desk), ["Test Bank"], "nothing before it is confirmed");
    let token = text.lines().find_map(|line| line.strip_prefix("https://portal.example/registration#")).unwrap();
    let weak = Confirmation { password: "password", ..with(token) };
    assert!(matches!(confirmed(&desk, &weak), Err(Problem::Invalid { field: "password", .. })));
    let come = confirmed(&desk, &with(token)).unwrap();
    let partner = partner_of(&come.person);
    assert_eq!(come.person.seat, Seat::Member { partner, role: MemberRole::Owner });
    assert_eq!((come.person.name.as_str(), come.person.email.as_str()), (NAME, EMAIL));
    assert_eq!(partners(&desk), [COMPANY, "Test Bank"]);
    let (onboarding, terms, agreements) = desk
        .run(&come.person.actor(), |work| {
            let agreements = work.book()?.agreements_of(partner).at(work.at).is_ok();
            Ok((timeline(work, partner)?.0, accepted_by(work, partner)?, agreements))
        })
        .unwrap();
    let by = format!("member:{}", come.person.id);
    assert_eq!((onboarding.step, onboarding.history[0].by.as_str()), (OnboardingStep::Submitted, by.as_str()));
    assert!(terms.is_some_and(|accepted| accepted.by == by && accepted.address == ADDRESS) && !agreements);
    assert!(matches!(confirmed(&desk, &with(token)), Err(Problem::Invalid { field: "token", .. })), "once");
    let trail = desk.trail();
    let actions: Vec<_> = trail.iter().take(4).map(|row| row.entry.action.as_str()).collect();
    assert_eq!(actions, ["session.open", "terms.accept", "partner.add", "person.register"]);
    assert!(trail.iter().take(4).all(|row| row.entry.partner == Some(partner) && row.entry.actor == by));
    let shown = SignIn {
        email: EMAIL,
        password: PASSWORD,
        code: None,
        recovery_code: None,
        address: ADDRESS,
        peer: ADDRESS,
        before: None,
    };
    assert!(desk.run(&Actor::Stranger, |work| sign_in(work, &shown).map(drop)).is_ok());
}

#[test]
fn confirming_a_registration_ends_the_session_that_was_brought() {
    let desk = Desk::open();
    let other = desk.come_in("other@bank.example", Seat::Member { partner: OWN, role: MemberRole::Owner });
    ask(&desk, COMPANY, EMAIL, ADDRESS).unwrap();
    let token = token(&desk);
    let come = confirmed(&desk, &Confirmation { before: Some(&other.token), ..with(&token) }).unwrap();
    assert_eq!(authenticate(&desk.office, &other.token, desk.at), Err(SessionProblem::Unknown));
    assert_eq!(authenticate(&desk.office, &come.token, desk.at), Ok(come.person.actor()));
}

#[test]
fn a_known_address_is_answered_the_same_and_told_by_letter_that_it_is_known() {
    let mut desk = Desk::open();
    let owner = desk.person("owner@bank.example", Seat::Member { partner: OWN, role: MemberRole::Owner });
    desk.person("other@bank.example", Seat::Member { partner: OWN, role: MemberRole::Owner });
    assert_eq!(ask(&desk, COMPANY, "Owner@bank.example", ADDRESS), ask(&desk, COMPANY, EMAIL, ADDRESS));
    let letters_now = letters(&desk);
    let known = letters_now.iter().find(|letter| letter.to == "owner@bank.example").unwrap();
    assert!(known.text.contains("You can sign in with it already") && !known.text.contains("evil"), "{}", known.text);
    assert!(!known.text.contains("laini_t_") && letters_now.len() == 2);
    desk.run(&Actor::System, |work| disable(work, Roster::Partner(OWN), owner.id, "")).unwrap();
    desk.wait_s(900);
    assert_eq!(ask(&desk, COMPANY, "owner@bank.example", ADDRESS), Ok(()));
    assert_eq!(letters(&desk).len(), 0, "whoever is disabled is told nothing");
    assert_eq!(partners(&desk), ["Test Bank"]);
}

#[test]
fn whoever_was_invited_and_has_not_come_in_may_register_instead() {
    let desk = Desk::open();
    let owner = desk.person("owner@bank.example", Seat::Member { partner: OWN, role: MemberRole::Owner }).actor();
    let seat = Seat::Member { partner: OWN, role: MemberRole::Viewer };
    let (invited, issued) = desk.run(&owner, |work| invite(work, seat, EMAIL, "Taken", false)).unwrap();
    ask(&desk, COMPANY, EMAIL, ADDRESS).unwrap();
    let token = token(&desk);
    let come = confirmed(&desk, &with(&token)).unwrap();
    assert_ne!((come.person.id, come.person.seat.partner()), (invited.id, Some(OWN)));
    let accept = |work: &mut laini_office::Work<'_>| {
        laini_office::people::accept_invitation(work, &issued.token, PASSWORD, None, ADDRESS, None).map(drop)
    };
    assert!(matches!(desk.run(&Actor::Stranger, accept), Err(Problem::Invalid { field: "token", .. })));
    assert!(desk.trail().iter().any(|row| row.entry.action == "person.let_go" && row.entry.partner == Some(OWN)));
}

#[test]
fn a_taken_name_is_told_to_who_confirmed_alone_and_another_one_may_be_given() {
    let desk = Desk::open();
    assert_eq!(ask(&desk, "test bank", EMAIL, ADDRESS), Ok(()));
    let token = token(&desk);
    assert!(matches!(confirmed(&desk, &with(&token)), Err(Problem::Taken(_))));
    let formula = Confirmation { company: Some("=cmd()"), ..with(&token) };
    assert!(matches!(confirmed(&desk, &formula), Err(Problem::Invalid { field: "company", .. })));
    let other = Confirmation { company: Some("Tested Bank"), name: Some("Somebody Else"), ..with(&token) };
    assert_eq!(confirmed(&desk, &other).unwrap().person.name, "Somebody Else");
    assert_eq!(partners(&desk), ["Test Bank", "Tested Bank"]);
}

#[test]
fn each_letter_brings_what_was_said_with_it_and_the_first_that_is_confirmed_ends_the_others() {
    let mut desk = Desk::open();
    ask(&desk, "First Bank", EMAIL, ADDRESS).unwrap();
    let first = token(&desk);
    ask(&desk, "Second Bank", EMAIL, "198.51.100.1").unwrap();
    assert_eq!(letters(&desk).len(), 0, "a quarter of an hour");
    desk.wait_s(900);
    ask(&desk, "Third Bank", EMAIL, "198.51.100.1").unwrap();
    let third = token(&desk);
    assert!(confirmed(&desk, &with(&first)).is_ok());
    assert!(matches!(confirmed(&desk, &with(&third)), Err(Problem::Invalid { field: "token", .. })));
    assert_eq!(partners(&desk), ["First Bank", "Test Bank"]);
}

#[test]
fn so_many_wait_of_one_address_and_of_all_and_a_day_later_none() {
    let mut desk = Desk::open();
    let email = |number: usize| format!("person-{number}@new.example");
    for number in 0..10 {
        assert_eq!(ask(&desk, "New Bank", &email(number), ADDRESS), Ok(()));
    }
    let too_many = Err(Problem::TooOften { retry_after_s: 3_600 });
    assert_eq!(ask(&desk, "New Bank", &email(10), ADDRESS), too_many);
    assert_eq!(ask(&desk, "New Bank", &email(0), ADDRESS), Ok(()), "it was asked for just now");
    for number in 10..500 {
        assert_eq!(ask(&desk, "New Bank", &email(number), &format!("peer-{}", number / 10)), Ok(()), "{number}");
    }
    assert_eq!(ask(&desk, "New Bank", &email(500), "198.51.100.1"), too_many);
    let one = answer_registrations(&desk.office, desk.at);
    assert_eq!(one, Ok(50), "in rounds");
    desk.wait_s(24 * 3_600 - 1);
    assert_eq!(forget_what_is_over(&desk.office, desk.at), Ok(0));
    desk.wait_s(1);
    assert_eq!(forget_what_is_over(&desk.office, desk.at), Ok(550), "registrations and tokens");
    assert_eq!(ask(&desk, "New Bank", &email(500), ADDRESS), Ok(()));
}

#[test]
fn a_token_is_good_for_a_day() {
    let mut desk = Desk::open();
    ask(&desk, "New Bank", EMAIL, ADDRESS).unwrap();
    let token = token(&desk);
    desk.wait_s(24 * 3_600);
    assert!(matches!(confirmed(&desk, &with(&token)), Err(Problem::Invalid { field: "token", .. })));
}

#[test]
fn what_nobody_can_accept_or_read_is_refused_at_the_door() {
    let desk = Desk::open();
    assert!(matches!(ask(&desk, "", EMAIL, ADDRESS), Err(Problem::Invalid { field: "company", .. })));
    assert!(matches!(ask(&desk, "New Bank", "nobody", ADDRESS), Err(Problem::Invalid { field: "email", .. })));
    let of_old =
        Stranger { company: "New Bank", email: EMAIL, name: NAME, terms: (terms().version, [0; 32]), peer: ADDRESS };
    let old = desk.run(&Actor::Stranger, |work| register(work, &of_old));
    assert!(matches!(old, Err(Problem::NotNow(_))));
    let closed = Desk::with(PeopleSettings { registration: false, ..PeopleSettings::default() });
    assert!(matches!(ask(&closed, "New Bank", EMAIL, ADDRESS), Err(Problem::Forbidden(_))));
}
