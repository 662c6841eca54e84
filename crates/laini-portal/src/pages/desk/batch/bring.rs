use std::sync::Arc;

use askama::Template;
use laini_core::partner::Environment;
use laini_office::desk::batch::{self, BatchState, DeskBatch};
use laini_office::desk::sheet::Sheet;
use laini_office::{PageRequest, Problem};

use super::super::INVESTIGATES;
use super::super::check::{AppChoice, chosen_app, usable_apps};
use super::super::receipt::names;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::{DeskBatchWords, DeskWords};

const HERE: &str = "/desk/batch";

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, INVESTIGATES, show).in_rail(Workspace::Investigate, |words| words.desk_batch),
        Page::post(HERE, INVESTIGATES, bring, show).taking_file(),
    ]
}

#[derive(Template)]
#[template(path = "desk/batches.html")]
struct BatchesPage<'a> {
    frame: Frame,
    words: &'static DeskBatchWords,
    desk: &'static DeskWords,
    apps: Vec<AppChoice>,
    pasted: &'a str,
    sorting: Sorting<Row>,
    batches: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: String,
    brought: String,
    by: String,
    rows: u32,
    state: &'static str,
    tone: &'static str,
    hold: u32,
    is_sandbox: bool,
}

static BATCHES: Table<Row> = Table {
    name: "sort",
    columns: &[
        // An instant as people read it is in the order of time.
        ("brought", |one, other| one.brought.cmp(&other.brought)),
        ("state", |one, other| one.state.cmp(other.state)),
        ("rows", |one, other| one.rows.cmp(&other.rows)),
        ("hold", |one, other| one.hold.cmp(&other.hold)),
        ("by", |one, other| by_text(&one.by, &other.by)),
    ],
    comes: "-brought",
};

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut sorting = Sorting::asked(&BATCHES, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let page = PageRequest { limit: 20, is_turned, ..visit.asked_page()? };
        let page = batch::batches(work, visit.partner()?, page)?;
        let names = names(work, page.items.iter().map(|batch| batch.person))?;
        Ok((page, names))
    });
    let (batches, names) = found.await?;
    let apps = usable_apps(&portal, &visit).await?;
    let (words, desk) = (&visit.language.words().desk_batch, &visit.language.words().desk);
    let row = |batch: &DeskBatch| {
        let (state, tone) = state(&batch.state, words);
        Row {
            id: batch.id.to_string(),
            brought: portal.shown(batch.brought),
            by: names.get(&batch.person).cloned().unwrap_or_default(),
            rows: batch.counts.rows,
            state,
            tone,
            hold: batch.counts.hold,
            is_sandbox: batch.environment == Environment::Sandbox,
        }
    };
    let mut rows: Vec<_> = batches.items.iter().map(row).collect();
    sorting.sort(&mut rows, batches.next.is_some());
    page(&BatchesPage {
        frame: visit.frame(&portal, words.title),
        words,
        desk,
        apps: AppChoice::all(&apps, visit.field("app")),
        pasted: visit.field("numbers"),
        sorting,
        batches: rows,
        next: batches.next.map(|next| next.to_string()),
    })
}

/// The word of a state, and its tone.
pub(super) fn state(state: &BatchState, words: &DeskBatchWords) -> (&'static str, &'static str) {
    match state {
        BatchState::Draft => (words.draft, ""),
        BatchState::Running => (words.running, "care"),
        BatchState::Done => (words.done, "go"),
        BatchState::Stopped(_) => (words.stopped, "stop"),
    }
}

async fn bring(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let app = chosen_app(&portal, &visit).await?.id;
    let words = &visit.language.words().desk_batch;
    let brought = match (&visit.file, visit.field("numbers")) {
        (Some(file), _) => file.bytes.clone(),
        (None, "") => return Err(Problem::not_now(words.nothing_brought)),
        (None, pasted) => pasted.to_owned().into(),
    };
    let draft = portal.work(&visit, move |work, visit| {
        let sheet = Sheet::read(&brought)?;
        batch::add_draft(work, visit.partner()?, app, &sheet, None)
    });
    Ok(Answer::see_other(format!("/desk/batch/{}", draft.await?.id)))
}
