use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use laini_core::billing::{Currency, Money};
use laini_core::partner::{LawfulBasis, Product, Purpose};
use laini_office::Problem;
use laini_office::agreements::{BandTerms, LimitTerms, PriceTerms, PurposeTerms, Terms};

use crate::fields::field;
use crate::visit::Visit;

/// What an agreement says, as it stands in the fields of the form.
pub(super) fn written(terms: &Terms, zone: &TimeZone) -> Vec<(String, String)> {
    let mut fields = vec![
        field("swap_months", terms.swap_months),
        field("registration_months", terms.registration_months),
        field("notice_days", terms.notice_days),
        field("per_second", shown(terms.limits.per_second)),
        field("per_day", shown(terms.limits.per_day)),
        field("per_month", shown(terms.limits.per_month)),
        field("valid_from", shown(terms.valid_from.map(|at| at.to_zoned(zone.clone()).date()))),
        field("valid_until", shown(terms.valid_until.map(|at| at.to_zoned(zone.clone()).date()))),
    ];
    fields.extend(terms.exact_times.then(|| field("exact_times", "1")));
    fields.extend(terms.pass_hashed_imsi.then(|| field("pass_hashed_imsi", "1")));
    for price in &terms.prices {
        let name = |end: &str| format!("{}_{end}", price.product.word());
        fields.extend([
            field(name("on"), "1"),
            field(name("bands"), price.bands.iter().map(band).collect::<Vec<_>>().join("\n")),
            field(name("set_up"), amount(price.set_up_minor)),
            field(name("minimum"), amount(price.monthly_minimum_minor)),
            field(name("free"), price.free_units),
        ]);
        fields.extend(price.free_units_renew.then(|| field(name("renew"), "1")));
    }
    fields.extend(terms.purposes.iter().map(|of| field(of.purpose.word(), of.lawful_basis.word())));
    fields
}

fn shown(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn amount(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn band(band: &BandTerms) -> String {
    match band.up_to {
        Some(up_to) => format!("{up_to}: {}", amount(band.unit_minor)),
        None => amount(band.unit_minor),
    }
}

/// Reads the fields of the form.
pub(super) fn read(visit: &Visit, currency: Currency, zone: &TimeZone) -> Result<Terms, Problem> {
    let is_on = |product: &Product| !visit.field(&format!("{}_on", product.word())).is_empty();
    let prices = Product::ALL.into_iter().filter(is_on).map(|product| price(visit, product, currency));
    let purposes = Purpose::ALL.into_iter().filter(|purpose| !visit.field(purpose.word()).is_empty());
    let purposes = purposes.map(|purpose| {
        let basis = LawfulBasis::parse(visit.field(purpose.word()));
        let lawful_basis = basis.map_err(|error| Problem::invalid("purposes", error.to_string()))?;
        Ok(PurposeTerms { purpose, lawful_basis })
    });
    Ok(Terms {
        prices: prices.collect::<Result<_, _>>()?,
        swap_months: number(visit, "swap_months")?.unwrap_or_default(),
        registration_months: number(visit, "registration_months")?.unwrap_or_default(),
        purposes: purposes.collect::<Result<_, Problem>>()?,
        exact_times: !visit.field("exact_times").is_empty(),
        pass_hashed_imsi: !visit.field("pass_hashed_imsi").is_empty(),
        limits: LimitTerms {
            per_second: number(visit, "per_second")?,
            per_day: number(visit, "per_day")?,
            per_month: number(visit, "per_month")?,
        },
        valid_from: midnight("valid_from", visit.field("valid_from"), zone)?,
        valid_until: midnight("valid_until", visit.field("valid_until"), zone)?,
        notice_days: number(visit, "notice_days")?.unwrap_or_default(),
    })
}

fn price(visit: &Visit, product: Product, currency: Currency) -> Result<PriceTerms, Problem> {
    let of = |end: &str| visit.field(&format!("{}_{end}", product.word()));
    let money = |text: &str| match text {
        "" => Ok(0),
        text => Money::parse_amount(text, currency).map(|money| money.minor),
    };
    let money = |text: &str| money(text).map_err(|error| Problem::invalid("prices", error.to_string()));
    let whole = |text: &str| match text {
        "" => Ok(0),
        text => text.parse::<u64>().map_err(|_| Problem::invalid("prices", "free checks are a whole number")),
    };
    let lines = of("bands").lines().map(str::trim).filter(|line| !line.is_empty());
    let bands = lines.map(|line| match line.split_once(':') {
        None => Ok(BandTerms { up_to: None, unit_minor: money(line)? }),
        Some((up_to, each)) => {
            let up_to = up_to.trim().parse();
            let up_to =
                up_to.map_err(|_| Problem::invalid("prices", "a band is written 10000: 15.00, the last 12.00"))?;
            Ok(BandTerms { up_to: Some(up_to), unit_minor: money(each.trim())? })
        }
    });
    Ok(PriceTerms {
        product,
        currency: currency.as_str().to_owned(),
        set_up_minor: money(of("set_up"))?,
        free_units: whole(of("free"))?,
        free_units_renew: !of("renew").is_empty(),
        bands: bands.collect::<Result<_, Problem>>()?,
        monthly_minimum_minor: money(of("minimum"))?,
    })
}

/// A whole number; an empty field is none.
pub(super) fn number<T: std::str::FromStr>(visit: &Visit, name: &'static str) -> Result<Option<T>, Problem> {
    match visit.field(name) {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Problem::invalid(name, "expected a whole number")),
    }
}

/// The operator's midnight at which a day begins; an empty field is none.
pub(super) fn midnight(name: &'static str, text: &str, zone: &TimeZone) -> Result<Option<Timestamp>, Problem> {
    begins(name, text, zone, Ok)
}

/// The operator's midnight at which a day is over; an empty field is none.
pub(super) fn day_end(name: &'static str, text: &str, zone: &TimeZone) -> Result<Option<Timestamp>, Problem> {
    begins(name, text, zone, Date::tomorrow)
}

/// Where the day begins that `of` makes of the day that was entered.
fn begins(
    name: &'static str,
    text: &str,
    zone: &TimeZone,
    of: impl FnOnce(Date) -> Result<Date, jiff::Error>,
) -> Result<Option<Timestamp>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = text.parse().and_then(of);
    let at = day.and_then(|day| zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible());
    at.map(Some).map_err(|_| Problem::invalid(name, "expected a day such as 2026-12-31"))
}
