use std::sync::Arc;

use axum::body::Body;
use futures_util::stream::{Stream, try_unfold};
use laini_office::billing::{LedgerExport, invoice_of, lines_csv, paper, tax_export};
use laini_office::{Problem, payments};

use super::invoice::number;
use super::{BOTH, OWN, day};
use crate::answer::Answer;
use crate::page::Page;
use crate::portal::Portal;
use crate::visit::Visit;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/invoices/{invoice}/files/{form}", OWN, download),
        Page::get("/partners/{partner}/invoices/{invoice}/files/{form}", BOTH, download),
        Page::get("/billing/ledger.csv", OWN, export),
        Page::get("/partners/{partner}/billing/ledger.csv", BOTH, export),
        Page::get("/billing/account/{form}", OWN, statement),
        Page::get("/partners/{partner}/billing/account/{form}", BOTH, statement),
    ]
}

const CSV: &str = "text/csv; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

/// An invoice in one of its forms.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let made = portal.work(&visit, |work, visit| {
        let invoice = invoice_of(work, visit.partner()?, number(visit)?)?;
        let name = |end: &str| format!("invoice-{}{end}", invoice.statement.number);
        let failed = |error: serde_json::Error| Problem::Store(error.to_string());
        Ok(match visit.param("form").unwrap_or_default() {
            "pdf" => ("application/pdf", name(".pdf"), paper(&invoice).pdf()),
            "html" => ("text/html; charset=utf-8", name(".html"), paper(&invoice).html().into_bytes()),
            "csv" => (CSV, name(".csv"), lines_csv(&invoice).into_bytes()),
            "json" => (JSON, name(".json"), invoice.json()?),
            "etims" => {
                let told = tax_export(&invoice, &work.office.settings.zone)?;
                (JSON, name("-etims.json"), serde_json::to_vec(&told).map_err(failed)?)
            }
            _ => return Err(Problem::NotFound("form")),
        })
    });
    let (media_type, name, bytes) = made.await?;
    Ok(Answer::file(media_type, name, bytes))
}

/// The rows of the ledger, a page of them at a time.
async fn export(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let export = portal.work(&visit, |work, visit| {
        LedgerExport::new(work, visit.partner()?, day(visit, "from")?, day(visit, "until")?)
    });
    let body = Body::from_stream(chunks(export.await?));
    Ok(Answer::file(CSV, format!("ledger-{}.csv", visit.partner()?), body))
}

/// Where the ledger fails the answer breaks off, which whoever downloads sees.
fn chunks(export: LedgerExport) -> impl Stream<Item = Result<Vec<u8>, std::io::Error>> {
    try_unfold(export, |mut export| async move {
        let chunk = export.next_chunk().await.map_err(|error| {
            tracing::error!(%error, "an export of the ledger broke off");
            std::io::Error::other(error.to_string())
        })?;
        Ok(chunk.map(|chunk| (chunk, export)))
    })
}

/// The statement of account in one of its forms.
async fn statement(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let made = portal.work(&visit, |work, visit| {
        let partner = payments::known_partner(work, visit.partner()?)?;
        let (from, until) = super::account::days(work, visit)?;
        let statement = payments::statement_between(work, partner.id, from, until)?;
        let operator = &work.office.settings.operator;
        Ok(match visit.param("form").unwrap_or_default() {
            "statement.pdf" => ("application/pdf", payments::statement_paper(operator, &partner, &statement).pdf()),
            "statement.csv" => (CSV, payments::statement_csv(&statement).into_bytes()),
            _ => return Err(Problem::NotFound("form")),
        })
    });
    let (media_type, bytes) = made.await?;
    let name = visit.param("form").unwrap_or_default().to_owned();
    Ok(Answer::file(media_type, name, bytes))
}
