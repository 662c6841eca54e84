//! Prices: what each partner pays, since when, and what another price would have cost.

use std::sync::Arc;

use askama::Template;
use jiff::civil::Date;
use laini_core::billing::{Band, Currency, FreeUnits, Money, Month, Price, StatedPrice};
use laini_core::partner::{Partner, PartnerId, Product};
use laini_office::agreements::{self, AgreementState, PriceAgreed, PriceTerms};
use laini_office::billing::{PriceBook, Simulation, simulate};
use laini_office::{Problem, Work, payments};

use super::all_partners::{filters, is_wanted};
use super::{FINANCE_ACTS, FINANCE_LOOKS};
use crate::answer::Answer;
use crate::figures::{count, money};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::billing::may;
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::FinanceWords;

/// Partners on a page.
const PARTNERS: usize = 50;
const HERE: &str = "/operate/prices";

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, FINANCE_LOOKS, show).in_rail(Workspace::Operate, |words| words.prices),
        Page::get("/operate/prices/{partner}", FINANCE_LOOKS, show_partner),
        Page::post("/operate/prices/{partner}/simulation", FINANCE_LOOKS, try_it, show_partner),
        Page::post("/operate/prices/{partner}", FINANCE_ACTS, change, show_partner),
    ]
}

#[derive(Template)]
#[template(path = "operate/prices.html")]
struct PricesPage {
    frame: Frame,
    words: &'static FinanceWords,
    products: [Product; 3],
    sorting: Sorting<Priced>,
    rows: Vec<PartnerRow>,
    /// The part of a name that is looked for.
    wanted: String,
    filters: String,
    next: Option<PartnerId>,
}

/// A partner with the price of each product; `None` = none is in force.
type Priced = (Partner, [Option<Price>; 3]);

/// By name, and by what the first unit costs that is not free.
static PARTNERS_PRICED: Table<Priced> = Table {
    name: "sort",
    columns: &[
        ("partner", |one, other| by_text(&one.0.name, &other.0.name)),
        ("imsi", |one, other| unit(one, 0).cmp(&unit(other, 0))),
        ("swap", |one, other| unit(one, 1).cmp(&unit(other, 1))),
        ("age", |one, other| unit(one, 2).cmp(&unit(other, 2))),
    ],
    comes: "partner",
};

fn unit((_, prices): &Priced, product: usize) -> Option<i64> {
    prices[product].as_ref().and_then(|price| price.bands.first()).map(|band| band.unit_minor)
}

struct PartnerRow {
    partner: PartnerId,
    name: String,
    /// The price of each product, in words; `None` = none is in force.
    prices: Vec<Option<String>>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().finance;
    let found = portal.work(&visit, |work, visit| {
        let (prices, at) = (PriceBook::load(work.office)?, work.at);
        let priced = |partner: Partner| {
            let prices = Product::ALL.map(|product| prices.in_force(partner.id, product, at).cloned());
            (partner, prices)
        };
        let is_wanted = |partner: &Partner| is_wanted(&partner.name, visit.query("name"));
        let mut partners: Vec<Priced> = work.book()?.partners.into_iter().filter(is_wanted).map(priced).collect();
        partners.sort_by(|one, other| by_text(&one.0.name, &other.0.name));
        Ok(partners)
    });
    let mut partners = found.await?;
    let sorting = Sorting::of(&PARTNERS_PRICED, &visit, HERE, &mut partners);
    // The page begins after the last partner of the one before, wherever that stands now.
    let before = partners.iter().position(|(partner, _)| partner.id.to_string() == visit.query("after"));
    partners.drain(..before.map_or(0, |last| last + 1));
    let next = partners.get(PARTNERS - 1).filter(|_| partners.len() > PARTNERS).map(|(last, _)| last.id);
    let row = |(partner, prices): &Priced| {
        let told = |(product, price): (Product, &Option<Price>)| price.as_ref().map(|of| in_words(product, of, words));
        let prices = Product::ALL.into_iter().zip(prices).map(told).collect();
        PartnerRow { partner: partner.id, name: partner.name.clone(), prices }
    };
    let wanted = visit.query("name").trim().to_owned();
    page(&PricesPage {
        filters: filters(&wanted, &sorting),
        wanted,
        frame: visit.frame(&portal, words.prices),
        words,
        products: Product::ALL,
        rows: partners.iter().take(PARTNERS).map(row).collect(),
        sorting,
        next,
    })
}

/// A price as people say it.
fn in_words(product: Product, price: &Price, words: &FinanceWords) -> String {
    let stated = StatedPrice::of(product, price, false);
    let shown = |minor| money(Money::new(minor, price.currency));
    let mut parts: Vec<String> = Vec::new();
    parts.extend(stated.bands.iter().map(|band| match band.up_to {
        Some(last) => format!("{} {} {}", shown(band.unit_minor), words.price_parts[3], count(last)),
        None => shown(band.unit_minor),
    }));
    if stated.free_units > 0 {
        let how = if stated.free_per_month { words.price_parts[2] } else { words.price_parts[1] };
        parts.push(format!("{} {how}", count(stated.free_units)));
    }
    if price.set_up_minor > 0 {
        parts.push(format!("{} {}", shown(price.set_up_minor), words.price_parts[0]));
    }
    if price.monthly_minimum_minor > 0 {
        parts.push(format!("{} {}", words.price_parts[4], shown(price.monthly_minimum_minor)));
    }
    parts.join(", ")
}

#[derive(Template)]
#[template(path = "operate/price.html")]
struct PricePage {
    frame: Frame,
    words: &'static FinanceWords,
    partner: PartnerId,
    name: String,
    sorting: Sorting<VersionRow>,
    versions: Vec<VersionRow>,
    products: Vec<(&'static str, bool)>,
    months: Vec<(String, bool)>,
    /// What stands in the form.
    bands: String,
    free: String,
    is_monthly: bool,
    set_up: String,
    minimum: String,
    from: String,
    simulation: Option<Simulated>,
    /// What became of a new version.
    done: Option<&'static str>,
    can_act: bool,
}

static VERSIONS: Table<VersionRow> = Table {
    name: "sort",
    columns: &[
        ("product", |one, other| one.product.cmp(other.product)),
        ("version", |one, other| one.version.cmp(&other.version)),
        // A day as people read it is in the order of days.
        ("from", |one, other| one.from.cmp(&other.from)),
    ],
    comes: "-from",
};

struct VersionRow {
    product: &'static str,
    version: u32,
    from: String,
    price: String,
    state: &'static str,
    tone: &'static str,
}

struct Simulated {
    product: &'static str,
    month: String,
    units: String,
    was: String,
    would_be: String,
    difference: String,
}

/// Months that can be simulated.
const MONTHS: usize = 13;

async fn show_partner(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    with(&portal, &visit, None).await
}

async fn with(portal: &Arc<Portal>, visit: &Arc<Visit>, simulated: Option<Simulated>) -> Result<Answer, Problem> {
    let words = &visit.language.words().finance;
    let found = portal.work(visit, |work, visit| {
        let partner = payments::known_partner(work, visit.partner()?)?;
        let words = &visit.language.words().finance;
        let now = Month::of(work.at, &work.office.settings.zone);
        Ok((partner, versions(work, visit.partner()?, words)?, now))
    });
    let (partner, mut versions, now) = found.await?;
    let sorting = Sorting::of(&VERSIONS, visit, format!("{HERE}/{}", partner.id), &mut versions);
    let asked = visit.field("month");
    let months = std::iter::successors(Some(now), |month| Some(month.previous())).take(MONTHS);
    let is_chosen = |month: &Month| if asked.is_empty() { month.next() == now } else { month.to_string() == asked };
    page(&PricePage {
        frame: visit.frame(portal, format!("{}: {}", words.prices, partner.name)),
        words,
        partner: partner.id,
        name: partner.name,
        sorting,
        versions,
        products: Product::ALL.map(|product| (product.word(), product.word() == visit.field("product"))).to_vec(),
        months: months.map(|month| (month.to_string(), is_chosen(&month))).collect(),
        bands: visit.field("bands").to_owned(),
        free: visit.field("free").to_owned(),
        is_monthly: !visit.field("free_per_month").is_empty(),
        set_up: visit.field("set_up").to_owned(),
        minimum: visit.field("minimum").to_owned(),
        from: visit.field("from").to_owned(),
        simulation: simulated,
        done: match visit.query("done") {
            "sent" => Some(words.sent),
            "signed" => Some(words.in_force_now),
            _ => None,
        },
        can_act: may(visit, FINANCE_ACTS),
    })
}

/// Every price that a partner had, has and will have, the newest first.
fn versions(work: &Work<'_>, partner: PartnerId, words: &FinanceWords) -> Result<Vec<VersionRow>, Problem> {
    let prices = PriceBook::load(work.office)?;
    let day = |at| work.office.settings.zone.to_datetime(at).date().to_string();
    let mut rows = Vec::new();
    for agreement in prices.agreements(partner).iter().rev() {
        for (product, price) in &agreement.prices {
            let now = prices.in_force(partner, *product, work.at);
            let (state, tone) = if agreement.valid_from > work.at {
                (words.later, "care")
            } else if now == Some(price) {
                (words.now, "go")
            } else {
                (words.earlier, "")
            };
            rows.push(VersionRow {
                product: product.word(),
                version: price.version,
                from: day(agreement.valid_from),
                price: in_words(*product, price, words),
                state,
                tone,
            });
        }
    }
    Ok(rows)
}

/// The price that stands in the form.
fn wanted(visit: &Visit, currency: Currency) -> Result<(Product, Price), Problem> {
    let product = Product::parse(visit.field("product"));
    let product = product.map_err(|error| Problem::invalid("product", error.to_string()))?;
    let amount = |field: &'static str, text: &str| match text.trim() {
        "" => Ok(0),
        text => Money::parse_amount(text, currency)
            .map(|money| money.minor)
            .map_err(|error| Problem::invalid(field, error.to_string())),
    };
    let band = |text: &str| match text.split_once('=') {
        None => Ok(Band { up_to: None, unit_minor: amount("bands", text)? }),
        Some((last, unit)) => {
            let last = last.trim().parse().map_err(|_| Problem::invalid("bands", "expected e.g. 1000=20, 12.50"))?;
            Ok(Band { up_to: Some(last), unit_minor: amount("bands", unit)? })
        }
    };
    if visit.field("bands").is_empty() {
        return Err(Problem::invalid("bands", "expected an amount, or bands such as 1000=20, 12.50"));
    }
    let free = match visit.field("free") {
        "" => 0,
        text => text.parse().map_err(|_| Problem::invalid("free", "expected a whole number, not below zero"))?,
    };
    let price = Price {
        version: u32::MAX,
        currency,
        set_up_minor: amount("set_up", visit.field("set_up"))?,
        free: if visit.field("free_per_month").is_empty() { FreeUnits::Once(free) } else { FreeUnits::PerMonth(free) },
        bands: visit.field("bands").split(',').map(band).collect::<Result<_, Problem>>()?,
        monthly_minimum_minor: amount("minimum", visit.field("minimum"))?,
    };
    price.check().map_err(|error| Problem::invalid("bands", error.to_string()))?;
    Ok((product, price))
}

async fn try_it(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let currency = portal.office.settings.currency;
    let done = portal.work(&visit, move |work, visit| {
        let (product, price) = wanted(visit, currency)?;
        let month = Month::parse(visit.field("month"));
        let month = month.map_err(|error| Problem::invalid("month", error.to_string()))?;
        let _place = work.office.jobs.long_read()?;
        let Simulation { units, was_minor, would_be_minor, .. } =
            simulate(work.office, visit.partner()?, product, month, &price)?;
        let shown = |minor| money(Money::new(minor, currency));
        Ok(Simulated {
            product: product.word(),
            month: month.to_string(),
            units: count(units),
            was: shown(was_minor),
            would_be: shown(would_be_minor),
            difference: shown(would_be_minor.saturating_sub(was_minor)),
        })
    });
    let done = done.await?;
    with(&portal, &visit, Some(done)).await
}

async fn change(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let currency = portal.office.settings.currency;
    let version = portal.work(&visit, move |work, visit| {
        let (product, price) = wanted(visit, currency)?;
        let terms = PriceTerms::of(product, &price);
        let is_outside = !visit.field("at_once").is_empty();
        let agreed = if is_outside { PriceAgreed::Outside(visit.field("reason")) } else { PriceAgreed::ByBoth };
        let from = from(work, visit)?;
        agreements::change_price(work, visit.partner()?, &terms, from, agreed)
    });
    let done = if version.await?.state == AgreementState::Signed { "signed" } else { "sent" };
    Ok(Answer::see_other(format!("/operate/prices/{}?done={done}", visit.partner()?)))
}

/// The first instant of the day that is asked for; `None` = at once.
fn from(work: &Work<'_>, visit: &Visit) -> Result<Option<jiff::Timestamp>, Problem> {
    let expected = || Problem::invalid("from", "expected a day such as 2026-12-01");
    let text = visit.field("from");
    if text.is_empty() {
        return Ok(None);
    }
    let day: Date = text.parse().map_err(|_| expected())?;
    let midnight = work.office.settings.zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible();
    midnight.map(Some).map_err(|_| expected())
}
