//! An app in the words of its answers, and requests read from theirs.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use jiff::Timestamp;
use laini_core::access::{AddressRules, ConsumerSecret};
use laini_core::billing::{Currency, Money};
use laini_core::partner::{App, AppSecret, Budget, Limits, Product, ProductSet, Rate, ResultAddress, product_state};
use laini_office::Problem;
use laini_office::apps::AppOf;
use laini_wire::office::apps::{
    AppAnswer, BudgetBody, CredentialsAnswer, LimitsBody, ProductAnswer, ProductLimitsBody, ResultAddressAnswer,
    SecretAnswer,
};

/// An instant in whole seconds.
pub(in crate::office) fn instant(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// A digest in hexadecimal digits.
pub(in crate::office) fn hex(digest: &[u8; 32]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn answer(of: &AppOf) -> AppAnswer {
    let AppOf { app, partner, agreement, addresses } = of;
    let product = |product: Product| {
        let (state, why) = product_state(app, agreement.as_ref(), product);
        ProductAnswer { product: product.word().to_owned(), state: state.word().to_owned(), why: why.to_owned() }
    };
    let own = app.limits.products.iter();
    AppAnswer {
        app: app.id.to_string(),
        name: app.name.clone(),
        environment: app.environment.word().to_owned(),
        status: app.status.word().to_owned(),
        partner_status: partner.status.word().to_owned(),
        consumer_key: app.consumer_key.as_str().to_owned(),
        secrets: app.secrets.iter().map(secret).collect(),
        products: Product::ALL.into_iter().map(product).collect(),
        purpose: app.purpose.word().to_owned(),
        allowed_addresses: app.allowed_addresses.texts().collect(),
        limits: limits(app.limits.in_all),
        product_limits: own
            .map(|(product, own)| ProductLimitsBody { product: product.word().to_owned(), limits: limits(*own) })
            .collect(),
        budget: app.limits.budget.as_ref().map(budget),
        sentinel_with_time: app.profile.sentinel_with_time,
        single_token: app.profile.single_token,
        result_addresses: addresses.iter().map(result_address).collect(),
    }
}

fn secret(secret: &AppSecret) -> SecretAnswer {
    SecretAnswer {
        number: secret.number,
        ending: secret.ending.map(|ending| ending.as_str().to_owned()),
        created: secret.created.map(instant),
        last_used: secret.used.map(instant),
    }
}

pub(super) fn result_address(address: &ResultAddress) -> ResultAddressAnswer {
    ResultAddressAnswer {
        address: address.id.to_string(),
        url: address.url.clone(),
        proven: address.proven.map(instant),
        previous_until: address.previous_until.map(instant),
    }
}

/// Fresh credentials.
pub(in crate::office) fn credentials(app: &App, secret: &ConsumerSecret) -> CredentialsAnswer {
    CredentialsAnswer {
        app: app.id.to_string(),
        consumer_key: app.consumer_key.as_str().to_owned(),
        consumer_secret: secret.reveal().to_owned(),
    }
}

fn limits(limits: Limits) -> LimitsBody {
    LimitsBody {
        per_second: limits.rate.map(|rate| rate.per_second.get()),
        burst: limits.rate.map(|rate| rate.burst.get()),
        per_day: limits.per_day,
        per_month: limits.per_month,
    }
}

fn budget(budget: &Budget) -> BudgetBody {
    BudgetBody {
        currency: budget.month.currency.as_str().to_owned(),
        month_minor: budget.month.minor,
        warn_at_percent: budget.warn_at_percent.clone(),
        overrun_percent: budget.overrun_percent,
        hard_stop: budget.hard_stop,
    }
}

/// A set of products from its words.
pub(in crate::office) fn products(words: &[String]) -> Result<ProductSet, Problem> {
    let each = words.iter().map(|word| Product::parse(word));
    each.collect::<Result<_, _>>().map_err(|error| Problem::invalid("products", error.to_string()))
}

pub(super) fn networks(texts: &[String]) -> Result<AddressRules, Problem> {
    AddressRules::parse(texts.iter().map(String::as_str))
        .map_err(|error| Problem::invalid("allowed_addresses", error.to_string()))
}

pub(in crate::office) fn read_limits(body: LimitsBody) -> Result<Limits, Problem> {
    let rate = match (body.per_second, body.burst) {
        (None, None) => None,
        (Some(per_second), Some(burst)) => {
            let fits = |rate: u32| NonZeroU32::new(rate).filter(|rate| rate.get() <= Limits::PER_SECOND_MAX);
            let rate = fits(per_second).zip(fits(burst)).map(|(per_second, burst)| Rate { per_second, burst });
            let expected = || format!("per_second and burst are 1 to {}", Limits::PER_SECOND_MAX);
            Some(rate.ok_or_else(|| Problem::invalid("limits", expected()))?)
        }
        _ => return Err(Problem::invalid("limits", "per_second and burst come together")),
    };
    if [body.per_day, body.per_month].into_iter().flatten().any(|span| span > Limits::PER_SPAN_MAX) {
        let most = Limits::PER_SPAN_MAX;
        return Err(Problem::invalid("limits", format!("per_day and per_month are {most} at most")));
    }
    Ok(Limits { rate, per_day: body.per_day, per_month: body.per_month })
}

pub(super) fn read_product_limits(bodies: &[ProductLimitsBody]) -> Result<Vec<(Product, Limits)>, Problem> {
    let mut read: Vec<(Product, Limits)> = Vec::with_capacity(bodies.len());
    for body in bodies {
        let product = Product::parse(&body.product);
        let product = product.map_err(|error| Problem::invalid("product_limits", error.to_string()))?;
        if read.iter().any(|(there, _)| *there == product) {
            return Err(Problem::invalid("product_limits", "each product comes once"));
        }
        read.push((product, read_limits(body.limits)?));
    }
    read.sort_by_key(|(product, _)| *product);
    Ok(read)
}

pub(super) fn read_budget(body: BudgetBody) -> Result<Budget, Problem> {
    let currency = Currency::parse(&body.currency);
    let currency = currency.map_err(|error| Problem::invalid("currency", error.to_string()))?;
    Ok(Budget {
        month: Money::new(body.month_minor, currency),
        warn_at_percent: body.warn_at_percent,
        overrun_percent: body.overrun_percent,
        hard_stop: body.hard_stop,
    })
}
