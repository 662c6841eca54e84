//! Tickets: a thread of two sides, its clock, and the letters that say that there is news.

use jiff::SignedDuration;
use laini_core::partner::{MemberRole, PartnerId, StaffRole};
use laini_core::support::{Severity, TicketState};
use laini_office::mail::send_due;
use laini_office::people::Seat;
use laini_office::tickets::{NewTicket, Ticket, Which, close, list, list_of, names, open, reply, the_ticket};
use laini_office::{Actor, PageRequest, Problem};

use crate::desk::{Desk, OWN};
use crate::people::Pocket;

const NEW: NewTicket<'static> = NewTicket {
    subject: "A check of 0722 000 001",
    reference: "",
    severity: Severity::Major,
    text: "It was refused.\nWhy? The number is +254722000001.",
};

fn letters(desk: &Desk) -> Vec<(String, String)> {
    let pocket = Pocket::default();
    send_due(&desk.office, &pocket, desk.at).unwrap();
    let carried = pocket.0.lock().unwrap();
    carried.iter().map(|letter| (letter.to.clone(), letter.text.clone())).collect()
}

struct Both {
    desk: Desk,
    member: Actor,
    support: Actor,
}

impl Both {
    fn new() -> Self {
        let desk = Desk::open();
        let member =
            desk.person("dev@bank.example", Seat::Member { partner: OWN, role: MemberRole::Developer }).actor();
        desk.person("admin@mobile.example", Seat::Staff { role: StaffRole::Admin });
        let support = desk.person("help@mobile.example", Seat::Staff { role: StaffRole::Support }).actor();
        letters(&desk);
        Self { desk, member, support }
    }

    fn open(&self, new: &NewTicket<'_>) -> Result<Ticket, Problem> {
        self.desk.run(&self.member, |work| open(work, OWN, new))
    }

    fn reply(&self, actor: &Actor, ticket: &Ticket, text: &str) -> Result<Ticket, Problem> {
        self.desk.run(actor, |work| reply(work, OWN, ticket.id, text))
    }
}

#[test]
fn the_clock_runs_for_the_operator_alone_and_each_side_is_told_of_the_other() {
    let mut both = Both::new();
    let opened = both.open(&NEW).unwrap();
    let four_hours = SignedDuration::from_hours(4);
    assert_eq!((opened.state, opened.due), (TicketState::Open, Some(both.desk.at + four_hours)));
    assert_eq!(opened.subject, "A check of 254******001");
    assert_eq!(opened.thread[0].text, "It was refused.\nWhy? The number is 254******001.");
    let told = letters(&both.desk);
    assert_eq!(told.len(), 1, "support alone: {told:?}");
    assert!(told[0].0 == "help@mobile.example" && !told[0].1.contains("It was refused"), "{told:?}");
    both.desk.wait_s(600);
    // Saying more does not move the clock.
    let more = both.reply(&both.member, &opened, "It is urgent.").unwrap();
    assert_eq!((more.state, more.due), (TicketState::Open, opened.due));
    let answered = both.reply(&both.support, &opened, "The app has no agreement.").unwrap();
    assert_eq!(
        (answered.state, answered.due, answered.answered),
        (TicketState::WaitingForPartner, None, Some(both.desk.at))
    );
    letters(&both.desk);
    both.desk.wait_s(600);
    let back = both.reply(&both.member, &opened, "It has one.").unwrap();
    assert_eq!((back.state, back.due), (TicketState::WaitingForOperator, Some(both.desk.at + four_hours)));
    both.reply(&both.support, &opened, "So it has.").unwrap();
    let told: Vec<_> = letters(&both.desk).into_iter().map(|(to, _)| to).collect();
    assert!(
        told.contains(&"dev@bank.example".to_owned()) && told.contains(&"help@mobile.example".to_owned()),
        "{told:?}"
    );
    let names = both.desk.run(&both.support, |work| {
        let ticket = the_ticket(work, OWN, opened.id)?;
        names(work, &ticket)
    });
    assert_eq!(names.unwrap().len(), 1, "the partner's people, by name");
}

#[test]
fn what_is_solved_is_opened_again_by_the_partner_alone() {
    let both = Both::new();
    let ticket = both.open(&NEW).unwrap();
    let solved = both.desk.run(&both.support, |work| close(work, OWN, ticket.id)).unwrap();
    assert_eq!((solved.state, solved.due), (TicketState::Solved, None));
    assert!(matches!(both.desk.run(&both.member, |work| close(work, OWN, ticket.id)), Err(Problem::NotNow(_))));
    assert!(matches!(both.reply(&both.support, &ticket, "More."), Err(Problem::NotNow(_))));
    let again = both.reply(&both.member, &ticket, "It is not.").unwrap();
    assert_eq!(again.state, TicketState::WaitingForOperator);
    assert!(again.due.is_some());
}

#[test]
fn the_one_that_is_due_first_stands_first_and_what_waits_for_nobody_is_not_there() {
    let mut both = Both::new();
    let minor = both.open(&NewTicket { severity: Severity::Minor, ..NEW }).unwrap();
    both.desk.wait_s(1);
    let critical = both.open(&NewTicket { severity: Severity::Critical, ..NEW }).unwrap();
    both.desk.wait_s(1);
    let major = both.open(&NEW).unwrap();
    let listed = |which| {
        let page = both.desk.run(&both.support, |work| list(work, which, PageRequest::FIRST)).unwrap();
        page.items.iter().map(|ticket| ticket.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(Which::Due), [critical.id, major.id, minor.id]);
    both.reply(&both.support, &critical, "Answered.").unwrap();
    assert_eq!(listed(Which::Due), [major.id, minor.id]);
    assert_eq!(listed(Which::All), [major.id, critical.id, minor.id]);
    let own = both.desk.run(&both.member, |work| list_of(work, OWN, PageRequest::FIRST)).unwrap();
    assert_eq!(own.items.len(), 3);
}

#[test]
fn a_ticket_is_nobody_elses_and_names_no_request_of_somebody_else() {
    let both = Both::new();
    let ticket = both.open(&NEW).unwrap();
    let other = PartnerId::from_stored(12);
    assert_eq!(
        both.desk.run(&both.support, |work| the_ticket(work, other, ticket.id)),
        Err(Problem::NotFound("ticket"))
    );
    assert_eq!(
        both.desk.run(&both.support, |work| reply(work, other, ticket.id, "x")),
        Err(Problem::NotFound("ticket"))
    );
    for reference in ["x", "971f-4359-b611-6845a1be45ef26453458"] {
        let refused = both.open(&NewTicket { reference, ..NEW });
        assert!(matches!(refused, Err(Problem::Invalid { field: "reference", .. })), "{reference}: {refused:?}");
    }
    for (subject, text) in [("", "x"), ("x", ""), ("a\nb", "x")] {
        let refused = both.open(&NewTicket { subject, text, ..NEW });
        assert!(matches!(refused, Err(Problem::Invalid { .. })), "{subject:?} {text:?}");
    }
}

#[test]
fn a_turned_list_begins_at_its_other_end() {
    let mut both = Both::new();
    let opened: Vec<_> = (0..5)
        .map(|_| {
            both.desk.wait_s(60);
            both.open(&NEW).unwrap().id
        })
        .collect();
    let walked = |is_turned: bool| {
        let (mut ids, mut page) = (Vec::new(), PageRequest { limit: 2, is_turned, ..PageRequest::FIRST });
        loop {
            let found = both.desk.run(&both.member, |work| list_of(work, OWN, page)).unwrap();
            ids.extend(found.items.iter().map(|ticket| ticket.id));
            page.after = found.next;
            if page.after.is_none() {
                return ids;
            }
        }
    };
    let newest_first: Vec<_> = opened.iter().rev().copied().collect();
    assert_eq!((walked(false), walked(true)), (newest_first, opened));
}
