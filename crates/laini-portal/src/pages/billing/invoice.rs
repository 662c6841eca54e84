use std::sync::Arc;

use askama::Template;
use laini_core::billing::{Account, Credited, Currency, Line, LineKind, Means};
use laini_core::partner::{DisputeId, PartnerId};
use laini_office::billing::{
    CreditNote, Dispute, DisputeState, Invoice, Settlement, credit_invoice, credit_notes, invoice_of, keep_tax_receipt,
    open_dispute, paper, settle_dispute,
};
use laini_office::jobs::{CameTo, Figures, JobState};
use laini_office::{Problem, Work, payments};

use super::invoices::{State, open_of};
use super::{BOTH, BOTH_ACT, OWN, STAFF_ACT, base, may};
use crate::answer::Answer;
use crate::figures::{amount, count, typed};
use crate::frame::{Frame, told};
use crate::page::Page;
use crate::pages::partner::{Head, named};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::InvoicesWords;
use crate::working::Working;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/invoices/{invoice}", OWN, show),
        Page::post("/invoices/{invoice}/verify", OWN, verify, show),
        Page::post("/invoices/{invoice}/dispute", OWN, dispute, show),
        Page::get("/partners/{partner}/invoices/{invoice}", BOTH, show),
        Page::post("/partners/{partner}/invoices/{invoice}/verify", BOTH, verify, show),
        Page::post("/partners/{partner}/invoices/{invoice}/dispute", BOTH_ACT, dispute, show),
        Page::post("/partners/{partner}/invoices/{invoice}/settle", STAFF_ACT, settle, show),
        Page::post("/partners/{partner}/invoices/{invoice}/credit", STAFF_ACT, give_back, show),
        Page::post("/partners/{partner}/invoices/{invoice}/receipt", STAFF_ACT, keep_receipt, show),
    ]
}

/// The number in the path.
pub(super) fn number(visit: &Visit) -> Result<u64, Problem> {
    let number = visit.id("invoice", str::parse::<u64>)?;
    if number >> 63 == 0 { Ok(number) } else { Err(Problem::NotFound("invoice")) }
}

#[derive(Template)]
#[template(path = "billing/invoice.html")]
struct InvoicePage {
    frame: Frame,
    words: &'static InvoicesWords,
    base: String,
    head: Head,
    partner: PartnerId,
    number: u64,
    month: String,
    buyer: String,
    due: String,
    state: State,
    open: String,
    lines: Vec<LineRow>,
    sums: Vec<(String, String)>,
    settled_by: Vec<(&'static str, String)>,
    disputes: Vec<DisputeRow>,
    notes: Vec<(u64, String, String)>,
    /// What was printed on it by the tax authority.
    receipt: Option<(String, String)>,
    verified: Option<Verified>,
    /// How far that is, where it goes on,
    working: Option<Working>,
    /// and why it came to nothing.
    unknown: Option<String>,
    paper: String,
    can_act: bool,
    can_settle: bool,
    reason: String,
}

/// A line as it is shown.
struct LineRow {
    line: u32,
    what: String,
    units: String,
    each: String,
    amount: String,
    has_rows: bool,
    is_disputed: bool,
}

struct DisputeRow {
    id: DisputeId,
    line: u32,
    reason: String,
    state: &'static str,
    tone: &'static str,
    answer: String,
    is_open: bool,
}

/// What came of computing it again.
struct Verified {
    /// When.
    at: String,
    units: String,
    heads: u64,
    differences: Vec<String>,
}

/// What is read of an invoice.
struct Read {
    of: (PartnerId, String),
    invoice: Invoice,
    notes: Vec<CreditNote>,
    disputes: Vec<Dispute>,
    account: Account,
}

fn read(work: &mut Work<'_>, visit: &Visit) -> Result<Read, Problem> {
    let invoice = invoice_of(work, visit.partner()?, number(visit)?)?;
    let notes = credit_notes(work, invoice.statement.number)?;
    let disputes = work.all::<Dispute>("invoice", invoice.statement.number)?;
    let on = payments::today(work);
    let account = payments::account(work, invoice.partner, on)?;
    Ok(Read { of: named(work, visit)?, invoice, notes, disputes, account })
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().invoices;
    let read = portal.work(&visit, read).await?;
    let (invoice, statement) = (&read.invoice, &read.invoice.statement);
    let shown = |minor| amount(minor, &statement.currency);
    let rate = format!("{} {}.{:02} %", words.tax, statement.tax_basis_points / 100, statement.tax_basis_points % 100);
    let sums = [
        (words.sum.to_owned(), statement.subtotal_minor),
        (rate, statement.tax_minor),
        (words.to_pay.to_owned(), statement.total_minor),
    ];
    let of_it = read.account.allocations.iter().filter(|one| one.invoice == statement.number);
    let means = |of: Means| words.means[Means::ALL.iter().position(|other| *other == of).unwrap_or(0)];
    let is_disputed = |line: &Line| read.disputes.iter().any(|one| one.line == line.line && one.answer.is_empty());
    let (verified, working, unknown) = proof(&portal, &visit, invoice);
    page(&InvoicePage {
        frame: visit.frame(&portal, format!("{} {}", words.invoice, statement.number)),
        words,
        base: base(&visit),
        head: Head::new(&visit, read.of.clone(), "invoices"),
        partner: invoice.partner,
        number: statement.number,
        month: statement.month.to_string(),
        buyer: statement.buyer.name.clone(),
        due: statement.due.to_string(),
        state: State::of(&read.account, invoice),
        open: shown(open_of(&read.account, invoice)),
        lines: statement.lines.iter().map(|line| LineRow::of(line, words, &shown, is_disputed(line))).collect(),
        sums: sums.into_iter().map(|(name, minor)| (name, shown(minor))).collect(),
        settled_by: of_it.map(|one| (means(one.settlement.0), shown(one.amount_minor))).collect(),
        disputes: read.disputes.iter().map(|dispute| DisputeRow::of(dispute, words)).collect(),
        notes: read.notes.iter().map(|note| (note.number, shown(note.total_minor), note.reason.clone())).collect(),
        receipt: invoice.tax_receipt.as_ref().map(|receipt| (receipt.number.clone(), receipt.qr.clone())),
        verified,
        working,
        unknown,
        paper: paper(invoice).fragment(),
        can_act: may(&visit, BOTH_ACT),
        can_settle: may(&visit, STAFF_ACT),
        reason: visit.field("reason").to_owned(),
    })
}

/// What came of computing an invoice again, as long as that is known; how far it is; or why it came to nothing.
fn proof(portal: &Portal, visit: &Visit, invoice: &Invoice) -> (Option<Verified>, Option<Working>, Option<String>) {
    let figures = Figures::Verification(invoice.statement.number);
    let Some(job) = portal.office.jobs.figures_of(invoice.partner, figures) else { return (None, None, None) };
    let words = visit.language.words();
    match job.state() {
        JobState::UnderWay => (None, Some(Working::of(&job, portal, visit, words.working.verifying)), None),
        JobState::Failed(problem) => (None, None, Some(told(&problem, words))),
        JobState::Done(CameTo::Verified(done)) => {
            let (at, units) = (portal.shown_to_second(job.begun), count(done.units));
            let (heads, differences) = (done.heads, done.differences.clone());
            (Some(Verified { at, units, heads, differences }), None, None)
        }
        JobState::Done(_) => (None, None, None),
    }
}

impl LineRow {
    fn of(line: &Line, words: &InvoicesWords, shown: &dyn Fn(i64) -> String, is_disputed: bool) -> Self {
        Self {
            line: line.line,
            what: described(line, words),
            units: count(line.units),
            each: line.unit_minor.map(shown).unwrap_or_default(),
            amount: shown(line.amount_minor),
            has_rows: line.kind != LineKind::Minimum,
            is_disputed,
        }
    }
}

/// What a line is for, in words.
pub(super) fn described(line: &Line, words: &InvoicesWords) -> String {
    let kind = match line.kind {
        LineKind::SetUp => words.kinds[0],
        LineKind::Free => words.kinds[1],
        LineKind::Units => words.kinds[2],
        LineKind::Minimum => words.kinds[3],
        LineKind::TakenBack => words.kinds[4],
    };
    format!("{}: {kind} ({} {})", line.product.word(), words.price, line.price_version)
}

impl DisputeRow {
    fn of(dispute: &Dispute, words: &InvoicesWords) -> Self {
        let (place, tone) = match dispute.state {
            DisputeState::Open => (0, "care"),
            DisputeState::Accepted { .. } => (1, "go"),
            DisputeState::Rejected => (2, "stop"),
        };
        Self {
            id: dispute.id,
            line: dispute.line,
            reason: dispute.reason.clone(),
            state: words.dispute_states[place],
            tone,
            answer: dispute.answer.clone(),
            is_open: dispute.state == DisputeState::Open,
        }
    }
}

async fn verify(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let invoice = portal.work(&visit, |work, visit| invoice_of(work, visit.partner()?, number(visit)?)).await?;
    let figures = Figures::Verification(invoice.statement.number);
    let job = portal.begin_figures(&visit, invoice.partner, figures).await?;
    match portal.came_to(&job)? {
        Some(_) => show(portal, visit).await,
        // The invoice's own page says how far it is.
        None => Ok(Answer::see_other(format!("{}#verify", invoice_at(&visit)?))),
    }
}

async fn dispute(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let invoice = invoice_of(work, visit.partner()?, number(visit)?)?;
            open_dispute(work, &invoice, line(visit)?, visit.field("reason")).map(drop)
        })
        .await?;
    back(&visit)
}

async fn settle(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let invoice = invoice_of(work, visit.partner()?, number(visit)?)?;
            let id = DisputeId::parse(visit.field("dispute")).map_err(|_| Problem::NotFound("dispute"))?;
            let dispute: Dispute = work.get(id)?;
            if dispute.invoice != invoice.statement.number {
                return Err(Problem::NotFound("dispute"));
            }
            let settlement = match visit.field("verdict") {
                "accept" => Settlement::Accept { amount_minor: given(visit, &invoice)? },
                _ => Settlement::Reject,
            };
            settle_dispute(work, id, settlement, visit.field("answer")).map(drop)
        })
        .await?;
    back(&visit)
}

async fn give_back(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let invoice = invoice_of(work, visit.partner()?, number(visit)?)?;
            let lines = [Credited { line: line(visit)?, amount_minor: given(visit, &invoice)? }];
            credit_invoice(work, &invoice, &lines, visit.field("reason")).map(drop)
        })
        .await?;
    back(&visit)
}

async fn keep_receipt(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let invoice = invoice_of(work, visit.partner()?, number(visit)?)?;
            keep_tax_receipt(work, &invoice, visit.field("number"), visit.field("qr")).map(drop)
        })
        .await?;
    back(&visit)
}

fn line(visit: &Visit) -> Result<u32, Problem> {
    visit.field("line").parse().map_err(|_| Problem::invalid("line", "expected the number of a line"))
}

/// What is given back, in minor units.
fn given(visit: &Visit, invoice: &Invoice) -> Result<i64, Problem> {
    let currency = Currency::parse(&invoice.statement.currency).map_err(|error| Problem::Store(error.to_string()))?;
    typed(visit.field("amount"), currency).map(|amount| amount.minor)
}

fn back(visit: &Visit) -> Result<Answer, Problem> {
    invoice_at(visit).map(Answer::see_other)
}

/// The page of the invoice.
fn invoice_at(visit: &Visit) -> Result<String, Problem> {
    Ok(format!("{}/invoices/{}", base(visit), number(visit)?))
}
