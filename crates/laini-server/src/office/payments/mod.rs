//! Payments over HTTP.
//!
//! Owns how payments are told of, imported, matched and reversed, and what partners write when they pay. Must never
//! decide what a payment settles.

mod certificates;
mod operations;
pub(super) mod params;

use laini_core::partner::{PartnerId, PaymentId};
use laini_office::payments::statement::{Format, STATEMENT_BYTES_MAX};
use laini_office::payments::{self, NewPayment, Payment};
use laini_office::{Page, Problem, Work};
use laini_wire::office::payments::{
    ImportAnswer, LineProblemAnswer, MatchPayment, PaymentAnswer, PaymentDetail, PaymentPage, PaymentReferences,
    PaymentSuggestion, RecordPayment, ReversePayment,
};

use super::{Call, Endpoint, Noun, Reply};
use params::{day, own_currency};

pub(super) const NOUN: Noun = Noun {
    tag: "payments",
    description: "Money that comes in, and certificates of withheld tax.",
    endpoints,
    schemas: operations::schemas,
};

fn endpoints() -> Vec<Endpoint> {
    let import = Endpoint::new(operations::import_payments(), import_payments);
    let body_bytes = usize::try_from(STATEMENT_BYTES_MAX).unwrap_or(usize::MAX);
    let mut endpoints = vec![
        Endpoint::new(operations::list_payments(), list_payments),
        Endpoint::new(operations::record_payment(), record_payment),
        Endpoint { body_bytes, ..import },
        Endpoint::new(operations::show_payment(), show_payment),
        Endpoint::new(operations::match_payment(), match_payment),
        Endpoint::new(operations::reverse_payment(), reverse_payment),
        Endpoint::new(operations::list_partner_payments(), list_partner_payments),
        Endpoint::new(operations::show_payment_references(), show_payment_references),
        Endpoint::new(operations::set_payment_references(), set_payment_references),
    ];
    endpoints.extend(certificates::endpoints());
    endpoints
}

fn list_payments(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let unmatched = match call.query("unmatched") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::invalid("unmatched", "expected true or false")),
    };
    Reply::ok(&told_page(&payments::list(work, unmatched, call.page()?)?))
}

fn record_payment(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let body: RecordPayment = call.json()?;
    own_currency(work, &body.currency)?;
    let new = NewPayment {
        partner: partner_of(&body.partner)?,
        on: day("on", &body.on)?,
        amount_minor: body.amount_minor,
        reference: body.reference,
        bank_id: body.bank_id,
        invoice: body.invoice,
    };
    Reply::ok(&told(&payments::record(work, new)?))
}

fn import_payments(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let format = match call.query("format") {
        Some(word) => Format::parse(word).map_err(|error| Problem::invalid("format", error.to_string()))?,
        None => Format::told_by(call.bytes()),
    };
    let imported = payments::import(work, format, call.bytes())?;
    let problem = |problem: payments::statement::LineProblem| LineProblemAnswer {
        place: problem.place,
        reason: problem.reason.into_owned(),
    };
    Reply::ok(&ImportAnswer {
        added: imported.added,
        matched: imported.matched,
        known: imported.known,
        passed_over: imported.passed_over,
        bad: imported.bad,
        problems: imported.problems.into_iter().map(problem).collect(),
    })
}

fn show_payment(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let payment: Payment = work.get(call.id("payment", PaymentId::parse)?)?;
    let suggestions = payments::suggestions(work, &payment)?.into_iter().map(|one| PaymentSuggestion {
        partner: one.partner.to_string(),
        invoice: one.invoice,
        why: one.why.to_owned(),
    });
    Reply::ok(&PaymentDetail { suggestions: suggestions.collect(), payment: told(&payment) })
}

fn match_payment(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (id, body): (_, MatchPayment) = (call.id("payment", PaymentId::parse)?, call.json()?);
    Reply::ok(&told(&payments::match_with(work, id, partner_of(&body.partner)?, body.invoice)?))
}

fn reverse_payment(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (id, body): (_, ReversePayment) = (call.id("payment", PaymentId::parse)?, call.json()?);
    let on = body.on.as_deref().map(|text| day("on", text)).transpose()?;
    Reply::ok(&told(&payments::reverse(work, id, on, &body.reason)?))
}

fn list_partner_payments(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    Reply::ok(&told_page(&payments::of_partner(work, call.partner()?, call.page()?)?))
}

fn show_payment_references(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let payer = payments::references(work, call.partner()?)?;
    Reply::ok(&PaymentReferences { references: payer.references })
}

fn set_payment_references(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let body: PaymentReferences = call.json()?;
    let payer = payments::set_references(work, call.partner()?, &body.references)?;
    Reply::ok(&PaymentReferences { references: payer.references })
}

fn partner_of(text: &str) -> Result<PartnerId, Problem> {
    PartnerId::parse(text).map_err(|error| Problem::invalid("partner", error.to_string()))
}

fn told_page(page: &Page<Payment>) -> PaymentPage {
    PaymentPage { items: page.items.iter().map(told).collect(), next: page.next.map(|next| next.to_string()) }
}

fn told(payment: &Payment) -> PaymentAnswer {
    PaymentAnswer {
        payment: payment.id.to_string(),
        source: payment.source.word().to_owned(),
        bank_id: payment.bank_id.clone(),
        on: payment.on.to_string(),
        amount_minor: payment.amount_minor,
        currency: payment.currency.clone(),
        reference: payment.reference.clone(),
        account: payment.account.clone(),
        details: payment.details.clone(),
        partner: payment.partner.map(|partner| partner.to_string()),
        invoice: payment.invoice,
        matched_by: payment.matched.map(|matched| matched.word().to_owned()),
        prepaid_minor: payment.prepaid_minor,
        reversed_on: payment.reversed.as_ref().map(|reversed| reversed.on.to_string()),
        reversed_because: payment.reversed.as_ref().map(|reversed| reversed.reason.clone()),
        recorded: payment.recorded.to_string(),
    }
}
