use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{CheckId, Line, LineKind, Place, Span, Unit};
use laini_core::partner::{Environment, PartnerId, Product};
use laini_core::store::{LedgerRow, PlacedRow, RecordId, RecordKey, RecordKind, RowQuery};
use serde::{Deserialize, Serialize};

use super::count::{ROWS_PER_PAGE, Reading, placed};
use super::invoice::Invoice;
use super::verify::close_of;
use crate::{Actor, Kept, Office, Problem, Work};

/// Units of one product of a partner that a minute can have.
const UNITS_A_MINUTE_MAX: usize = 4_000_000;

/// Rows of the partner that are read first, since few are often enough; then twice as many, and so on.
const FIRST_ROWS: usize = 64;

/// Some of the rows that a line bills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsPage {
    /// In the order of ids.
    pub rows: Vec<PlacedRow>,
    /// After which row the next page begins; `None` = this was the last.
    pub next: Option<CheckId>,
}

/// A page of the rows that a line of an invoice bills: as many as it has units. A set-up fee stands on the unit that it
/// came with; a minimum on none; what is taken back on the rows that say so.
pub fn line_rows(
    work: &mut Work<'_>,
    invoice: &Invoice,
    line: u32,
    after: Option<CheckId>,
    limit: usize,
) -> Result<RowsPage, Problem> {
    let selection = Selection::of(work, invoice, Some(line))?;
    let mut rows = Vec::new();
    selection.read(work.office, after, &mut |placed| {
        rows.push(placed.clone());
        Ok(rows.len() < limit)
    })?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|last| last.row.id);
    Ok(RowsPage { rows, next })
}

/// The rows that a line of an invoice bills, as [`line_rows`] has them; without a line, all that the invoice is
/// computed from, those too that take one another back. In the order of ids: `take` is told of each.
pub fn invoice_rows(
    office: &Office,
    invoice: &Invoice,
    line: Option<u32>,
    mut take: impl FnMut(&PlacedRow) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let selection = office.run(&Actor::System, invoice.statement.issued, |work| Selection::of(work, invoice, line))?;
    selection.read(office, None, &mut |placed| take(placed).map(|()| true))
}

/// Whether the rows of a line can be read at once: nothing has to be worked out for them, or that is done.
pub fn has_rows_at_hand(work: &mut Work<'_>, invoice: &Invoice, line: u32) -> Result<bool, Problem> {
    let is_it = |known: &Line| known.line == line && known.kind == LineKind::Minimum;
    Ok(invoice.statement.lines.iter().any(is_it) || work.look::<Split>(RecordId(invoice.statement.number))?.is_some())
}

/// Works out where in the ledger the lines of an invoice part, by a reading of the partner's rows, and keeps it.
pub(super) fn split(reading: Reading<'_>, invoice: &Invoice, at: Timestamp) -> Result<(), Problem> {
    let split = Split::work_out(reading, invoice)?;
    reading.office.run(&Actor::System, at, |work| match work.look::<Split>(split.id())? {
        // Another node was faster.
        Some(_) => Ok(()),
        None => work.put(&split),
    })
}

/// Which rows are asked for.
struct Selection {
    own: Own,
    /// What is billed by which line; `None` = all that the invoice has anything to say about.
    line: Option<(Line, Vec<Range<Option<Place>>>)>,
    void: BTreeSet<CheckId>,
}

impl Selection {
    fn of(work: &mut Work<'_>, invoice: &Invoice, line: Option<u32>) -> Result<Self, Problem> {
        let (own, statement) = (Own::of(invoice), &invoice.statement);
        let Some(number) = line else { return Ok(Self { own, line: None, void: BTreeSet::new() }) };
        let line = statement.lines.iter().find(|line| line.line == number).ok_or(Problem::NotFound("line"))?;
        if line.kind == LineKind::Minimum {
            return Ok(Self { own, line: Some((line.clone(), Vec::new())), void: BTreeSet::new() });
        }
        let split = Split::of(work, invoice)?;
        let place = |at: u64| split.bounds.iter().find(|bound| (bound.product, bound.place) == (line.product, at));
        let place = |at: u64| place(at).map(Bound::at).transpose();
        // A range that begins with the month, or has no end in it, has no bound there.
        let range = |range: Range<u64>| Ok(place(range.start)?..place(range.end)?);
        let units = units_of(invoice, line.product);
        let within = statement.billed(line).into_iter().filter(|range| range.start < units);
        let ranges = within.map(range).collect::<Result<_, Problem>>()?;
        let void = split.void.iter().map(|id| read_id(id)).collect::<Result<_, _>>()?;
        Ok(Self { own, line: Some((line.clone(), ranges)), void })
    }

    /// Reads them until `take` wants no more.
    fn read(
        &self,
        office: &Office,
        after: Option<CheckId>,
        take: &mut dyn FnMut(&PlacedRow) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        if self.line.as_ref().is_some_and(|(line, _)| line.kind == LineKind::Minimum) {
            return Ok(());
        }
        let (from, until) = self.between();
        let (partner, until, limit) = (Some(self.own.partner), Some(until), FIRST_ROWS);
        let mut query = RowQuery { after, from, until, partner, limit, ..RowQuery::default() };
        loop {
            let page = block_on(office.ledger.placed(query.clone()))?;
            for placed in &page {
                if self.has(office, placed)? && !take(placed)? {
                    return Ok(());
                }
            }
            match page.last() {
                Some(last) if page.len() == query.limit => query.after = Some(last.row.id),
                _ => return Ok(()),
            }
            query.limit = ROWS_PER_PAGE.min(query.limit * 2);
        }
    }

    /// Between which instants they were decided.
    fn between(&self) -> (Option<Timestamp>, Timestamp) {
        let ranges = self.line.as_ref().map(|(_, ranges)| ranges.as_slice()).unwrap_or_default();
        let (first, last) = (ranges.first(), ranges.last());
        let from = first.and_then(|range| range.start).map(|(at, _)| at);
        let until = last.and_then(|range| range.end).map(|(at, _)| at + SignedDuration::from_micros(1));
        (from.or(self.own.span.from()), until.unwrap_or(self.own.span.now.end))
    }

    fn has(&self, office: &Office, placed: &PlacedRow) -> Result<bool, Problem> {
        let row = &placed.row;
        let Some((line, ranges)) = &self.line else {
            return Ok(self.own.unit(placed).is_some() || self.own.takes_back(placed));
        };
        if (row.product, row.price_version) != (line.product, line.price_version) {
            return Ok(false);
        }
        if line.kind == LineKind::TakenBack {
            return self.is_taken_back(office, placed);
        }
        let Some(unit) = self.own.unit(placed).filter(|unit| !self.void.contains(&unit.place.1)) else {
            return Ok(false);
        };
        let is_in = |range: &Range<Option<Place>>| {
            range.start.is_none_or(|start| start <= unit.place) && range.end.is_none_or(|end| unit.place < end)
        };
        Ok(ranges.iter().any(is_in))
    }

    /// Whether a row takes a unit of an earlier invoice back.
    fn is_taken_back(&self, office: &Office, row: &PlacedRow) -> Result<bool, Problem> {
        let reversed = row.row.reverses.filter(|id| self.own.takes_back(row) && !self.void.contains(id));
        match reversed {
            None => Ok(false),
            // What was paid from a balance was on no invoice.
            Some(id) if self.own.prepaid_from.is_some() => Ok(!self.own.is_prepaid(&placed(office, id)?.row)),
            Some(_) => Ok(true),
        }
    }
}

/// The rows of a partner's close in the currency of one invoice.
struct Own {
    partner: PartnerId,
    currency: String,
    span: Span,
    prepaid_from: Option<Timestamp>,
}

impl Own {
    fn of(invoice: &Invoice) -> Self {
        let statement = &invoice.statement;
        Self {
            partner: invoice.partner,
            currency: statement.currency.clone(),
            span: close_of(statement).span(),
            prepaid_from: statement.prepaid_from,
        }
    }

    fn has(&self, placed: &PlacedRow) -> bool {
        let row = &placed.row;
        row.partner == self.partner && row.list_price.currency.as_str() == self.currency && self.span.has(placed)
    }

    /// The unit that a row is.
    fn unit(&self, placed: &PlacedRow) -> Option<Unit> {
        Unit::of(&placed.row).filter(|_| self.has(placed) && !self.is_prepaid(&placed.row))
    }

    fn takes_back(&self, placed: &PlacedRow) -> bool {
        placed.row.reverses.is_some() && placed.row.environment == Environment::Production && self.has(placed)
    }

    fn is_prepaid(&self, row: &LedgerRow) -> bool {
        self.prepaid_from.is_some_and(|from| row.at >= from)
    }
}

/// How many units of a product an invoice has.
fn units_of(invoice: &Invoice, product: Product) -> u64 {
    let carried = invoice.statement.carried_out.iter().find(|carried| carried.product == product);
    carried.map_or(0, |carried| carried.units)
}

/// Where in the ledger the lines of an invoice part: worked out when somebody first asks for the rows of one, and kept,
/// since the invoice never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Split {
    invoice: u64,
    bounds: Vec<Bound>,
    /// Checks that were taken back in the same close: they are no units.
    void: Vec<String>,
}

/// The unit with which a line begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bound {
    product: Product,
    /// Its place among the units of the month, in the order of the ledger, from 0.
    place: u64,
    at: Timestamp,
    check: String,
}

impl Bound {
    fn at(&self) -> Result<Place, Problem> {
        Ok((self.at, read_id(&self.check)?))
    }
}

fn read_id(text: &str) -> Result<CheckId, Problem> {
    CheckId::parse_request_ref(text).map_err(|error| Problem::Store(error.to_string()))
}

impl Kept for Split {
    const KIND: RecordKind = RecordKind("invoice_split");
    const NOUN: &'static str = "split of an invoice";

    fn id(&self) -> RecordId {
        RecordId(self.invoice)
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}

impl Split {
    fn of(work: &mut Work<'_>, invoice: &Invoice) -> Result<Self, Problem> {
        if let Some(kept) = work.look::<Self>(RecordId(invoice.statement.number))? {
            return Ok(kept);
        }
        let split = Self::work_out(Reading::of(work.office, Some(invoice.partner)), invoice)?;
        work.put(&split)?;
        Ok(split)
    }

    fn work_out(reading: Reading<'_>, invoice: &Invoice) -> Result<Self, Problem> {
        let (own, statement) = (Own::of(invoice), &invoice.statement);
        let prepaid = own.prepaid_from.map(|from| (invoice.partner, from)).into_iter().collect();
        let tally = reading.count(&own.span, &prepaid)?.tally;
        let mut parting: BTreeMap<Product, BTreeSet<u64>> = BTreeMap::new();
        for line in statement.lines.iter().filter(|line| line.kind != LineKind::Minimum) {
            let units = units_of(invoice, line.product);
            let ends = statement.billed(line).into_iter().flat_map(|range| [range.start, range.end]);
            parting.entry(line.product).or_default().extend(ends.filter(|place| (1..units).contains(place)));
        }
        parting.retain(|_, places| !places.is_empty());
        let unit = |placed: &PlacedRow| own.unit(placed).filter(|unit| !tally.is_void(unit.place.1));
        let minutes = minutes(reading, &own.span, &parting, unit)?;
        let mut bounds = Vec::new();
        for (product, places) in parting {
            for place in places {
                bounds.push(bound(reading, &minutes, (product, place), unit)?);
            }
        }
        let void = tally.void().map(CheckId::request_ref).collect();
        Ok(Self { invoice: statement.number, bounds, void })
    }
}

/// Units by product and minute.
type Minutes = BTreeMap<(Product, i64), u64>;

/// How many units there were in each minute, of the products that part.
fn minutes(
    reading: Reading<'_>,
    span: &Span,
    parting: &BTreeMap<Product, BTreeSet<u64>>,
    unit: impl Fn(&PlacedRow) -> Option<Unit>,
) -> Result<Minutes, Problem> {
    let mut minutes = Minutes::new();
    if parting.is_empty() {
        return Ok(minutes);
    }
    reading.each_row(span.from(), span.now.end, |placed| {
        if let Some(unit) = unit(placed).filter(|unit| parting.contains_key(&unit.key.product)) {
            *minutes.entry((unit.key.product, unit.place.0.as_second().div_euclid(60))).or_default() += 1;
        }
        Ok(())
    })?;
    Ok(minutes)
}

/// The unit at a place: rows come in the order of their ids, which is not quite that of their instants, so the minute
/// that it lies in is read and put in order.
fn bound(
    reading: Reading<'_>,
    minutes: &Minutes,
    (product, place): (Product, u64),
    unit: impl Fn(&PlacedRow) -> Option<Unit>,
) -> Result<Bound, Problem> {
    let fewer = format!("the ledger has fewer checks of {} than the invoice; verify the invoice", product.word());
    let gone = || Problem::not_now(fewer.clone());
    let mut left = usize::try_from(place).map_err(|_| gone())?;
    let minute = minutes.iter().filter(|((of, _), _)| *of == product).find_map(|((_, minute), units)| {
        let units = usize::try_from(*units).unwrap_or(usize::MAX);
        if left < units {
            return Some(*minute);
        }
        left -= units;
        None
    });
    let begins = Timestamp::from_second(minute.ok_or_else(gone)? * 60).map_err(|_| gone())?;
    let mut units: Vec<Place> = Vec::new();
    reading.each_row(Some(begins), begins + SignedDuration::from_mins(1), |placed| {
        units.extend(unit(placed).filter(|unit| unit.key.product == product).map(|unit| unit.place));
        if units.len() > UNITS_A_MINUTE_MAX {
            return Err(Problem::Store(format!("more than {UNITS_A_MINUTE_MAX} checks of one product in a minute")));
        }
        Ok(())
    })?;
    units.sort_unstable();
    let (at, check) = units.get(left).copied().ok_or_else(gone)?;
    Ok(Bound { product, place, at, check: check.request_ref() })
}
