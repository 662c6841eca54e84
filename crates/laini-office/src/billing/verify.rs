use futures_executor::block_on;
use laini_core::billing::{Carried, Chained, Covered, Currency, InvoiceStatement, LATE_ROWS, Terms};
use laini_core::store::{ChainBreak, ChainHead, Mac, RecordId, verify_heads};

use super::count::Reading;
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
    /// Chain heads on the invoice that were looked for in the ledger.
    pub heads: u64,
    /// What is other than the invoice says; empty = it is right to the cent, and stands on the ledger's own chains.
    pub differences: Vec<String>,
}

/// Breaks of a chain that are told one by one.
const BREAKS_TOLD_MAX: usize = 20;

/// Computes an invoice again, from the ledger, the prices and the invoice before; follows the ledger's chains to the
/// heads that are printed on it.
pub fn verify_invoice(office: &Office, invoice: &Invoice) -> Result<Verification, Problem> {
    verify(Reading::of(office, Some(invoice.partner)), invoice)
}

/// [`verify_invoice`], by a reading of the partner's rows.
pub(super) fn verify(reading: Reading<'_>, invoice: &Invoice) -> Result<Verification, Problem> {
    let office = reading.office;
    let statement = &invoice.statement;
    let currency = Currency::parse(&statement.currency).map_err(|error| Problem::Store(error.to_string()))?;
    let close = close_of(statement);
    let prepaid = statement.prepaid_from.map(|from| (invoice.partner, from)).into_iter().collect();
    let counting = reading.count(&close.span(), &prepaid)?;
    let prices = PriceBook::load(office)?.with_prepaid(prepaid);
    let carried = office.run(&Actor::System, statement.issued, |work| {
        carried_before(work, invoice.partner, &statement.currency, Some(statement.number))
    })?;
    let making = Making { close: &close, counting: &counting, prices: &prices };
    let body = making.body(office, invoice.partner, currency, &carried)?;
    let again = body.state(terms_of(statement), currency, carried)?;
    let units = counting.tally.counted().map(|(_, counted)| counted.units).sum();
    let mut differences = differences(statement, &again);
    differences.extend(chain_differences(reading, statement)?);
    let heads = u64::try_from(statement.covered.chains.len()).unwrap_or(u64::MAX);
    Ok(Verification { number: statement.number, units, total_minor: again.total_minor, heads, differences })
}

pub(super) fn close_of(statement: &InvoiceStatement) -> MonthClose {
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

/// What of the chain heads on an invoice is other than it was kept at the close, or than the ledger's chains have it.
fn chain_differences(reading: Reading<'_>, statement: &InvoiceStatement) -> Result<Vec<String>, Problem> {
    let Reading { office, told, .. } = reading;
    let (close, earlier) = office.run(&Actor::System, statement.issued, |work| {
        let close = work.look::<MonthClose>(RecordId(statement.month.number()))?;
        Ok((close, work.look::<MonthClose>(RecordId(statement.month.previous().number()))?))
    })?;
    let mut found = Vec::new();
    let kept = close.as_ref().map(|close| (Some(&close.covered), close.before.as_ref()));
    if kept != Some((Some(&statement.covered), statement.covered_before.as_ref())) {
        found.push("it states other chain heads than were frozen when the month was closed".to_owned());
    }
    let to = heads(statement, &statement.covered, &mut found);
    // Heads of an earlier close were proved with its own invoices; the first ones are followed from the first row.
    let before = statement.covered_before.as_ref().filter(|_| earlier.is_some());
    let from = before.map(|before| heads(statement, before, &mut found)).unwrap_or_default();
    let since = before.map(|before| before.end - LATE_ROWS);
    let breaks = block_on(verify_heads(&*office.ledger, office.keys.chain(), &from, &to, since, told))?;
    let named = |broken: &ChainBreak| match broken {
        ChainBreak::HeadLost { writer, seq, .. } => {
            format!(
                "chain head of writer {writer}: the ledger has another link at place {seq} than the invoice, or none"
            )
        }
        broken => broken.to_string(),
    };
    found.extend(breaks.iter().take(BREAKS_TOLD_MAX).map(named));
    if let Some(more) = breaks.len().checked_sub(BREAKS_TOLD_MAX).filter(|more| *more > 0) {
        found.push(format!("{more} more rows of the ledger were altered"));
    }
    Ok(found)
}

/// The chain heads that are stated; one that cannot be one is noted.
fn heads(statement: &InvoiceStatement, covered: &Covered, found: &mut Vec<String>) -> Vec<ChainHead> {
    let head = |chain: &Chained| {
        let mac = Mac::parse(&chain.mac);
        if mac.is_none() {
            found.push(format!("chain head of writer {}: `{}` is no link", chain.writer, chain.mac));
        }
        mac.map(|mac| ChainHead { at: statement.issued, writer: chain.writer, seq: chain.seq, mac })
    };
    covered.chains.iter().filter_map(head).collect()
}
