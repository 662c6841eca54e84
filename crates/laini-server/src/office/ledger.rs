//! The rows of the ledger that partners pay for: their export, and those that a line of an invoice bills.

use axum::body::Body;
use axum::http::Method;
use futures_util::stream::{Stream, try_unfold};
use jiff::civil::Date;
use laini_core::billing::CheckId;
use laini_office::billing::{LedgerExport, NamedRow, Names, line_rows};
use laini_office::{Problem, Work};
use laini_wire::office::ledger::{LedgerRowAnswer, LineRowsAnswer};
use serde_json::json;
use utoipa::PartialSchema as _;

use super::described::{asking, in_query, operation, paged, refusing};
use super::invoices::{BOTH_LOOK, invoice};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "ledger",
    description: "The rows of the ledger that partners pay for.",
    endpoints: || {
        vec![
            Endpoint::new(export_ledger_operation(), export_ledger),
            Endpoint::new(list_line_rows_operation(), list_line_rows).long(),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = vec![("LedgerFile".to_owned(), String::schema())];
    collect::<LineRowsAnswer>(&mut schemas);
    schemas
}

fn export_ledger_operation() -> Operation {
    let example = json!("requestRefID,at,partner,app,product\n");
    let answer = Answer {
        media_type: "text/csv;charset=UTF-8",
        ..Answer::ok("The rows, oldest first, as `laini ledger export` writes them.", &["LedgerFile"], example)
    };
    let path = "/office/v1/partners/{partner}/ledger";
    let summary = "Every row of a partner's checks: what its invoices are computed again from";
    let operation = operation("export_ledger", (Method::GET, path), summary, BOTH_LOOK, answer);
    let day = || json!({"type": "string", "format": "date"});
    let from = "Only what was decided on this day or later, in the operator's zone.";
    let days = [in_query("from", from, day()), in_query("until", "Only what was decided before this day.", day())];
    refusing(asking(operation, days), ApiError::InvalidField("from", "expected a day such as 2026-11-22".into()))
}

fn export_ledger(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, from, until) = (call.partner()?, day(call, "from")?, day(call, "until")?);
    let export = LedgerExport::new(work, partner, from, until)?;
    let body = Body::from_stream(chunks(export));
    Ok(Reply::streamed("text/csv;charset=UTF-8", format!("ledger-{partner}.csv"), body))
}

fn day(call: &Call, name: &'static str) -> Result<Option<Date>, Problem> {
    let read = |text: &str| text.parse().map_err(|_| Problem::invalid(name, "expected a day such as 2026-11-22"));
    call.query(name).map(read).transpose()
}

fn list_line_rows_operation() -> Operation {
    let row = json!({
        "request_ref_id": "971f-4359-b611-6845a1be45ef280786", "at": "2026-11-22T09:00:00Z", "app": "An app",
        "product": "imsi", "environment": "production", "outcome": "answered", "charge_minor": 2_000,
        "currency": "KES", "list_price_minor": 2_000, "price_version": 1, "purpose": "fraud_prevention",
        "as_of": "2026-11-22T08:59:00Z", "policy_version": 1, "reverses": null, "writer": 1, "seq": 17,
    });
    let answer = Answer::ok("A page of them.", &["LineRowsAnswer"], json!({"rows": [row], "next": null}));
    let path = "/office/v1/partners/{partner}/invoices/{invoice}/lines/{line}/rows";
    let summary = "The rows that a line of an invoice bills: as many as it has units";
    paged(operation("list_line_rows", (Method::GET, path), summary, BOTH_LOOK, answer))
}

fn list_line_rows(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let found = invoice(work, call)?;
    let line = call.id("line", str::parse)?;
    let after = call.query("after").map(CheckId::parse_request_ref).transpose();
    let after = after.map_err(|_| Problem::invalid("after", "expected the next of the page before"))?;
    let page = line_rows(work, &found, line, after, call.limit()?)?;
    let names = Names::of(work.book()?);
    let rows = page.rows.iter().map(|placed| row_answer(names.row(placed))).collect();
    Reply::ok(&LineRowsAnswer { rows, next: page.next.map(CheckId::request_ref) })
}

fn row_answer(row: NamedRow) -> LedgerRowAnswer {
    let told = |text: String| Some(text).filter(|text| !text.is_empty());
    LedgerRowAnswer {
        request_ref_id: row.request_ref_id,
        at: row.at,
        app: row.app,
        product: row.product.to_owned(),
        environment: row.environment.to_owned(),
        outcome: row.outcome.to_owned(),
        charge_minor: row.charge_minor,
        currency: row.currency,
        list_price_minor: row.list_price_minor,
        price_version: row.price_version,
        purpose: row.purpose.to_owned(),
        as_of: told(row.as_of),
        policy_version: row.policy_version,
        reverses: told(row.reverses),
        writer: row.writer,
        seq: row.seq,
    }
}

/// The export, a page of the ledger at a time, each once the one before was taken. Where the ledger fails the answer
/// breaks off, which whoever downloads sees.
fn chunks(export: LedgerExport) -> impl Stream<Item = Result<Vec<u8>, std::io::Error>> {
    try_unfold(export, |mut export| async move {
        let chunk = export.next_chunk().await.map_err(|error| {
            tracing::error!(%error, "an export of the ledger broke off");
            std::io::Error::other(error.to_string())
        })?;
        Ok(chunk.map(|chunk| (chunk, export)))
    })
}
