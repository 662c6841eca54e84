use std::collections::{BTreeMap, HashMap};

use laini_core::billing::{Currency, LineKind, Money, Month};
use laini_core::partner::{AppId, PartnerId, Product};
use laini_core::store::RecordId;

use super::month_so_far::{first_open, so_far, span};
use super::{CreditNote, Invoice, MonthClose, PriceBook, usage_by_day};
use crate::{PageRequest, Problem, Work};

/// The most months that are told at once.
pub const REVENUE_MONTHS_MAX: u64 = 24;

/// What a product of a partner brought in a month, before tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earned {
    /// The month.
    pub month: Month,
    /// Of whom.
    pub partner: PartnerId,
    /// With what.
    pub product: Product,
    /// Invoiced units; those so far, where the month is not closed.
    pub units: u64,
    /// What is invoiced, less what credit notes gave back of it; or would be now, where the month is not closed.
    pub net: Money,
    /// Whether it stands on an invoice.
    pub is_invoiced: bool,
}

/// What the newest months brought, the running one with them: from invoices and credit notes, and of the running month
/// from the ledger's counters. What is paid from balances is on no invoice, and not here.
pub fn revenue(work: &mut Work<'_>, months: u64) -> Result<Vec<Earned>, Problem> {
    if !(1..=REVENUE_MONTHS_MAX).contains(&months) {
        return Err(Problem::invalid("months", format!("expected 1 to {REVENUE_MONTHS_MAX}")));
    }
    let now = Month::of(work.at, &work.office.settings.zone);
    let mut earned = running(work, now)?;
    let mut month = now;
    for _ in 1..months {
        month = month.previous();
        earned.extend(invoiced(work, month)?);
    }
    give_back(work, &mut earned)?;
    earned.sort_by_key(|one| (std::cmp::Reverse(one.month), one.partner, one.product));
    Ok(earned)
}

/// The running month: what would be invoiced if it ended now.
fn running(work: &mut Work<'_>, now: Month) -> Result<Vec<Earned>, Problem> {
    let prices = PriceBook::load(work.office)?;
    let book = work.book()?;
    let owner: HashMap<AppId, PartnerId> = book.apps.iter().map(|app| (app.id, app.partner)).collect();
    let first = first_open(work)?;
    let (from, until) = span(work, first)?;
    let mut by_partner: BTreeMap<PartnerId, Vec<_>> = BTreeMap::new();
    for usage in usage_by_day(work.office, None, from, until)? {
        if let Some(partner) = owner.get(&usage.app) {
            by_partner.entry(*partner).or_default().push(usage);
        }
    }
    let pays_ahead = |partner| book.partners.iter().any(|known| known.id == partner && known.prepaid.is_some());
    let mut earned = Vec::new();
    for (partner, usage) in by_partner.into_iter().filter(|(partner, _)| !pays_ahead(*partner)) {
        let month = so_far(work, &prices, partner, &usage, first)?;
        earned.extend(month.products.into_iter().filter(|of| of.units > 0).map(|of| Earned {
            month: now,
            partner,
            product: of.product,
            units: of.units,
            net: of.spent,
            is_invoiced: false,
        }));
    }
    Ok(earned)
}

/// What the invoices of a month say; of one that is closed they are read once in the life of a process.
fn invoiced(work: &mut Work<'_>, month: Month) -> Result<Vec<Earned>, Problem> {
    if let Some(known) = work.office.counted.earned(month) {
        return Ok(known);
    }
    let mut sums: BTreeMap<(PartnerId, Product, String), (u64, i64)> = BTreeMap::new();
    for Invoice { partner, statement, .. } in work.all::<Invoice>("month", month)? {
        for line in &statement.lines {
            let sum = sums.entry((partner, line.product, statement.currency.clone())).or_default();
            let is_unit = matches!(line.kind, LineKind::Units | LineKind::Free);
            sum.0 += if is_unit { line.units } else { 0 };
            sum.1 = sum.1.saturating_add(line.amount_minor);
        }
    }
    let mut earned = Vec::new();
    for ((partner, product, currency), (units, minor)) in sums {
        let currency = Currency::parse(&currency).map_err(|error| Problem::Store(error.to_string()))?;
        earned.push(Earned { month, partner, product, units, net: Money::new(minor, currency), is_invoiced: true });
    }
    let is_closed = work.look::<MonthClose>(RecordId(month.number()))?.is_some_and(|close| close.is_done);
    if is_closed {
        work.office.counted.keep_earned(month, &earned);
    }
    Ok(earned)
}

/// Takes off what credit notes gave back, the newest thousands of them.
fn give_back(work: &mut Work<'_>, earned: &mut [Earned]) -> Result<(), Problem> {
    let Some(oldest) = earned.iter().map(|one| one.month).min() else { return Ok(()) };
    let mut page = PageRequest::LONGEST;
    loop {
        let notes = work.find::<CreditNote>("all", "all", true, page)?;
        let mut is_before = false;
        for note in &notes.items {
            let Some(invoice) = work.look::<Invoice>(RecordId(note.invoice))? else { continue };
            let statement = &invoice.statement;
            is_before |= statement.month < oldest;
            for credited in &note.lines {
                let Some(line) = statement.lines.iter().find(|line| line.line == credited.line) else { continue };
                let of = |one: &&mut Earned| {
                    (one.month, one.partner, one.product) == (statement.month, note.partner, line.product)
                        && one.net.currency.as_str() == note.currency
                };
                if let Some(one) = earned.iter_mut().find(of) {
                    one.net.minor = one.net.minor.saturating_sub(credited.amount_minor);
                }
            }
        }
        page.after = notes.next;
        if page.after.is_none() || is_before {
            return Ok(());
        }
    }
}
