//! Single sign-on, once the identity provider's word is verified: who it lets in, and when a code is asked for.

use laini_core::partner::{MemberRole, StaffRole};
use laini_office::people::{
    Roster, Seat, SignOn, SignedIn, Vouched, begin_factor, begin_sign_on, confirm_factor, disable, forget_what_is_over,
    invite, must_set_up_factor, session_of, sign_on,
};
use laini_office::{Actor, PeopleSettings, Problem, Unproven};

use crate::desk::{ADDRESS, Desk, OWN, PASSWORD};
use crate::people::code;

const OWNER: Seat = Seat::Member { partner: OWN, role: MemberRole::Owner };
const ADMIN: Seat = Seat::Staff { role: StaffRole::Admin };

fn vouched(email: &str, has_factor: bool) -> Vouched {
    let (subject, issuer) = (format!("subject of {email}"), "https://id.example".to_owned());
    Vouched { email: email.to_owned(), subject, issuer, has_factor }
}

fn come(desk: &Desk, vouched: &Vouched, code: Option<&str>) -> Result<SignedIn, Problem> {
    let id = begin_sign_on(&desk.office, desk.at).unwrap().0.id;
    desk.run(&Actor::Stranger, |work| {
        sign_on(work, &SignOn { id, vouched, code, recovery_code: None, address: ADDRESS, peer: ADDRESS, before: None })
    })
}

#[test]
fn whoever_was_invited_comes_in_without_a_password_and_counts_among_those_who_can() {
    let desk = Desk::open();
    let invited = desk.run(&Actor::System, |work| invite(work, OWNER, "one@bank.example", "One", false)).unwrap().0;
    let second = desk.person("two@bank.example", OWNER);
    let disabled = || desk.run(&Actor::System, |work| disable(work, Roster::Partner(OWN), second.id, "")).map(drop);
    assert!(disabled().is_err(), "the last owner who can sign in");
    assert_eq!(come(&desk, &vouched("One@bank.example", false), None).unwrap().person.id, invited.id);
    let actions: Vec<_> = desk.trail().into_iter().take(2).map(|row| (row.entry.action, row.entry.reason)).collect();
    let by = |action: &str| (action.to_owned(), "by single sign-on".to_owned());
    assert_eq!(actions, [by("session.open"), by("person.accept")]);
    assert_eq!(disabled(), Ok(()));
    assert!(matches!(come(&desk, &vouched("two@bank.example", false), None), Err(Problem::Forbidden(_))));
    assert!(matches!(come(&desk, &vouched("no address", false), None), Err(Problem::Forbidden(_))));
}

#[test]
fn the_second_factor_is_asked_for_by_one_of_the_two() {
    let mut desk = Desk::open();
    let person = desk.person("owner@bank.example", OWNER);
    let begun = desk.run(&person.actor(), |work| begin_factor(work, PASSWORD, ADDRESS)).unwrap();
    desk.run(&person.actor(), |work| confirm_factor(work, &code(&desk, &begun.secret))).unwrap();
    desk.wait_s(30);
    let without = vouched("owner@bank.example", false);
    assert_eq!(come(&desk, &without, None).map(drop), Err(Problem::Unproven(Unproven::CodeNeeded)));
    assert_eq!(come(&desk, &without, Some("000000")).map(drop), Err(Problem::Unproven(Unproven::CodeWrong)));
    let now = code(&desk, &begun.secret);
    assert_eq!(come(&desk, &without, Some(&now)).map(drop), Ok(()));
    assert_eq!(come(&desk, &without, Some(&now)).map(drop), Err(Problem::Unproven(Unproven::CodeWrong)), "once");
    assert_eq!(come(&desk, &vouched("owner@bank.example", true), None).map(drop), Ok(()));
    let guesses = (0..20).map(|_| come(&desk, &without, Some("000000")).map(drop));
    assert!(guesses.into_iter().any(|end| matches!(end, Err(Problem::TooOften { .. }))), "guesses are counted");
}

#[test]
fn staff_whom_the_provider_asked_need_no_factor_here_as_long_as_that_session_lasts() {
    let mut desk = Desk::with(PeopleSettings { staff_second_factor: true, ..PeopleSettings::default() });
    desk.run(&Actor::System, |work| invite(work, ADMIN, "admin@mobile.example", "Admin", false).map(drop)).unwrap();
    for has_factor in [true, false] {
        let come = come(&desk, &vouched("admin@mobile.example", has_factor), None).unwrap();
        assert_eq!(come.must_set_up_factor, !has_factor);
        let must = must_set_up_factor(&desk.office, &come.person.actor(), session_of(&come.token), desk.at);
        assert_eq!(must, Ok(!has_factor));
    }
    desk.wait_s(600);
    assert_eq!(forget_what_is_over(&desk.office, desk.at), Ok(2), "two sign-ons");
}
