//! Invoices of all partners, by state.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use askama::Template;
use laini_core::billing::Account;
use laini_core::partner::PartnerId;
use laini_core::store::RecordId;
use laini_office::billing::{Dispute, Invoice, disputes, invoices};
use laini_office::{Cursor, PageRequest, Problem, Work, payments};

use super::FINANCE_LOOKS;
use crate::answer::Answer;
use crate::csv::{ROWS_MAX, file, gathered, push_line};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::billing::{ALL, DISPUTED, InvoiceRow, OfAll, STILL_OPEN};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table};
use crate::visit::{Visit, page};
use crate::words::{FinanceWords, InvoicesWords};

/// The tabs, in the order of their words.
const TABS: [&str; 4] = ["all", "open", "overdue", "disputed"];
/// Open invoices on a page: those due first.
const OPEN_MAX: usize = 200;
const HERE: &str = "/operate/invoices";

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, FINANCE_LOOKS, show).in_rail(Workspace::Operate, |words| words.all_invoices),
        Page::get("/operate/invoices.csv", FINANCE_LOOKS, download),
    ]
}

#[derive(Template)]
#[template(path = "operate/invoices.html")]
struct AllInvoicesPage {
    frame: Frame,
    words: &'static FinanceWords,
    invoices: &'static InvoicesWords,
    tabs: Vec<(&'static str, &'static str, bool)>,
    tab: &'static str,
    sorting: Sorting<OfAll>,
    rows: Vec<OfAll>,
    next: Option<String>,
}

/// Accounts that were read already.
struct Accounts(HashMap<PartnerId, Account>);

impl Accounts {
    fn of(&mut self, work: &mut Work<'_>, partner: PartnerId) -> Result<&Account, Problem> {
        let on = payments::today(work);
        Ok(match self.0.entry(partner) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(payments::account(work, partner, on)?),
        })
    }
}

struct Listed {
    invoices: Vec<Invoice>,
    /// Whether there are more than these.
    has_more: bool,
    next: Option<Cursor>,
}

/// The tab that is asked for, and how its table is sorted.
fn asked(visit: &Visit) -> (&'static str, &'static Table<OfAll>) {
    let tab = TABS.into_iter().find(|tab| *tab == visit.query("state")).unwrap_or(TABS[0]);
    let table = match tab {
        "open" | "overdue" => &STILL_OPEN,
        "disputed" => &DISPUTED,
        _ => &ALL,
    };
    (tab, table)
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().finance;
    let (tab, table) = asked(&visit);
    let mut sorting = Sorting::asked(table, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let mut accounts = Accounts(HashMap::new());
        let Listed { invoices: listed, has_more, next } = match tab {
            "open" | "overdue" => still_open(work, &mut accounts, tab == "overdue", OPEN_MAX)?,
            "disputed" => {
                let page = disputes(work, "open", visit.asked_page()?)?;
                Listed { invoices: disputed(work, page.items)?, has_more: page.next.is_some(), next: page.next }
            }
            _ => {
                let listed = invoices(work, None, PageRequest { is_turned, ..visit.asked_page()? })?;
                Listed { invoices: listed.items, has_more: listed.next.is_some(), next: listed.next }
            }
        };
        Ok((rows(work, &mut accounts, listed)?, has_more, next))
    });
    let (mut rows, has_more, next) = found.await?;
    sorting.sort(&mut rows, has_more);
    page(&AllInvoicesPage {
        frame: visit.frame(&portal, words.invoices),
        words,
        invoices: &visit.language.words().invoices,
        tabs: TABS.into_iter().zip(words.tabs).map(|(word, label)| (word, label, word == tab)).collect(),
        tab,
        sorting,
        rows,
        next: next.map(|next| next.to_string()),
    })
}

/// Invoices as the table has them.
fn rows(work: &mut Work<'_>, accounts: &mut Accounts, listed: Vec<Invoice>) -> Result<Vec<OfAll>, Problem> {
    let names: HashMap<_, _> = work.book()?.partners.into_iter().map(|known| (known.id, known.name)).collect();
    let row = |invoice: Invoice| {
        let name = names.get(&invoice.partner).cloned().unwrap_or_default();
        Ok((invoice.partner, name, InvoiceRow::of(&invoice, accounts.of(work, invoice.partner)?)))
    };
    listed.into_iter().map(row).collect()
}

/// Invoices that are not paid, or past their day: those due first, of all partners.
fn still_open(work: &mut Work<'_>, accounts: &mut Accounts, is_overdue: bool, max: usize) -> Result<Listed, Problem> {
    let mut open = Vec::new();
    for partner in work.book()?.partners {
        let account = accounts.of(work, partner.id)?;
        let of = account.invoices.iter().filter(|owed| owed.open_minor > 0);
        open.extend(of.filter(|owed| !is_overdue || owed.item.due < account.on).map(|o| (o.item.due, o.item.number)));
    }
    open.sort_unstable();
    let has_more = open.len() > max;
    let found = open.into_iter().take(max).map(|(_, number)| work.look::<Invoice>(RecordId(number)));
    let invoices = found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    Ok(Listed { invoices, has_more, next: None })
}

/// The invoices of open disputes, that of the oldest dispute first.
fn disputed(work: &mut Work<'_>, disputes: Vec<Dispute>) -> Result<Vec<Invoice>, Problem> {
    let (mut known, mut found) = (HashSet::new(), Vec::new());
    for Dispute { invoice, .. } in disputes {
        if known.insert(invoice) {
            found.extend(work.look::<Invoice>(RecordId(invoice))?);
        }
    }
    Ok(found)
}

/// The invoices of a tab as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (tab, table) = asked(&visit);
    let mut sorting = Sorting::first(table, &visit, "");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, _| {
        let mut accounts = Accounts(HashMap::new());
        let (listed, has_more) = match tab {
            "open" | "overdue" => {
                let listed = still_open(work, &mut accounts, tab == "overdue", ROWS_MAX)?;
                (listed.invoices, listed.has_more)
            }
            "disputed" => {
                let (open, has_more) = gathered(false, |request| disputes(work, "open", request))?;
                (disputed(work, open)?, has_more)
            }
            _ => gathered(is_turned, |request| invoices(work, None, request))?,
        };
        Ok((rows(work, &mut accounts, listed)?, has_more))
    });
    let (mut rows, has_more) = found.await?;
    sorting.sort(&mut rows, has_more);
    let head = ["partner", "name"].into_iter().chain(InvoiceRow::HEAD);
    Ok(file("invoices.csv", head, &rows, |csv, (partner, name, row)| {
        let (partner, cells) = (partner.to_string(), row.cells());
        push_line(csv, [partner.as_str(), name].into_iter().chain(cells.iter().map(String::as_str)));
    }))
}
