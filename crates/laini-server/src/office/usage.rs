//! Usage and prices.

use axum::http::Method;
use jiff::civil::Date;
use laini_core::billing::{Line, Month, StatedPrice};
use laini_core::partner::{May, PartnerId, Product, StaffRole};
use laini_office::agreements::{self, BandTerms, PriceAgreed, PriceTerms};
use laini_office::billing::{
    PriceBook, REVENUE_MONTHS_MAX, month_so_far, revenue, simulate, usage_by_day, usage_by_reference,
};
use laini_office::call_times::partner_call_times;
use laini_office::{Problem, Work};
use laini_wire::office::invoices::{InvoiceLine, PriceBand};
use laini_wire::office::usage::{
    CallTimesAnswer, DayCallTimesAnswer, DayUsageAnswer, EarnedAnswer, MonthSoFarAnswer, PriceAnswer,
    PriceChangeAnswer, PriceChangeRequest, PricesAnswer, ProductSoFarAnswer, ReferenceUsageAnswer, ReferencesAnswer,
    RevenueAnswer, SimulationAnswer, SimulationRequest, UsageAnswer,
};
use serde_json::{Value, json};

use super::described::{asking, in_query, operation, refusing, taking};
use super::invoices::BOTH_LOOK;
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Parameter, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "usage",
    description: "How much was asked, and what it costs.",
    endpoints: || {
        vec![
            Endpoint::new(show_usage_operation(), show_usage),
            Endpoint::new(show_references_operation(), show_reference_usage).long(),
            Endpoint::new(show_call_times_operation(), show_call_times),
            Endpoint::new(show_month_so_far_operation(), show_month_so_far),
            Endpoint::new(show_revenue_operation(), show_revenue),
            Endpoint::new(list_prices_operation(), list_prices),
            Endpoint::new(change_price_operation(), change_price),
            Endpoint::new(simulate_price_operation(), simulate_price).long(),
        ]
    },
    schemas,
};

/// Who looks at what all partners bring, and would bring.
const FINANCES: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor] };
/// Who changes prices.
const PRICERS: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance] };
/// Months of revenue that are told where nobody asks for another number.
const MONTHS_TOLD: u64 = 12;

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<UsageAnswer>(&mut schemas);
    collect::<ReferencesAnswer>(&mut schemas);
    collect::<CallTimesAnswer>(&mut schemas);
    collect::<MonthSoFarAnswer>(&mut schemas);
    collect::<RevenueAnswer>(&mut schemas);
    collect::<PricesAnswer>(&mut schemas);
    collect::<PriceChangeRequest>(&mut schemas);
    collect::<PriceChangeAnswer>(&mut schemas);
    collect::<SimulationRequest>(&mut schemas);
    collect::<SimulationAnswer>(&mut schemas);
    schemas
}

/// An operation on the days that are asked for.
fn days(operation: Operation) -> Operation {
    let day = |name, description| Parameter {
        required: true,
        ..in_query(name, description, json!({"type": "string", "format": "date"}))
    };
    let days = [day("from", "From this day on, in the operator's zone,"), day("until", "until before this one.")];
    refusing(asking(operation, days), ApiError::InvalidField("from", "expected a day such as 2026-11-22".into()))
}

fn looked(id: &'static str, path: &'static str, summary: &'static str, answer: Answer) -> Operation {
    operation(id, (Method::GET, path), summary, BOTH_LOOK, answer)
}

fn show_usage_operation() -> Operation {
    let day = json!({
        "day": "2026-11-22", "app": "0000000000000004", "product": "imsi", "environment": "production",
        "outcome": "answered", "checks": 2, "charged_minor": 4_000,
    });
    let answer = Answer::ok("The days.", &["UsageAnswer"], json!({"usage": [day]}));
    days(looked("show_usage", "/office/v1/partners/{partner}/usage", "How much a partner's apps asked, by day", answer))
}

fn show_references_operation() -> Operation {
    let one = json!({"reference": "branch 7", "product": "imsi", "checks": 2, "charged": 2, "charged_minor": 4_000});
    let answer = Answer::ok("The references.", &["ReferencesAnswer"], json!({"references": [one]}));
    let path = "/office/v1/partners/{partner}/usage/references";
    days(looked("show_reference_usage", path, "How much was asked, by the callers' own references", answer))
}

fn show_call_times_operation() -> Operation {
    let day = json!({
        "day": "2026-11-22", "app": "0000000000000004", "environment": "production", "calls": 1_200,
        "half_within_micros": 250, "most_within_micros": 2_500,
    });
    let answer = Answer::ok("The days.", &["CallTimesAnswer"], json!({"times": [day]}));
    let path = "/office/v1/partners/{partner}/usage/times";
    days(looked("show_call_times", path, "How long a partner's answered checks took, by day", answer))
}

fn show_month_so_far_operation() -> Operation {
    let product = json!({
        "product": "swap", "currency": "KES", "units": 1_200, "free_left": 198_800, "free_per_month": false,
        "spent_minor": 0, "forecast_units": 1_800, "forecast_minor": 0,
    });
    let answer = json!({"month": "2026-11", "days_left": 8, "averaged_days": 14, "products": [product]});
    let answer = Answer::ok("The running month.", &["MonthSoFarAnswer"], answer);
    let path = "/office/v1/partners/{partner}/usage/month";
    looked("show_month_so_far", path, "What the running month costs so far, and may come to", answer)
}

fn show_revenue_operation() -> Operation {
    let one = json!({
        "month": "2026-11", "partner": "0000000000000001", "product": "imsi", "units": 1_200, "currency": "KES",
        "net_minor": 2_400_000, "is_invoiced": true,
    });
    let answer = Answer::ok("The revenue, the newest month first.", &["RevenueAnswer"], json!({"revenue": [one]}));
    let summary = "What partners brought, by month and product";
    let operation = operation("show_revenue", (Method::GET, "/office/v1/revenue"), summary, FINANCES, answer);
    let months = json!({"type": "integer", "minimum": 1, "maximum": REVENUE_MONTHS_MAX, "default": MONTHS_TOLD});
    let months = in_query("months", "How many months, with the running one.", months);
    refusing(asking(operation, [months]), ApiError::InvalidField("months", "expected 1 to 24".into()))
}

fn price_example() -> Value {
    json!({
        "product": "imsi", "set_up_minor": 0, "free_units": 0, "free_per_month": false,
        "bands": [{"up_to": null, "unit_minor": 2_000}], "monthly_minimum_minor": 0,
    })
}

fn list_prices_operation() -> Operation {
    let mut price = price_example();
    price["agreement"] = json!("0000000000000005");
    price["from"] = json!("2026-11-01T00:00:00Z");
    price["version"] = json!(1);
    price["currency"] = json!("KES");
    let answer = Answer::ok("The prices.", &["PricesAnswer"], json!({"prices": [price]}));
    let path = "/office/v1/partners/{partner}/prices";
    looked("list_prices", path, "Every price that a partner had, has and will have", answer)
}

fn change_price_operation() -> Operation {
    let mut request = price_example();
    request["from"] = json!("2026-12-01T00:00:00Z");
    request["agreed_outside"] = json!(null);
    let answer = json!({"agreement": "0000000000000005", "number": 2, "state": "sent"});
    let operation = operation(
        "change_price",
        (Method::POST, "/office/v1/partners/{partner}/prices"),
        "Another price, in a new version of the agreement",
        PRICERS,
        Answer::ok("The version.", &["PriceChangeAnswer"], answer),
    );
    let unsigned = "there is a version that is not signed; change it, or remove it first";
    taking(refusing(operation, ApiError::NotNow(unsigned.to_owned())), "PriceChangeRequest", request)
}

fn simulate_price_operation() -> Operation {
    let mut request = price_example();
    request["month"] = json!("2026-11");
    let answer = json!({"units": 0, "was_minor": 0, "would_be_minor": 0, "was": [], "would_be": []});
    let operation = operation(
        "simulate_price",
        (Method::POST, "/office/v1/partners/{partner}/prices/simulation"),
        "What a month would have cost under another price; nothing is changed",
        FINANCES,
        Answer::ok("Both.", &["SimulationAnswer"], answer),
    );
    taking(operation, "SimulationRequest", request)
}

/// The partner, where there is such a one, and the days.
fn asked(work: &Work<'_>, call: &Call) -> Result<(PartnerId, Date, Date), Problem> {
    let day = |name: &'static str| {
        let text = call.query(name).unwrap_or_default();
        text.parse::<Date>().map_err(|_| Problem::invalid(name, "expected a day such as 2026-11-22"))
    };
    Ok((known(work, call)?, day("from")?, day("until")?))
}

fn known(work: &Work<'_>, call: &Call) -> Result<PartnerId, Problem> {
    let partner = call.partner()?;
    let is_known = work.book()?.partners.iter().any(|known| known.id == partner);
    is_known.then_some(partner).ok_or(Problem::NotFound("partner"))
}

fn show_usage(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, from, until) = asked(work, call)?;
    let usage = usage_by_day(work.office, Some(partner), from, until)?.into_iter().map(|one| DayUsageAnswer {
        day: one.day.to_string(),
        app: one.app.to_string(),
        product: one.product.word().to_owned(),
        environment: one.environment.word().to_owned(),
        outcome: one.outcome.word().to_owned(),
        checks: one.checks,
        charged_minor: one.charged_minor,
    });
    Reply::ok(&UsageAnswer { usage: usage.collect() })
}

fn show_reference_usage(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, from, until) = asked(work, call)?;
    let references = usage_by_reference(work.office, partner, from, until)?;
    let references = references.into_iter().map(|one| ReferenceUsageAnswer {
        reference: one.reference,
        product: one.product.word().to_owned(),
        checks: one.checks,
        charged: one.charged,
        charged_minor: one.charged_minor,
    });
    Reply::ok(&ReferencesAnswer { references: references.collect() })
}

fn show_call_times(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, from, until) = asked(work, call)?;
    let times = partner_call_times(work, partner, from, until)?.into_iter().map(|of| DayCallTimesAnswer {
        day: of.day.to_string(),
        app: of.app.to_string(),
        environment: of.environment.word().to_owned(),
        calls: of.times.calls(),
        half_within_micros: of.times.within(50),
        most_within_micros: of.times.within(99),
    });
    Reply::ok(&CallTimesAnswer { times: times.collect() })
}

fn show_month_so_far(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let partner = known(work, call)?;
    let month = month_so_far(work, partner)?;
    let product = |of: &laini_office::billing::ProductSoFar| ProductSoFarAnswer {
        product: of.product.word().to_owned(),
        currency: of.spent.currency.as_str().to_owned(),
        units: of.units,
        free_left: of.free_left,
        free_per_month: of.free_per_month,
        spent_minor: of.spent.minor,
        forecast_units: of.forecast_units,
        forecast_minor: of.forecast.minor,
    };
    Reply::ok(&MonthSoFarAnswer {
        month: month.month.to_string(),
        days_left: month.days_left,
        averaged_days: u64::try_from(month.averaged_days).unwrap_or(u64::MAX),
        products: month.products.iter().map(product).collect(),
    })
}

fn show_revenue(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let expected = || Problem::invalid("months", format!("expected 1 to {REVENUE_MONTHS_MAX}"));
    let months = call.query("months").map(|text| text.parse().map_err(|_| expected())).transpose()?;
    let revenue = revenue(work, months.unwrap_or(MONTHS_TOLD))?.into_iter().map(|one| EarnedAnswer {
        month: one.month.to_string(),
        partner: one.partner.to_string(),
        product: one.product.word().to_owned(),
        units: one.units,
        currency: one.net.currency.as_str().to_owned(),
        net_minor: one.net.minor,
        is_invoiced: one.is_invoiced,
    });
    Reply::ok(&RevenueAnswer { revenue: revenue.collect() })
}

fn list_prices(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let partner = known(work, call)?;
    let book = PriceBook::load(work.office)?;
    let prices = book.agreements(partner).iter().flat_map(|agreement| {
        agreement.prices.iter().map(|(product, price)| {
            let stated = StatedPrice::of(*product, price, false);
            let band =
                |band: &laini_core::billing::StatedBand| PriceBand { up_to: band.up_to, unit_minor: band.unit_minor };
            PriceAnswer {
                agreement: agreement.id.to_string(),
                from: agreement.valid_from.to_string(),
                product: product.word().to_owned(),
                version: price.version,
                currency: price.currency.as_str().to_owned(),
                set_up_minor: price.set_up_minor,
                free_units: stated.free_units,
                free_per_month: stated.free_per_month,
                bands: stated.bands.iter().map(band).collect(),
                monthly_minimum_minor: price.monthly_minimum_minor,
            }
        })
    });
    Reply::ok(&PricesAnswer { prices: prices.collect() })
}

fn change_price(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request: PriceChangeRequest = call.json()?;
    let partner = known(work, call)?;
    let product = Product::parse(&request.product).map_err(|error| Problem::invalid("product", error.to_string()))?;
    let instant = |text: &str| text.parse().map_err(|_| Problem::invalid("from", "expected an instant, RFC 3339"));
    let from = request.from.as_deref().map(instant).transpose()?;
    let price = PriceTerms {
        product,
        currency: work.office.settings.currency.as_str().to_owned(),
        set_up_minor: request.set_up_minor,
        free_units: request.free_units,
        free_units_renew: request.free_per_month,
        bands: request.bands.iter().map(|b| BandTerms { up_to: b.up_to, unit_minor: b.unit_minor }).collect(),
        monthly_minimum_minor: request.monthly_minimum_minor,
    };
    let agreed = request.agreed_outside.as_deref().map_or(PriceAgreed::ByBoth, PriceAgreed::Outside);
    let version = agreements::change_price(work, partner, &price, from, agreed)?;
    Reply::ok(&PriceChangeAnswer {
        agreement: version.id.to_string(),
        number: version.number,
        state: version.state.word().to_owned(),
    })
}

fn simulate_price(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request: SimulationRequest = call.json()?;
    let partner = known(work, call)?;
    let product = Product::parse(&request.product).map_err(|error| Problem::invalid("product", error.to_string()))?;
    let month = Month::parse(&request.month).map_err(|error| Problem::invalid("month", error.to_string()))?;
    let price = PriceTerms {
        product,
        currency: work.office.settings.currency.as_str().to_owned(),
        set_up_minor: request.set_up_minor,
        free_units: request.free_units,
        free_units_renew: request.free_per_month,
        bands: request.bands.iter().map(|b| BandTerms { up_to: b.up_to, unit_minor: b.unit_minor }).collect(),
        monthly_minimum_minor: request.monthly_minimum_minor,
    };
    let price = price.price(u32::MAX)?;
    let done = simulate(work.office, partner, product, month, &price)?;
    Reply::ok(&SimulationAnswer {
        units: done.units,
        was_minor: done.was_minor,
        would_be_minor: done.would_be_minor,
        was: done.was.iter().map(line).collect(),
        would_be: done.would_be.iter().map(line).collect(),
    })
}

fn line(line: &Line) -> InvoiceLine {
    InvoiceLine {
        line: line.line,
        kind: line.kind.word().to_owned(),
        product: line.product.word().to_owned(),
        price_version: line.price_version,
        units: line.units,
        unit_minor: line.unit_minor,
        amount_minor: line.amount_minor,
    }
}
