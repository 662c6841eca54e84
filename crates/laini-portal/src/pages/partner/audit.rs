//! What was done that concerns a partner; and for the operator, everything that was done.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use jiff::tz::TimeZone;
use laini_core::partner::{May, MemberRole, PartnerId, PersonId, StaffRole};
use laini_core::store::{TrailQuery, TrailRow};
use laini_office::people::Person;
use laini_office::{Actor, Problem, TRAIL_ROWS_MAX, Work, trail};

use super::terms_form::{day_end, midnight};
use super::{Head, home, named};
use crate::answer::Answer;
use crate::csv::push_line;
use crate::fields::Fields;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::AuditWords;

/// Rows of a page.
const PAGE_ROWS: usize = 50;
/// Rows of an export at most.
const EXPORT_ROWS_MAX: usize = 20_000;

/// Who reads what concerns a partner,
const READS: Access =
    Access::SignedIn(May { members: &[MemberRole::Owner], staff: &[StaffRole::Admin, StaffRole::Auditor] });
/// of them, where it is their own,
const OWNER: Access = Access::SignedIn(May { members: &[MemberRole::Owner], staff: &[] });
/// and who reads everything.
const READS_ALL: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Auditor] });

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/audit", OWNER, show).in_rail(Workspace::Build, |words| words.audit),
        Page::get("/partners/{partner}/audit", READS, show),
        Page::get("/partners/{partner}/audit/csv", READS, export),
    ]
}

/// The pages of the whole trail.
pub(in crate::pages) fn pages_of_all() -> Vec<Page> {
    vec![
        Page::get("/operate/audit", READS_ALL, show_all).in_rail(Workspace::Operate, |words| words.audit),
        Page::get("/operate/audit/csv", READS_ALL, export),
    ]
}

#[derive(Template)]
#[template(path = "partner/audit.html")]
struct AuditPage {
    frame: Frame,
    words: &'static AuditWords,
    head: Option<Head>,
    /// Where the page and its export are.
    here: String,
    csv: String,
    fields: Fields,
    /// What was asked for, for the links to further rows.
    asked: String,
    sorting: Sorting<TrailRow>,
    rows: Vec<Row>,
    next: Option<u64>,
    is_staff: bool,
}

static TRAIL: Table<TrailRow> = Table {
    name: "sort",
    columns: &[
        ("at", |one, other| one.number.cmp(&other.number)),
        ("actor", |one, other| one.entry.actor.cmp(&other.entry.actor)),
        ("action", |one, other| one.entry.action.cmp(&other.entry.action)),
        ("target", |one, other| one.entry.target.cmp(&other.entry.target)),
        ("reason", |one, other| by_text(&one.entry.reason, &other.entry.reason)),
    ],
    comes: "-at",
};

struct Row {
    at: String,
    actor: String,
    /// Their name, where they are people that whoever looks may know.
    name: String,
    action: String,
    target: String,
    reason: String,
    /// The partner that it concerns, on the page of everything.
    partner: Option<(PartnerId, String)>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let named = portal.work(&visit, |work, visit| named(work, visit)).await?;
    let places = (home(&visit, "audit")?, format!("/partners/{}/audit/csv", named.0));
    let head = Head::new(&visit, named, "audit");
    show_trail(&portal, &visit, Some(head), places).await
}

async fn show_all(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    show_trail(&portal, &visit, None, ("/operate/audit".to_owned(), "/operate/audit/csv".to_owned())).await
}

/// The filters of the form, in its order.
const FILTERS: [&str; 4] = ["actor", "action", "from", "until"];

async fn show_trail(
    portal: &Arc<Portal>,
    visit: &Arc<Visit>,
    head: Option<Head>,
    (here, csv): (String, String),
) -> Result<Answer, Problem> {
    let of_all = head.is_none();
    let mut sorting = Sorting::asked(&TRAIL, visit, &here);
    let oldest_first = sorting.is_turned();
    let found = portal.work(visit, move |work, visit| {
        let after = Some(visit.query("after")).filter(|text| !text.is_empty()).map(str::parse).transpose();
        let after = after.map_err(|_| Problem::invalid("after", "expected the number of a row"))?;
        let query = TrailQuery { after, oldest_first, ..query(visit, &work.office.settings.zone, PAGE_ROWS)? };
        let rows = trail(work, query)?;
        let names = names(work, &rows)?;
        let partners: HashMap<_, _> = work.book()?.partners.into_iter().map(|one| (one.id, one.name)).collect();
        Ok((rows, names, partners))
    });
    let (mut rows, names, partners) = found.await?;
    let next = rows.last().filter(|_| rows.len() == PAGE_ROWS).map(|last| last.number);
    sorting.sort(&mut rows, next.is_some());
    let words = &visit.language.words().audit;
    let row = |TrailRow { entry, .. }: &TrailRow| Row {
        at: portal.shown(entry.at),
        actor: entry.actor.clone(),
        name: names.get(&entry.actor).cloned().unwrap_or_default(),
        action: entry.action.clone(),
        target: entry.target.clone(),
        reason: entry.reason.clone(),
        partner: entry.partner.filter(|_| of_all).map(|id| (id, partners.get(&id).cloned().unwrap_or_default())),
    };
    let asked = FILTERS.map(|name| (name.to_owned(), visit.query(name).to_owned()));
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(asked.iter().filter(|(_, value)| !value.is_empty()));
    page(&AuditPage {
        frame: visit.frame(portal, words.title),
        words,
        here,
        csv,
        fields: Fields::of_pairs(asked.to_vec()),
        asked: encoded.finish(),
        next,
        sorting,
        rows: rows.iter().map(row).collect(),
        is_staff: matches!(visit.actor(), Actor::Staff { .. }),
        head,
    })
}

/// Which rows are asked for.
fn query(visit: &Visit, zone: &TimeZone, limit: usize) -> Result<TrailQuery, Problem> {
    Ok(TrailQuery {
        after: None,
        oldest_first: false,
        partner: visit.param("partner").map(|_| visit.partner()).transpose()?.or(visit.actor().partner()),
        actor: visit.query("actor").trim().to_owned(),
        action: visit.query("action").trim().to_owned(),
        from: midnight("from", visit.query("from"), zone)?,
        // The last day is asked for whole.
        until: day_end("until", visit.query("until"), zone)?,
        limit,
    })
}

/// The names of the people who did something, by how the trail names them.
fn names(work: &mut Work<'_>, rows: &[TrailRow]) -> Result<HashMap<String, String>, Problem> {
    let mut names = HashMap::new();
    for row in rows {
        let actor = &row.entry.actor;
        let id = actor.split_once(':').and_then(|(_, id)| PersonId::parse(id).ok());
        let Some(id) = id.filter(|_| !names.contains_key(actor)) else { continue };
        if let Some(person) = work.look::<Person>(id)? {
            names.insert(actor.clone(), person.name);
        }
    }
    Ok(names)
}

async fn export(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let written = portal.work(&visit, |work, visit| {
        let mut csv = String::new();
        push_line(&mut csv, ["number", "at", "actor", "action", "target", "reason", "partner"]);
        let oldest_first = Sorting::first(&TRAIL, visit, "").is_turned();
        let asked = query(visit, &work.office.settings.zone, TRAIL_ROWS_MAX)?;
        let mut query = TrailQuery { oldest_first, ..asked };
        for _ in 0..EXPORT_ROWS_MAX / TRAIL_ROWS_MAX {
            let rows = trail(work, query.clone())?;
            for TrailRow { number, entry } in &rows {
                let partner = entry.partner.map(|partner| partner.to_string()).unwrap_or_default();
                let (number, at) = (number.to_string(), entry.at.to_string());
                let texts = [&number, &at, &entry.actor, &entry.action, &entry.target, &entry.reason, &partner];
                push_line(&mut csv, texts.map(String::as_str));
            }
            query.after = rows.last().filter(|_| rows.len() == TRAIL_ROWS_MAX).map(|last| last.number);
            if query.after.is_none() {
                break;
            }
        }
        Ok(csv)
    });
    Ok(Answer::file("text/csv; charset=utf-8", "audit.csv".to_owned(), written.await?.into_bytes()))
}
