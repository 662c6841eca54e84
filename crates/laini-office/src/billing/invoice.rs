use std::collections::BTreeMap;

use jiff::Timestamp;
use laini_core::billing::{
    Buyer, Carried, Currency, InvoiceStatement, Line, Money, MoneyError, Month, OpenItem, Price, PriceKey, Run, Seller,
    StatedPrice, Terms, allot, state,
};
use laini_core::partner::{PartnerId, Product};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::count::Counting;
use super::number::{Series, next_number};
use super::{MonthClose, PriceBook, TaxReceipt};
use crate::organisation::Organisation;
use crate::payments::post;
use crate::{Actor, Kept, Office, Page, PageRequest, Problem, Work, key, unique};

/// An invoice: what it says, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Whose it is.
    pub partner: PartnerId,
    /// What it says; never changed.
    pub statement: InvoiceStatement,
    /// What the tax authority returned, once it has.
    pub tax_receipt: Option<TaxReceipt>,
    /// How many credit notes there are of it.
    #[serde(default)]
    pub credits: u32,
}

impl Invoice {
    /// Its canonical bytes: the JSON of its statement.
    pub fn json(&self) -> Result<Vec<u8>, Problem> {
        serde_json::to_vec(&self.statement).map_err(|error| Problem::Store(error.to_string()))
    }
}

impl Kept for Invoice {
    const KIND: RecordKind = RecordKind("invoice");
    const NOUN: &'static str = "invoice";

    fn id(&self) -> RecordId {
        RecordId(self.statement.number)
    }

    fn keys(&self) -> Vec<RecordKey> {
        let InvoiceStatement { number, month, currency, .. } = &self.statement;
        let order = number.cast_signed();
        vec![
            key("all", "all", order),
            key("partner", self.partner, order),
            key("month", month, order),
            key("account", account(self.partner, currency), order),
            unique("of", format!("{month}/{}", account(self.partner, currency))),
        ]
    }
}

/// Invoices of one currency follow one another.
fn account(partner: PartnerId, currency: &str) -> String {
    format!("{partner}/{currency}")
}

/// Every invoice, or those of a month; newest first.
pub fn invoices(work: &mut Work<'_>, month: Option<Month>, page: PageRequest) -> Result<Page<Invoice>, Problem> {
    match month {
        Some(month) => work.find("month", month, true, page),
        None => work.find("all", "all", true, page),
    }
}

/// The invoices of a partner, newest first.
pub fn invoices_of(work: &mut Work<'_>, partner: PartnerId, page: PageRequest) -> Result<Page<Invoice>, Problem> {
    work.find("partner", partner, true, page)
}

/// The invoice of a number, where it is the partner's.
pub fn invoice_of(work: &mut Work<'_>, partner: PartnerId, number: u64) -> Result<Invoice, Problem> {
    let invoice = work.look::<Invoice>(RecordId(number))?.filter(|invoice| invoice.partner == partner);
    invoice.ok_or(Problem::NotFound(Invoice::NOUN))
}

/// What the invoices of a close are made of.
pub(super) struct Making<'a> {
    pub(super) close: &'a MonthClose,
    pub(super) counting: &'a Counting,
    pub(super) prices: &'a PriceBook,
}

/// Makes the invoices of a partner that are not made yet, one for each currency; how many.
pub(super) fn make_invoices(
    office: &Office,
    actor: &Actor,
    making: &Making<'_>,
    partner: PartnerId,
) -> Result<u64, Problem> {
    let mut made = 0;
    for currency in making.currencies(office, partner)? {
        let is_made = office.run(actor, making.close.frozen, |work| make(work, making, partner, currency))?;
        made += u64::from(is_made);
    }
    Ok(made)
}

fn make(work: &mut Work<'_>, making: &Making<'_>, partner: PartnerId, currency: Currency) -> Result<bool, Problem> {
    let close = making.close;
    let account = account(partner, currency.as_str());
    if work.the::<Invoice>("of", format!("{}/{account}", close.month))?.is_some() {
        return Ok(false);
    }
    let carried = carried_before(work, partner, currency.as_str(), None)?;
    let body = making.body(work.office, partner, currency, &carried)?;
    if body.lines.is_empty() {
        return Ok(false);
    }
    let seller = Seller {
        name: work.office.settings.operator.clone(),
        tax_number: work.office.settings.billing.tax_number.clone(),
    };
    let buyer = buyer(work, partner)?;
    let number = next_number(work, Series::Invoice)?;
    let zone = &work.office.settings.zone;
    let issued = close.frozen;
    let due = zone.to_datetime(issued + jiff::SignedDuration::from_hours(24 * i64::from(close.payment_days))).date();
    let terms = Terms {
        number,
        month: close.month,
        issued,
        due,
        seller,
        buyer,
        covered_before: close.before.clone(),
        covered: close.covered.clone(),
        prepaid_from: making.prices.prepaid_from(partner),
        tax_basis_points: close.tax_basis_points,
    };
    let statement = body.state(terms, currency, carried)?;
    let total = Money::new(statement.total_minor, currency);
    let issued_on = zone.to_datetime(issued).date();
    post(work, &OpenItem { number, partner, total, issued: issued_on, due })?;
    work.put(&Invoice { partner, statement, tax_receipt: None, credits: 0 })?;
    work.note("invoice.make", Some(partner), number, &format!("{}: {total}", close.month));
    Ok(true)
}

/// What is known of the partner now.
fn buyer(work: &mut Work<'_>, partner: PartnerId) -> Result<Buyer, Problem> {
    let details = work.look::<Organisation>(partner)?.map(|organisation| organisation.details).unwrap_or_default();
    let book = work.book()?;
    let called = book.partners.iter().find(|known| known.id == partner).map(|known| known.name.clone());
    let name = details.legal_name.or(called).unwrap_or_else(|| partner.to_string());
    let address = details.postal_address.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
    Ok(Buyer { partner: partner.to_string(), name, tax_number: details.kra_pin.unwrap_or_default(), address })
}

/// What the newest invoice of the account, before the one of this number where there is one, carries over.
pub(super) fn carried_before(
    work: &mut Work<'_>,
    partner: PartnerId,
    currency: &str,
    number: Option<u64>,
) -> Result<Vec<Carried>, Problem> {
    let mut page = PageRequest { limit: 2, ..PageRequest::FIRST };
    loop {
        let found = work.find::<Invoice>("account", account(partner, currency), true, page)?;
        let is_before = |invoice: &&Invoice| number.is_none_or(|number| invoice.statement.number < number);
        if let Some(before) = found.items.iter().find(is_before) {
            return Ok(before.statement.carried_out.clone());
        }
        page.after = found.next;
        if page.after.is_none() {
            return Ok(Vec::new());
        }
    }
}

/// What of an invoice follows from rows, prices and the invoice before.
pub(super) struct Body {
    pub(super) lines: Vec<Line>,
    pub(super) prices: Vec<StatedPrice>,
    pub(super) carried_out: Vec<Carried>,
}

impl Body {
    pub(super) fn state(
        self,
        terms: Terms,
        currency: Currency,
        carried: Vec<Carried>,
    ) -> Result<InvoiceStatement, Problem> {
        state(terms, currency, self.prices, (carried, self.carried_out), self.lines).map_err(too_large)
    }
}

impl Making<'_> {
    fn began(&self, office: &Office) -> Timestamp {
        self.close.month.begins(&office.settings.zone)
    }

    /// The currencies that a partner pays in this month.
    fn currencies(&self, office: &Office, partner: PartnerId) -> Result<Vec<Currency>, Problem> {
        let mut currencies = BTreeMap::new();
        for product in Product::ALL {
            let (units, _) = self.counting.of(partner, product);
            for key in units.keys() {
                let currency = self.prices.price(&key)?.currency;
                currencies.insert(currency.as_str().to_owned(), currency);
            }
            if let Some(price) = self.prices.invoiced(partner, product, self.began(office)) {
                currencies.insert(price.currency.as_str().to_owned(), price.currency);
            }
        }
        Ok(currencies.into_values().collect())
    }

    /// The lines of all products in one currency.
    pub(super) fn body(
        &self,
        office: &Office,
        partner: PartnerId,
        currency: Currency,
        carried: &[Carried],
    ) -> Result<Body, Problem> {
        let mut body = Body { lines: Vec::new(), prices: Vec::new(), carried_out: Vec::new() };
        for product in Product::ALL {
            let before = carried.iter().find(|one| one.product == product).copied();
            let (units, in_order) = self.counting.of(partner, product);
            let (runs, taken_back) = (self.runs(&in_order, currency)?, self.runs(&units.taken_back, currency)?);
            let minimum = self.prices.invoiced(partner, product, self.began(office));
            let minimum = minimum.filter(|price| price.currency == currency && price.monthly_minimum_minor > 0);
            let nothing = Carried::nothing(product);
            let allotted =
                allot(before.as_ref().unwrap_or(&nothing), &runs, &taken_back, minimum).map_err(too_large)?;
            if before.is_some() || allotted.carried != nothing {
                body.carried_out.push(allotted.carried);
            }
            body.lines.extend(allotted.lines);
            let used = runs.iter().chain(&taken_back).map(|run| run.price).chain(minimum);
            let mut stated: BTreeMap<u32, &Price> = BTreeMap::new();
            for price in used {
                if stated.insert(price.version, price).is_some_and(|other| other != price) {
                    let version = price.version;
                    let told = format!("two prices of {} for {partner} have the version {version}", product.word());
                    return Err(Problem::Store(told));
                }
            }
            body.prices.extend(stated.values().map(|price| StatedPrice::of(product, price, Some(*price) == minimum)));
        }
        Ok(body)
    }

    fn runs<'p>(&'p self, units: &[(PriceKey, u64)], currency: Currency) -> Result<Vec<Run<'p>>, Problem> {
        let run = |(key, units): &(PriceKey, u64)| Ok(Run { price: self.prices.price(key)?, units: *units });
        let runs: Result<Vec<Run<'_>>, Problem> = units.iter().map(run).collect();
        Ok(runs?.into_iter().filter(|run| run.price.currency == currency).collect())
    }
}

fn too_large(error: MoneyError) -> Problem {
    Problem::Store(error.to_string())
}
