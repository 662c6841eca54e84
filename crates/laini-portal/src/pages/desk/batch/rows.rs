use std::sync::Arc;

use askama::Template;
use laini_core::partner::DeskBatchId;
use laini_office::desk::batch::{self, Came};
use laini_office::{Problem, desk};

use super::super::INVESTIGATES;
use super::super::receipt::{Receipt, masked, names};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::Page;
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{DeskBatchWords, DeskHistoryWords, DeskWords};

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/desk/batch/{batch}/rows/{row}", INVESTIGATES, show),
        Page::post("/desk/batch/{batch}/rows/{row}/reveal", INVESTIGATES, reveal, show),
    ]
}

#[derive(Template)]
#[template(path = "desk/batch_row.html")]
struct RowPage {
    frame: Frame,
    words: &'static DeskWords,
    history: &'static DeskHistoryWords,
    batch: &'static DeskBatchWords,
    receipt: Option<Receipt>,
    reveal_at: String,
    back: DeskBatchId,
    /// Its number in the batch.
    row: u32,
    masked: String,
    amount: String,
    name: String,
    /// Why there is no answer, where there is none.
    failed: Option<String>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    row_page(&portal, &visit, None).await
}

fn named(visit: &Visit) -> Result<(DeskBatchId, u32), Problem> {
    Ok((visit.id("batch", DeskBatchId::parse)?, visit.id("row", str::parse::<u32>)?))
}

async fn row_page(portal: &Arc<Portal>, visit: &Arc<Visit>, number: Option<String>) -> Result<Answer, Problem> {
    let (id, wanted) = named(visit)?;
    let found = portal.work(visit, move |work, visit| {
        let (batch, row) = batch::row(work, visit.partner()?, id, wanted)?;
        let by = names(work, [batch.person])?.remove(&batch.person).unwrap_or_default();
        let reference = batch.reference(work);
        Ok((batch, row, by, reference))
    });
    let (batch, row, by, reference) = found.await?;
    let words = visit.language.words();
    let receipt = Receipt::of_row(portal, words, (&batch, &reference, by), &row);
    page(&RowPage {
        frame: visit.frame(portal, format!("{} {}", words.desk_batch.row_title, row.line)).about(batch.environment),
        words: &words.desk,
        history: &words.desk_history,
        batch: &words.desk_batch,
        receipt: receipt.map(|receipt| Receipt { number, ..receipt }),
        reveal_at: format!("/desk/batch/{id}/rows/{wanted}/reveal"),
        back: id,
        row: wanted,
        masked: masked(portal, &row.number),
        failed: match row.came {
            Some(Came::Failed(why)) => Some(why),
            _ => None,
        },
        amount: row.amount,
        name: row.name,
    })
}

/// Uncovers the number of a row on the page that answers, and nowhere else.
async fn reveal(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (id, row) = named(&visit)?;
    let reveal = move |work: &mut laini_office::Work<'_>, visit: &Visit| {
        desk::reveal_row(work, visit.partner()?, id, row, visit.field("reason")).map(|number| number.to_string())
    };
    let number = portal.work(&visit, reveal).await?;
    row_page(&portal, &visit, Some(number)).await
}
