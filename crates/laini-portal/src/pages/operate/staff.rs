//! The operator's staff, and how people sign in.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{May, PersonId, StaffRole};
use laini_office::people::{self, Entry, Roster, Seat};
use laini_office::{PageRequest, Problem};

use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::pages::partner::{PEOPLE, PEOPLE_PER_PAGE, PersonRow, people_file, person_row};
use crate::portal::Portal;
use crate::sorting::Sorting;
use crate::visit::{Visit, page};
use crate::words::TeamWords;

/// Who sees them,
const LISTS: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Auditor] });
/// and whose business they are.
const ADMINS: May = May { members: &[], staff: &[StaffRole::Admin] };
const DECIDES: Access = Access::SignedIn(ADMINS);

const HERE: &str = "/operate/staff";

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, LISTS, show).in_rail(Workspace::Operate, |words| words.staff),
        Page::get("/operate/staff.csv", LISTS, download),
        Page::post(HERE, DECIDES, invite, show),
        Page::post("/operate/staff/{person}/role", DECIDES, set_role, show),
        Page::post("/operate/staff/{person}/enable", DECIDES, enable, show),
        Page::post("/operate/staff/{person}/disable", DECIDES, disable, show),
        Page::post("/operate/staff/{person}/reset", DECIDES, reset, show),
        Page::post("/operate/staff/{person}/sign-out", DECIDES, sign_out, show),
    ]
}

#[derive(Template)]
#[template(path = "operate/staff.html")]
struct StaffPage<'a> {
    frame: Frame,
    words: &'static TeamWords,
    sorting: Sorting<Entry>,
    rows: Vec<PersonRow>,
    next: Option<String>,
    here: &'static str,
    base: &'static str,
    roles: Vec<(&'static str, &'static str)>,
    can_invite: bool,
    can_help: bool,
    email: &'a str,
    name: &'a str,
    was_sent: bool,
    /// Of signing in: a setting, how it is set, and what it does.
    settings: Vec<(&'static str, String, &'static str)>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        people::list_people(work, Roster::Staff, PageRequest { limit: PEOPLE_PER_PAGE, ..visit.asked_page()? })
    });
    let mut people = found.await?;
    let mut sorting = Sorting::asked(&PEOPLE, &visit, HERE);
    sorting.sort(&mut people.items, people.next.is_some());
    let words = &visit.language.words().team;
    let is_admin = visit.actor().is_allowed(&ADMINS);
    let set = &portal.office.settings.people;
    let names = ["sign_in.portal_url", "sign_in.staff_second_factor", "sign_in.registration"];
    let values = [set.portal_url.clone(), set.staff_second_factor.to_string(), set.registration.to_string()];
    let settings = names.into_iter().zip(values).zip(words.meanings);
    page(&StaffPage {
        frame: visit.frame(&portal, words.staff),
        words,
        sorting,
        rows: people.items.iter().map(|entry| person_row(&portal, &visit, entry)).collect(),
        next: people.next.map(|next| next.to_string()),
        here: HERE,
        base: HERE,
        roles: StaffRole::ALL.into_iter().map(StaffRole::word).zip(words.staff_roles).collect(),
        can_invite: is_admin,
        can_help: is_admin,
        email: visit.field("email"),
        name: visit.field("name"),
        was_sent: !visit.query("sent").is_empty(),
        settings: settings.map(|((name, value), meaning)| (name, value, meaning)).collect(),
    })
}

async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    people_file(&portal, &visit, "staff.csv", |_, _| Ok(Roster::Staff)).await
}

fn seat(visit: &Visit) -> Result<Seat, Problem> {
    let role = StaffRole::parse(visit.field("role"));
    Ok(Seat::Staff { role: role.map_err(|error| Problem::invalid("role", error.to_string()))? })
}

fn whom(visit: &Visit) -> Result<PersonId, Problem> {
    visit.id("person", PersonId::parse)
}

async fn invite(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            people::invite(work, seat(visit)?, visit.field("email"), visit.field("name"), true).map(drop)
        })
        .await?;
    Ok(Answer::see_other(format!("{HERE}?sent=1")))
}

async fn set_role(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| people::set_role(work, Roster::Staff, whom(visit)?, seat(visit)?).map(drop))
        .await?;
    Ok(Answer::see_other(HERE))
}

async fn enable(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| people::enable(work, Roster::Staff, whom(visit)?, visit.field("reason")).map(drop))
        .await?;
    Ok(Answer::see_other(HERE))
}

async fn disable(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| people::disable(work, Roster::Staff, whom(visit)?, visit.field("reason")).map(drop))
        .await?;
    Ok(Answer::see_other(HERE))
}

async fn reset(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal.work(&visit, |work, visit| people::reset(work, Roster::Staff, whom(visit)?, true).map(drop)).await?;
    Ok(Answer::see_other(format!("{HERE}?sent=1")))
}

async fn sign_out(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal.work(&visit, |work, visit| people::sign_out(work, Roster::Staff, whom(visit)?).map(drop)).await?;
    Ok(Answer::see_other(HERE))
}
