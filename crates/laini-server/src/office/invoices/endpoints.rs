//! What the document says of them, and who may.

use axum::http::{Method, StatusCode};
use laini_core::partner::{May, MemberRole, StaffRole};
use laini_wire::office::invoices::{
    CloseRequest, ClosedAnswer, ClosesAnswer, CreditNoteAnswer, CreditRequest, DisputeAnswer, DisputeRequest,
    DisputesAnswer, InvoiceAnswer, InvoicesAnswer, NextCloseAnswer, SettleRequest, TaxReceiptRequest,
    VerificationAnswer,
};
use serde_json::{Value, json};
use utoipa::PartialSchema as _;

use super::super::{Beside, Endpoint};
use crate::http::ApiError;
use crate::office::described::{asking, in_query, operation, paged, refusing, taking};
use crate::openapi::{Answer, Operation, Parameter, Schemas, collect};

/// Those of the operator who look at money, and those who act.
const LOOK: &[StaffRole] = &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor];
const ACT: &[StaffRole] = &[StaffRole::Admin, StaffRole::Finance];
const PAYERS: &[MemberRole] = &[MemberRole::Owner, MemberRole::Billing];

const STAFF_LOOK: May = May { members: &[], staff: LOOK };
const STAFF_ACT: May = May { members: &[], staff: ACT };
/// Both sides look.
pub(in crate::office) const BOTH_LOOK: May = May { members: PAYERS, staff: LOOK };
const BOTH_ACT: May = May { members: PAYERS, staff: ACT };

const ONE: &str = "/office/v1/partners/{partner}/invoices/{invoice}";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(list_invoices(), super::list_invoices),
        Endpoint::new(list_partner_invoices(), super::list_partner_invoices),
        Endpoint::new(show_invoice(), super::show_invoice),
        Endpoint::new(print_invoice(), super::print_invoice),
        Endpoint::new(print_invoice_pdf(), super::print_invoice_pdf),
        Endpoint::new(list_invoice_lines(), super::list_invoice_lines),
        Endpoint::new(export_invoice_tax(), super::export_invoice_tax),
        Endpoint::new(export_credit_note_tax(), super::export_credit_note_tax),
        Endpoint::new(keep_invoice_tax_receipt(), super::keep_invoice_tax_receipt),
        Endpoint::new(verify_invoice(), super::verify_invoice).long(),
        Endpoint::new(credit_invoice_lines(), super::credit_invoice_lines),
        Endpoint::new(dispute_invoice_line(), super::dispute_invoice_line),
        Endpoint::new(settle_invoice_dispute(), super::settle_invoice_dispute),
        Endpoint::new(list_disputes(), super::list_disputes),
        Endpoint::new(list_closes(), super::list_closes),
        Endpoint::new(show_next_close(), super::show_next_close),
        Endpoint::new(close_month(), super::close_month).beside(Beside::Close),
    ]
}

pub(super) fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<InvoicesAnswer>(&mut schemas);
    collect::<InvoiceAnswer>(&mut schemas);
    collect::<TaxReceiptRequest>(&mut schemas);
    collect::<VerificationAnswer>(&mut schemas);
    collect::<CreditRequest>(&mut schemas);
    collect::<CreditNoteAnswer>(&mut schemas);
    collect::<DisputeRequest>(&mut schemas);
    collect::<SettleRequest>(&mut schemas);
    collect::<DisputeAnswer>(&mut schemas);
    collect::<DisputesAnswer>(&mut schemas);
    collect::<ClosesAnswer>(&mut schemas);
    collect::<NextCloseAnswer>(&mut schemas);
    collect::<CloseRequest>(&mut schemas);
    collect::<ClosedAnswer>(&mut schemas);
    schemas.push(("InvoiceFile".to_owned(), String::schema()));
    schemas.push(("TaxExport".to_owned(), serde_json::Value::schema()));
    schemas
}

fn text(name: &'static str, description: &'static str) -> Parameter {
    in_query(name, description, json!({"type": "string"}))
}

fn invoices_example() -> Value {
    json!({"invoices": [{
        "number": 1, "month": "2026-11", "partner": "0000000000000002", "buyer": "A Bank", "issued": "2026-12-01T00:10:00Z",
        "due": "2026-12-31", "currency": "KES", "total_minor": 4_640, "credit_notes": 0,
    }], "next": null})
}

fn list_invoices() -> Operation {
    let answer = Answer::ok("A page of them.", &["InvoicesAnswer"], invoices_example());
    let operation = operation(
        "list_invoices",
        (Method::GET, "/office/v1/invoices"),
        "Every partner's invoices, newest first",
        STAFF_LOOK,
        answer,
    );
    paged(asking(operation, [text("month", "Only those of this month: 2026-11.")]))
}

fn list_partner_invoices() -> Operation {
    let answer = Answer::ok("A page of them.", &["InvoicesAnswer"], invoices_example());
    let path = "/office/v1/partners/{partner}/invoices";
    let summary = "The invoices of a partner, newest first";
    paged(operation("list_partner_invoices", (Method::GET, path), summary, BOTH_LOOK, answer))
}

fn show_invoice() -> Operation {
    let covered = json!({"end": "2026-11-30T21:00:00Z", "chains": [{"writer": 1, "seq": 17, "mac": "00"}]});
    let price = json!({
        "product": "imsi", "version": 1, "set_up_minor": 0, "free_units": 0, "free_per_month": false,
        "bands": [{"up_to": null, "unit_minor": 2_000}], "monthly_minimum_minor": 0, "is_minimum": false,
    });
    let line = json!({
        "line": 1, "kind": "units", "product": "imsi", "price_version": 1, "units": 2, "unit_minor": 2_000,
        "amount_minor": 4_000,
    });
    let statement = json!({
        "number": 1, "month": "2026-11", "issued": "2026-12-01T00:10:00Z", "due": "2026-12-31",
        "seller": {"name": "The operator", "tax_number": ""},
        "buyer": {"partner": "0000000000000002", "name": "A Bank", "tax_number": "", "address": []},
        "currency": "KES", "covered_before": null, "covered": covered, "prices": [price], "carried_in": [],
        "carried_out": [{"product": "imsi", "units_before": 0, "units": 2, "is_set_up": true}], "lines": [line],
        "subtotal_minor": 4_000, "tax_basis_points": 1_600, "tax_minor": 640, "total_minor": 4_640,
    });
    let example = json!({"statement": statement, "tax_receipt": null, "credit_notes": [], "disputes": []});
    operation(
        "show_invoice",
        (Method::GET, ONE),
        "An invoice with everything that it is computed from, and what came of it",
        BOTH_LOOK,
        Answer::ok("The invoice.", &["InvoiceAnswer"], example),
    )
}

fn file(media_type: &'static str, example: &str) -> Answer {
    Answer { media_type, ..Answer::ok("The file.", &["InvoiceFile"], json!(example)) }
}

fn print_invoice() -> Operation {
    let path = "/office/v1/partners/{partner}/invoices/{invoice}/paper";
    let answer = file("text/html;charset=UTF-8", "<!doctype html>");
    operation("print_invoice", (Method::GET, path), "The invoice as a paper", BOTH_LOOK, answer)
}

fn print_invoice_pdf() -> Operation {
    let path = "/office/v1/partners/{partner}/invoices/{invoice}/pdf";
    let answer = file("application/pdf", "%PDF-1.7");
    operation("print_invoice_pdf", (Method::GET, path), "The invoice as PDF", BOTH_LOOK, answer)
}

fn list_invoice_lines() -> Operation {
    let path = "/office/v1/partners/{partner}/invoices/{invoice}/lines";
    let answer = file("text/csv;charset=UTF-8", "invoice,month,line\r\n");
    operation("list_invoice_lines", (Method::GET, path), "The lines of an invoice as CSV", BOTH_LOOK, answer)
}

fn export_invoice_tax() -> Operation {
    let path = "/office/v1/partners/{partner}/invoices/{invoice}/etims";
    let answer = Answer::ok("The sale.", &["TaxExport"], json!({"invcNo": 1, "totAmt": 46.4, "itemList": []}));
    let summary = "The invoice in the structure in which the tax authority's eTIMS takes sales";
    let operation = operation("export_invoice_tax", (Method::GET, path), summary, BOTH_LOOK, answer);
    refusing(operation, ApiError::NotNow("eTIMS takes sales in KES alone".to_owned()))
}

fn export_credit_note_tax() -> Operation {
    let path = "/office/v1/partners/{partner}/credit-notes/{credit_note}/etims";
    let example = json!({"invcNo": 1_000_000_001, "orgInvcNo": 1, "rcptTyCd": "R", "totAmt": 23.2, "itemList": []});
    let answer = Answer::ok("The credit note.", &["TaxExport"], example);
    let summary = "A credit note in the structure in which the tax authority's eTIMS takes sales";
    let operation = operation("export_credit_note_tax", (Method::GET, path), summary, STAFF_LOOK, answer);
    refusing(operation, ApiError::NotNow("eTIMS takes sales in KES alone".to_owned()))
}

fn keep_invoice_tax_receipt() -> Operation {
    let path = "/office/v1/partners/{partner}/invoices/{invoice}/tax-receipt";
    let example = json!({"number": "KRA0001/7", "qr": "https://etims.example/1"});
    let operation = operation(
        "keep_invoice_tax_receipt",
        (Method::POST, path),
        "Keeps what the tax authority returned for an invoice, once",
        STAFF_ACT,
        Answer::no_content("It is kept."),
    );
    taking(operation, "TaxReceiptRequest", example)
}

fn verify_invoice() -> Operation {
    let path = "/office/v1/partners/{partner}/invoices/{invoice}/verification";
    let example = json!({"number": 1, "units": 2, "total_minor": 4_640, "chain_heads": 1, "differences": []});
    let answer = Answer::ok("What came of it.", &["VerificationAnswer"], example);
    let summary = "Computes an invoice again from the ledger, and looks for its chain heads there";
    operation("verify_invoice", (Method::GET, path), summary, BOTH_LOOK, answer)
}

fn credit_invoice_lines() -> Operation {
    let path = "/office/v1/partners/{partner}/invoices/{invoice}/credits";
    let lines = json!([{"line": 1, "amount_minor": 2_000}]);
    let answer = json!({
        "number": 1, "invoice": 1, "issued": "2026-12-02T09:00:00Z", "currency": "KES", "lines": lines,
        "reason": "goodwill", "tax_minor": 320, "total_minor": 2_320,
    });
    let made = Answer { status: StatusCode::CREATED, ..Answer::ok("The credit note.", &["CreditNoteAnswer"], answer) };
    let operation = operation(
        "credit_invoice_lines",
        (Method::POST, path),
        "Gives something of an invoice back, with its tax",
        STAFF_ACT,
        made,
    );
    taking(operation, "CreditRequest", json!({"lines": lines, "reason": "goodwill"}))
}

fn dispute_example(state: &str) -> Value {
    json!({
        "dispute": "0000000000000003", "partner": "0000000000000002", "invoice": 1, "line": 1, "state": state,
        "reason": "we count fewer", "answer": "", "opened": "2026-12-02T09:00:00Z", "credit_note": null,
    })
}

fn dispute_invoice_line() -> Operation {
    let path = "/office/v1/partners/{partner}/invoices/{invoice}/disputes";
    let answer = Answer::ok("The dispute.", &["DisputeAnswer"], dispute_example("open"));
    let operation = operation(
        "dispute_invoice_line",
        (Method::POST, path),
        "Disputes a line, within 60 days after the invoice was made",
        BOTH_ACT,
        Answer { status: StatusCode::CREATED, ..answer },
    );
    taking(operation, "DisputeRequest", json!({"line": 1, "reason": "we count fewer"}))
}

fn settle_invoice_dispute() -> Operation {
    let path = "/office/v1/partners/{partner}/disputes/{dispute}";
    let answer = Answer::ok("The dispute.", &["DisputeAnswer"], dispute_example("rejected"));
    let example = json!({"accept_minor": null, "answer": "the rows are attached"});
    let operation = operation(
        "settle_invoice_dispute",
        (Method::POST, path),
        "Settles a dispute, with a credit note or without",
        STAFF_ACT,
        answer,
    );
    taking(operation, "SettleRequest", example)
}

fn list_disputes() -> Operation {
    let example = json!({"disputes": [dispute_example("open")], "next": null});
    let answer = Answer::ok("A page of them.", &["DisputesAnswer"], example);
    let summary = "Disputes in a state, oldest first";
    let operation = operation("list_disputes", (Method::GET, "/office/v1/disputes"), summary, STAFF_LOOK, answer);
    paged(asking(operation, [text("state", "open (the default), accepted or rejected.")]))
}

fn list_closes() -> Operation {
    let close = json!({"month": "2026-11", "frozen": "2026-12-01T00:10:00Z", "is_done": true});
    let answer = Answer::ok("A page of them.", &["ClosesAnswer"], json!({"closes": [close], "next": null}));
    let summary = "The months that are closed, newest first";
    paged(operation("list_closes", (Method::GET, "/office/v1/closes"), summary, STAFF_LOOK, answer))
}

fn show_next_close() -> Operation {
    let example = json!({
        "month": "2026-11", "ends": "2026-11-30T21:00:00Z", "begun": null, "invoices_made": 0, "is_over": false,
        "writers_behind": [],
    });
    let answer = Answer::ok("The month.", &["NextCloseAnswer"], example);
    let summary = "The month that is closed next, and what that waits for; 404 where there is no check yet";
    operation("show_next_close", (Method::GET, "/office/v1/closes/next"), summary, STAFF_LOOK, answer)
}

fn close_month() -> Operation {
    let example = json!({"month": "2026-11", "invoices_made": 20, "was_closed": false});
    let summary = "Closes a month that every writer has passed, and makes its invoices; again does no harm";
    let answer = Answer::ok("It is closed.", &["ClosedAnswer"], example);
    let operation = operation("close_month", (Method::POST, "/office/v1/closes"), summary, STAFF_ACT, answer);
    let operation = taking(operation, "CloseRequest", json!({"month": "2026-11", "first": false}));
    refusing(operation, ApiError::SpikeArrest { retry_after_s: 30 })
}
