use laini_core::partner::{MemberRole, PartnerId};
use laini_core::support::Affected;

use super::subscription::subscribers;
use crate::apps::VISITORS;
use crate::organisation::Organisation;
use crate::people::{Person, Seat};
use crate::{Problem, Work};

/// A partner that is told of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which.
    pub partner: PartnerId,
    /// Its name.
    pub name: String,
    /// How many of its apps are reached.
    pub apps: usize,
    /// Who gets a letter: name and e-mail address, each address once.
    pub letters: Vec<(String, String)>,
}

/// Who is told of an incident that reaches `affected`, by the name of the partner.
pub fn audience(work: &mut Work<'_>, affected: &Affected) -> Result<Vec<Told>, Problem> {
    let book = work.book()?;
    let mut told = Vec::new();
    for partner in book.partners.iter().filter(|partner| partner.name != VISITORS) {
        let own = book.apps.iter().filter(|app| app.partner == partner.id);
        let apps = own.filter(|app| affected.reaches(app)).count();
        if apps > 0 || *affected == Affected::Everyone {
            let letters = letters(work, partner.id)?;
            told.push(Told { partner: partner.id, name: partner.name.clone(), apps, letters });
        }
    }
    told.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(told)
}

/// The technical contact, or where none is named the developers, or else the owners; and whoever subscribed.
fn letters(work: &mut Work<'_>, partner: PartnerId) -> Result<Vec<(String, String)>, Problem> {
    let people: Vec<Person> = work.all("partner", partner)?;
    let of_role = |role| {
        let of =
            people.iter().filter(move |person| person.seat == Seat::Member { partner, role } && !person.is_disabled);
        of.map(|person| (person.name.clone(), person.email.clone())).collect::<Vec<_>>()
    };
    let contact = work.look::<Organisation>(partner)?.and_then(|found| found.details.technical_contact);
    let mut letters = match contact {
        Some(contact) => vec![(contact.name, contact.email.to_ascii_lowercase())],
        None => of_role(MemberRole::Developer),
    };
    if letters.is_empty() {
        letters = of_role(MemberRole::Owner);
    }
    let subscribed = subscribers(work, partner)?;
    for person in people.iter().filter(|person| subscribed.contains(&person.id) && !person.is_disabled) {
        if !letters.iter().any(|(_, email)| *email == person.email) {
            letters.push((person.name.clone(), person.email.clone()));
        }
    }
    Ok(letters)
}
