use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use jiff::ToSpan as _;
use jiff::civil::Date;
use laini_core::desk::{Reason, Verdict};
use laini_core::partner::{Environment, PersonId};
use laini_office::desk::{self, DeskCheck, HistoryFilter};
use laini_office::people::Person;
use laini_office::{Cursor, Page as Listed, PageRequest, Problem};

use super::INVESTIGATES;
use super::receipt::{Shown, names};
use crate::answer::Answer;
use crate::csv::{file, gathered, push_line};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::{DeskHistoryWords, DeskWords};

const HERE: &str = "/desk/history";
/// The filters of the form, in its order.
const FILTERS: [&str; 4] = ["reference", "person", "verdict", "until"];
/// The columns of the file.
const HEAD: [&str; 11] = [
    "asked",
    "verdict",
    "reasons",
    "number",
    "reference",
    "person",
    "purpose",
    "environment",
    "check",
    "charge",
    "receipt",
];

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, INVESTIGATES, show).in_rail(Workspace::Investigate, |words| words.desk_history),
        Page::get("/desk/history.csv", INVESTIGATES, download),
    ]
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
    /// The query of the file,
    asked: String,
    /// of the next page,
    next: Option<String>,
    /// and of the API.
    of_api: String,
}

struct Row {
    check: DeskCheck,
    at: String,
    reference: String,
    by: String,
    verdict: Shown,
    why: String,
    is_sandbox: bool,
}

static RECEIPTS: Table<Row> = Table {
    name: "sort",
    columns: &[
        ("at", |one, other| one.check.finding.at.cmp(&other.check.finding.at)),
        ("verdict", |one, other| one.verdict.word.cmp(other.verdict.word)),
        ("number", |one, other| one.check.masked.cmp(&other.check.masked)),
        ("reference", |one, other| by_text(&one.reference, &other.reference)),
        ("by", |one, other| by_text(&one.by, &other.by)),
    ],
    comes: "-at",
};

/// What is asked for.
struct Asked {
    filter: HistoryFilter,
    until: Option<Date>,
}

impl Asked {
    fn of(visit: &Visit, portal: &Portal) -> Self {
        let reference = Some(visit.query("reference").trim().to_owned()).filter(|reference| !reference.is_empty());
        let person = PersonId::parse(visit.query("person")).ok();
        let verdict = Verdict::parse(visit.query("verdict"));
        let until = visit.query("until").parse::<Date>().ok();
        let midnight = until.and_then(|day| day.checked_add(1.day()).ok()).map(|day| day.at(0, 0, 0, 0));
        let zone = &portal.office.settings.zone;
        let before = midnight.and_then(|midnight| zone.to_ambiguous_timestamp(midnight).compatible().ok());
        Self { filter: HistoryFilter { reference, person, verdict, before }, until }
    }

    /// The same, asked by API.
    fn of_api(&self) -> String {
        let HistoryFilter { reference, person, verdict, before } = &self.filter;
        let asked = [
            ("reference", reference.clone()),
            ("person", person.map(|person| person.to_string())),
            ("verdict", verdict.map(|verdict| verdict.word().to_owned())),
            ("before", before.map(|before| before.to_string())),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(asked.into_iter().filter_map(|(name, value)| Some((name, value?))));
        query.finish()
    }
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let asked = Asked::of(&visit, &portal);
    let mut sorting = Sorting::asked(&RECEIPTS, &visit, HERE);
    let (is_turned, filter) = (sorting.is_turned(), asked.filter.clone());
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
    let HistoryFilter { person, verdict, .. } = asked.filter;
    let people = people.into_iter().map(|one| (one.id.to_string(), one.name, Some(one.id) == person));
    let verdicts = Verdict::ALL.into_iter().map(|of| (of.word(), Shown::of(of, desk).word, Some(of) == verdict));
    let mut rows: Vec<_> = items.into_iter().map(|check| Row::of(check, &names, &portal, desk)).collect();
    sorting.sort(&mut rows, next.is_some());
    page(&HistoryPage {
        frame: visit.frame(&portal, words.title),
        words,
        desk,
        rows,
        reference: visit.query("reference").to_owned(),
        until: asked.until.map(|day| day.to_string()).unwrap_or_default(),
        people: people.collect(),
        verdicts: verdicts.collect(),
        asked: query(&visit, None) + &sorting.and(),
        next: next.map(|next| query(&visit, Some(next)) + &sorting.and()),
        of_api: asked.of_api(),
        sorting,
    })
}

impl Row {
    fn of(check: DeskCheck, names: &HashMap<PersonId, String>, portal: &Portal, words: &DeskWords) -> Self {
        let judgement = &check.finding.judgement;
        Self {
            at: portal.shown(check.finding.at),
            reference: check.reference(&portal.office),
            by: names.get(&check.person).cloned().unwrap_or_default(),
            verdict: Shown::of(judgement.verdict, words),
            why: judgement.reasons.first().map(|(_, why)| words.reason(*why)).unwrap_or_default(),
            is_sandbox: check.environment == Environment::Sandbox,
            check,
        }
    }

    /// Its line of a file.
    fn push_to(&self, csv: &mut String) {
        let Self { check, reference, by, .. } = self;
        let finding = &check.finding;
        let (id, at) = (check.id.to_string(), finding.at.to_string());
        let reasons: Vec<_> = finding.judgement.reasons.iter().map(|(_, why)| reason(*why)).collect();
        let charge = finding.charge().map(|charge| charge.to_string()).unwrap_or_default();
        let (environment, purpose) = (check.environment.word(), check.purpose.word());
        let verdict = finding.judgement.verdict.word();
        let said = [&at, verdict, &reasons.join("; "), &check.masked, reference, by, purpose, environment];
        push_line(csv, said.into_iter().chain([finding.check.as_str(), &charge, &id]));
    }
}

/// The same question, without the order: of everything that is found, or of the page after `next`.
fn query(visit: &Visit, next: Option<Cursor>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(FILTERS.map(|name| (name, visit.query(name))));
    query.extend_pairs(next.map(|next| ("after", next.to_string())));
    query.finish()
}

/// The receipts of the list as a file, numbers masked as on the page.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let filter = Asked::of(&visit, &portal).filter;
    let mut sorting = Sorting::first(&RECEIPTS, &visit, "");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let (checks, has_more) = gathered(is_turned, |request| desk::history(work, partner, &filter, request))?;
        let names = names(work, checks.iter().map(|check| check.person))?;
        Ok((checks, has_more, names))
    });
    let (checks, has_more, names) = found.await?;
    let words = &visit.language.words().desk;
    let mut rows: Vec<_> = checks.into_iter().map(|check| Row::of(check, &names, &portal, words)).collect();
    sorting.sort(&mut rows, has_more);
    Ok(file("history.csv", HEAD, &rows, |csv, row| row.push_to(csv)))
}

/// A reason as exports have it.
fn reason(reason: Reason) -> String {
    reason.days().map_or_else(|| reason.word().to_owned(), |days| format!("{} {days}", reason.word()))
}
