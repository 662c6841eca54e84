use axum::http::Method;
use laini_wire::office::payments::{
    CertificateAnswer, CertificatePage, ImportAnswer, MatchPayment, PaymentAnswer, PaymentDetail, PaymentPage,
    PaymentReferences, RecordPayment, RefuseCertificate, RegisterCertificate, ReversePayment,
};
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::params::{MAY_ACT, MAY_READ, MAY_READ_ALL};
use crate::http::ApiError;
use crate::office::described::{asking, in_query, operation, paged, refusing, taking};
use crate::openapi::{Answer, Body, Operation, Schemas, collect};

const PAYMENTS: &str = "/office/v1/payments";
const REFERENCES: &str = "/office/v1/partners/{partner}/payment-references";
/// What a bank's table looks like.
const TABLE: &str = "date,amount,reference,description,id\n2026-11-22,1160.00,INV-17,Bank A,FT1\n";

pub(super) fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<PaymentAnswer>(&mut schemas);
    collect::<PaymentPage>(&mut schemas);
    collect::<PaymentDetail>(&mut schemas);
    collect::<RecordPayment>(&mut schemas);
    collect::<MatchPayment>(&mut schemas);
    collect::<ReversePayment>(&mut schemas);
    collect::<ImportAnswer>(&mut schemas);
    collect::<PaymentReferences>(&mut schemas);
    collect::<CertificateAnswer>(&mut schemas);
    collect::<CertificatePage>(&mut schemas);
    collect::<RegisterCertificate>(&mut schemas);
    collect::<RefuseCertificate>(&mut schemas);
    let statement =
        ObjectBuilder::new().schema_type(Type::String).description(Some("A statement, as the bank gave it."));
    schemas.push(("BankStatement".to_owned(), statement.build().into()));
    schemas
}

fn payment() -> Value {
    json!({
        "payment": "0000000000000001", "source": "mpesa", "bank_id": "SKM7A1B2C3", "on": "2026-11-22",
        "amount_minor": 116_000, "currency": "KES", "reference": "", "account": "BANKA", "details": "",
        "partner": "0000000000000002", "invoice": null, "matched_by": "reference", "prepaid_minor": 0,
        "reversed_on": null, "reversed_because": null, "recorded": "2026-11-23T06:00:00Z",
    })
}

fn one(description: &'static str) -> Answer {
    Answer::ok(description, &["PaymentAnswer"], payment())
}

fn many() -> Answer {
    Answer::ok("The payments, the newest first.", &["PaymentPage"], json!({"items": [payment()], "next": null}))
}

pub(super) fn list_payments() -> Operation {
    let unmatched =
        in_query("unmatched", "Only those of which nobody knows whose they are.", json!({"type": "boolean"}));
    let operation =
        operation("list_payments", (Method::GET, PAYMENTS), "Payments of all partners", MAY_READ_ALL, many());
    paged(asking(operation, [unmatched]))
}

pub(super) fn record_payment() -> Operation {
    let example = json!({
        "partner": "0000000000000002", "on": "2026-11-22", "amount_minor": 116_000, "currency": "KES",
        "reference": "INV-17", "bank_id": "FT1", "invoice": null,
    });
    let operation = operation(
        "record_payment",
        (Method::POST, PAYMENTS),
        "Records a payment by hand; a bank id is taken once",
        MAY_ACT,
        one("As it was recorded."),
    );
    let taken = ApiError::Taken("a payment of this bank id was recorded already".to_owned());
    refusing(taking(operation, "RecordPayment", example), taken)
}

pub(super) fn import_payments() -> Operation {
    let answer = json!({"added": 1, "matched": 1, "known": 0, "passed_over": 2, "bad": 0, "problems": []});
    let operation = operation(
        "import_payments",
        (Method::POST, "/office/v1/payments/import"),
        "Records the payments of a statement: csv, camt053 or mpesa; the same one twice adds nothing",
        MAY_ACT,
        Answer::ok("What became of it.", &["ImportAnswer"], answer),
    );
    let formats = json!({"type": "string", "enum": ["csv", "camt053", "mpesa"]});
    let format = in_query("format", "What the statement is; without it, its beginning tells.", formats);
    let body =
        Body { media_type: "application/octet-stream", schema: "BankStatement", example: json!(TABLE), required: true };
    let operation =
        refusing(asking(operation, [format]), ApiError::InvalidField("statement", "what is wrong with it".into()));
    let operation = refusing(refusing(operation, ApiError::BodyTooSlow), ApiError::BodyTooLarge);
    Operation { body: Some(body), ..operation }
}

pub(super) fn show_payment() -> Operation {
    let suggestion =
        json!({"partner": "0000000000000002", "invoice": 17, "why": "exactly so much is open of this invoice"});
    let detail = json!({"payment": payment(), "suggestions": [suggestion]});
    operation(
        "show_payment",
        (Method::GET, "/office/v1/payments/{payment}"),
        "A payment, and whose it may be where nobody knows",
        MAY_READ_ALL,
        Answer::ok("The payment.", &["PaymentDetail"], detail),
    )
}

pub(super) fn match_payment() -> Operation {
    let operation = operation(
        "match_payment",
        (Method::POST, "/office/v1/payments/{payment}/match"),
        "Says whose a payment is, and which invoice it is meant for",
        MAY_ACT,
        one("As it is now."),
    );
    let reversed = ApiError::NotNow("the payment was reversed; it settles nothing any more".to_owned());
    let example = json!({"partner": "0000000000000002", "invoice": 17});
    refusing(taking(operation, "MatchPayment", example), reversed)
}

pub(super) fn reverse_payment() -> Operation {
    let operation = operation(
        "reverse_payment",
        (Method::POST, "/office/v1/payments/{payment}/reverse"),
        "Takes a payment back that bounced or was recorded by mistake",
        MAY_ACT,
        one("As it is now."),
    );
    let reversed = ApiError::NotNow("the payment was reversed already".to_owned());
    let example = json!({"reason": "the cheque bounced", "on": null});
    refusing(taking(operation, "ReversePayment", example), reversed)
}

pub(super) fn list_partner_payments() -> Operation {
    let path = "/office/v1/partners/{partner}/payments";
    let operation = operation("list_partner_payments", (Method::GET, path), "A partner's payments", MAY_READ, many());
    paged(operation)
}

fn references(id: &'static str, method: Method, summary: &'static str, may: laini_core::partner::May) -> Operation {
    let example = json!({"references": ["BANKA"]});
    let answer = Answer::ok("What the partner writes when it pays.", &["PaymentReferences"], example);
    operation(id, (method, REFERENCES), summary, may, answer)
}

pub(super) fn show_payment_references() -> Operation {
    let summary = "What a partner writes when it pays: a reference, an account number at the paybill";
    references("show_payment_references", Method::GET, summary, MAY_READ)
}

pub(super) fn set_payment_references() -> Operation {
    let summary = "Sets what a partner writes when it pays";
    let operation = references("set_payment_references", Method::PUT, summary, MAY_ACT);
    let taken = ApiError::Taken("another partner pays under BANKA".to_owned());
    let example = json!({"references": ["BANKA"]});
    refusing(taking(operation, "PaymentReferences", example), taken)
}
