use std::sync::Arc;

use askama::Template;
use laini_core::billing::CheckId;
use laini_office::Problem;
use laini_office::billing::{NamedRow, Names, invoice_of, line_rows};

use super::invoice::{described, number};
use super::{BOTH, OWN, base};
use crate::answer::Answer;
use crate::figures::amount;
use crate::frame::Frame;
use crate::page::Page;
use crate::pages::partner::{Head, named};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::InvoicesWords;

/// Rows on a page.
const ROWS: usize = 50;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/invoices/{invoice}/lines/{line}", OWN, show),
        Page::get("/partners/{partner}/invoices/{invoice}/lines/{line}", BOTH, show),
    ]
}

#[derive(Template)]
#[template(path = "billing/rows.html")]
struct RowsPage {
    frame: Frame,
    words: &'static InvoicesWords,
    base: String,
    head: Head,
    number: u64,
    line: u32,
    what: String,
    rows: Vec<NamedRow>,
    next: Option<String>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().invoices;
    let line = visit.id("line", str::parse::<u32>)?;
    let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(CheckId::parse_request_ref);
    let after = after.transpose().map_err(|_| Problem::invalid("after", "expected the next of the page before"))?;
    let found = portal.work(&visit, move |work, visit| {
        let invoice = invoice_of(work, visit.partner()?, number(visit)?)?;
        let of = invoice.statement.lines.iter().find(|known| known.line == line).ok_or(Problem::NotFound("line"))?;
        let rows = line_rows(work, &invoice, line, after, ROWS)?;
        let names = Names::of(work.book()?);
        let rows_named: Vec<NamedRow> = rows.rows.iter().map(|placed| names.row(placed)).collect();
        Ok((of.clone(), rows_named, rows.next, named(work, visit)?))
    });
    let (of, rows, next, partner) = found.await?;
    page(&RowsPage {
        frame: visit.frame(&portal, words.rows),
        words,
        base: base(&visit),
        head: Head::new(&visit, partner, "invoices"),
        number: number(&visit)?,
        line,
        what: described(&of, words),
        rows,
        next: next.map(CheckId::request_ref),
    })
}

impl RowsPage {
    /// What a row costs, as people read it.
    #[expect(clippy::unused_self, reason = "templates call what belongs to them")]
    fn charge(&self, row: &NamedRow) -> String {
        amount(row.charge_minor, &row.currency)
    }
}
