use serde::{Deserialize, Serialize};

use super::{Money, MoneyError, Price};
use crate::partner::Product;

/// What a line of an invoice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// The set-up fee.
    SetUp,
    /// Free units.
    Free,
    /// Units of one band.
    Units,
    /// What the month was short of its minimum.
    Minimum,
    /// Units of an earlier invoice whose checks were reversed.
    TakenBack,
}

impl LineKind {
    /// The word in exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::Free => "free",
            Self::Units => "units",
            Self::Minimum => "minimum",
            Self::TakenBack => "taken_back",
        }
    }
}

/// A line of an invoice, before tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number on the invoice, from 1.
    pub line: u32,
    /// What it is for.
    pub kind: LineKind,
    /// Of which product.
    pub product: Product,
    /// Under which version of its price.
    pub price_version: u32,
    /// How many units.
    pub units: u64,
    /// What each of them costs, in minor units; `None` where the line has one amount.
    pub unit_minor: Option<i64>,
    /// What they cost together, in minor units; negative where it is given back.
    pub amount_minor: i64,
}

/// What one invoice knows of the ones before it, for a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Which product.
    pub product: Product,
    /// Units that counted before the newest month in which there were some,
    pub units_before: u64,
    /// and in that month.
    pub units: u64,
    /// Whether the set-up fee was charged.
    pub is_set_up: bool,
}

impl Carried {
    /// What is carried into the first invoice.
    pub fn nothing(product: Product) -> Self {
        Self { product, units_before: 0, units: 0, is_set_up: false }
    }

    /// All units that ever counted.
    pub fn units_ever(&self) -> u64 {
        self.units_before.saturating_add(self.units)
    }
}

/// Units that follow one another in the ledger's order, under one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// The price.
    pub price: &'a Price,
    /// How many.
    pub units: u64,
}

/// What the month of a product comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allotment {
    /// Its lines, not numbered yet.
    pub lines: Vec<Line>,
    /// What the next invoice knows of it.
    pub carried: Carried,
}

/// Allots free units and bands to a month's units, in the order of the ledger; adds what else the price says.
///
/// Every unit is priced by the price of its own row, at its place among all units of the month (bands, free units
/// of a month) and of the agreement's life (free units once). `taken_back` = units of earlier months whose checks
/// were reversed in this one: they are worth what the invoice before would have been less without them, and free
/// units come back. `minimum` = the price in force when the month began.
pub fn allot(
    carried: &Carried,
    runs: &[Run<'_>],
    taken_back: &[Run<'_>],
    minimum: Option<&Price>,
) -> Result<Allotment, MoneyError> {
    let mut lines = Lines { product: carried.product, lines: Vec::new() };
    let before = give_back(carried, taken_back, &mut lines)?;
    let (mut in_month, mut is_set_up) = (0, carried.is_set_up);
    for Run { price, units } in runs.iter().filter(|run| run.units > 0) {
        if !is_set_up && price.set_up_minor > 0 {
            lines.add(LineKind::SetUp, price, 1, Some(price.set_up_minor), price.set_up_minor)?;
        }
        is_set_up = true;
        let allotted = price.allot(before.saturating_add(in_month), in_month, *units);
        lines.units(LineKind::Free, price, allotted.free, 0)?;
        for (band, units) in price.bands.iter().zip(allotted.in_bands) {
            lines.units(LineKind::Units, price, units, band.unit_minor)?;
        }
        in_month = in_month.saturating_add(*units);
    }
    lines.raise_to_minimum(minimum)?;
    let carried = if in_month == 0 && before == carried.units_ever() {
        *carried
    } else {
        Carried { product: carried.product, units_before: before, units: in_month, is_set_up }
    };
    Ok(Allotment { lines: lines.lines, carried })
}

/// Takes units back from the newest month that had some; the units that ever counted then.
fn give_back(carried: &Carried, taken_back: &[Run<'_>], lines: &mut Lines) -> Result<u64, MoneyError> {
    let mut month = carried.units;
    for Run { price, units } in taken_back.iter().filter(|run| run.units > 0) {
        let within = (*units).min(month);
        let left = month - within;
        let amount = price.cost(carried.units_before.saturating_add(left), left, within)?;
        // A check of a month before that one, which takes a row that was in doubt for weeks.
        let older = Money::new(price.dearest_minor(), price.currency).times(units - within)?;
        let amount = amount.plus(older)?.minor;
        lines.add(LineKind::TakenBack, price, *units, None, -amount)?;
        month = left;
    }
    let taken = taken_back.iter().fold(0u64, |sum, run| sum.saturating_add(run.units));
    Ok(carried.units_ever().saturating_sub(taken))
}

struct Lines {
    product: Product,
    lines: Vec<Line>,
}

impl Lines {
    fn units(&mut self, kind: LineKind, price: &Price, units: u64, unit_minor: i64) -> Result<(), MoneyError> {
        if units == 0 {
            return Ok(());
        }
        let amount = Money::new(unit_minor, price.currency).times(units)?.minor;
        self.add(kind, price, units, Some(unit_minor), amount)
    }

    /// Adds to the line of the same kind, version and unit price, or a new one.
    fn add(
        &mut self,
        kind: LineKind,
        price: &Price,
        units: u64,
        unit_minor: Option<i64>,
        amount_minor: i64,
    ) -> Result<(), MoneyError> {
        let is_same =
            |line: &&mut Line| (line.kind, line.price_version, line.unit_minor) == (kind, price.version, unit_minor);
        if let Some(line) = self.lines.iter_mut().find(is_same) {
            line.units = line.units.saturating_add(units);
            line.amount_minor = line.amount_minor.checked_add(amount_minor).ok_or(MoneyError::Overflow)?;
            return Ok(());
        }
        let (product, price_version) = (self.product, price.version);
        self.lines.push(Line { line: 0, kind, product, price_version, units, unit_minor, amount_minor });
        Ok(())
    }

    /// The minimum is compared with what the month's units cost; a set-up fee is beside it.
    fn raise_to_minimum(&mut self, minimum: Option<&Price>) -> Result<(), MoneyError> {
        let Some(price) = minimum.filter(|price| price.monthly_minimum_minor > 0) else { return Ok(()) };
        let units = self.lines.iter().filter(|line| line.kind == LineKind::Units);
        let sum = units.fold(0i64, |sum, line| sum.saturating_add(line.amount_minor));
        let short = price.monthly_minimum_minor.saturating_sub(sum);
        if short > 0 { self.add(LineKind::Minimum, price, 1, Some(short), short) } else { Ok(()) }
    }
}
