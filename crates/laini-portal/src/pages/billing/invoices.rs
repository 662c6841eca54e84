use std::sync::Arc;

use askama::Template;
use laini_core::billing::{Account, Month};
use laini_office::billing::{Invoice, invoices_of};
use laini_office::{Cursor, PageRequest, Problem, payments};

use super::{BOTH, OWN, base};
use crate::answer::Answer;
use crate::figures::amount;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::InvoicesWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/invoices", OWN, show).in_rail(Workspace::Build, |words| words.invoices),
        Page::get("/partners/{partner}/invoices", BOTH, show),
    ]
}

#[derive(Template)]
#[template(path = "billing/invoices.html")]
struct InvoicesPage {
    frame: Frame,
    words: &'static InvoicesWords,
    billing: &'static crate::words::BillingWords,
    base: String,
    name: String,
    is_member: bool,
    rows: Vec<InvoiceRow>,
    next: Option<String>,
}

/// An invoice in a list.
pub(in crate::pages) struct InvoiceRow {
    pub(in crate::pages) number: u64,
    pub(in crate::pages) month: Month,
    pub(in crate::pages) total: String,
    pub(in crate::pages) due: String,
    pub(in crate::pages) open: String,
    pub(in crate::pages) state: State,
}

/// How an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) enum State {
    Paid,
    PaidInPart,
    Open,
    Overdue,
}

impl State {
    /// Of an invoice of this account.
    pub(in crate::pages) fn of(account: &Account, invoice: &Invoice) -> Self {
        let (statement, open) = (&invoice.statement, open_of(account, invoice));
        match open {
            ..=0 => Self::Paid,
            _ if statement.due < account.on => Self::Overdue,
            open if open < statement.total_minor => Self::PaidInPart,
            _ => Self::Open,
        }
    }

    pub(in crate::pages) fn tone(self) -> &'static str {
        ["go", "care", "", "stop"][self as usize]
    }

    pub(in crate::pages) fn label(self, words: &InvoicesWords) -> &'static str {
        words.states[self as usize]
    }
}

/// What is still to be paid of an invoice, in minor units.
pub(in crate::pages) fn open_of(account: &Account, invoice: &Invoice) -> i64 {
    account.open_of(invoice.statement.number).unwrap_or(0)
}

impl InvoiceRow {
    pub(in crate::pages) fn of(invoice: &Invoice, account: &Account) -> Self {
        let statement = &invoice.statement;
        Self {
            number: statement.number,
            month: statement.month,
            total: amount(statement.total_minor, &statement.currency),
            due: statement.due.to_string(),
            open: amount(open_of(account, invoice), &statement.currency),
            state: State::of(account, invoice),
        }
    }
}

/// The page of a list that is asked for.
pub(in crate::pages) fn asked_page(visit: &Visit) -> Result<PageRequest, Problem> {
    let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(Cursor::parse).transpose()?;
    Ok(PageRequest { after, ..PageRequest::FIRST })
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().invoices;
    let found = portal.work(&visit, |work, visit| {
        let partner = visit.partner()?;
        let name = payments::known_partner(work, partner)?.name;
        let listed = invoices_of(work, partner, asked_page(visit)?)?;
        let on = payments::today(work);
        Ok((name, listed, payments::account(work, partner, on)?))
    });
    let (name, listed, account) = found.await?;
    page(&InvoicesPage {
        frame: visit.frame(&portal, words.title),
        words,
        billing: &visit.language.words().billing,
        base: base(&visit),
        name,
        is_member: visit.actor().partner().is_some(),
        rows: listed.items.iter().map(|invoice| InvoiceRow::of(invoice, &account)).collect(),
        next: listed.next.map(|next| next.to_string()),
    })
}
