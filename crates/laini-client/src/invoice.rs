//! An invoice computed again, by whoever is to pay it: from the prices that it states and the rows of the ledger's
//! export. Written apart from the server's own rules on purpose: two that agree are worth more than one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use laini_wire::office::invoices::{InvoiceCarried, InvoiceCovered, InvoicePrice, InvoiceStatement};

/// A row of the ledger's export, as far as an invoice stands on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedRow {
    /// `requestRefID`
    pub request_ref_id: String,
    /// When it was decided: RFC 3339 in UTC.
    pub at: String,
    /// What was asked.
    pub product: String,
    /// `sandbox` or `production`
    pub environment: String,
    /// What came of it.
    pub outcome: String,
    /// The version of its price.
    pub price_version: u32,
    /// Of a reversal: the check whose charge it takes back; otherwise empty.
    pub reverses: String,
    /// Which writer of the ledger wrote it.
    pub writer: u32,
    /// Its place in that writer's chain.
    pub seq: u64,
}

/// What came of computing an invoice again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InvoiceCheck {
    /// Units that were counted.
    pub units: u64,
    /// The total that follows from the rows, in minor units.
    pub total_minor: i64,
    /// What is other than the invoice says; empty = it is right to the cent.
    pub differences: Vec<String>,
}

/// Why an invoice cannot be computed again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceProblem {
    /// A row or the invoice has a text that is no instant or no id.
    #[error("`{0}` is no instant in UTC and no requestRefID: the export was changed, or is none")]
    Unreadable(String),
    /// A row names a price that the invoice does not state.
    #[error("the invoice does not state version {version} of the price of {product}, but rows were recorded under it")]
    UnstatedPrice {
        /// Of which product.
        product: String,
        /// Which version.
        version: u32,
    },
}

/// Computes the invoice again from the rows of the buyer, in any order; those that are not of it pass by.
pub fn check_invoice(
    invoice: &InvoiceStatement,
    rows: impl IntoIterator<Item = ExportedRow>,
) -> Result<InvoiceCheck, InvoiceProblem> {
    let counted = Counted::of(invoice, rows)?;
    let mut again = Again { invoice, lines: Vec::new(), differences: Vec::new() };
    let mut products: Vec<&str> = Vec::new();
    for product in ["imsi", "swap", "age"].into_iter().chain(invoice.prices.iter().map(|price| price.product.as_str()))
    {
        if !products.contains(&product) {
            products.push(product);
        }
    }
    for product in products {
        let units = counted.units.get(product).map(Vec::as_slice).unwrap_or_default();
        let taken_back = counted.taken_back.get(product).map(Vec::as_slice).unwrap_or_default();
        again.add(product, units, taken_back)?;
    }
    let units = counted.units.values().map(|units| u64::try_from(units.len()).unwrap_or(u64::MAX)).sum();
    let total_minor = again.compare();
    Ok(InvoiceCheck { units, total_minor, differences: again.differences })
}

/// An instant that sorts as it is: the fraction always has nine digits.
fn instant(text: &str) -> Result<String, InvoiceProblem> {
    let unreadable = || InvoiceProblem::Unreadable(text.to_owned());
    let bare = text.strip_suffix('Z').ok_or_else(unreadable)?;
    let (seconds, fraction) = bare.split_once('.').unwrap_or((bare, ""));
    let fits = seconds.len() == 19 && fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| format!("{seconds}.{fraction:0<9}")).ok_or_else(unreadable)
}

/// The id behind a reference, which sorts by the time of its minting.
fn id(reference: &str) -> Result<u128, InvoiceProblem> {
    let hex = |range: std::ops::Range<usize>| reference.get(range).and_then(|part| u128::from_str_radix(part, 16).ok());
    let parts = || {
        let last: u128 = reference.get(27..)?.parse().ok()?;
        Some(last << 96 | hex(0..4)? << 80 | hex(6..9)? << 64 | hex(10..14)? << 48 | hex(15..27)?)
    };
    parts().ok_or_else(|| InvoiceProblem::Unreadable(reference.to_owned()))
}

/// What a close covers, in a form that rows are compared with.
struct Covered {
    end: String,
    marks: HashMap<u32, u64>,
}

impl Covered {
    fn of(covered: &InvoiceCovered) -> Result<Self, InvoiceProblem> {
        let marks = covered.chains.iter().map(|chain| (chain.writer, chain.seq)).collect();
        Ok(Self { end: instant(&covered.end)?, marks })
    }

    fn has(&self, at: &str, row: &ExportedRow) -> bool {
        at < self.end.as_str() && self.marks.get(&row.writer).is_some_and(|mark| row.seq <= *mark)
    }
}

/// The units of an invoice by product: the version of the price of each, in the order of the ledger.
#[derive(Default)]
struct Counted {
    units: BTreeMap<String, Vec<u32>>,
    taken_back: BTreeMap<String, Vec<u32>>,
}

impl Counted {
    fn of(invoice: &InvoiceStatement, rows: impl IntoIterator<Item = ExportedRow>) -> Result<Self, InvoiceProblem> {
        let now = Covered::of(&invoice.covered)?;
        let before = invoice.covered_before.as_ref().map(Covered::of).transpose()?;
        let mut units: Vec<(String, u128, String, u32)> = Vec::new();
        let mut reversals: Vec<(u128, String, u32)> = Vec::new();
        // What was paid from a balance is not on it, and neither is what takes such a charge back.
        let prepaid_from = invoice.prepaid_from.as_deref().map(instant).transpose()?;
        let mut prepaid: BTreeSet<u128> = BTreeSet::new();
        for row in rows {
            let at = instant(&row.at)?;
            if row.outcome == "answered" && prepaid_from.as_ref().is_some_and(|from| at >= *from) {
                prepaid.insert(id(&row.request_ref_id)?);
                continue;
            }
            let is_of_it = now.has(&at, &row) && before.as_ref().is_none_or(|before| !before.has(&at, &row));
            if !is_of_it || row.environment != "production" {
                continue;
            }
            if row.outcome == "answered" {
                units.push((at, id(&row.request_ref_id)?, row.product, row.price_version));
            } else if !row.reverses.is_empty() {
                reversals.push((id(&row.reverses)?, row.product, row.price_version));
            }
        }
        units.sort();
        reversals.retain(|(id, ..)| !prepaid.contains(id));
        let known: BTreeSet<u128> = units.iter().map(|(_, id, ..)| *id).collect();
        let (void, earlier): (Vec<_>, Vec<_>) = reversals.into_iter().partition(|(id, ..)| known.contains(id));
        let void: BTreeSet<u128> = void.into_iter().map(|(id, ..)| id).collect();
        let mut counted = Self::default();
        for (_, _, product, version) in units.into_iter().filter(|(_, id, ..)| !void.contains(id)) {
            counted.units.entry(product).or_default().push(version);
        }
        for (_, product, version) in earlier {
            counted.taken_back.entry(product).or_default().push(version);
        }
        counted.taken_back.values_mut().for_each(|versions| versions.sort_unstable());
        Ok(counted)
    }
}

/// A line as it is computed: kind, product, version, price of a unit, units, amount.
struct Computed {
    kind: &'static str,
    product: String,
    version: u32,
    unit_minor: Option<i64>,
    units: u64,
    amount_minor: i64,
}

struct Again<'a> {
    invoice: &'a InvoiceStatement,
    lines: Vec<Computed>,
    differences: Vec<String>,
}

impl Again<'_> {
    fn add(&mut self, product: &str, units: &[u32], taken_back: &[u32]) -> Result<(), InvoiceProblem> {
        let invoice = self.invoice;
        let is_it = |carried: &&InvoiceCarried| carried.product == product;
        let carried = invoice.carried_in.iter().find(is_it).cloned();
        let (mut before, mut month) = carried.as_ref().map_or((0, 0), |carried| (carried.units_before, carried.units));
        let mut is_set_up = carried.as_ref().is_some_and(|carried| carried.is_set_up);
        for version in taken_back {
            let price = stated(invoice, product, *version)?;
            let worth = if month > 0 {
                unit(price, before + month - 1, month - 1).unwrap_or(0)
            } else {
                before = before.saturating_sub(1);
                price.bands.iter().map(|band| band.unit_minor).max().unwrap_or(0)
            };
            month = month.saturating_sub(1);
            self.line("taken_back", product, *version, None, -worth);
        }
        let ever = before + month;
        for (in_month, version) in (0u64..).zip(units) {
            let price = stated(invoice, product, *version)?;
            if !is_set_up && price.set_up_minor > 0 {
                self.line("set_up", product, *version, Some(price.set_up_minor), price.set_up_minor);
            }
            is_set_up = true;
            match unit(price, ever + in_month, in_month) {
                None => self.line("free", product, *version, Some(0), 0),
                Some(minor) => self.line("units", product, *version, Some(minor), minor),
            }
        }
        self.raise_to_minimum(product);
        let count = u64::try_from(units.len()).unwrap_or(u64::MAX);
        let stated = self.invoice.carried_out.iter().find(is_it);
        let (stated_ever, stated_set_up) =
            stated.map_or((0, false), |carried| (carried.units_before + carried.units, carried.is_set_up));
        if (stated_ever, stated_set_up) != (ever + count, is_set_up) {
            let told = format!("carried over of {product}: {stated_ever} units, computed {}", ever + count);
            self.differences.push(told);
        }
        Ok(())
    }

    fn line(&mut self, kind: &'static str, product: &str, version: u32, unit_minor: Option<i64>, amount: i64) {
        let key = (kind, product, version, unit_minor);
        let is_same = |line: &&mut Computed| (line.kind, line.product.as_str(), line.version, line.unit_minor) == key;
        if let Some(line) = self.lines.iter_mut().find(is_same) {
            line.units += 1;
            line.amount_minor += amount;
            return;
        }
        let product = product.to_owned();
        self.lines.push(Computed { kind, product, version, unit_minor, units: 1, amount_minor: amount });
    }

    fn raise_to_minimum(&mut self, product: &str) {
        let minimum = self.invoice.prices.iter().find(|price| price.product == product && price.is_minimum);
        let Some(price) = minimum else { return };
        let (version, minimum) = (price.version, price.monthly_minimum_minor);
        let paid = self.lines.iter().filter(|line| line.kind == "units" && line.product == product);
        let short = minimum - paid.map(|line| line.amount_minor).sum::<i64>();
        if minimum > 0 && short > 0 {
            self.line("minimum", product, version, Some(short), short);
        }
    }

    /// Notes what differs; the total that was computed.
    fn compare(&mut self) -> i64 {
        let (stated, mut found) = (&self.invoice.lines, Vec::new());
        for (place, line) in self.lines.iter().enumerate() {
            let number = place + 1;
            let told = format!("{} units for {} minor units", line.units, line.amount_minor);
            match stated.get(place) {
                None => found.push(format!("line {number} is missing: {told}")),
                Some(other) => {
                    let same = other.kind == line.kind
                        && other.product == line.product
                        && (other.price_version, other.unit_minor) == (line.version, line.unit_minor)
                        && (other.units, other.amount_minor) == (line.units, line.amount_minor);
                    if !same {
                        let (units, amount) = (other.units, other.amount_minor);
                        found.push(format!("line {number}: {units} units for {amount} minor units, computed {told}"));
                    }
                }
            }
        }
        if stated.len() > self.lines.len() {
            found.push(format!("{} lines too many", stated.len() - self.lines.len()));
        }
        let subtotal: i64 = self.lines.iter().map(|line| line.amount_minor).sum();
        let exact = i128::from(subtotal) * i128::from(self.invoice.tax_basis_points);
        // Rounded once, half up; what is given back rounds as what was taken.
        let half = if exact < 0 { -5_000 } else { 5_000 };
        let tax = i64::try_from((exact + half) / 10_000).unwrap_or(i64::MAX);
        for (name, stated, again) in [
            ("subtotal", self.invoice.subtotal_minor, subtotal),
            ("tax", self.invoice.tax_minor, tax),
            ("total", self.invoice.total_minor, subtotal.saturating_add(tax)),
        ] {
            if stated != again {
                found.push(format!("{name}: {stated} minor units, computed {again}"));
            }
        }
        self.differences.extend(found);
        subtotal.saturating_add(tax)
    }
}

fn stated<'a>(invoice: &'a InvoiceStatement, product: &str, version: u32) -> Result<&'a InvoicePrice, InvoiceProblem> {
    let found = invoice.prices.iter().find(|price| (price.product.as_str(), price.version) == (product, version));
    found.ok_or_else(|| InvoiceProblem::UnstatedPrice { product: product.to_owned(), version })
}

/// What one unit costs, after so many ever and so many in the month; `None` = it is free.
fn unit(price: &InvoicePrice, ever: u64, in_month: u64) -> Option<i64> {
    let seen = if price.free_per_month { in_month } else { ever };
    if seen < price.free_units {
        return None;
    }
    // Bands count the month's paid units.
    let paid_before = seen - price.free_units.max(seen - in_month);
    let band = price.bands.iter().find(|band| band.up_to.is_none_or(|last| paid_before < last));
    Some(band.map_or(0, |band| band.unit_minor))
}
