use axum::http::{Method, StatusCode};
use laini_core::partner::{AppId, DeskBatchId, Purpose};
use laini_office::desk::batch::{self, AskedFrom, BatchState, WhichRows};
use laini_office::desk::reveal_row;
use laini_office::desk::sheet::{Columns, FILE_BYTES_MAX, Sheet, SheetFormat};
use laini_office::{PageRequest, Problem, Work};
use laini_wire::office::ReasonRequest;
use laini_wire::office::desk::{
    DeskBatchesAnswer, DeskNumberAnswer, DeskRowsAnswer, NewDeskBatch, NewDeskRow, StartDeskBatch,
};
use serde_json::json;

use super::{INVESTIGATES, words};
use crate::http::ApiError;
use crate::office::described::{asking, file, in_query, operation, paged, refusing, taking};
use crate::office::{Call, Endpoint, Reply};
use crate::openapi::{Answer, Operation, Parameter};

const ALL: &str = "/office/v1/partners/{partner}/desk/batches";
const ONE: &str = "/office/v1/partners/{partner}/desk/batches/{batch}";
const WORKBOOK: &[&str] = &[SheetFormat::Xlsx.media_type()];
const ROWS: &str = "/office/v1/partners/{partner}/desk/batches/{batch}/rows";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let list = operation("list_desk_batches", (Method::GET, ALL), "The batches of a desk", INVESTIGATES, listed());
    let show = operation("show_desk_batch", (Method::GET, ONE), "A batch", INVESTIGATES, one());
    let stop = "Stop a batch: what was not asked yet is not asked";
    let stop = operation(
        "stop_desk_batch",
        (Method::POST, "/office/v1/partners/{partner}/desk/batches/{batch}/stop"),
        stop,
        INVESTIGATES,
        one(),
    );
    let again = "Ask what came to no answer again, as new checks";
    let again = operation(
        "ask_desk_batch_again",
        (Method::POST, "/office/v1/partners/{partner}/desk/batches/{batch}/again"),
        again,
        INVESTIGATES,
        one(),
    );
    vec![
        Endpoint::new(paged(list), list_desk_batches),
        Endpoint { body_bytes: FILE_BYTES_MAX, ..Endpoint::new(add_operation(), add_desk_batch) },
        Endpoint::new(show, show_desk_batch),
        Endpoint::new(start_operation(), start_desk_batch),
        Endpoint::new(stop, stop_desk_batch),
        Endpoint::new(again, ask_desk_batch_again),
        Endpoint::new(rows_operation(), list_desk_rows),
        Endpoint::new(export_operation(), export_desk_batch),
        Endpoint::new(reveal_operation(), reveal_desk_row),
    ]
}

fn one() -> Answer {
    Answer::ok("The batch.", &["DeskBatchAnswer"], words::example_batch())
}

fn listed() -> Answer {
    let example = json!({"batches": [words::example_batch()], "next": null});
    Answer::ok("A page of them, the newest first.", &["DeskBatchesAnswer"], example)
}

fn add_operation() -> Operation {
    let made = Answer { status: StatusCode::CREATED, ..one() };
    let summary = "Bring numbers: nothing is asked, and the answer says what they would cost";
    let body = json!({"app": "0000000000000003", "rows": [{"number": "0722000001", "reference": "cheque 17"}]});
    let add = operation("add_desk_batch", (Method::POST, ALL), summary, INVESTIGATES, made);
    refusing(taking(add, "NewDeskBatch", body), ApiError::BodyTooLarge)
}

fn start_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/desk/batches/{batch}/start";
    let summary = "Start a draft: its numbers count for your day, and its rows are asked one after the other";
    let body = json!({"purpose": "cheque_confirmation", "reference": "cheques of Friday"});
    taking(operation("start_desk_batch", (Method::POST, path), summary, INVESTIGATES, one()), "StartDeskBatch", body)
}

fn which() -> Parameter {
    let words = json!({"type": "string", "enum": ["allow", "step_up", "hold", "failed"]});
    in_query("show", "Rows of this verdict, or without an answer; all of them if not said.", words)
}

fn rows_operation() -> Operation {
    let row = json!({
        "row": 0, "line": 2, "number": "2547•••••001", "reference": "cheque 17", "enrolled": "", "amount": "", "name": "",
        "state": "answered", "failed": null, "finding": words::example_finding(),
    });
    let answer = Answer::ok("A page of them.", &["DeskRowsAnswer"], json!({"rows": [row], "next": null}));
    let rows =
        operation("list_desk_rows", (Method::GET, ROWS), "The rows of a batch, numbers masked", INVESTIGATES, answer);
    let limit = json!({"type": "integer", "minimum": 1, "maximum": 500, "default": 50});
    let from = in_query("from", "The `next` of the page before.", json!({"type": "integer", "minimum": 0}));
    let rows = asking(rows, [which(), from, in_query("limit", "How many at most.", limit)]);
    refusing(rows, ApiError::InvalidField("limit", "expected 1 to 500".into()))
}

fn export_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/desk/batches/{batch}/export";
    let answer = file("The rows as a file, numbers masked.", "text/csv");
    let answer = Answer { files: WORKBOOK, ..answer };
    let words = json!({"type": "string", "enum": SheetFormat::ALL.map(SheetFormat::word), "default": "csv"});
    let export =
        operation("export_desk_batch", (Method::GET, path), "The rows of a batch as a file", INVESTIGATES, answer);
    let export = asking(export, [which(), in_query("format", "As text, or as a workbook.", words)]);
    refusing(export, ApiError::InvalidField("format", "expected csv or xlsx".into()))
}

fn reveal_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/desk/batches/{batch}/rows/{row}/reveal";
    let answer = Answer::ok("The number, shown once.", &["DeskNumberAnswer"], json!({"number": "254722000001"}));
    let answer = Answer { status: StatusCode::CREATED, ..answer };
    let reveal =
        operation("reveal_desk_row", (Method::POST, path), "Uncover the number of a row", INVESTIGATES, answer);
    taking(reveal, "ReasonRequest", json!({"reason": "calling the drawer"}))
}

fn named(call: &Call) -> Result<DeskBatchId, Problem> {
    call.id("batch", DeskBatchId::parse)
}

fn asked_from(call: &Call) -> Result<AskedFrom, Problem> {
    let address = call.address.parse().map_err(|_| Problem::Store("the caller's address is none".to_owned()))?;
    Ok(AskedFrom { address, certificate: call.certificate })
}

fn list_desk_batches(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let page = batch::batches(work, call.partner()?, call.page()?)?;
    let batches = page.items.iter().map(|batch| words::batch(work, batch, None)).collect();
    Reply::ok(&DeskBatchesAnswer { batches, next: page.next.map(|next| next.to_string()) })
}

fn add_desk_batch(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let wanted: NewDeskBatch = call.json()?;
    let app = AppId::parse(&wanted.app).map_err(|_| Problem::invalid("app", "expected the id of an app"))?;
    let cells = |row: NewDeskRow| vec![row.number, row.reference, row.enrolled, row.amount, row.name];
    let sheet = Sheet::of(wanted.rows.into_iter().map(cells))?;
    let (reference, enrolled, amount, name) = (Some(1), Some(2), Some(3), Some(4));
    let columns = Columns { number: 0, reference, enrolled, amount, name, has_header: false };
    let partner = call.partner()?;
    let draft = batch::add_draft(work, partner, app, &sheet, Some(columns))?;
    let quote = batch::draft(work, partner, draft.id)?.quote;
    Reply::created(&words::batch(work, &draft, Some(&quote)))
}

fn show_desk_batch(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let batch = batch::batch(work, call.partner()?, named(call)?)?;
    let quote = match batch.state {
        BatchState::Draft => Some(batch::draft(work, batch.partner, batch.id)?.quote),
        BatchState::Running | BatchState::Done | BatchState::Stopped(_) => None,
    };
    Reply::ok(&words::batch(work, &batch, quote.as_ref()))
}

fn start_desk_batch(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let StartDeskBatch { purpose, reference } = call.json()?;
    let purpose = Purpose::parse(&purpose).map_err(|error| Problem::invalid("purpose", error.to_string()))?;
    let started = batch::start(work, call.partner()?, named(call)?, purpose, &reference, asked_from(call)?)?;
    Reply::ok(&words::batch(work, &started, None))
}

fn stop_desk_batch(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let stopped = batch::stop(work, call.partner()?, named(call)?)?;
    Reply::ok(&words::batch(work, &stopped, None))
}

fn ask_desk_batch_again(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked = batch::ask_failed_again(work, call.partner()?, named(call)?, asked_from(call)?)?;
    Reply::ok(&words::batch(work, &asked, None))
}

fn list_desk_rows(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let batch = batch::batch(work, call.partner()?, named(call)?)?;
    let which = WhichRows::parse(call.query("show").unwrap_or_default());
    let expected = |_| Problem::invalid("from", "expected the next of the page before");
    let begin = call.query("from").map(str::parse).transpose().map_err(expected)?.unwrap_or(0);
    let (rows, next) = batch::rows(work, &batch, which, begin, call.limit()?.min(PageRequest::LIMIT_MAX))?;
    Reply::ok(&DeskRowsAnswer { rows: rows.into_iter().map(|row| words::row(work, row)).collect(), next })
}

fn export_desk_batch(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let id = named(call)?;
    let which = WhichRows::parse(call.query("show").unwrap_or_default());
    let format = call.query("format").map_or(Some(SheetFormat::Csv), SheetFormat::parse);
    let format = format.ok_or_else(|| Problem::invalid("format", "expected csv or xlsx"))?;
    let file = batch::export(work, call.partner()?, id, which, format)?;
    Ok(Reply::file(format.media_type(), format!("batch-{id}.{}", format.word()), file))
}

fn reveal_desk_row(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let ReasonRequest { reason } = call.json()?;
    let row = call.id("row", str::parse::<u32>)?;
    let number = reveal_row(work, call.partner()?, named(call)?, row, &reason)?;
    Reply::created_once(&DeskNumberAnswer { number: number.to_string() })
}
