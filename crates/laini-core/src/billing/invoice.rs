use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Carried, Line, Money, MoneyError, Month, Price};
use crate::partner::Product;

/// Kenya's value-added tax, in hundredths of a per cent: the default.
pub const VAT_BASIS_POINTS: u32 = 1_600;

/// Who sends an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seller {
    /// The operator's name.
    pub name: String,
    /// Its number with the tax authority; empty where none is set.
    pub tax_number: String,
}

/// Who is to pay it, as known when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Buyer {
    /// The partner's id.
    pub partner: String,
    /// Its registered name, or what it is called here.
    pub name: String,
    /// Its number with the tax authority; empty where it is not known.
    pub tax_number: String,
    /// Its address, line by line; empty where it is not known.
    pub address: Vec<String>,
}

/// A band as an invoice states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedBand {
    /// The last unit that it covers; null: no end.
    pub up_to: Option<u64>,
    /// What each unit in it costs, in minor units.
    pub unit_minor: i64,
}

/// A price as an invoice states it: with it and the rows, anybody can compute the lines again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedPrice {
    /// Of which product.
    pub product: Product,
    /// Its version, as the rows have it.
    pub version: u32,
    /// The set-up fee in minor units.
    pub set_up_minor: i64,
    /// How many units are free,
    pub free_units: u64,
    /// in every month, or once.
    pub free_per_month: bool,
    /// Graduated bands over the paid units of a month.
    pub bands: Vec<StatedBand>,
    /// The least that a month costs, in minor units.
    pub monthly_minimum_minor: i64,
    /// Whether it was in force when the month began, so that its minimum counts.
    pub is_minimum: bool,
}

impl StatedPrice {
    /// What is stated of a price.
    pub fn of(product: Product, price: &Price, is_minimum: bool) -> Self {
        let (free_units, free_per_month) = match price.free {
            super::FreeUnits::Once(units) => (units, false),
            super::FreeUnits::PerMonth(units) => (units, true),
        };
        let band = |band: &super::Band| StatedBand { up_to: band.up_to, unit_minor: band.unit_minor };
        Self {
            product,
            version: price.version,
            set_up_minor: price.set_up_minor,
            free_units,
            free_per_month,
            bands: price.bands.iter().map(band).collect(),
            monthly_minimum_minor: price.monthly_minimum_minor,
            is_minimum,
        }
    }
}

/// Where a writer's chain stood when the close was frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chained {
    /// Which writer.
    pub writer: u32,
    /// The last place that the close covers.
    pub seq: u64,
    /// The link at that place, in hexadecimal.
    pub mac: String,
}

/// What a close covers: rows decided before `end`, up to the place of each writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The month's end.
    pub end: Timestamp,
    /// The ledger's chain heads at that moment.
    pub chains: Vec<Chained>,
}

/// What an invoice says: made once of rows, prices and the invoice before, and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceStatement {
    /// Its number; the numbers of an installation have no gaps.
    pub number: u64,
    /// The month that it closes.
    pub month: Month,
    /// When it was made.
    pub issued: Timestamp,
    /// The last day on which it is paid in time, in the operator's zone.
    pub due: Date,
    /// Who sends it.
    pub seller: Seller,
    /// Who is to pay.
    pub buyer: Buyer,
    /// The currency of every amount on it.
    pub currency: String,
    /// What the close before covered; those rows are not on it. Null: there was none.
    pub covered_before: Option<Covered>,
    /// What this close covers.
    pub covered: Covered,
    /// Checks from this instant on were paid from a balance and are not on it. Null: there is none.
    #[serde(default)]
    pub prepaid_from: Option<Timestamp>,
    /// The prices that its lines are computed with.
    pub prices: Vec<StatedPrice>,
    /// What was carried over from the invoice before, by product.
    pub carried_in: Vec<Carried>,
    /// What the next invoice begins with.
    pub carried_out: Vec<Carried>,
    /// Its lines, before tax.
    pub lines: Vec<Line>,
    /// Their sum, in minor units.
    pub subtotal_minor: i64,
    /// The tax rate, in hundredths of a per cent.
    pub tax_basis_points: u32,
    /// The tax in minor units: of the sum, rounded once, half up.
    pub tax_minor: i64,
    /// What is to be paid, in minor units.
    pub total_minor: i64,
}

/// Everything of a statement that is not computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// [`InvoiceStatement::number`]
    pub number: u64,
    /// [`InvoiceStatement::month`]
    pub month: Month,
    /// [`InvoiceStatement::issued`]
    pub issued: Timestamp,
    /// [`InvoiceStatement::due`]
    pub due: Date,
    /// [`InvoiceStatement::seller`]
    pub seller: Seller,
    /// [`InvoiceStatement::buyer`]
    pub buyer: Buyer,
    /// [`InvoiceStatement::covered_before`]
    pub covered_before: Option<Covered>,
    /// [`InvoiceStatement::covered`]
    pub covered: Covered,
    /// [`InvoiceStatement::prepaid_from`]
    pub prepaid_from: Option<Timestamp>,
    /// [`InvoiceStatement::tax_basis_points`]
    pub tax_basis_points: u32,
}

/// Numbers the lines, sums them up and adds the tax.
pub fn state(
    terms: Terms,
    currency: super::Currency,
    prices: Vec<StatedPrice>,
    (carried_in, carried_out): (Vec<Carried>, Vec<Carried>),
    mut lines: Vec<Line>,
) -> Result<InvoiceStatement, MoneyError> {
    for (number, line) in (1..).zip(&mut lines) {
        line.line = number;
    }
    let none = Money::new(0, currency);
    let subtotal = lines.iter().try_fold(none, |sum, line| sum.plus(Money::new(line.amount_minor, currency)))?;
    let tax = subtotal.share(terms.tax_basis_points)?;
    Ok(InvoiceStatement {
        number: terms.number,
        month: terms.month,
        issued: terms.issued,
        due: terms.due,
        seller: terms.seller,
        buyer: terms.buyer,
        currency: currency.as_str().to_owned(),
        covered_before: terms.covered_before,
        covered: terms.covered,
        prepaid_from: terms.prepaid_from,
        prices,
        carried_in,
        carried_out,
        lines,
        subtotal_minor: subtotal.minor,
        tax_basis_points: terms.tax_basis_points,
        tax_minor: tax.minor,
        total_minor: subtotal.plus(tax)?.minor,
    })
}
