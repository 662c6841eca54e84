use std::sync::Arc;

use askama::Template;
use laini_core::billing::{CheckId, Line};
use laini_core::partner::PartnerId;
use laini_office::billing::{NamedRow, Names, has_rows_at_hand, invoice_of, line_rows};
use laini_office::jobs::Figures;
use laini_office::{Problem, Work};

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
use crate::working::Working;

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
    /// How far it is, where the rows are still to be found.
    working: Option<Working>,
    rows: Vec<NamedRow>,
    next: Option<String>,
}

/// What is read of a line.
struct Read {
    of: Line,
    /// Its rows; `None` = where they begin and end is still to be worked out.
    found: Option<(Vec<NamedRow>, Option<CheckId>)>,
    partner: (PartnerId, String),
}

/// Reads a line and its rows, which are at hand once where its lines part is worked out.
fn read(
    work: &mut Work<'_>,
    visit: &Visit,
    (line, after): (u32, Option<CheckId>),
    is_worked_out: bool,
) -> Result<Read, Problem> {
    let invoice = invoice_of(work, visit.partner()?, number(visit)?)?;
    let of = invoice.statement.lines.iter().find(|known| known.line == line).ok_or(Problem::NotFound("line"))?;
    let is_at_hand = is_worked_out || has_rows_at_hand(work, &invoice, line)?;
    let page = is_at_hand.then(|| line_rows(work, &invoice, line, after, ROWS)).transpose()?;
    let names = Names::of(work.book()?);
    let found = page.map(|page| (page.rows.iter().map(|placed| names.row(placed)).collect(), page.next));
    Ok(Read { of: of.clone(), found, partner: named(work, visit)? })
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().invoices;
    let line = visit.id("line", str::parse::<u32>)?;
    let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(CheckId::parse_request_ref);
    let after = after.transpose().map_err(|_| Problem::invalid("after", "expected the next of the page before"))?;
    let (number, mut working) = (number(&visit)?, None);
    let mut found = portal.work(&visit, move |work, visit| read(work, visit, (line, after), false)).await?;
    if found.found.is_none() {
        let job = portal.figures(&visit, visit.partner()?, Figures::Split(number)).await?;
        if portal.came_to(&job)?.is_some() {
            found = portal.work(&visit, move |work, visit| read(work, visit, (line, after), true)).await?;
        } else {
            working = Some(Working::of(&job, &portal, &visit, visit.language.words().working.splitting));
        }
    }
    let (rows, next) = found.found.unwrap_or_default();
    page(&RowsPage {
        frame: visit.frame(&portal, words.rows),
        words,
        base: base(&visit),
        head: Head::new(&visit, found.partner, "invoices"),
        number,
        line,
        what: described(&found.of, words),
        working,
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
