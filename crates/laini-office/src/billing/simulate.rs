use laini_core::billing::{Carried, Line, LineKind, Money, MoneyError, Month, Price, Run, allot};
use laini_core::partner::{PartnerId, Product};

use super::month_so_far::{Units, runs};
use super::{Invoice, PriceBook, usage_by_day};
use crate::{Actor, Office, Problem, Work};

/// What a month would have cost under another price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// Units that counted.
    pub units: u64,
    /// What the product cost as it was, before tax.
    pub was: Vec<Line>,
    /// What it would have cost.
    pub would_be: Vec<Line>,
    /// The sum of the first, in minor units,
    pub was_minor: i64,
    /// and of the second.
    pub would_be_minor: i64,
}

/// Computes a month of a partner's product under another price. Of a month that is invoiced, by the units of its invoice
/// and with what was carried over to it; otherwise by the ledger's counters until now, with nothing carried over.
pub fn simulate(
    office: &Office,
    partner: PartnerId,
    product: Product,
    month: Month,
    price: &Price,
) -> Result<Simulation, Problem> {
    let ends = month.ends(&office.settings.zone);
    let (units, carried, was) = office.run(&Actor::System, ends, |work| {
        let invoices = work.all::<Invoice>("month", month)?;
        let is_its =
            |invoice: &&Invoice| invoice.partner == partner && invoice.statement.currency == price.currency.as_str();
        match invoices.iter().find(is_its) {
            Some(invoice) => Ok(invoiced(invoice, product)),
            None => counted(work, partner, product, month),
        }
    })?;
    let other = [Run { price, units }];
    let too_large = |_| Problem::invalid("price", "the sum is too large");
    let would_be = allot(&carried, &other, &[], Some(price)).map_err(too_large)?.lines;
    let sum = |lines: &[Line]| {
        let none = Money::new(0, price.currency);
        let sum = lines.iter().map(|line| Money::new(line.amount_minor, price.currency)).try_fold(none, Money::plus);
        sum.map(|sum| sum.minor).map_err(too_large)
    };
    Ok(Simulation { units, was_minor: sum(&was)?, would_be_minor: sum(&would_be)?, was, would_be })
}

/// Units, what was carried over to them, and what they cost, as an invoice has it.
fn invoiced(invoice: &Invoice, product: Product) -> (u64, Carried, Vec<Line>) {
    let statement = &invoice.statement;
    let of = |line: &&Line| line.product == product && line.kind != LineKind::TakenBack;
    let was: Vec<Line> = statement.lines.iter().filter(of).map(|line| Line { line: 0, ..line.clone() }).collect();
    let units = was.iter().filter(|line| matches!(line.kind, LineKind::Free | LineKind::Units));
    let carried = statement.carried_in.iter().find(|one| one.product == product).copied();
    (units.map(|line| line.units).sum(), carried.unwrap_or(Carried::nothing(product)), was)
}

/// The same of a month without an invoice.
fn counted(
    work: &Work<'_>,
    partner: PartnerId,
    product: Product,
    month: Month,
) -> Result<(u64, Carried, Vec<Line>), Problem> {
    let (zone, prices) = (&work.office.settings.zone, PriceBook::load(work.office)?);
    let days = [month.begins(zone), month.ends(zone)].map(|at| zone.to_datetime(at).date());
    let units = Units::of(product, &usage_by_day(work.office, Some(partner), days[0], days[1])?);
    let runs = runs(work, &prices, (partner, product), &units, month);
    let carried = Carried::nothing(product);
    let minimum = prices.in_force(partner, product, month.begins(zone));
    let was = allot(&carried, &runs, &[], minimum).map_err(|error: MoneyError| Problem::Store(error.to_string()))?;
    Ok((runs.iter().map(|run| run.units).sum(), carried, was.lines))
}
