//! The people of a partner: who they are, what they may do, and how they are helped in and kept out.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{May, MemberRole, PartnerId, PersonId, StaffRole};
use laini_office::people::{self, Entry, Roster, Seat};
use laini_office::{PageRequest, Problem, Work};

use super::{Head, home, may, named};
use crate::answer::Answer;
use crate::csv::{file, gathered, push_line};
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::TeamWords;

/// Who sees them,
const LISTS: Access = Access::SignedIn(May { members: &[MemberRole::Owner], staff: &StaffRole::ALL });
/// of them, where they are their own.
const OWNER: Access = Access::SignedIn(May { members: &[MemberRole::Owner], staff: &[] });
/// Who invites, and says who may do what.
const INVITES: Access =
    Access::SignedIn(May { members: &[MemberRole::Owner], staff: &[StaffRole::Admin, StaffRole::Onboarding] });
/// Who helps those who cannot get in.
const HELPS: Access = Access::SignedIn(May {
    members: &[MemberRole::Owner],
    staff: &[StaffRole::Admin, StaffRole::Onboarding, StaffRole::Support],
});

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/team", OWNER, show).in_rail(Workspace::Build, |words| words.team),
        Page::get("/partners/{partner}/team", LISTS, show),
        Page::get("/partners/{partner}/team.csv", LISTS, download),
        Page::post("/partners/{partner}/team", INVITES, invite, show),
        Page::post("/partners/{partner}/team/{person}/role", INVITES, set_role, show),
        Page::post("/partners/{partner}/team/{person}/enable", INVITES, enable, show),
        Page::post("/partners/{partner}/team/{person}/disable", HELPS, disable, show),
        Page::post("/partners/{partner}/team/{person}/reset", HELPS, reset, show),
        Page::post("/partners/{partner}/team/{person}/sign-out", HELPS, sign_out, show),
    ]
}

#[derive(Template)]
#[template(path = "partner/team.html")]
struct TeamPage<'a> {
    frame: Frame,
    words: &'static TeamWords,
    head: Head,
    sorting: Sorting<Entry>,
    rows: Vec<PersonRow>,
    next: Option<String>,
    here: String,
    /// Where the forms go, and how the address of the file begins.
    base: String,
    roles: Vec<(&'static str, &'static str)>,
    can_invite: bool,
    can_help: bool,
    email: &'a str,
    name: &'a str,
    was_sent: bool,
}

/// People of a page: as many as there may be, for only a list that is there whole is sorted.
pub(in crate::pages) const PEOPLE_PER_PAGE: usize = PageRequest::LIMIT_MAX;

/// People as both rosters sort them; they come as they were invited.
pub(in crate::pages) static PEOPLE: Table<Entry> = Table {
    name: "sort",
    columns: &[
        ("name", |one, other| by_text(&one.person.name, &other.person.name)),
        ("role", |one, other| one.person.seat.role_word().cmp(other.person.seat.role_word())),
        ("status", |one, other| one.status().cmp(other.status())),
        ("factor", |one, other| one.has_factor.cmp(&other.has_factor)),
        ("signed-in", |one, other| one.signed_in.cmp(&other.signed_in)),
    ],
    comes: "",
};

/// The columns of the file.
const HEAD: [&str; 6] = ["name", "email", "role", "status", "second_factor", "signed_in"];

/// Somebody in a list.
#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no of each thing")]
pub(in crate::pages) struct PersonRow {
    pub(in crate::pages) id: PersonId,
    pub(in crate::pages) name: String,
    pub(in crate::pages) email: String,
    pub(in crate::pages) role: &'static str,
    pub(in crate::pages) status: &'static str,
    pub(in crate::pages) tone: &'static str,
    pub(in crate::pages) has_factor: bool,
    pub(in crate::pages) signed_in: String,
    pub(in crate::pages) is_me: bool,
    pub(in crate::pages) is_disabled: bool,
    pub(in crate::pages) is_invited: bool,
}

pub(in crate::pages) fn person_row(portal: &Portal, visit: &Visit, entry: &Entry) -> PersonRow {
    let words = &visit.language.words().team;
    let person = &entry.person;
    let (status, tone) = match entry.status() {
        "disabled" => (words.statuses[2], "stop"),
        "active" => (words.statuses[1], "go"),
        _ => (words.statuses[0], "care"),
    };
    PersonRow {
        id: person.id,
        name: person.name.clone(),
        email: person.email.clone(),
        role: person.seat.role_word(),
        status,
        tone,
        has_factor: entry.has_factor,
        signed_in: entry.signed_in.map(|at| portal.shown(at)).unwrap_or_default(),
        is_me: visit.actor().person() == Some(person.id),
        is_disabled: person.is_disabled,
        is_invited: !entry.has_come_in,
    }
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        let named = named(work, visit)?;
        let people = people::list_people(
            work,
            Roster::Partner(named.0),
            PageRequest { limit: PEOPLE_PER_PAGE, ..visit.asked_page()? },
        )?;
        Ok((named, people))
    });
    let (named, mut people) = found.await?;
    let here = home(&visit, "team")?;
    let mut sorting = Sorting::asked(&PEOPLE, &visit, &here);
    sorting.sort(&mut people.items, people.next.is_some());
    let words = &visit.language.words().team;
    page(&TeamPage {
        frame: visit.frame(&portal, words.title),
        words,
        base: super::path_of(named.0, "team"),
        head: Head::new(&visit, named, "team"),
        sorting,
        rows: people.items.iter().map(|entry| person_row(&portal, &visit, entry)).collect(),
        next: people.next.map(|next| next.to_string()),
        here,
        roles: MemberRole::ALL.into_iter().map(MemberRole::word).zip(words.member_roles).collect(),
        can_invite: may(&visit, &INVITES),
        can_help: may(&visit, &HELPS),
        email: visit.field("email"),
        name: visit.field("name"),
        was_sent: !visit.query("sent").is_empty(),
    })
}

/// The people of a roster as a file of this name, as far as the page shows them.
pub(in crate::pages) async fn people_file(
    portal: &Arc<Portal>,
    visit: &Arc<Visit>,
    name: &str,
    roster: fn(&Work<'_>, &Visit) -> Result<Roster, Problem>,
) -> Result<Answer, Problem> {
    let mut sorting = Sorting::first(&PEOPLE, visit, "");
    let is_turned = sorting.is_turned();
    let found = portal.work(visit, move |work, visit| {
        let roster = roster(work, visit)?;
        gathered(is_turned, |request| people::list_people(work, roster, request))
    });
    let (mut people, has_more) = found.await?;
    sorting.sort(&mut people, has_more);
    Ok(file(name, HEAD, &people, push_person))
}

fn push_person(csv: &mut String, entry: &Entry) {
    let person = &entry.person;
    let factor = if entry.has_factor { "true" } else { "false" };
    let signed_in = entry.signed_in.map(|at| at.to_string()).unwrap_or_default();
    push_line(csv, [&person.name, &person.email, person.seat.role_word(), entry.status(), factor, &signed_in]);
}

async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    people_file(&portal, &visit, "team.csv", |work, visit| Ok(Roster::Partner(named(work, visit)?.0))).await
}

async fn invite(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            people::invite(work, seat(visit)?, visit.field("email"), visit.field("name"), true).map(drop)
        })
        .await?;
    Ok(Answer::see_other(format!("{}?sent=1", home(&visit, "team")?)))
}

fn seat(visit: &Visit) -> Result<Seat, Problem> {
    let role = MemberRole::parse(visit.field("role"));
    let role = role.map_err(|error| Problem::invalid("role", error.to_string()))?;
    Ok(Seat::Member { partner: visit.partner()?, role })
}

fn whom(visit: &Visit) -> Result<(Roster, PersonId), Problem> {
    let partner: PartnerId = visit.partner()?;
    Ok((Roster::Partner(partner), visit.id("person", PersonId::parse)?))
}

async fn set_role(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let (roster, person) = whom(visit)?;
            people::set_role(work, roster, person, seat(visit)?).map(drop)
        })
        .await?;
    back(&visit)
}

async fn disable(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let (roster, person) = whom(visit)?;
            people::disable(work, roster, person, visit.field("reason")).map(drop)
        })
        .await?;
    back(&visit)
}

async fn enable(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let (roster, person) = whom(visit)?;
            people::enable(work, roster, person, visit.field("reason")).map(drop)
        })
        .await?;
    back(&visit)
}

/// Sends a new letter: the invitation again, or a token for a new password.
async fn reset(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let (roster, person) = whom(visit)?;
            people::reset(work, roster, person, true).map(drop)
        })
        .await?;
    Ok(Answer::see_other(format!("{}?sent=1", home(&visit, "team")?)))
}

async fn sign_out(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let (roster, person) = whom(visit)?;
            people::sign_out(work, roster, person).map(drop)
        })
        .await?;
    back(&visit)
}

fn back(visit: &Visit) -> Result<Answer, Problem> {
    Ok(Answer::see_other(home(visit, "team")?))
}
