//! Invoices of all partners, by state.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use askama::Template;
use laini_core::billing::Account;
use laini_core::partner::PartnerId;
use laini_core::store::RecordId;
use laini_office::billing::{Dispute, Invoice, disputes, invoices};
use laini_office::{Cursor, Problem, Work, payments};

use super::FINANCE_LOOKS;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::billing::{InvoiceRow, asked_page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{FinanceWords, InvoicesWords};

/// The tabs, in the order of their words.
const TABS: [&str; 4] = ["all", "open", "overdue", "disputed"];
/// Open invoices on a page: those due first.
const OPEN_MAX: usize = 200;

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get("/operate/invoices", FINANCE_LOOKS, show).in_rail(Workspace::Operate, |words| words.all_invoices)]
}

#[derive(Template)]
#[template(path = "operate/invoices.html")]
struct AllInvoicesPage {
    frame: Frame,
    words: &'static FinanceWords,
    invoices: &'static InvoicesWords,
    tabs: Vec<(&'static str, &'static str, bool)>,
    tab: &'static str,
    rows: Vec<(PartnerId, String, InvoiceRow)>,
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

type Listed = (Vec<Invoice>, Option<Cursor>);

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().finance;
    let tab = TABS.into_iter().find(|tab| *tab == visit.query("state")).unwrap_or(TABS[0]);
    let found = portal.work(&visit, move |work, visit| {
        let mut accounts = Accounts(HashMap::new());
        let (listed, next) = match tab {
            "open" => still_open(work, &mut accounts, false)?,
            "overdue" => still_open(work, &mut accounts, true)?,
            "disputed" => disputed(work, visit)?,
            _ => {
                let listed = invoices(work, None, asked_page(visit)?)?;
                (listed.items, listed.next)
            }
        };
        let names: HashMap<_, _> = work.book()?.partners.into_iter().map(|known| (known.id, known.name)).collect();
        let mut rows = Vec::new();
        for invoice in listed {
            let name = names.get(&invoice.partner).cloned().unwrap_or_default();
            let account = accounts.of(work, invoice.partner)?;
            rows.push((invoice.partner, name, InvoiceRow::of(&invoice, account)));
        }
        Ok((rows, next))
    });
    let (rows, next) = found.await?;
    page(&AllInvoicesPage {
        frame: visit.frame(&portal, words.invoices),
        words,
        invoices: &visit.language.words().invoices,
        tabs: TABS.into_iter().zip(words.tabs).map(|(word, label)| (word, label, word == tab)).collect(),
        tab,
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
    let found = open.into_iter().take(OPEN_MAX).map(|(_, number)| work.look::<Invoice>(RecordId(number)));
    Ok((found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect(), None))
}

/// Invoices with an open dispute, the oldest dispute first.
fn disputed(work: &mut Work<'_>, visit: &Visit) -> Result<Listed, Problem> {
    let page = disputes(work, "open", asked_page(visit)?)?;
    let mut found: Vec<Invoice> = Vec::new();
    for Dispute { invoice, .. } in page.items {
        if found.iter().all(|known| known.statement.number != invoice) {
            found.extend(work.look::<Invoice>(RecordId(invoice))?);
        }
    }
    Ok((found, page.next))
}
