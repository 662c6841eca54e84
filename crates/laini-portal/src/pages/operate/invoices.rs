//! Invoices of all partners, by state.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use askama::Template;
use laini_core::billing::Account;
use laini_core::partner::PartnerId;
use laini_core::store::RecordId;
use laini_office::billing::{Dispute, Invoice, disputes, invoices};
use laini_office::{Cursor, PageRequest, Problem, Work, payments};

use super::FINANCE_LOOKS;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::billing::{ALL, DISPUTED, InvoiceRow, OfAll, STILL_OPEN};
use crate::portal::Portal;
use crate::sorting::Sorting;
use crate::visit::{Visit, page};
use crate::words::{FinanceWords, InvoicesWords};

/// The tabs, in the order of their words.
const TABS: [&str; 4] = ["all", "open", "overdue", "disputed"];
/// Open invoices on a page: those due first.
const OPEN_MAX: usize = 200;
const HERE: &str = "/operate/invoices";

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get(HERE, FINANCE_LOOKS, show).in_rail(Workspace::Operate, |words| words.all_invoices)]
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

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().finance;
    let tab = TABS.into_iter().find(|tab| *tab == visit.query("state")).unwrap_or(TABS[0]);
    let table = match tab {
        "open" | "overdue" => &STILL_OPEN,
        "disputed" => &DISPUTED,
        _ => &ALL,
    };
    let mut sorting = Sorting::asked(table, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let mut accounts = Accounts(HashMap::new());
        let Listed { invoices: listed, has_more, next } = match tab {
            "open" => still_open(work, &mut accounts, false)?,
            "overdue" => still_open(work, &mut accounts, true)?,
            "disputed" => disputed(work, visit)?,
            _ => {
                let listed = invoices(work, None, PageRequest { is_turned, ..visit.asked_page()? })?;
                Listed { invoices: listed.items, has_more: listed.next.is_some(), next: listed.next }
            }
        };
        let names: HashMap<_, _> = work.book()?.partners.into_iter().map(|known| (known.id, known.name)).collect();
        let mut rows = Vec::new();
        for invoice in listed {
            let name = names.get(&invoice.partner).cloned().unwrap_or_default();
            let account = accounts.of(work, invoice.partner)?;
            rows.push((invoice.partner, name, InvoiceRow::of(&invoice, account)));
        }
        Ok((rows, has_more, next))
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

/// Invoices that are not paid, or past their day: those due first, of all partners.
fn still_open(work: &mut Work<'_>, accounts: &mut Accounts, is_overdue: bool) -> Result<Listed, Problem> {
    let mut open = Vec::new();
    for partner in work.book()?.partners {
        let account = accounts.of(work, partner.id)?;
        let of = account.invoices.iter().filter(|owed| owed.open_minor > 0);
        open.extend(of.filter(|owed| !is_overdue || owed.item.due < account.on).map(|o| (o.item.due, o.item.number)));
    }
    open.sort_unstable();
    let has_more = open.len() > OPEN_MAX;
    let found = open.into_iter().take(OPEN_MAX).map(|(_, number)| work.look::<Invoice>(RecordId(number)));
    let invoices = found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    Ok(Listed { invoices, has_more, next: None })
}

/// Invoices with an open dispute, the oldest dispute first.
fn disputed(work: &mut Work<'_>, visit: &Visit) -> Result<Listed, Problem> {
    let page = disputes(work, "open", visit.asked_page()?)?;
    let mut found: Vec<Invoice> = Vec::new();
    for Dispute { invoice, .. } in page.items {
        if found.iter().all(|known| known.statement.number != invoice) {
            found.extend(work.look::<Invoice>(RecordId(invoice))?);
        }
    }
    Ok(Listed { invoices: found, has_more: page.next.is_some(), next: page.next })
}
