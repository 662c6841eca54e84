use std::sync::Arc;

use askama::Template;
use jiff::ToSpan as _;
use jiff::civil::Date;
use laini_core::billing::{Account, Ageing, Entry, EntryKind, Means, Money};
use laini_core::partner::PartnerId;
use laini_office::apps::DebtNotice;
use laini_office::payments::{self, Payment};
use laini_office::{PageRequest, Problem, Work};

use super::{BOTH, OWN, base, day};
use crate::answer::Answer;
use crate::figures::{amount, money};
use crate::frame::Frame;
use crate::page::Page;
use crate::pages::partner::Head;
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::BillingWords;

/// A statement goes back so far where no days are asked for.
const MONTHS_BACK: i64 = 12;

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get("/billing/account", OWN, show), Page::get("/partners/{partner}/billing/account", BOTH, show)]
}

#[derive(Template)]
#[template(path = "billing/account.html")]
struct AccountPage {
    frame: Frame,
    words: &'static BillingWords,
    base: String,
    partner: PartnerId,
    head: Head,
    is_member: bool,
    from: Date,
    until: Date,
    opening: String,
    entries: Vec<EntryRow>,
    closing: String,
    ages: Vec<(&'static str, String)>,
    payments: Vec<PaymentRow>,
    /// Of notices of debt that were not withdrawn: from when on, and why.
    notices: Vec<(String, String)>,
}

struct EntryRow {
    on: Date,
    what: String,
    /// The number of the invoice that it is.
    invoice: Option<u64>,
    owed: String,
    settled: String,
    balance: String,
}

struct PaymentRow {
    on: Date,
    amount: String,
    reference: String,
    is_reversed: bool,
    /// What it settled of which invoice.
    settles: Vec<(u64, String)>,
}

/// The days of the statement that is asked for.
pub(super) fn days(work: &Work<'_>, visit: &Visit) -> Result<(Date, Date), Problem> {
    let today = payments::today(work);
    let from = day(visit, "from")?.unwrap_or(today.saturating_sub(MONTHS_BACK.months()));
    Ok((from, day(visit, "until")?.unwrap_or(today)))
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().billing;
    let found = portal.work(&visit, |work, visit| {
        let partner = payments::known_partner(work, visit.partner()?)?;
        let (days, on) = (days(work, visit)?, payments::today(work));
        let statement = payments::statement_between(work, partner.id, days.0, days.1)?;
        let account = payments::account(work, partner.id, on)?;
        let paid = payments::of_partner(work, partner.id, PageRequest::FIRST)?;
        let notices = work.find::<DebtNotice>("partner", partner.id, true, PageRequest::FIRST)?.items;
        Ok((partner, statement, account, paid, notices))
    });
    let (partner, statement, account, paid, notices) = found.await?;
    let standing = notices.into_iter().filter(|notice| notice.withdrawn.is_none());
    let shown = |minor| money(Money::new(minor, statement.currency));
    let ageing = Ageing::of(&account).map_err(payments::uncountable)?;
    let ages = [ageing.not_due, ageing.days_1_to_30, ageing.days_31_to_60, ageing.days_61_to_90, ageing.over_90_days];
    page(&AccountPage {
        frame: visit.frame(&portal, words.account),
        words,
        base: base(&visit),
        partner: partner.id,
        head: Head::new(&visit, (partner.id, partner.name), "billing"),
        is_member: visit.actor().partner().is_some(),
        from: statement.from,
        until: statement.until,
        opening: shown(statement.opening_minor),
        closing: shown(statement.closing_minor),
        entries: statement.entries.iter().map(|entry| EntryRow::of(entry, words, &shown)).collect(),
        ages: words.ages.into_iter().zip(ages.map(shown)).collect(),
        notices: standing.map(|notice| (portal.shown(notice.effective), notice.reason)).collect(),
        payments: paid.items.iter().map(|payment| PaymentRow::of(payment, &account)).collect(),
    })
}

impl EntryRow {
    fn of(entry: &Entry, words: &BillingWords, shown: &dyn Fn(i64) -> String) -> Self {
        let of = |means: Means| words.entries[1 + Means::ALL.iter().position(|other| *other == means).unwrap_or(0)];
        let (what, invoice) = match entry.kind {
            EntryKind::Invoice => (format!("{} {}", words.entries[0], entry.id), Some(entry.id)),
            EntryKind::Settled(means) => (of(means).to_owned(), None),
            EntryKind::Reversed(means) => (format!("{}, {}", of(means), words.entries[5]), None),
        };
        let is_owed = entry.amount_minor > 0;
        let amount = shown(entry.amount_minor.saturating_abs());
        let (owed, settled) = if is_owed { (amount, String::new()) } else { (String::new(), amount) };
        Self { on: entry.on, what, invoice, owed, settled, balance: shown(entry.balance_minor) }
    }
}

impl PaymentRow {
    fn of(payment: &Payment, account: &Account) -> Self {
        let of_it = account.allocations.iter().filter(|one| one.settlement == (Means::Payment, payment.id.as_u64()));
        Self {
            on: payment.on,
            amount: amount(payment.amount_minor, &payment.currency),
            reference: payment.reference.clone(),
            is_reversed: payment.reversed.is_some(),
            settles: of_it.map(|one| (one.invoice, amount(one.amount_minor, &payment.currency))).collect(),
        }
    }
}
