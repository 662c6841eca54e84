//! Money that came in: by hand and from statements, whose it is, and what nobody knows of.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use jiff::civil::Date;
use laini_core::partner::{DocumentFormat, PartnerId, PaymentId};
use laini_office::payments::statement::Format;
use laini_office::payments::{self, Imported, NewPayment, Payment, Suggestion};
use laini_office::{Page as Listed, PageRequest, Problem, Work};

use super::{FINANCE_ACTS, FINANCE_LOOKS};
use crate::answer::Answer;
use crate::csv::{file, gathered, push_line};
use crate::figures::{amount, typed_above_zero};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::billing::may;
use crate::portal::Portal;
use crate::sorting::{By, Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::FinanceWords;

const HERE: &str = "/operate/payments";
/// The columns of the file.
const HEAD: [&str; 10] =
    ["payment", "on", "amount_minor", "currency", "reference", "source", "partner", "name", "invoice", "is_reversed"];

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, FINANCE_LOOKS, show).in_rail(Workspace::Operate, |words| words.payments),
        Page::get("/operate/payments.csv", FINANCE_LOOKS, download),
        Page::post(HERE, FINANCE_ACTS, record, show),
        Page::post("/operate/payments/statement", FINANCE_ACTS, take_in, show).taking_file(),
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
    by_unmatched: Sorting<Row>,
    unmatched: Vec<Row>,
    has_more_unmatched: bool,
    /// Whether those without a partner alone are listed, page by page.
    is_unmatched_alone: bool,
    by_all: Sorting<Row>,
    payments: Vec<Row>,
    next: Option<String>,
    partners: Vec<(PartnerId, String, bool)>,
    imported: Option<Taken>,
    /// The largest file.
    mib_max: usize,
    /// What stands in the form.
    on: String,
    amount: String,
    reference: String,
    invoice: String,
    can_act: bool,
}

/// What became of a statement.
struct Taken {
    /// What it was read as.
    format: &'static str,
    counts: Vec<(&'static str, usize)>,
    problems: Vec<String>,
}

struct Row {
    id: PaymentId,
    on: Date,
    amount: String,
    reference: String,
    source: &'static str,
    partner: Option<PartnerId>,
    whose: Option<String>,
    invoice: Option<u64>,
    is_reversed: bool,
    /// Its amount, in minor units
    minor: i64,
    /// of this currency.
    currency: String,
}

const ROWS: &[By<Row>] = &[
    ("day", |one, other| one.on.cmp(&other.on)),
    ("amount", |one, other| one.minor.cmp(&other.minor)),
    ("reference", |one, other| by_text(&one.reference, &other.reference)),
    ("source", |one, other| one.source.cmp(other.source)),
    ("whose", |one, other| one.whose.cmp(&other.whose)),
    ("invoice", |one, other| one.invoice.cmp(&other.invoice)),
];

/// Payments as they come: those whose partner nobody knows by their day, all of them as they were recorded.
static UNMATCHED: Table<Row> = Table { name: "unmatched", columns: ROWS, comes: "-day" };
static ALL: Table<Row> = Table { name: "sort", columns: ROWS, comes: "" };

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
            partner: payment.partner,
            whose: payment.partner.map(|id| names.get(&id).cloned().unwrap_or_else(|| id.to_string())),
            invoice: payment.invoice,
            is_reversed: payment.reversed.is_some(),
            minor: payment.amount_minor,
            currency: payment.currency.clone(),
        }
    }

    /// Its line of a file.
    fn push_to(&self, csv: &mut String) {
        let partner = self.partner.map(|partner| partner.to_string()).unwrap_or_default();
        let invoice = self.invoice.map(|number| number.to_string()).unwrap_or_default();
        let (id, on, minor) = (self.id.to_string(), self.on.to_string(), self.minor.to_string());
        let whose = self.whose.as_deref().unwrap_or_default();
        let is_reversed = if self.is_reversed { "true" } else { "false" };
        let paid = [&id, &on, &minor, &self.currency, &self.reference, self.source];
        push_line(csv, paid.into_iter().chain([&partner, whose, &invoice, is_reversed]));
    }
}

fn names(work: &Work<'_>) -> Result<HashMap<PartnerId, String>, Problem> {
    Ok(work.book()?.partners.into_iter().map(|partner| (partner.id, partner.name)).collect())
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    with(&portal, &visit, None).await
}

async fn with(
    portal: &Arc<Portal>,
    visit: &Arc<Visit>,
    imported: Option<(Format, Imported)>,
) -> Result<Answer, Problem> {
    let words = &visit.language.words().finance;
    let mut by_unmatched = Sorting::first(&UNMATCHED, visit, HERE);
    let is_turned = by_unmatched.is_turned();
    let is_unmatched_alone = visit.query("which") == "unmatched";
    let mut by_all = Sorting::asked(if is_unmatched_alone { &UNMATCHED } else { &ALL }, visit, HERE);
    let is_all_turned = by_all.is_turned();
    let found = portal.work(visit, move |work, visit| {
        let unmatched = payments::list(work, true, PageRequest { is_turned, ..PageRequest::FIRST })?;
        let asked = PageRequest { is_turned: is_all_turned, ..visit.asked_page()? };
        let all = payments::list(work, is_unmatched_alone, asked)?;
        Ok((unmatched, all, names(work)?))
    });
    let (unmatched, all, names) = found.await?;
    let rows = |listed: &Listed<Payment>| -> Vec<Row> {
        listed.items.iter().map(|payment| Row::of(payment, &names)).collect()
    };
    let (mut known, mut open) = (rows(&all), rows(&unmatched));
    by_unmatched.sort(&mut open, unmatched.next.is_some());
    by_all.sort(&mut known, all.next.is_some());
    page(&PaymentsPage {
        frame: visit.frame(portal, words.payments),
        words,
        by_unmatched,
        unmatched: open,
        has_more_unmatched: unmatched.next.is_some(),
        is_unmatched_alone,
        by_all,
        payments: known,
        next: all.next.map(|next| next.to_string()),
        partners: choices(&names, visit.field("partner")),
        imported: imported.map(|(format, imported)| Taken::of(format, &imported, words)),
        mib_max: DocumentFormat::BYTES_MAX / 1024 / 1024,
        on: visit.field("on").to_owned(),
        amount: visit.field("amount").to_owned(),
        reference: visit.field("reference").to_owned(),
        invoice: visit.field("invoice").to_owned(),
        can_act: may(visit, FINANCE_ACTS),
    })
}

/// The payments of one of the two tables as a file: those whose partner nobody knows, or all of them.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let is_unmatched = visit.query("which") == "unmatched";
    let mut sorting = Sorting::first(if is_unmatched { &UNMATCHED } else { &ALL }, &visit, "");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, _| {
        let (payments, has_more) = gathered(is_turned, |request| payments::list(work, is_unmatched, request))?;
        Ok((payments, has_more, names(work)?))
    });
    let (payments, has_more, names) = found.await?;
    let mut rows: Vec<_> = payments.iter().map(|payment| Row::of(payment, &names)).collect();
    sorting.sort(&mut rows, has_more);
    Ok(file("payments.csv", HEAD, &rows, |csv, row| row.push_to(csv)))
}

/// The partners to choose from, by name.
fn choices(names: &HashMap<PartnerId, String>, chosen: &str) -> Vec<(PartnerId, String, bool)> {
    let mut partners: Vec<_> = names.iter().map(|(id, name)| (*id, name.clone(), id.to_string() == chosen)).collect();
    partners.sort_by(|one, other| one.1.cmp(&other.1));
    partners
}

impl Taken {
    fn of(format: Format, imported: &Imported, words: &FinanceWords) -> Self {
        let Imported { added, matched, known, passed_over, bad, problems } = imported;
        let counts = words.came_in.into_iter().zip([*added, *matched, *known, *passed_over, *bad]);
        let problems = problems.iter().map(|problem| format!("{}: {}", problem.place, problem.reason));
        let format = words.formats[format as usize];
        Self { format, counts: counts.collect(), problems: problems.collect() }
    }
}

async fn record(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let partner = PartnerId::parse(visit.field("partner"));
            let new = NewPayment {
                partner: partner.map_err(|error| Problem::invalid("partner", error.to_string()))?,
                on: day(visit.field("on"))?,
                amount_minor: typed_above_zero(visit.field("amount"), work.office.settings.currency)?.minor,
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
    let words = &visit.language.words().finance;
    // As a file, or as the text that was pasted.
    let statement = match (&visit.file, visit.secret("content")) {
        (Some(file), _) => file.bytes.clone(),
        (None, "") => return Err(Problem::not_now(words.choose_statement)),
        (None, pasted) => pasted.to_owned().into(),
    };
    let format = Format::told_by(&statement);
    let imported = portal.work(&visit, move |work, _| payments::import(work, format, &statement)).await?;
    with(&portal, &visit, Some((format, imported))).await
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
