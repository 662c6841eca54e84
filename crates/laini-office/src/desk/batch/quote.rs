use futures_executor::block_on;
use jiff::{Timestamp, ToSpan as _};
use laini_core::billing::{FreeUnits, Money, Outcome};
use laini_core::partner::{App, Environment, PartnerId, Product, ProductSet};

use crate::{Problem, Work};

/// What a batch would cost if every number is answered, before tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// How many numbers.
    pub rows: u32,
    /// As what they are charged.
    pub product: Product,
    /// What one number costs at most.
    pub each: Money,
    /// How many of them would be free units.
    pub free: u64,
    /// How many free units are left before it.
    pub free_left: u64,
    /// All together, by free units and bands as they stand.
    pub cost: Money,
    /// Whether the numbers are made up, and nothing is invoiced.
    pub is_sandbox: bool,
}

impl Quote {
    /// Of so many numbers, in the name of an app.
    pub(super) fn of(work: &Work<'_>, app: &App, rows: u32) -> Result<Self, Problem> {
        let product = product(app.products)?;
        let is_sandbox = app.environment == Environment::Sandbox;
        let none = Money::new(0, work.office.settings.currency);
        let book = work.book()?;
        let agreements = book.agreements_of(app.partner);
        let agreement = agreements.at(work.at);
        let price = agreement.ok().and_then(|agreement| {
            agreement.prices.iter().find(|(priced, _)| *priced == product).map(|(_, price)| price.clone())
        });
        let Some(price) = price else {
            if is_sandbox {
                let (free, free_left) = (u64::from(rows), u64::from(rows));
                return Ok(Self { rows, product, each: none, free, free_left, cost: none, is_sandbox });
            }
            return Err(Problem::not_now("no agreement in force has a price for what this app asks"));
        };
        let month = work.office.settings.zone.to_datetime(work.at).date().first_of_month();
        let zone = &work.office.settings.zone;
        let month = zone.to_ambiguous_timestamp(month.at(0, 0, 0, 0)).compatible();
        let month = month.map_err(|error| Problem::Store(error.to_string()))?;
        let in_month = units(work, app.partner, product, month)?;
        let (in_all, granted) = match price.free {
            FreeUnits::PerMonth(granted) => (in_month, granted),
            FreeUnits::Once(0) => (in_month, 0),
            FreeUnits::Once(granted) => {
                let first = agreements.versions().first().map_or(work.at, |first| first.valid_from);
                (units(work, app.partner, product, first.min(month))?, granted)
            }
        };
        let too_much = |_| Problem::not_now("it would cost more than can be counted; split the batch");
        let cost = price.cost(in_all, in_month, u64::from(rows)).map_err(too_much)?;
        let free = price.allot(in_all, in_month, u64::from(rows)).free;
        let seen = if matches!(price.free, FreeUnits::Once(_)) { in_all } else { in_month };
        let each = Money::new(price.dearest_minor(), price.currency);
        Ok(Self { rows, product, each, free, free_left: granted.saturating_sub(seen), cost, is_sandbox })
    }
}

/// As what the checks of an app are charged where no fact is named: see the guide of the checks.
fn product(products: ProductSet) -> Result<Product, Problem> {
    if products.contains(Product::Imsi) {
        return Ok(Product::Imsi);
    }
    let mut all = products.iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(Problem::invalid("app", "this app asks for one fact at a time; choose one that has the product imsi")),
    }
}

/// Units of a partner's production apps since an instant, as the running counters have them.
fn units(work: &Work<'_>, partner: PartnerId, product: Product, from: Timestamp) -> Result<u64, Problem> {
    let until = work.at.checked_add(1.hour()).unwrap_or(work.at);
    let own: Vec<_> = work.book()?.apps.iter().filter(|app| app.partner == partner).map(|app| app.id).collect();
    let mut sum = 0_u64;
    for usage in block_on(work.office.ledger.usage(from, until))? {
        let counts =
            usage.environment == Environment::Production && usage.product == product && own.contains(&usage.app);
        match usage.outcome {
            Outcome::Answered if counts => sum += usage.checks,
            Outcome::Reversal if counts => sum = sum.saturating_sub(usage.checks),
            _ => {}
        }
    }
    Ok(sum)
}
