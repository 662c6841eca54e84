use std::sync::Arc;

use askama::Template;
use laini_core::desk::Verdict;
use laini_core::partner::{DeskBatchId, Environment};
use laini_office::Problem;
use laini_office::desk::batch::{self, BatchRow, BatchState, Came, DeskBatch, WhichRows};
use laini_office::desk::sheet::SheetFormat;

use super::super::INVESTIGATES;
use super::super::check::{chosen_app, chosen_purpose};
use super::super::receipt::{Shown, masked, names};
use super::bring::state;
use super::{asked_from, draft};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::Page;
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{DeskBatchWords, DeskWords};

/// Rows of one page.
const PAGE_ROWS: usize = 100;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/desk/batch/{batch}", INVESTIGATES, show),
        Page::post("/desk/batch/{batch}/columns", INVESTIGATES, set_columns, show),
        Page::post("/desk/batch/{batch}/start", INVESTIGATES, start, show),
        Page::post("/desk/batch/{batch}/stop", INVESTIGATES, stop, show),
        Page::post("/desk/batch/{batch}/again", INVESTIGATES, ask_again, show),
        Page::get("/desk/batch/{batch}/export", INVESTIGATES, export),
    ]
}

#[derive(Template)]
#[template(path = "desk/batch.html")]
struct BatchPage {
    frame: Frame,
    words: &'static DeskBatchWords,
    now: Now,
}

/// The part that changes while a batch runs.
#[derive(Template)]
#[template(path = "desk/batch_now.html")]
struct BatchPart {
    words: &'static DeskBatchWords,
    now: Now,
}

struct Now {
    id: DeskBatchId,
    csrf: String,
    batch: DeskBatch,
    state: (&'static str, &'static str),
    is_running: bool,
    is_sandbox: bool,
    stopped: Option<String>,
    reference: String,
    purpose: &'static str,
    by: String,
    started: String,
    charged: String,
    /// The word of each choice of rows, what it is called, how many there are, and whether it is shown.
    tabs: Vec<(&'static str, &'static str, u32, bool)>,
    which: String,
    /// The first row of the page.
    begin: u32,
    rows: Vec<Row>,
    next: Option<u32>,
    /// Rows that have no answer.
    unanswered: u32,
}

struct Row {
    number: u32,
    line: u32,
    masked: String,
    reference: String,
    /// The verdict; `None` = there is no answer, or none yet.
    verdict: Option<Shown>,
    why: String,
    is_failed: bool,
}

pub(super) async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("batch", DeskBatchId::parse)?;
    let found = portal.work(&visit, move |work, visit| {
        let batch = batch::batch(work, visit.partner()?, id)?;
        let which = WhichRows::parse(visit.query("show"));
        let begin = visit.query("from").parse().unwrap_or(0);
        let (rows, next) = batch::rows(work, &batch, which, begin, PAGE_ROWS)?;
        let by = names(work, [batch.person])?.remove(&batch.person).unwrap_or_default();
        let reference = batch.reference(work);
        Ok((batch, begin, rows, next, by, reference))
    });
    let (batch, begin, rows, next, by, reference) = found.await?;
    if batch.state == BatchState::Draft {
        return draft::page_of(&portal, &visit, id).await;
    }
    let (words, desk) = (&visit.language.words().desk_batch, &visit.language.words().desk);
    let rows = rows.iter().map(|(number, row)| shown(&portal, *number, row, desk)).collect();
    let now = Now {
        id,
        csrf: visit.csrf.clone(),
        state: state(&batch.state, words),
        is_running: batch.state == BatchState::Running,
        is_sandbox: batch.environment == Environment::Sandbox,
        stopped: match &batch.state {
            BatchState::Stopped(why) => Some((visit.language.words().refusal)(why.clone())),
            _ => None,
        },
        reference,
        purpose: desk.purpose_of(batch.purpose.unwrap_or_default()),
        by,
        started: batch.started.map(|at| portal.shown(at)).unwrap_or_default(),
        charged: batch.charged().map(|charged| charged.to_string()).unwrap_or_default(),
        tabs: tabs(&batch, visit.query("show"), words, desk),
        which: visit.query("show").to_owned(),
        begin,
        rows,
        next,
        unanswered: batch.counts.rows - batch.counts.done() + batch.counts.failed,
        batch,
    };
    if visit.is_part {
        return page(&BatchPart { words, now });
    }
    let frame = visit.frame(&portal, words.title).about(now.batch.environment);
    page(&BatchPage { frame, words, now })
}

fn tabs(
    batch: &DeskBatch,
    chosen: &str,
    words: &DeskBatchWords,
    desk: &DeskWords,
) -> Vec<(&'static str, &'static str, u32, bool)> {
    let verdicts = [Verdict::Hold, Verdict::StepUp, Verdict::Allow];
    let verdicts = verdicts.map(|of| (of.word(), Shown::of(of, desk).word, batch.counts.of(of), chosen == of.word()));
    let failed = ("failed", words.failed, batch.counts.failed, chosen == "failed");
    let is_all = !verdicts.iter().chain([&failed]).any(|(.., is_here)| *is_here);
    let all = ("", words.all, batch.counts.rows, is_all);
    [all].into_iter().chain(verdicts).chain([failed]).collect()
}

fn shown(portal: &Portal, number: u32, row: &BatchRow, desk: &DeskWords) -> Row {
    let (verdict, why) = match &row.came {
        Some(Came::Found(found)) => {
            let first = found.judgement.reasons.first();
            let why = first.map(|(_, why)| desk.reason(*why)).unwrap_or_default();
            (Some(Shown::of(found.judgement.verdict, desk)), why)
        }
        Some(Came::Failed(why)) => (None, why.clone()),
        None => (None, String::new()),
    };
    Row {
        number,
        line: row.line,
        masked: masked(portal, &row.number),
        reference: row.reference.clone(),
        is_failed: matches!(row.came, Some(Came::Failed(_))),
        verdict,
        why,
    }
}

fn to(id: DeskBatchId) -> Answer {
    Answer::see_other(format!("/desk/batch/{id}"))
}

async fn set_columns(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("batch", DeskBatchId::parse)?;
    let app = chosen_app(&portal, &visit).await?.id;
    let set = move |work: &mut laini_office::Work<'_>, visit: &Visit| {
        batch::set_columns(work, visit.partner()?, id, draft::columns(visit)?, app).map(drop)
    };
    portal.work(&visit, set).await?;
    Ok(to(id))
}

async fn start(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("batch", DeskBatchId::parse)?;
    let start = move |work: &mut laini_office::Work<'_>, visit: &Visit| {
        let (purpose, reference) = (chosen_purpose(visit)?, visit.field("reference"));
        batch::start(work, visit.partner()?, id, purpose, reference, asked_from(visit)).map(drop)
    };
    portal.work(&visit, start).await?;
    Ok(to(id))
}

async fn stop(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("batch", DeskBatchId::parse)?;
    portal.work(&visit, move |work, visit| batch::stop(work, visit.partner()?, id).map(drop)).await?;
    Ok(to(id))
}

async fn ask_again(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("batch", DeskBatchId::parse)?;
    let again = move |work: &mut laini_office::Work<'_>, visit: &Visit| {
        batch::ask_failed_again(work, visit.partner()?, id, asked_from(visit)).map(drop)
    };
    portal.work(&visit, again).await?;
    Ok(to(id))
}

async fn export(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("batch", DeskBatchId::parse)?;
    let format = SheetFormat::parse(visit.query("format")).unwrap_or_default();
    let export = move |work: &mut laini_office::Work<'_>, visit: &Visit| {
        batch::export(work, visit.partner()?, id, WhichRows::parse(visit.query("show")), format)
    };
    let file = portal.work(&visit, export).await?;
    Ok(Answer::file(format.media_type(), format!("batch-{id}.{}", format.word()), file))
}
