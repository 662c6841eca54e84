use std::sync::Arc;

use askama::Template;
use jiff::ToSpan as _;
use jiff::civil::Date;
use laini_core::desk::Verdict;
use laini_core::partner::PersonId;
use laini_office::desk::{self, HistoryFilter};
use laini_office::people::Person;
use laini_office::{Cursor, Page as Listed, PageRequest, Problem};

use super::INVESTIGATES;
use super::receipt::{Shown, names};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::{DeskHistoryWords, DeskWords};

const HERE: &str = "/desk/history";

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get(HERE, INVESTIGATES, show).in_rail(Workspace::Investigate, |words| words.desk_history)]
}

#[derive(Template)]
#[template(path = "desk/history.html")]
struct HistoryPage {
    frame: Frame,
    words: &'static DeskHistoryWords,
    desk: &'static DeskWords,
    sorting: Sorting<Row>,
    rows: Vec<Row>,
    reference: String,
    until: String,
    people: Vec<(String, String, bool)>,
    verdicts: Vec<(&'static str, &'static str, bool)>,
    /// The query of the next page.
    next: Option<String>,
}

struct Row {
    id: String,
    at: String,
    masked: String,
    reference: String,
    by: String,
    verdict: Shown,
    why: String,
    is_sandbox: bool,
}

static RECEIPTS: Table<Row> = Table {
    name: "sort",
    columns: &[
        // An instant as people read it is in the order of time.
        ("at", |one, other| one.at.cmp(&other.at)),
        ("verdict", |one, other| one.verdict.word.cmp(other.verdict.word)),
        ("number", |one, other| one.masked.cmp(&other.masked)),
        ("reference", |one, other| by_text(&one.reference, &other.reference)),
        ("by", |one, other| by_text(&one.by, &other.by)),
    ],
    comes: "-at",
};

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let wanted = Some(visit.query("reference").trim().to_owned()).filter(|reference| !reference.is_empty());
    let person = PersonId::parse(visit.query("person")).ok();
    let verdict = Verdict::parse(visit.query("verdict"));
    let until = visit.query("until").parse::<Date>().ok();
    let zone = portal.office.settings.zone.clone();
    let midnight = until.and_then(|day| day.checked_add(1.day()).ok()).map(|day| day.at(0, 0, 0, 0));
    let before = midnight.and_then(|midnight| zone.to_ambiguous_timestamp(midnight).compatible().ok());
    let filter = HistoryFilter { reference: wanted, person, verdict, before };
    let mut sorting = Sorting::asked(&RECEIPTS, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let page = desk::history(work, partner, &filter, PageRequest { is_turned, ..visit.asked_page()? })?;
        let names = names(work, page.items.iter().map(|check| check.person))?;
        let people = work.all::<Person>("partner", partner)?;
        Ok((page, names, people))
    });
    let (Listed { items, next }, names, people) = found.await?;
    let all = visit.language.words();
    let (words, desk) = (&all.desk_history, &all.desk);
    let row = |check: &desk::DeskCheck| Row {
        id: check.id.to_string(),
        at: portal.shown(check.finding.at),
        masked: check.masked.clone(),
        reference: check.reference(&portal.office),
        by: names.get(&check.person).cloned().unwrap_or_default(),
        verdict: Shown::of(check.finding.judgement.verdict, desk),
        why: check.finding.judgement.reasons.first().map(|(_, why)| desk.reason(*why)).unwrap_or_default(),
        is_sandbox: check.environment == laini_core::partner::Environment::Sandbox,
    };
    let people = people.into_iter().map(|one| (one.id.to_string(), one.name, Some(one.id) == person));
    let verdicts = Verdict::ALL.into_iter().map(|of| (of.word(), Shown::of(of, desk).word, Some(of) == verdict));
    let mut rows: Vec<_> = items.iter().map(row).collect();
    sorting.sort(&mut rows, next.is_some());
    page(&HistoryPage {
        frame: visit.frame(&portal, words.title),
        words,
        desk,
        rows,
        reference: visit.query("reference").to_owned(),
        until: until.map(|day| day.to_string()).unwrap_or_default(),
        people: people.collect(),
        verdicts: verdicts.collect(),
        next: next.map(|next| query(&visit, &next) + &sorting.and()),
        sorting,
    })
}

/// The same question, one page on.
fn query(visit: &Visit, next: &Cursor) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in ["reference", "person", "verdict", "until"] {
        query.append_pair(name, visit.query(name));
    }
    query.append_pair("after", &next.to_string()).finish()
}
