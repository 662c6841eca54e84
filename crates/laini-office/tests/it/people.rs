//! Signing in: what is counted, what is told, what is good once.

use laini_core::access::TotpSecret;
use laini_core::partner::{MemberRole, StaffRole};
use laini_office::mail::{Carrier, CarryError, Letter, send_due};
use laini_office::people::{
    Seat, SessionProblem, SignIn, SignedIn, accept_invitation, answer_reset_requests, ask_for_reset, authenticate,
    begin_factor, change_password, complete_reset, confirm_factor, forget_what_is_over, invite, list_sessions,
    must_set_up_factor, open_session, remove_factor, renew_recovery_codes, sign_in,
};
use laini_office::{Actor, PeopleSettings, Problem, Unproven, Work};
use std::sync::Mutex;

use crate::desk::{ADDRESS, Desk, OWN, PASSWORD};

const OWNER: Seat = Seat::Member { partner: OWN, role: MemberRole::Owner };
const EMAIL: &str = "owner@bank.example";
const WRONG: Problem = Problem::Unproven(Unproven::Wrong);

fn shown<'a>(email: &'a str, password: &'a str) -> SignIn<'a> {
    SignIn { email, password, code: None, recovery_code: None, address: ADDRESS, peer: ADDRESS, before: None }
}

fn try_in(desk: &Desk, shown: &SignIn<'_>) -> Result<SignedIn, Problem> {
    desk.run(&Actor::Stranger, |work| sign_in(work, shown))
}

/// How an attempt ends, without what it shows.
fn ends(desk: &Desk, shown: &SignIn<'_>) -> Result<(), Problem> {
    try_in(desk, shown).map(drop)
}

/// Keeps what it is given.
#[derive(Default)]
pub(crate) struct Pocket(pub(crate) Mutex<Vec<Letter>>);

impl Carrier for Pocket {
    fn carry(&self, _: laini_core::partner::LetterId, letter: &Letter, _: jiff::Timestamp) -> Result<(), CarryError> {
        self.0.lock().unwrap().push(letter.clone());
        Ok(())
    }
}

#[test]
fn the_right_password_opens_a_session_and_ends_the_one_from_before() {
    let desk = Desk::open();
    let person = desk.person(EMAIL, OWNER);
    let first = try_in(&desk, &shown(" Owner@Bank.Example", PASSWORD)).unwrap();
    assert_eq!(authenticate(&desk.office, &first.token, desk.at), Ok(person.actor()));
    let again = SignIn { before: Some(&first.token), ..shown(EMAIL, PASSWORD) };
    let second = try_in(&desk, &again).unwrap();
    assert_ne!(*first.token, *second.token);
    assert_eq!(authenticate(&desk.office, &first.token, desk.at), Err(SessionProblem::Unknown));
    assert_eq!(authenticate(&desk.office, &second.token, desk.at), Ok(person.actor()));
    let row = &desk.trail()[0].entry;
    assert_eq!(
        (row.action.as_str(), row.target.clone(), row.partner),
        ("session.open", person.id.to_string(), Some(OWN))
    );
    assert_eq!(row.actor, format!("member:{}", person.id));
}

#[test]
fn an_unknown_address_is_refused_as_a_wrong_password_is_attempt_by_attempt() {
    let mut desk = Desk::open();
    desk.person(EMAIL, OWNER);
    for attempt in 0..12 {
        let known = ends(&desk, &shown(EMAIL, "not the password"));
        let unknown = ends(&desk, &shown("nobody@bank.example", "not the password"));
        assert_eq!(known, unknown, "{attempt}");
        assert_eq!(known == Err(WRONG), attempt < 6, "{attempt}: {known:?}");
    }
    assert_eq!(ends(&desk, &shown(EMAIL, PASSWORD)), Err(Problem::TooOften { retry_after_s: 31 }));
    desk.wait_s(30);
    assert_eq!(ends(&desk, &shown(EMAIL, "not the password")), Err(WRONG));
    assert_eq!(ends(&desk, &shown(EMAIL, PASSWORD)), Err(Problem::TooOften { retry_after_s: 61 }), "it doubles");
    desk.wait_s(60);
    assert_eq!(ends(&desk, &shown(EMAIL, PASSWORD)), Ok(()));
    for _ in 0..5 {
        assert_eq!(ends(&desk, &shown(EMAIL, "not the password")), Err(WRONG), "a success forgives");
    }
    let refused: Vec<_> = desk.trail().into_iter().filter(|row| row.entry.action == "session.refused").collect();
    assert_eq!(refused.len(), 3);
    assert!(desk.trail().iter().all(|row| !format!("{row:?}").contains("bank.example")), "an address in the trail");
}

#[test]
fn guesses_from_everywhere_hold_the_rightful_owner_up_for_a_minute_at_most_and_not_where_they_came_in_before() {
    let mut desk = Desk::open();
    desk.person(EMAIL, OWNER);
    let home = SignIn { peer: "192.0.2.8", ..shown(EMAIL, PASSWORD) };
    assert_eq!(ends(&desk, &home), Ok(()));
    for number in 0..40 {
        let address = format!("198.51.100.{number}");
        let guess = SignIn { peer: &address, ..shown(EMAIL, "not the password") };
        let end = ends(&desk, &guess);
        assert_eq!(end == Err(WRONG), number < 21, "{number}: {end:?}");
    }
    assert_eq!(ends(&desk, &home), Ok(()));
    let elsewhere = SignIn { peer: "192.0.2.9", ..shown(EMAIL, PASSWORD) };
    assert!(matches!(ends(&desk, &elsewhere), Err(Problem::TooOften { retry_after_s: 1..=61 })));
    desk.wait_s(61);
    assert_eq!(ends(&desk, &elsewhere), Ok(()));
}

#[test]
fn an_invitation_is_good_once_for_seven_days_and_for_a_good_password() {
    let mut desk = Desk::open();
    let console = Actor::Console { user: "test".to_owned() };
    let (_, issued) = desk.run(&console, |work| invite(work, OWNER, EMAIL, "Amina Person", false)).unwrap();
    assert_eq!(
        *issued.link("https://portal.example/").unwrap(),
        format!("https://portal.example/invitation#{}", *issued.token)
    );
    let accept = |desk: &Desk, token: &str, password: &str| {
        let accepted = desk.run(&Actor::Stranger, |work| accept_invitation(work, token, password, None, ADDRESS, None));
        accepted.map(|_| ())
    };
    assert!(matches!(accept(&desk, &issued.token, "aminaperson1"), Err(Problem::Invalid { field: "password", .. })));
    let other = format!("{}x", *issued.token);
    for wrong in ["", "laini_t_", "laini_t_00000000000000aa_abc", other.as_str()] {
        assert!(matches!(accept(&desk, wrong, PASSWORD), Err(Problem::Invalid { field: "token", .. })), "{wrong}");
    }
    let reset = desk.run(&Actor::Stranger, |work| complete_reset(work, &issued.token, PASSWORD));
    assert!(matches!(reset, Err(Problem::Invalid { field: "token", .. })), "it is no reset");
    assert_eq!(accept(&desk, &issued.token, PASSWORD), Ok(()), "what failed has not used it up");
    assert!(matches!(accept(&desk, &issued.token, PASSWORD), Err(Problem::Invalid { field: "token", .. })));
    let (_, late) = desk.run(&console, |work| invite(work, OWNER, "late@bank.example", "L", false)).unwrap();
    desk.wait_s(7 * 86_400);
    assert!(matches!(accept(&desk, &late.token, PASSWORD), Err(Problem::Invalid { field: "token", .. })));
}

#[test]
fn accepting_an_invitation_ends_the_session_that_was_brought() {
    let desk = Desk::open();
    let console = Actor::Console { user: "test".to_owned() };
    let other = desk.come_in("other@bank.example", OWNER);
    let (person, issued) = desk.run(&console, |work| invite(work, OWNER, EMAIL, "Amina Person", false)).unwrap();
    let accept = |password: &str, before: &str| {
        desk.run(&Actor::Stranger, |work| accept_invitation(work, &issued.token, password, None, ADDRESS, Some(before)))
    };
    assert!(accept("password", &other.token).is_err());
    assert!(authenticate(&desk.office, &other.token, desk.at).is_ok(), "what failed ends nothing");
    let come = accept(PASSWORD, &other.token).unwrap();
    assert_eq!(authenticate(&desk.office, &other.token, desk.at), Err(SessionProblem::Unknown));
    assert_eq!(authenticate(&desk.office, &come.token, desk.at), Ok(person.actor()));
}

#[test]
fn a_reset_is_asked_for_alike_by_known_and_unknown_and_ends_every_session() {
    let mut desk = Desk::open();
    let session = desk.come_in(EMAIL, OWNER);
    for email in [EMAIL, "nobody@bank.example", EMAIL] {
        assert_eq!(desk.run(&Actor::Stranger, |work| ask_for_reset(work, email)), Ok(()));
    }
    assert_eq!(answer_reset_requests(&desk.office, desk.at), Ok(1));
    assert_eq!(answer_reset_requests(&desk.office, desk.at), Ok(0));
    let pocket = Pocket::default();
    assert_eq!(send_due(&desk.office, &pocket, desk.at), Ok(1));
    let letter = pocket.0.lock().unwrap().pop().unwrap();
    assert_eq!(letter.to, EMAIL);
    let token =
        letter.text.lines().find_map(|line| line.strip_prefix("https://portal.example/reset#")).unwrap().to_owned();
    let set = |desk: &Desk, password: &str| desk.run(&Actor::Stranger, |work| complete_reset(work, &token, password));
    assert!(authenticate(&desk.office, &session.token, desk.at).is_ok());
    assert_eq!(set(&desk, "another four words"), Ok(()));
    assert_eq!(authenticate(&desk.office, &session.token, desk.at), Err(SessionProblem::Unknown));
    assert!(set(&desk, "another four words").is_err(), "once");
    assert_eq!(ends(&desk, &shown(EMAIL, PASSWORD)), Err(WRONG));
    assert_eq!(ends(&desk, &shown(EMAIL, "another four words")), Ok(()));
    desk.wait_s(900);
    desk.run(&Actor::Stranger, |work| ask_for_reset(work, EMAIL)).unwrap();
    assert_eq!(answer_reset_requests(&desk.office, desk.at), Ok(1));
    send_due(&desk.office, &pocket, desk.at).unwrap();
    let late = pocket.0.lock().unwrap().pop().unwrap();
    let token =
        late.text.lines().find_map(|line| line.strip_prefix("https://portal.example/reset#")).unwrap().to_owned();
    desk.wait_s(1_800);
    assert!(desk.run(&Actor::Stranger, |work| complete_reset(work, &token, PASSWORD)).is_err(), "half an hour");
}

#[test]
fn a_changed_password_ends_the_other_sessions_and_guessing_the_present_one_is_counted() {
    let desk = Desk::open();
    let person = desk.person(EMAIL, OWNER);
    let (here, there) =
        (try_in(&desk, &shown(EMAIL, PASSWORD)).unwrap(), try_in(&desk, &shown(EMAIL, PASSWORD)).unwrap());
    let session = laini_office::people::session_of(&here.token);
    let change = |present: &str, new: &str| {
        desk.run(&person.actor(), |work| change_password(work, present, new, session, ADDRESS))
    };
    assert!(matches!(change(PASSWORD, "password"), Err(Problem::Invalid { field: "password", .. })));
    assert!(matches!(change(PASSWORD, PASSWORD), Err(Problem::Invalid { field: "new_password", .. })));
    assert_eq!(change(PASSWORD, "another four words"), Ok(()));
    assert!(authenticate(&desk.office, &here.token, desk.at).is_ok());
    assert_eq!(authenticate(&desk.office, &there.token, desk.at), Err(SessionProblem::Unknown));
    let left = desk.run(&person.actor(), |work| list_sessions(work, person.id)).unwrap();
    assert_eq!(left.len(), 1);
    let ends: Vec<_> = (0..8).map(|_| change("not the password", "four other words")).collect();
    assert!(matches!(ends[0], Err(Problem::Invalid { field: "password", .. })));
    assert!(matches!(ends[7], Err(Problem::TooOften { .. })));
}

/// The code that an app shows now.
pub(crate) fn code(desk: &Desk, secret: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bits = String::new();
    for c in secret.chars() {
        bits += &format!("{:05b}", ALPHABET.find(c).unwrap());
    }
    let bytes: Vec<u8> = (0..20).map(|place| u8::from_str_radix(&bits[place * 8..place * 8 + 8], 2).unwrap()).collect();
    TotpSecret::new(bytes.try_into().unwrap()).code_at(desk.at).to_string()
}

#[test]
fn a_second_factor_is_asked_for_after_the_password_and_each_code_is_good_once() {
    let mut desk = Desk::open();
    let person = desk.person(EMAIL, OWNER);
    let actor = person.actor();
    assert!(desk.run(&actor, |work| begin_factor(work, "not the password", ADDRESS)).is_err());
    let begun = desk.run(&actor, |work| begin_factor(work, PASSWORD, ADDRESS)).unwrap();
    assert!(begun.uri.starts_with("otpauth://totp/Test%20Mobile:owner@bank.example?secret="));
    assert_eq!(ends(&desk, &shown(EMAIL, PASSWORD)), Ok(()), "it counts from its first code on");
    assert!(desk.run(&actor, |work| confirm_factor(work, "000000")).is_err());
    let recovery = desk.run(&actor, |work| confirm_factor(work, &code(&desk, &begun.secret))).unwrap();
    assert_eq!(recovery.len(), 10);
    assert_eq!(ends(&desk, &shown(EMAIL, PASSWORD)), Err(Problem::Unproven(Unproven::CodeNeeded)));
    assert_eq!(ends(&desk, &shown(EMAIL, "not the password")), Err(WRONG), "the password comes first");
    let now = code(&desk, &begun.secret);
    let with = |code| SignIn { code: Some(code), ..shown(EMAIL, PASSWORD) };
    assert_eq!(ends(&desk, &with(&now)), Err(Problem::Unproven(Unproven::CodeWrong)), "it was the first one");
    desk.wait_s(30);
    let now = code(&desk, &begun.secret);
    assert_eq!(ends(&desk, &with(&now)), Ok(()));
    assert_eq!(ends(&desk, &with(&now)), Err(Problem::Unproven(Unproven::CodeWrong)));
    let spare = |code| SignIn { recovery_code: Some(code), ..shown(EMAIL, PASSWORD) };
    let typed = recovery[3].to_uppercase();
    assert_eq!(ends(&desk, &spare(&typed)), Ok(()));
    assert_eq!(ends(&desk, &spare(&recovery[3])), Err(Problem::Unproven(Unproven::CodeWrong)));
    assert_eq!(ends(&desk, &spare(&recovery[4])), Ok(()));
    desk.wait_s(30);
    let now = code(&desk, &begun.secret);
    assert_eq!(desk.run(&actor, |work| remove_factor(work, PASSWORD, &now, ADDRESS)), Ok(()));
    assert_eq!(ends(&desk, &shown(EMAIL, PASSWORD)), Ok(()));
}

#[test]
fn new_recovery_codes_need_a_code_too_and_are_told_by_letter() {
    let mut desk = Desk::open();
    let actor = desk.person(EMAIL, OWNER).actor();
    let renew = |desk: &Desk, password: &str, code: &str| {
        desk.run(&actor, |work| renew_recovery_codes(work, password, code, ADDRESS))
    };
    assert!(matches!(renew(&desk, PASSWORD, "123456"), Err(Problem::NotNow(_))), "there is no factor");
    let begun = desk.run(&actor, |work| begin_factor(work, PASSWORD, ADDRESS)).unwrap();
    let first = desk.run(&actor, |work| confirm_factor(work, &code(&desk, &begun.secret))).unwrap();
    let used = code(&desk, &begun.secret);
    for wrong in ["", "000000", used.as_str(), "aaaa-bbbb-cccc-dddd"] {
        assert!(matches!(renew(&desk, PASSWORD, wrong), Err(Problem::Invalid { field: "code", .. })), "{wrong}");
    }
    desk.wait_s(90);
    let pocket = Pocket::default();
    send_due(&desk.office, &pocket, desk.at).unwrap();
    pocket.0.lock().unwrap().clear();
    let now = code(&desk, &begun.secret);
    assert!(matches!(renew(&desk, "not the password", &now), Err(Problem::Invalid { field: "password", .. })));
    let second = renew(&desk, PASSWORD, &now).unwrap();
    let third = renew(&desk, PASSWORD, &second[0]).unwrap();
    assert!(second.len() == 10 && third.len() == 10);
    let spare = |code| SignIn { recovery_code: Some(code), ..shown(EMAIL, PASSWORD) };
    assert_eq!(ends(&desk, &spare(&first[1])), Err(Problem::Unproven(Unproven::CodeWrong)));
    assert_eq!(ends(&desk, &spare(&third[1])), Ok(()));
    send_due(&desk.office, &pocket, desk.at).unwrap();
    let letters = pocket.0.into_inner().unwrap();
    assert_eq!(letters.len(), 2);
    let told = |letter: &Letter| letter.to == EMAIL && letter.subject == "New recovery codes were made";
    assert!(letters.iter().all(told), "{letters:?}");
    assert!(!letters.iter().any(|letter| letter.text.contains(third[0].as_str())), "a code in a letter");
}

#[test]
fn codes_cannot_be_guessed_in_a_row() {
    let desk = Desk::open();
    let person = desk.person(EMAIL, OWNER);
    let begun = desk.run(&person.actor(), |work| begin_factor(work, PASSWORD, ADDRESS)).unwrap();
    desk.run(&person.actor(), |work| confirm_factor(work, &code(&desk, &begun.secret))).unwrap();
    let guess = SignIn { code: Some("000000"), ..shown(EMAIL, PASSWORD) };
    let looked_at = (0..20).filter(|_| ends(&desk, &guess) == Err(Problem::Unproven(Unproven::CodeWrong))).count();
    assert_eq!(looked_at, 6);
    for _ in 0..10 {
        assert!(matches!(ends(&desk, &shown(EMAIL, PASSWORD)), Err(Problem::TooOften { .. })));
    }
}

#[test]
fn staff_may_be_made_to_have_a_second_factor() {
    let desk = Desk::with(PeopleSettings { staff_second_factor: true, ..PeopleSettings::default() });
    let staff = desk.come_in("admin@mobile.example", Seat::Staff { role: StaffRole::Admin });
    let member = desk.come_in(EMAIL, OWNER);
    assert!(staff.must_set_up_factor && !member.must_set_up_factor);
    let actor = staff.person.actor();
    assert_eq!(must_set_up_factor(&desk.office, &actor, None, desk.at), Ok(true));
    assert_eq!(must_set_up_factor(&desk.office, &member.person.actor(), None, desk.at), Ok(false));
    let begun = desk.run(&actor, |work| begin_factor(work, PASSWORD, ADDRESS)).unwrap();
    desk.run(&actor, |work| confirm_factor(work, &code(&desk, &begun.secret))).unwrap();
    assert_eq!(must_set_up_factor(&desk.office, &actor, None, desk.at), Ok(false));
}

#[test]
fn what_is_over_is_forgotten_and_the_rest_stays() {
    let mut desk = Desk::open();
    let person = desk.person(EMAIL, OWNER);
    assert_eq!(ends(&desk, &shown("nobody@bank.example", "not the password")), Err(WRONG));
    desk.run(&Actor::Stranger, |work| ask_for_reset(work, "nobody@bank.example")).unwrap();
    answer_reset_requests(&desk.office, desk.at).unwrap();
    assert_eq!(forget_what_is_over(&desk.office, desk.at), Ok(0));
    desk.wait_s(12 * 3_600);
    let session = desk.run(&Actor::System, |work: &mut Work<'_>| open_session(work, person.id, ADDRESS)).unwrap();
    assert_eq!(forget_what_is_over(&desk.office, desk.at), Ok(2), "a session and a request");
    assert!(authenticate(&desk.office, &session, desk.at).is_ok());
    desk.wait_s(12 * 3_600);
    assert_eq!(forget_what_is_over(&desk.office, desk.at), Ok(3), "a session and two counts of attempts");
}
