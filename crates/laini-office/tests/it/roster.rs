//! Who gives whom which role: no way around for oneself, and somebody always stays who decides.

use laini_core::partner::{MemberRole, PartnerId, PersonId, StaffRole};
use laini_office::mail::send_due;
use laini_office::people::{
    Roster, Seat, SessionProblem, accept_invitation, authenticate, disable, enable, find_person, invite, list_people,
    of_roster, reset, set_role, sign_out,
};
use laini_office::{Actor, PageRequest, Problem};

use crate::desk::{ADDRESS, Desk, OWN, PASSWORD};
use crate::people::Pocket;

fn seat(role: MemberRole) -> Seat {
    Seat::Member { partner: OWN, role }
}

const ROSTER: Roster = Roster::Partner(OWN);

#[test]
fn nobody_changes_their_own_role_or_one_of_another_side() {
    let desk = Desk::open();
    let owner = desk.person("owner@bank.example", seat(MemberRole::Owner));
    let viewer = desk.person("viewer@bank.example", seat(MemberRole::Viewer));
    let set = |actor: &Actor, roster, id, seat| desk.run(actor, |work| set_role(work, roster, id, seat)).map(drop);
    for role in MemberRole::ALL {
        let own = set(&viewer.actor(), ROSTER, viewer.id, seat(role));
        assert!(matches!(own, Err(Problem::Forbidden(_))), "{role:?}");
    }
    let as_staff = Seat::Staff { role: StaffRole::Admin };
    assert!(matches!(set(&owner.actor(), ROSTER, viewer.id, as_staff), Err(Problem::Invalid { field: "role", .. })));
    let elsewhere = Seat::Member { partner: PartnerId::from_stored(12), role: MemberRole::Owner };
    assert!(matches!(set(&owner.actor(), ROSTER, viewer.id, elsewhere), Err(Problem::Invalid { .. })));
    let other = Roster::Partner(PartnerId::from_stored(12));
    assert_eq!(set(&owner.actor(), other, viewer.id, elsewhere), Err(Problem::NotFound("person")));
    assert_eq!(set(&owner.actor(), Roster::Staff, viewer.id, as_staff), Err(Problem::NotFound("person")));
    assert_eq!(
        set(&owner.actor(), ROSTER, PersonId::from_stored(1), seat(MemberRole::Owner)),
        Err(Problem::NotFound("person"))
    );
    assert_eq!(set(&owner.actor(), ROSTER, viewer.id, seat(MemberRole::Billing)), Ok(()));
    assert_eq!(desk.trail()[0].entry.action, "person.role");
}

#[test]
fn the_last_owner_and_the_last_administrator_stay() {
    let desk = Desk::open();
    let console = Actor::Console { user: "test".to_owned() };
    let last = [
        (
            ROSTER,
            desk.person("owner@bank.example", seat(MemberRole::Owner)),
            seat(MemberRole::Viewer),
            seat(MemberRole::Owner),
        ),
        (
            Roster::Staff,
            desk.person("admin@mobile.example", Seat::Staff { role: StaffRole::Admin }),
            Seat::Staff { role: StaffRole::Auditor },
            Seat::Staff { role: StaffRole::Admin },
        ),
    ];
    for (number, (roster, person, lower, head)) in last.into_iter().enumerate() {
        let lowered = || desk.run(&console, |work| set_role(work, roster, person.id, lower)).map(drop);
        let disabled = || desk.run(&console, |work| disable(work, roster, person.id, "")).map(drop);
        assert!(matches!((lowered(), disabled()), (Err(Problem::NotNow(_)), Err(Problem::NotNow(_)))));
        let email = format!("invited-{number}@bank.example");
        desk.run(&console, |work| invite(work, head, &email, "Invited", false)).unwrap();
        assert!(matches!(disabled(), Err(Problem::NotNow(_))), "whoever has not come in yet does not count");
        let second = desk.person(&format!("second-{number}@bank.example"), head);
        assert_eq!(disabled(), Ok(()));
        let enabled = desk.run(&second.actor(), |work| enable(work, roster, person.id, "")).unwrap();
        assert!(!enabled.person.is_disabled);
        assert_eq!(lowered(), Ok(()));
        let second_too = desk.run(&console, |work| disable(work, roster, second.id, ""));
        assert!(matches!(second_too, Err(Problem::NotNow(_))));
    }
}

#[test]
fn two_owners_who_remove_each_other_at_once_do_not_both_succeed() {
    let desk = Desk::open();
    let one = desk.person("one@bank.example", seat(MemberRole::Owner));
    let two = desk.person("two@bank.example", seat(MemberRole::Owner));
    let mut is_first = true;
    let removed = desk.run(&one.actor(), |work| {
        let done = disable(work, ROSTER, two.id, "")?;
        if std::mem::take(&mut is_first) {
            // Between what the one has read and what they save, the other does the same.
            desk.run(&two.actor(), |work| disable(work, ROSTER, one.id, ""))?;
        }
        Ok(done)
    });
    assert!(matches!(removed, Err(Problem::NotNow(_))), "{removed:?}");
}

#[test]
fn a_disabled_person_is_out_at_once_and_a_reset_takes_sessions_and_factor() {
    let desk = Desk::open();
    let owner = desk.person("owner@bank.example", seat(MemberRole::Owner));
    let session = desk.come_in("dev@bank.example", seat(MemberRole::Developer));
    let id = session.person.id;
    let ended = desk.run(&owner.actor(), |work| sign_out(work, ROSTER, id));
    assert_eq!((ended, authenticate(&desk.office, &session.token, desk.at)), (Ok(1), Err(SessionProblem::Unknown)));
    desk.run(&owner.actor(), |work| disable(work, ROSTER, id, "left")).unwrap();
    let again = desk.run(&owner.actor(), |work| reset(work, ROSTER, id, true));
    assert!(matches!(again, Err(Problem::NotNow(_))));
    let row = &desk.trail()[0].entry;
    assert_eq!((row.action.as_str(), row.reason.as_str(), row.partner), ("person.disable", "left", Some(OWN)));
}

#[test]
fn an_address_is_invited_once_and_a_roster_lists_its_own() {
    let mut desk = Desk::open();
    let owner = desk.person("owner@bank.example", seat(MemberRole::Owner));
    desk.wait_s(1);
    desk.person("admin@mobile.example", Seat::Staff { role: StaffRole::Admin });
    let try_invite = |email: &str, name: &str, seat| {
        desk.run(&owner.actor(), |work| invite(work, seat, email, name, true)).map(drop)
    };
    let viewer = seat(MemberRole::Viewer);
    assert!(matches!(try_invite("Owner@bank.example", "O", viewer), Err(Problem::Taken(_))));
    assert!(matches!(try_invite("no address", "O", viewer), Err(Problem::Invalid { field: "email", .. })));
    assert!(matches!(try_invite("o@bank.example", "=cmd()", viewer), Err(Problem::Invalid { field: "name", .. })));
    let nowhere = Seat::Member { partner: PartnerId::from_stored(99), role: MemberRole::Owner };
    assert_eq!(try_invite("o@bank.example", "O", nowhere), Err(Problem::NotFound("partner")));
    assert_eq!(try_invite("o@bank.example", "O", viewer), Ok(()));
    let names = |roster| {
        let page = desk.run(&Actor::System, |work| list_people(work, roster, PageRequest::FIRST)).unwrap();
        page.items.into_iter().map(|entry| (entry.person.email, entry.has_come_in)).collect::<Vec<_>>()
    };
    let expected = [("owner@bank.example".to_owned(), true), ("o@bank.example".to_owned(), false)];
    assert_eq!(names(ROSTER), expected);
    assert_eq!(names(Roster::Staff), [("admin@mobile.example".to_owned(), true)]);
}

#[test]
fn members_have_twenty_invitations_open_at_once_and_fifty_letters_a_day() {
    let mut desk = Desk::open();
    let owner = desk.person("owner@bank.example", seat(MemberRole::Owner)).actor();
    let try_invite = |desk: &Desk, actor: &Actor, number: u32| {
        let email = format!("person-{number}@bank.example");
        desk.run(actor, |work| Ok(invite(work, seat(MemberRole::Viewer), &email, "A. Person", true)?.0.id))
    };
    let refused = |done: Result<PersonId, Problem>, with: &str| {
        assert!(matches!(&done, Err(Problem::NotNow(why)) if why.contains(with)), "{with}: {done:?}");
    };
    let first = try_invite(&desk, &owner, 0).unwrap();
    let second = try_invite(&desk, &owner, 1).unwrap();
    for number in 2..20 {
        try_invite(&desk, &owner, number).unwrap();
    }
    refused(try_invite(&desk, &owner, 20), "20 invitations");
    desk.run(&owner, |work| disable(work, ROSTER, first, "")).unwrap();
    assert!(try_invite(&desk, &owner, 20).is_ok(), "one was withdrawn");
    refused(try_invite(&desk, &owner, 21), "20 invitations");
    let support = Actor::Staff { person: PersonId::from_stored(99), role: StaffRole::Support };
    assert!(try_invite(&desk, &support, 21).is_ok(), "the operator's people are not held up");
    // What is sent again is a letter as well, and opens nothing new.
    let again = |desk: &Desk| desk.run(&owner, |work| reset(work, ROSTER, second, true)).map(|(person, _)| person.id);
    refused(again(&desk), "20 invitations");
    for number in [2, 3] {
        let email = format!("person-{number}@bank.example");
        let found = desk.run(&owner, |work| find_person(work, ROSTER, &email)).unwrap();
        desk.run(&owner, |work| disable(work, ROSTER, found.id, "")).unwrap();
    }
    for letter in 21..50 {
        assert_eq!(again(&desk), Ok(second), "{letter}");
    }
    refused(again(&desk), "50 letters");
    refused(try_invite(&desk, &owner, 22), "50 letters");
    desk.wait_s(86_400);
    assert_eq!(again(&desk), Ok(second), "another day");
    desk.wait_s(6 * 86_400);
    assert!((30..49).all(|number| try_invite(&desk, &owner, number).is_ok()), "the others have lapsed");
    refused(try_invite(&desk, &owner, 49), "20 invitations");
}

#[test]
fn an_address_is_free_again_when_its_invitation_has_lapsed_or_was_withdrawn() {
    const EMAIL: &str = "wanted@bank.example";
    let mut desk = Desk::open();
    let owner = desk.person("owner@bank.example", seat(MemberRole::Owner)).actor();
    let admin = Actor::Staff { person: PersonId::from_stored(99), role: StaffRole::Admin };
    let by_owner =
        |desk: &Desk| desk.run(&owner, |work| invite(work, seat(MemberRole::Viewer), EMAIL, "Wanted", false));
    let as_staff = Seat::Staff { role: StaffRole::Support };
    let by_admin = |desk: &Desk| desk.run(&admin, |work| invite(work, as_staff, EMAIL, "W. Anted", false));
    let (first, _) = by_owner(&desk).unwrap();
    assert!(matches!(by_admin(&desk), Err(Problem::Taken(_))));
    desk.wait_s(6 * 86_400);
    let (_, sent_again) = desk.run(&owner, |work| reset(work, ROSTER, first.id, false)).unwrap();
    assert!(matches!(by_admin(&desk), Err(Problem::Taken(_))));
    desk.wait_s(86_400);
    let (second, _) = by_admin(&desk).unwrap();
    assert_eq!(second.seat, as_staff);
    let gone = desk.run(&owner, |work| of_roster(work, ROSTER, first.id));
    assert_eq!(gone, Err(Problem::NotFound("person")));
    let late = |work: &mut laini_office::Work<'_>| {
        accept_invitation(work, &sent_again.token, PASSWORD, None, ADDRESS, None).map(drop)
    };
    assert!(matches!(desk.run(&Actor::Stranger, late), Err(Problem::Invalid { field: "token", .. })));
    let row = desk.trail().into_iter().find(|row| row.entry.action == "person.let_go").unwrap().entry;
    assert_eq!((row.actor.as_str(), row.target, row.partner), ("laini", first.id.to_string(), Some(OWN)));
    // Withdrawn, it is free at once; whoever has come in keeps it.
    assert!(matches!(by_owner(&desk), Err(Problem::Taken(_))));
    desk.run(&admin, |work| disable(work, Roster::Staff, second.id, "")).unwrap();
    let (third, issued) = by_owner(&desk).unwrap();
    let accept = |work: &mut laini_office::Work<'_>| {
        accept_invitation(work, &issued.token, PASSWORD, None, ADDRESS, None).map(drop)
    };
    desk.run(&Actor::Stranger, accept).unwrap();
    desk.run(&owner, |work| disable(work, ROSTER, third.id, "left")).unwrap();
    desk.wait_s(30 * 86_400);
    assert!(matches!(by_admin(&desk), Err(Problem::Taken(_))));
}

#[test]
fn a_letter_to_somebody_who_has_not_come_in_says_no_name() {
    let desk = Desk::open();
    let owner = desk.person("owner@bank.example", seat(MemberRole::Owner)).actor();
    let known = desk.person("known@bank.example", seat(MemberRole::Viewer));
    let words = "You have won, visit evil.example";
    let (new, _) =
        desk.run(&owner, |work| invite(work, seat(MemberRole::Viewer), "new@bank.example", words, true)).unwrap();
    desk.run(&owner, |work| reset(work, ROSTER, new.id, true)).unwrap();
    desk.run(&owner, |work| reset(work, ROSTER, known.id, true)).unwrap();
    let pocket = Pocket::default();
    send_due(&desk.office, &pocket, desk.at).unwrap();
    let letters = pocket.0.into_inner().unwrap();
    let mut greetings: Vec<_> =
        letters.iter().map(|letter| (letter.to.as_str(), letter.text.lines().next().unwrap_or_default())).collect();
    greetings.sort_unstable();
    let (known, new) = (("known@bank.example", "Hello A. Person,"), ("new@bank.example", "Hello,"));
    assert_eq!(greetings, [known, new, new]);
    assert!(letters.iter().all(|letter| !letter.text.contains("evil") && !letter.subject.contains("evil")));
}

#[test]
fn a_reason_that_the_trail_keeps_is_one_line_of_500_characters_at_most() {
    let desk = Desk::open();
    let owner = desk.person("owner@bank.example", seat(MemberRole::Owner)).actor();
    let id = desk.person("dev@bank.example", seat(MemberRole::Developer)).id;
    let wrong = |done: Result<(), Problem>| matches!(done, Err(Problem::Invalid { field: "reason", .. }));
    let disable = |reason: &str| desk.run(&owner, |work| disable(work, ROSTER, id, reason)).map(drop);
    let enable = |reason: &str| desk.run(&owner, |work| enable(work, ROSTER, id, reason)).map(drop);
    let (longest, long) = ("é".repeat(500), "é".repeat(501));
    for reason in [long.as_str(), "left\nand more", "left\u{7}"] {
        assert!(wrong(disable(reason)) && wrong(enable(reason)), "{reason:?}");
    }
    assert_eq!((disable(&longest), enable("")), (Ok(()), Ok(())));
    let rows: Vec<_> = desk.trail().into_iter().take(2).map(|row| (row.entry.action, row.entry.reason)).collect();
    assert_eq!(rows, [("person.enable".to_owned(), String::new()), ("person.disable".to_owned(), longest)]);
}
