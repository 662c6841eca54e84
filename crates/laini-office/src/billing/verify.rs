use laini_core::billing::{Carried, Currency, InvoiceStatement, LineKind, Terms, Unit};
use laini_core::partner::{Environment, PartnerId};
use laini_core::store::{LedgerRow, PlacedRow};

use super::count::{count, each_row};
use super::invoice::{Invoice, Making, carried_before};
use super::{MonthClose, PriceBook};
use crate::{Actor, Office, Problem};

/// What came of computing an invoice again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The invoice.
    pub number: u64,
    /// Units that were counted.
    pub units: u64,
    /// The total that follows from rows, prices and the invoice before, in minor units.
    pub total_minor: i64,
    /// What is other than the invoice says; empty = it is right to the cent.
    pub differences: Vec<String>,
}

/// Computes an invoice again, from the ledger, the prices and the invoice before.
pub fn verify_invoice(office: &Office, invoice: &Invoice) -> Result<Verification, Problem> {
    let statement = &invoice.statement;
    let currency = Currency::parse(&statement.currency).map_err(|error| Problem::Store(error.to_string()))?;
    let close = close_of(statement);
    let prepaid = statement.prepaid_from.map(|from| (invoice.partner, from)).into_iter().collect();
    let counting = count(office, &close.span(), Some(invoice.partner), &prepaid)?;
    let prices = PriceBook::load(office)?.with_prepaid(prepaid);
    let carried = office.run(&Actor::System, statement.issued, |work| {
        carried_before(work, invoice.partner, &statement.currency, Some(statement.number))
    })?;
    let making = Making { close: &close, counting: &counting, prices: &prices };
    let body = making.body(office, invoice.partner, currency, &carried)?;
    let again = body.state(terms_of(statement), currency, carried)?;
    let units = counting.tally.counted().map(|(_, counted)| counted.units).sum();
    let differences = differences(statement, &again);
    Ok(Verification { number: statement.number, units, total_minor: again.total_minor, differences })
}

fn close_of(statement: &InvoiceStatement) -> MonthClose {
    MonthClose {
        month: statement.month,
        frozen: statement.issued,
        covered: statement.covered.clone(),
        before: statement.covered_before.clone(),
        tax_basis_points: statement.tax_basis_points,
        payment_days: 0,
        is_done: true,
    }
}

fn terms_of(statement: &InvoiceStatement) -> Terms {
    Terms {
        number: statement.number,
        month: statement.month,
        issued: statement.issued,
        due: statement.due,
        seller: statement.seller.clone(),
        buyer: statement.buyer.clone(),
        covered_before: statement.covered_before.clone(),
        covered: statement.covered.clone(),
        prepaid_from: statement.prepaid_from,
        tax_basis_points: statement.tax_basis_points,
    }
}

fn differences(stated: &InvoiceStatement, again: &InvoiceStatement) -> Vec<String> {
    let mut found = Vec::new();
    for line in &again.lines {
        match stated.lines.iter().find(|other| other.line == line.line) {
            Some(other) if other == line => {}
            Some(other) => found.push(format!(
                "line {}: {} units for {} minor units, computed {} for {}",
                line.line, other.units, other.amount_minor, line.units, line.amount_minor
            )),
            None => found.push(format!("line {} is missing: {} minor units", line.line, line.amount_minor)),
        }
    }
    let extra = stated.lines.len().saturating_sub(again.lines.len());
    if extra > 0 {
        found.push(format!("{extra} lines too many"));
    }
    for (name, stated, again) in [
        ("subtotal", stated.subtotal_minor, again.subtotal_minor),
        ("tax", stated.tax_minor, again.tax_minor),
        ("total", stated.total_minor, again.total_minor),
    ] {
        if stated != again {
            found.push(format!("{name}: {stated} minor units, computed {again}"));
        }
    }
    let carried = |of: &[Carried]| of.iter().map(Carried::units_ever).sum::<u64>();
    if (&stated.carried_in, &stated.carried_out) != (&again.carried_in, &again.carried_out) {
        let (stated, again) = (carried(&stated.carried_out), carried(&again.carried_out));
        found.push(format!("carried over: {stated} units, computed {again}"));
    }
    if stated.prices != again.prices {
        found.push("it states other prices than were agreed on".to_owned());
    }
    found
}

/// The rows that a line of an invoice stands on, or all its lines, in the order of ids: `take` is told of each.
pub fn invoice_rows(
    office: &Office,
    invoice: &Invoice,
    line: Option<u32>,
    mut take: impl FnMut(&PlacedRow) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let statement = &invoice.statement;
    let wanted = line.map(|number| {
        let found = statement.lines.iter().find(|line| line.line == number);
        found.ok_or(Problem::NotFound("line"))
    });
    let wanted = wanted.transpose()?;
    let (partner, span) = (invoice.partner, close_of(statement).span());
    let is_prepaid =
        |row: &LedgerRow| statement.prepaid_from.is_some_and(|from| row.at >= from && row.reverses.is_none());
    each_row(office, span.from(), span.now.end, |placed| {
        let is_of_line = wanted.is_none_or(|line| {
            let is_kind = match line.kind {
                LineKind::TakenBack => placed.row.reverses.is_some(),
                LineKind::SetUp | LineKind::Free | LineKind::Units | LineKind::Minimum => true,
            };
            is_kind && (placed.row.product, placed.row.price_version) == (line.product, line.price_version)
        });
        if is_of_line && is_charged(&placed.row, partner) && !is_prepaid(&placed.row) && span.has(placed) {
            take(placed)
        } else {
            Ok(())
        }
    })
}

/// Whether an invoice has anything to say about a row.
fn is_charged(row: &LedgerRow, partner: PartnerId) -> bool {
    row.partner == partner
        && (Unit::of(row).is_some() || (row.reverses.is_some() && row.environment == Environment::Production))
}
