//! Months that are closed, and the one that is next.

use std::sync::Arc;

use askama::Template;
use laini_core::billing::Month;
use laini_office::billing::{MonthClose, NextClose, closes, next_close};
use laini_office::{PageRequest, Problem};

use super::{FINANCE_ACTS, FINANCE_LOOKS};
use crate::answer::Answer;
use crate::csv::{file, gathered, push_line};
use crate::frame::{Frame, told};
use crate::page::Page;
use crate::pages::billing::may;
use crate::portal::Portal;
use crate::sorting::{Sorting, Table};
use crate::visit::{Visit, page};
use crate::words::FinanceWords;

const HERE: &str = "/operate/closes";

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, FINANCE_LOOKS, show),
        Page::get("/operate/closes.csv", FINANCE_LOOKS, download),
        Page::post(HERE, FINANCE_ACTS, begin, show),
    ]
}

#[derive(Template)]
#[template(path = "operate/closes.html")]
struct ClosesPage {
    frame: Frame,
    words: &'static FinanceWords,
    next: Option<Next>,
    /// What came of the close that was begun here last.
    came_to: Option<(String, Result<u64, String>)>,
    sorting: Sorting<MonthClose>,
    closed: Vec<(String, String)>,
    more: Option<String>,
    can_act: bool,
    is_under_way: bool,
}

static CLOSED: Table<MonthClose> = Table {
    name: "sort",
    columns: &[
        ("month", |one, other| one.month.cmp(&other.month)),
        ("frozen", |one, other| one.frozen.cmp(&other.frozen)),
    ],
    comes: "-month",
};

/// The month that is closed next.
struct Next {
    month: String,
    ends: String,
    is_over: bool,
    is_begun: bool,
    made: u64,
    writers: Vec<u32>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().finance;
    let mut sorting = Sorting::asked(&CLOSED, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let next = next_close(work.office, work.at)?;
        Ok((next, closes(work, PageRequest { is_turned, ..visit.asked_page()? })?))
    });
    let (next, mut found) = found.await?;
    sorting.sort(&mut found.items, found.next.is_some());
    let is_under_way = portal.office.jobs.is_closing();
    let next = next.map(|next: NextClose| Next {
        month: next.month.to_string(),
        ends: portal.shown(next.ends),
        is_over: next.is_over,
        is_begun: next.begun.is_some() || is_under_way,
        made: next.invoices_made,
        writers: next.writers_behind,
    });
    let done = |close: &&MonthClose| close.is_done;
    let came_to = portal.closing.came_to().map(|(month, done)| {
        let done = done.map(|report| report.made).map_err(|problem| told(&problem, visit.language.words()));
        (month.to_string(), done)
    });
    page(&ClosesPage {
        frame: visit.frame(&portal, words.closes),
        words,
        next,
        came_to,
        sorting,
        closed: found.items.iter().filter(done).map(|of| (of.month.to_string(), portal.shown(of.frozen))).collect(),
        more: found.next.map(|next| next.to_string()),
        can_act: may(&visit, FINANCE_ACTS),
        is_under_way,
    })
}

/// The months that are closed, as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut sorting = Sorting::first(&CLOSED, &visit, "");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, _| gathered(is_turned, |request| closes(work, request)));
    let (mut closed, has_more) = found.await?;
    sorting.sort(&mut closed, has_more);
    closed.retain(|close| close.is_done);
    let push = |csv: &mut String, close: &MonthClose| {
        push_line(csv, [&*close.month.to_string(), &*close.frozen.to_string()]);
    };
    Ok(file("closes.csv", ["month", "frozen"], &closed, push))
}

/// Begins the close: it goes on by itself, and the page says how far it is.
async fn begin(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let month = Month::parse(visit.field("month")).map_err(|error| Problem::invalid("month", error.to_string()))?;
    portal.closing.begin(&portal.office, visit.actor(), month, visit.context.at)?;
    Ok(Answer::see_other(HERE))
}
