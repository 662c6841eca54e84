use std::collections::BTreeSet;

use laini_core::partner::{PersonId, Side, StaffRole};

use super::Ticket;
use crate::mail::{Letter, queue};
use crate::people::{Person, Seat};
use crate::{Problem, Work};

/// Queues a letter to everybody who spoke for the partner. It does not say what was said: a letter is no safe place.
pub(super) fn tell_partner(work: &mut Work<'_>, ticket: &Ticket, news: &str) -> Result<(), Problem> {
    let spoke = ticket.thread.iter().filter(|said| said.side == Side::Partner).filter_map(|said| said.by);
    let spoke: BTreeSet<PersonId> = spoke.collect();
    for id in spoke {
        if let Some(person) = work.look::<Person>(id)?.filter(|person| !person.is_disabled) {
            let what = format!("your ticket \"{}\" {news}.", ticket.subject);
            send(work, ticket, &person, &what, &format!("/support/{}", ticket.id))?;
        }
    }
    Ok(())
}

/// Queues a letter to the staff of support, or to the administrators where there is nobody.
pub(super) fn tell_staff(work: &mut Work<'_>, ticket: &Ticket, news: &str) -> Result<(), Problem> {
    let staff: Vec<Person> = work.all("staff", "all")?;
    let of_role = |role| staff.iter().filter(move |one| one.seat == Seat::Staff { role } && !one.is_disabled);
    let support = of_role(StaffRole::Support).collect::<Vec<_>>();
    let told = if support.is_empty() { of_role(StaffRole::Admin).collect() } else { support };
    let due = ticket.due.map(|due| {
        let due = due.to_zoned(work.office.settings.zone.clone());
        format!(" An answer is due by {}.", due.strftime("%-d %B %Y, %H:%M (%Z)"))
    });
    let due = due.unwrap_or_default();
    for person in told {
        let what = format!("{news} ({}): \"{}\".{due}", ticket.severity.word(), ticket.subject);
        send(work, ticket, person, &what, &format!("/operate/tickets/{}/{}", ticket.partner, ticket.id))?;
    }
    Ok(())
}

fn send(work: &mut Work<'_>, ticket: &Ticket, to: &Person, what: &str, path: &str) -> Result<(), Problem> {
    let portal = &work.office.settings.people.portal_url;
    let link = if portal.is_empty() { String::new() } else { format!("\n\n{}{path}", portal.trim_end_matches('/')) };
    let text = format!("Hello {},\n\n{what}{link}\n\n{}\n", to.name, work.office.settings.operator);
    let subject = format!("Ticket: {}", ticket.subject);
    queue(work, Letter { to: to.email.clone(), subject, text, about: format!("ticket {}", ticket.id) }).map(drop)
}
