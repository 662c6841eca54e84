use axum::http::Method;
use laini_core::partner::{CertificateId, May};
use laini_office::payments::{self, Certificate, CertificateState, NewCertificate};
use laini_office::{Problem, Work};
use laini_wire::office::payments::{CertificateAnswer, CertificatePage, RefuseCertificate, RegisterCertificate};
use serde_json::{Value, json};

use super::params::{MAY_ACT, MAY_READ, MAY_REGISTER, day, own_currency};
use crate::http::ApiError;
use crate::office::described::{operation, paged, refusing, taking};
use crate::office::{Call, Endpoint, Reply};
use crate::openapi::{Answer, Operation};

const CERTIFICATES: &str = "/office/v1/partners/{partner}/certificates";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(list_certificates_operation(), list_certificates),
        Endpoint::new(register_certificate_operation(), register_certificate),
        Endpoint::new(accept_certificate_operation(), accept_certificate),
        Endpoint::new(refuse_certificate_operation(), refuse_certificate),
    ]
}

fn example() -> Value {
    json!({
        "certificate": "0000000000000003", "partner": "0000000000000002", "number": "KRAWON1000001",
        "amount_minor": 5_000, "currency": "KES", "on": "2026-11-20", "invoice": 17, "state": "registered",
        "refused_because": null, "registered": "2026-11-22T09:00:00Z",
    })
}

fn answering(id: &'static str, path: (Method, &'static str), summary: &'static str, may: May) -> Operation {
    let operation =
        operation(id, path, summary, may, Answer::ok("The certificate.", &["CertificateAnswer"], example()));
    refusing(operation, ApiError::NotNow("the certificate is accepted already".to_owned()))
}

fn list_certificates_operation() -> Operation {
    let answer = json!({"items": [example()], "next": null});
    let answer = Answer::ok("The certificates, the newest first.", &["CertificatePage"], answer);
    let summary = "A partner's certificates of withheld tax";
    let operation = operation("list_certificates", (Method::GET, CERTIFICATES), summary, MAY_READ, answer);
    paged(operation)
}

fn register_certificate_operation() -> Operation {
    let summary = "Registers a certificate of withheld tax; what a member registers waits for the operator";
    let operation = answering("register_certificate", (Method::POST, CERTIFICATES), summary, MAY_REGISTER);
    let example = json!({
        "number": "KRAWON1000001", "amount_minor": 5_000, "currency": "KES", "on": "2026-11-20", "invoice": null,
    });
    let taken = ApiError::Taken("a certificate of this number is registered already".to_owned());
    refusing(taking(operation, "RegisterCertificate", example), taken)
}

fn accept_certificate_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/certificates/{certificate}/accept";
    answering("accept_certificate", (Method::POST, path), "Accepts a certificate: it settles like money", MAY_ACT)
}

fn refuse_certificate_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/certificates/{certificate}/refuse";
    let operation = answering("refuse_certificate", (Method::POST, path), "Refuses a certificate", MAY_ACT);
    taking(operation, "RefuseCertificate", json!({"reason": "it names another invoice"}))
}

fn list_certificates(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let page = payments::certificates(work, call.partner()?, call.page()?)?;
    let next = page.next.map(|next| next.to_string());
    Reply::ok(&CertificatePage { items: page.items.iter().map(told).collect(), next })
}

fn register_certificate(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let body: RegisterCertificate = call.json()?;
    own_currency(work, &body.currency)?;
    let (on, amount_minor) = (day("on", &body.on)?, body.amount_minor);
    let new = NewCertificate { number: body.number, amount_minor, on, invoice: body.invoice };
    Reply::ok(&told(&payments::register(work, call.partner()?, &new)?))
}

fn accept_certificate(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let id = call.id("certificate", CertificateId::parse)?;
    Reply::ok(&told(&payments::accept(work, call.partner()?, id)?))
}

fn refuse_certificate(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (id, body): (_, RefuseCertificate) = (call.id("certificate", CertificateId::parse)?, call.json()?);
    Reply::ok(&told(&payments::refuse(work, call.partner()?, id, &body.reason)?))
}

fn told(certificate: &Certificate) -> CertificateAnswer {
    let refused_because = match &certificate.state {
        CertificateState::Refused { reason } => Some(reason.clone()),
        CertificateState::Registered | CertificateState::Accepted => None,
    };
    CertificateAnswer {
        certificate: certificate.id.to_string(),
        partner: certificate.partner.to_string(),
        number: certificate.number.clone(),
        amount_minor: certificate.amount_minor,
        currency: certificate.currency.clone(),
        on: certificate.on.to_string(),
        invoice: certificate.invoice,
        state: certificate.state.word().to_owned(),
        refused_because,
        registered: certificate.registered.to_string(),
    }
}
