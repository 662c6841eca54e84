use laini_core::billing::{Carried, Coverage, Line, Money, Month, Price, Run, Span, allot};
use laini_core::partner::{PartnerId, Product};

use super::count::count;
use super::{Invoice, MonthClose, PriceBook};
use crate::{Actor, Office, Problem};

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

/// Computes a month of a partner's product under another price. Of a month that is closed, by the rows and with what
/// was carried over of its invoice; otherwise by what was decided in it until now, with nothing carried over.
pub fn simulate(
    office: &Office,
    partner: PartnerId,
    product: Product,
    month: Month,
    price: &Price,
) -> Result<Simulation, Problem> {
    let zone = &office.settings.zone;
    let (close, invoices) = office.run(&Actor::System, month.ends(zone), |work| {
        let close = work.look::<MonthClose>(laini_core::store::RecordId(month.number()))?;
        Ok((close, work.all::<Invoice>("month", month)?))
    })?;
    let began = month.begins(zone);
    let span = match &close {
        Some(close) => close.span(),
        None => open_span(office, month)?,
    };
    let of_partner = |invoice: &&Invoice| invoice.partner == partner;
    let carried_in = invoices.iter().filter(of_partner).flat_map(|invoice| &invoice.statement.carried_in);
    let carried = carried_in.copied().find(|one| one.product == product).unwrap_or(Carried::nothing(product));
    let counting = count(office, &span, Some(partner), &std::collections::BTreeMap::new())?;
    let prices = PriceBook::load(office)?;
    let (_, in_order) = counting.of(partner, product);
    let priced: Result<Vec<(&Price, u64)>, Problem> =
        in_order.iter().map(|(key, units)| Ok((prices.price(key)?, *units))).collect();
    let runs: Vec<Run<'_>> = priced?.into_iter().map(|(price, units)| Run { price, units }).collect();
    let units = runs.iter().map(|run| run.units).sum();
    let minimum = prices.in_force(partner, product, began);
    let was = allot(&carried, &runs, &[], minimum).map_err(|error| Problem::Store(error.to_string()))?.lines;
    let other = [Run { price, units }];
    let too_large = |_| Problem::invalid("price", "the sum is too large");
    let would_be = allot(&carried, &other, &[], Some(price)).map_err(too_large)?.lines;
    let sum = |lines: &[Line]| {
        let none = Money::new(0, price.currency);
        let sum = lines.iter().try_fold(none, |sum, line| sum.plus(Money::new(line.amount_minor, price.currency)));
        sum.map(|sum| sum.minor).map_err(too_large)
    };
    Ok(Simulation { units, was_minor: sum(&was)?, would_be_minor: sum(&would_be)?, was, would_be })
}

/// The rows of a month that is not closed: by their instants alone.
fn open_span(office: &Office, month: Month) -> Result<Span, Problem> {
    let ends = futures_executor::block_on(office.ledger.ends(None))?;
    let marks: std::collections::BTreeMap<u32, u64> = ends.iter().map(|end| (end.writer, end.seq)).collect();
    let zone = &office.settings.zone;
    let before = Coverage { end: month.begins(zone), marks: marks.clone() };
    Ok(Span { before: Some(before), now: Coverage { end: month.ends(zone), marks } })
}
