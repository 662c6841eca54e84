use std::sync::Arc;

use askama::Template;
use laini_core::billing::{Account, Month, Owed};
use laini_core::partner::PartnerId;
use laini_office::billing::{Invoice, invoices_of};
use laini_office::{PageRequest, Problem, payments};

use super::{BOTH, OWN, base};
use crate::answer::Answer;
use crate::csv::{file, gathered, push_line};
use crate::figures::amount;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::partner::Head;
use crate::portal::Portal;
use crate::sorting::{By, Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::InvoicesWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/invoices", OWN, show).in_rail(Workspace::Build, |words| words.invoices),
        Page::get("/invoices.csv", OWN, download),
        Page::get("/partners/{partner}/invoices", BOTH, show),
        Page::get("/partners/{partner}/invoices.csv", BOTH, download),
    ]
}

#[derive(Template)]
#[template(path = "billing/invoices.html")]
struct InvoicesPage {
    frame: Frame,
    words: &'static InvoicesWords,
    billing: &'static crate::words::BillingWords,
    base: String,
    head: Head,
    is_member: bool,
    /// The invoice that is due first and still open.
    to_pay: Option<u64>,
    sorting: Sorting<InvoiceRow>,
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
    /// The total, and what of it is still open, in minor units
    minor: (i64, i64),
    /// of this currency.
    currency: String,
}

static INVOICES: Table<InvoiceRow> = Table {
    name: "sort",
    columns: &[
        ("number", |one, other| one.number.cmp(&other.number)),
        ("month", |one, other| one.month.cmp(&other.month)),
        ("total", |one, other| one.minor.0.cmp(&other.minor.0)),
        ("open", |one, other| one.minor.1.cmp(&other.minor.1)),
        // A day as people read it is in the order of days.
        ("due", |one, other| one.due.cmp(&other.due)),
        ("state", |one, other| one.state.cmp(&other.state)),
    ],
    comes: "-number",
};

/// An invoice among those of all partners: whose it is, and what they are called.
pub(in crate::pages) type OfAll = (PartnerId, String, InvoiceRow);

const OF_ALL: &[By<OfAll>] = &[
    ("number", |one, other| one.2.number.cmp(&other.2.number)),
    ("partner", |one, other| by_text(&one.1, &other.1)),
    ("month", |one, other| one.2.month.cmp(&other.2.month)),
    ("total", |one, other| one.2.minor.0.cmp(&other.2.minor.0)),
    ("open", |one, other| one.2.minor.1.cmp(&other.2.minor.1)),
    ("due", |one, other| one.2.due.cmp(&other.2.due)),
    ("state", |one, other| one.2.state.cmp(&other.2.state)),
];

/// Invoices of all partners as they come: all of them, those still to be paid, those in dispute.
pub(in crate::pages) static ALL: Table<OfAll> = Table { name: "sort", columns: OF_ALL, comes: "-number" };
pub(in crate::pages) static STILL_OPEN: Table<OfAll> = Table { name: "sort", columns: OF_ALL, comes: "due" };
pub(in crate::pages) static DISPUTED: Table<OfAll> = Table { name: "sort", columns: OF_ALL, comes: "" };

/// How an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

    fn word(self) -> &'static str {
        ["paid", "paid_in_part", "open", "overdue"][self as usize]
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
    /// The columns of a file.
    pub(in crate::pages) const HEAD: [&'static str; 7] =
        ["number", "month", "total_minor", "open_minor", "currency", "due", "state"];

    pub(in crate::pages) fn of(invoice: &Invoice, account: &Account) -> Self {
        let statement = &invoice.statement;
        Self {
            number: statement.number,
            month: statement.month,
            total: amount(statement.total_minor, &statement.currency),
            due: statement.due.to_string(),
            open: amount(open_of(account, invoice), &statement.currency),
            state: State::of(account, invoice),
            minor: (statement.total_minor, open_of(account, invoice)),
            currency: statement.currency.clone(),
        }
    }

    /// What they have of it.
    pub(in crate::pages) fn cells(&self) -> [String; 7] {
        let (total, open) = self.minor;
        let (number, month, total, open) =
            (self.number.to_string(), self.month.to_string(), total.to_string(), open.to_string());
        [number, month, total, open, self.currency.clone(), self.due.clone(), self.state.word().to_owned()]
    }
}

/// The number of what is owed.
fn number(owed: &Owed) -> u64 {
    owed.item.number
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().invoices;
    let mut sorting = Sorting::asked(&INVOICES, &visit, format!("{}/invoices", base(&visit)));
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let name = payments::known_partner(work, partner)?.name;
        let listed = invoices_of(work, partner, PageRequest { is_turned, ..visit.asked_page()? })?;
        let on = payments::today(work);
        Ok((name, listed, payments::account(work, partner, on)?))
    });
    let (name, listed, account) = found.await?;
    let mut rows: Vec<_> = listed.items.iter().map(|invoice| InvoiceRow::of(invoice, &account)).collect();
    sorting.sort(&mut rows, listed.next.is_some());
    page(&InvoicesPage {
        frame: visit.frame(&portal, words.title),
        words,
        billing: &visit.language.words().billing,
        base: base(&visit),
        head: Head::new(&visit, (visit.partner()?, name), "invoices"),
        to_pay: account.invoices.iter().filter(|owed| owed.open_minor > 0).min_by_key(|owed| owed.item.due).map(number),
        is_member: visit.actor().partner().is_some(),
        sorting,
        rows,
        next: listed.next.map(|next| next.to_string()),
    })
}

/// All invoices of the list as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut sorting = Sorting::first(&INVOICES, &visit, "");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        payments::known_partner(work, partner)?;
        let (listed, has_more) = gathered(is_turned, |request| invoices_of(work, partner, request))?;
        let on = payments::today(work);
        Ok((listed, has_more, payments::account(work, partner, on)?))
    });
    let (listed, has_more, account) = found.await?;
    let mut rows: Vec<_> = listed.iter().map(|invoice| InvoiceRow::of(invoice, &account)).collect();
    sorting.sort(&mut rows, has_more);
    let push = |csv: &mut String, row: &InvoiceRow| push_line(csv, row.cells().each_ref().map(String::as_str));
    Ok(file("invoices.csv", InvoiceRow::HEAD, &rows, push))
}
