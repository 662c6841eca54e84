//! Money that came in: by hand and from statements, whose it is, and what nobody knows of.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use jiff::civil::Date;
use laini_core::billing::Money;
use laini_core::partner::{PartnerId, PaymentId};
use laini_office::payments::statement::Format;
use laini_office::payments::{self, Imported, NewPayment, Payment, Suggestion};
use laini_office::{PageRequest, Problem, Work};

use super::{FINANCE_ACTS, FINANCE_LOOKS};
use crate::answer::Answer;
use crate::figures::amount;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::billing::{asked_page, may};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::FinanceWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/operate/payments", FINANCE_LOOKS, show).in_rail(Workspace::Operate, |words| words.payments),
        Page::post("/operate/payments", FINANCE_ACTS, record, show),
        Page::post("/operate/payments/statement", FINANCE_ACTS, take_in, show),
        Page::get("/operate/payments/{payment}", FINANCE_LOOKS, show_payment),
        Page::post("/operate/payments/{payment}/match", FINANCE_ACTS, match_it, show_payment),
        Page::post("/operate/payments/{payment}/reverse", FINANCE_ACTS, reverse, show_payment),
    ]
}

#[derive(Template)]
#[template(path = "operate/payments.html")]
struct PaymentsPage {
    frame: Frame,
    words: &'static FinanceWords,
    unmatched: Vec<Row>,
    has_more_unmatched: bool,
    payments: Vec<Row>,
    next: Option<String>,
    partners: Vec<(PartnerId, String, bool)>,
    imported: Option<Taken>,
    formats: Vec<(&'static str, &'static str)>,
    /// What stands in the form.
    on: String,
    amount: String,
    reference: String,
    invoice: String,
    can_act: bool,
}

/// What became of a statement.
struct Taken {
    counts: Vec<(&'static str, usize)>,
    problems: Vec<String>,
}

struct Row {
    id: PaymentId,
    on: Date,
    amount: String,
    reference: String,
    source: &'static str,
    whose: Option<String>,
    invoice: Option<u64>,
    is_reversed: bool,
}

impl Row {
    fn of(payment: &Payment, names: &HashMap<PartnerId, String>) -> Self {
        let texts = [&payment.reference, &payment.account, &payment.details];
        let said: Vec<&str> = texts.into_iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        Self {
            id: payment.id,
            on: payment.on,
            amount: amount(payment.amount_minor, &payment.currency),
            reference: said.join(" · "),
            source: payment.source.word(),
            whose: payment.partner.map(|id| names.get(&id).cloned().unwrap_or_else(|| id.to_string())),
            invoice: payment.invoice,
            is_reversed: payment.reversed.is_some(),
        }
    }
}

fn names(work: &Work<'_>) -> Result<HashMap<PartnerId, String>, Problem> {
    Ok(work.book()?.partners.into_iter().map(|partner| (partner.id, partner.name)).collect())
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    with(&portal, &visit, None).await
}

async fn with(portal: &Arc<Portal>, visit: &Arc<Visit>, imported: Option<Imported>) -> Result<Answer, Problem> {
    let words = &visit.language.words().finance;
    let found = portal.work(visit, |work, visit| {
        let unmatched = payments::list(work, true, PageRequest::FIRST)?;
        let all = payments::list(work, false, asked_page(visit)?)?;
        Ok((unmatched, all, names(work)?))
    });
    let (unmatched, all, names) = found.await?;
    page(&PaymentsPage {
        frame: visit.frame(portal, words.payments),
        words,
        unmatched: unmatched.items.iter().map(|payment| Row::of(payment, &names)).collect(),
        has_more_unmatched: unmatched.next.is_some(),
        payments: all.items.iter().map(|payment| Row::of(payment, &names)).collect(),
        next: all.next.map(|next| next.to_string()),
        partners: choices(&names, visit.field("partner")),
        imported: imported.map(|imported| Taken::of(&imported, words)),
        formats: Format::ALL.map(Format::word).into_iter().zip(words.formats).collect(),
        on: visit.field("on").to_owned(),
        amount: visit.field("amount").to_owned(),
        reference: visit.field("reference").to_owned(),
        invoice: visit.field("invoice").to_owned(),
        can_act: may(visit, FINANCE_ACTS),
    })
}

/// The partners to choose from, by name.
fn choices(names: &HashMap<PartnerId, String>, chosen: &str) -> Vec<(PartnerId, String, bool)> {
    let mut partners: Vec<_> = names.iter().map(|(id, name)| (*id, name.clone(), id.to_string() == chosen)).collect();
    partners.sort_by(|one, other| one.1.cmp(&other.1));
    partners
}

impl Taken {
    fn of(imported: &Imported, words: &FinanceWords) -> Self {
        let Imported { added, matched, known, passed_over, bad, problems } = imported;
        let counts = words.came_in.into_iter().zip([*added, *matched, *known, *passed_over, *bad]);
        let problems = problems.iter().map(|problem| format!("{}: {}", problem.place, problem.reason));
        Self { counts: counts.collect(), problems: problems.collect() }
    }
}

async fn record(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let partner = PartnerId::parse(visit.field("partner"));
            let paid = Money::parse_amount(&visit.field("amount").replace(',', ""), work.office.settings.currency);
            let new = NewPayment {
                partner: partner.map_err(|error| Problem::invalid("partner", error.to_string()))?,
                on: day(visit.field("on"))?,
                amount_minor: paid.map_err(|error| Problem::invalid("amount", error.to_string()))?.minor,
                reference: visit.field("reference").to_owned(),
                bank_id: None,
                invoice: invoice(visit)?,
            };
            payments::record(work, new).map(drop)
        })
        .await?;
    Ok(Answer::see_other("/operate/payments"))
}

fn day(text: &str) -> Result<Date, Problem> {
    text.parse().map_err(|_| Problem::invalid("on", "expected a day such as 2026-11-22"))
}

/// The invoice that a payment is meant for; `None` = none is named.
fn invoice(visit: &Visit) -> Result<Option<u64>, Problem> {
    match visit.field("invoice") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Problem::invalid("invoice", "expected an invoice's number")),
    }
}

async fn take_in(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let imported = portal.work(&visit, |work, visit| {
        let format = Format::parse(visit.field("format"));
        let format = format.map_err(|error| Problem::invalid("format", error.to_string()))?;
        payments::import(work, format, visit.secret("content").as_bytes())
    });
    let imported = imported.await?;
    with(&portal, &visit, Some(imported)).await
}

#[derive(Template)]
#[template(path = "operate/payment.html")]
struct PaymentPage {
    frame: Frame,
    words: &'static FinanceWords,
    payment: Row,
    suggestions: Vec<(PartnerId, String, Option<u64>, &'static str)>,
    partners: Vec<(PartnerId, String, bool)>,
    reversed: Option<String>,
    can_act: bool,
}

async fn show_payment(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().finance;
    let id = visit.id("payment", PaymentId::parse)?;
    let found = portal.work(&visit, move |work, _| {
        let payment: Payment = work.get(id)?;
        Ok((payments::suggestions(work, &payment)?, payment, names(work)?))
    });
    let (suggestions, payment, names) = found.await?;
    let name = |id: &PartnerId| names.get(id).cloned().unwrap_or_else(|| id.to_string());
    let suggestion = |one: &Suggestion| (one.partner, name(&one.partner), one.invoice, one.why);
    let chosen = payment.partner.map(|partner| partner.to_string()).unwrap_or_default();
    page(&PaymentPage {
        frame: visit.frame(&portal, words.payments),
        words,
        suggestions: suggestions.iter().map(suggestion).collect(),
        partners: choices(&names, &chosen),
        reversed: payment.reversed.as_ref().map(|reversed| format!("{}: {}", reversed.on, reversed.reason)),
        payment: Row::of(&payment, &names),
        can_act: may(&visit, FINANCE_ACTS),
    })
}

async fn match_it(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("payment", PaymentId::parse)?;
    portal
        .work(&visit, move |work, visit| {
            let partner = PartnerId::parse(visit.field("partner"));
            let partner = partner.map_err(|error| Problem::invalid("partner", error.to_string()))?;
            payments::match_with(work, id, partner, invoice(visit)?).map(drop)
        })
        .await?;
    Ok(Answer::see_other("/operate/payments"))
}

async fn reverse(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("payment", PaymentId::parse)?;
    portal.work(&visit, move |work, visit| payments::reverse(work, id, None, visit.field("reason")).map(drop)).await?;
    Ok(Answer::see_other(format!("/operate/payments/{id}")))
}
