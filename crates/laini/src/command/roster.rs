//! What `laini staff` and `laini member` have in common: people of one side, their roles and tokens.

use anyhow::Context as _;
use laini_office::people::{self, Entry, Issued, Person, Roster, Seat};
use laini_office::{Office, PageRequest, Problem, Work};
use serde::Serialize;

use super::Context;
use super::context::{console, now};
use crate::failure::WithHint as _;

/// Somebody as they are shown.
#[derive(Serialize)]
struct PersonReport {
    person: String,
    name: String,
    email: String,
    role: &'static str,
    status: &'static str,
    second_factor: bool,
    signed_in: Option<String>,
}

/// Somebody who can come in by a token.
#[derive(Serialize)]
struct TokenReport {
    person: String,
    email: String,
    role: &'static str,
    /// Shown once; `null` where it went by letter.
    token: Option<String>,
    /// The page that takes it, where there is a portal.
    link: Option<String>,
    expires: String,
    #[serde(skip)]
    path: &'static str,
}

impl PersonReport {
    fn of(entry: &Entry) -> Self {
        let person = &entry.person;
        Self {
            person: person.id.to_string(),
            name: person.name.clone(),
            email: person.email.clone(),
            role: person.seat.role_word(),
            status: entry.status(),
            second_factor: entry.has_factor,
            signed_in: entry.signed_in.map(|at| at.to_string()),
        }
    }
}

/// How a new person is invited.
#[derive(clap::Args)]
pub(super) struct Invited {
    /// Their e-mail address; nobody else has it.
    email: String,
    /// What they are called; otherwise what stands before the @.
    #[arg(long)]
    name: Option<String>,
    /// Send the token by letter instead of printing it.
    #[arg(long)]
    send: bool,
}

/// One person.
#[derive(clap::Args)]
pub(super) struct Whom {
    /// The person: e-mail address or id.
    person: String,
}

/// Opens the office, of a data directory that is new as well.
fn open(context: &Context) -> anyhow::Result<std::sync::Arc<Office>> {
    let (house, config) = context.house()?;
    house.office(&config, &house.ledger_beside()?)
}

/// Invites somebody.
pub(super) fn add(
    context: &Context,
    invited: &Invited,
    seat: impl Fn(&Work<'_>) -> Result<Seat, Problem>,
) -> anyhow::Result<()> {
    let office = open(context)?;
    let before_at = invited.email.split('@').next().unwrap_or_default();
    let name = invited.name.as_deref().unwrap_or(before_at);
    let (person, issued) = office.run(&console(), now(), |work| {
        let seat = seat(work)?;
        people::invite(work, seat, &invited.email, name, invited.send)
    })?;
    tell_token(context, &office, &person, &issued, invited.send)
}

/// Lists a roster.
pub(super) fn list(context: &Context, roster: impl Fn(&Work<'_>) -> Result<Roster, Problem>) -> anyhow::Result<()> {
    let office = open(context)?;
    let reports = office.run(&console(), now(), |work| {
        let (roster, mut page, mut reports) = (roster(work)?, PageRequest::LONGEST, Vec::new());
        loop {
            let found = people::list_people(work, roster, page)?;
            reports.extend(found.items.iter().map(PersonReport::of));
            page.after = found.next;
            if page.after.is_none() {
                return Ok(reports);
            }
        }
    })?;
    context.out.data(&reports, |reports| {
        if reports.is_empty() {
            return "nobody yet".to_owned();
        }
        let header =
            format!("{:<16} {:<10} {:<9} {:<13} {:<30} name", "id", "role", "status", "second factor", "e-mail");
        let rows = reports.iter().map(|one| {
            let factor = if one.second_factor { "yes" } else { "no" };
            format!(
                "{:<16} {:<10} {:<9} {:<13} {:<30} {}",
                one.person, one.role, one.status, factor, one.email, one.name
            )
        });
        std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n")
    })
}

/// Changes somebody, and says how they are now.
pub(super) fn change(
    context: &Context,
    whom: &Whom,
    roster: impl Fn(&Work<'_>) -> Result<Roster, Problem>,
    change: impl Fn(&mut Work<'_>, Roster, &Person) -> Result<Entry, Problem>,
) -> anyhow::Result<()> {
    let office = open(context)?;
    let entry = office.run(&console(), now(), |work| {
        let roster = roster(work)?;
        let person = people::find_person(work, roster, &whom.person)?;
        change(work, roster, &person)
    });
    let report = PersonReport::of(&entry.hint("`laini staff list` and `laini member list PARTNER` show who is there")?);
    context.out.data(&report, |one| format!("{}: {}, {}", one.email, one.role, one.status))
}

/// Removes somebody's second factor and sessions, and issues a token for a new password.
pub(super) fn reset(
    context: &Context,
    whom: &Whom,
    by_letter: bool,
    roster: impl Fn(&Work<'_>) -> Result<Roster, Problem>,
) -> anyhow::Result<()> {
    let office = open(context)?;
    let reset = office.run(&console(), now(), |work| {
        let roster = roster(work)?;
        let person = people::find_person(work, roster, &whom.person)?;
        people::reset(work, roster, person.id, by_letter)
    });
    let (person, issued) = reset.context("nothing was reset")?;
    tell_token(context, &office, &person, &issued, by_letter)
}

fn tell_token(
    context: &Context,
    office: &Office,
    person: &Person,
    issued: &Issued,
    by_letter: bool,
) -> anyhow::Result<()> {
    let shown = !by_letter;
    let report = TokenReport {
        person: person.id.to_string(),
        email: person.email.clone(),
        role: person.seat.role_word(),
        token: shown.then(|| issued.token.to_string()),
        link: issued.link(&office.settings.people.portal_url).filter(|_| shown).map(|link| link.to_string()),
        expires: issued.expires.to_string(),
        path: match issued.purpose {
            people::Purpose::Invitation => "/office/v1/invitations/accept",
            people::Purpose::Reset => "/office/v1/password-resets/complete",
            people::Purpose::Registration => "/office/v1/registrations/confirm",
        },
    };
    context.out.data(&report, |report| {
        let who = format!("{} ({})", report.email, report.role);
        match (&report.link, &report.token) {
            (Some(link), _) => format!("{who}: pass this on, it is good once, until {}\n{link}", report.expires),
            (None, Some(token)) => format!(
                "{who}: pass this token on, it is good once, until {}\n{token}\nused by: POST {} \
                 {{\"token\": \"…\", \"password\": \"…\"}}",
                report.expires, report.path
            ),
            (None, None) => format!("{who}: a letter goes to them once a server runs"),
        }
    })
}
