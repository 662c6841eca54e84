use clap::Args;
use jiff::Timestamp;
use laini_core::billing::{FreeUnits, Money, Price};
use laini_core::partner::{Agreement, Partner, Purpose};
use serde::Serialize;

use super::in_force;
use crate::command::Context;
use crate::command::context::block_on;

/// `laini agreement show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The partner: its name or id.
    partner: String,
}

/// An agreement as it is shown.
#[derive(Serialize)]
pub(super) struct AgreementReport {
    pub(super) agreement: String,
    pub(super) partner: String,
    valid_from: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Timestamp>,
    swap_window: String,
    registration_window: String,
    purposes: Vec<&'static str>,
    exact_times: bool,
    pass_hashed_imsi: bool,
    prices: Vec<PriceReport>,
}

#[derive(Serialize)]
struct PriceReport {
    product: &'static str,
    version: u32,
    currency: String,
    set_up_minor: i64,
    free_units: u64,
    free_units_renew: bool,
    bands: Vec<BandReport>,
    monthly_minimum_minor: i64,
    #[serde(skip)]
    in_words: String,
}

#[derive(Serialize)]
struct BandReport {
    up_to: Option<u64>,
    unit_minor: i64,
}

impl AgreementReport {
    pub(super) fn of(partner: &Partner, agreement: &Agreement) -> Self {
        Self {
            agreement: agreement.id.to_string(),
            partner: partner.name.clone(),
            valid_from: agreement.valid_from,
            valid_until: agreement.valid_until,
            swap_window: agreement.windows.swap.to_string(),
            registration_window: agreement.windows.registration.to_string(),
            purposes: agreement.purposes.iter().map(|purpose| Purpose::word(*purpose)).collect(),
            exact_times: agreement.exact_times,
            pass_hashed_imsi: agreement.pass_hashed_imsi,
            prices: agreement.prices.iter().map(|(product, price)| PriceReport::of(product.word(), price)).collect(),
        }
    }

    fn in_words(&self) -> String {
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let mut rows = vec![
            ("partner", self.partner.clone()),
            ("agreement", self.agreement.clone()),
            ("in force from", self.valid_from.to_string()),
            ("until", self.valid_until.map_or("it is ended or replaced".to_owned(), |end| end.to_string())),
            ("swaps disclosed", self.swap_window.clone()),
            ("registrations", self.registration_window.clone()),
            ("purposes", self.purposes.join(", ")),
            ("exact times", yes(self.exact_times)),
            ("operator's hash", yes(self.pass_hashed_imsi)),
        ];
        rows.extend(self.prices.iter().map(|price| (price.product, price.in_words.clone())));
        rows.iter().map(|(name, value)| format!("{name:<16} {value}")).collect::<Vec<_>>().join("\n")
    }
}

impl PriceReport {
    fn of(product: &'static str, price: &Price) -> Self {
        let (free_units, free_units_renew) = match price.free {
            FreeUnits::Once(units) => (units, false),
            FreeUnits::PerMonth(units) => (units, true),
        };
        Self {
            product,
            version: price.version,
            currency: price.currency.as_str().to_owned(),
            set_up_minor: price.set_up_minor,
            free_units,
            free_units_renew,
            bands: price.bands.iter().map(|b| BandReport { up_to: b.up_to, unit_minor: b.unit_minor }).collect(),
            monthly_minimum_minor: price.monthly_minimum_minor,
            in_words: price_in_words(price),
        }
    }
}

/// Shows what a partner agreed to.
pub(crate) fn run(context: &Context, args: &ShowArgs) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let book = block_on(house.accounts()?.load())??;
    let (partner, agreement) = in_force(&book, &args.partner)?;
    context.out.data(&AgreementReport::of(partner, &agreement), AgreementReport::in_words)
}

fn price_in_words(price: &Price) -> String {
    let money = |minor| Money::new(minor, price.currency).to_string();
    let mut parts = Vec::new();
    if price.set_up_minor != 0 {
        parts.push(format!("{} set-up", money(price.set_up_minor)));
    }
    match price.free {
        FreeUnits::Once(0) | FreeUnits::PerMonth(0) => {}
        FreeUnits::Once(units) => parts.push(format!("{units} free once")),
        FreeUnits::PerMonth(units) => parts.push(format!("{units} free a month")),
    }
    parts.extend(price.bands.iter().map(|band| match band.up_to {
        Some(up_to) => format!("{} each up to {up_to}", money(band.unit_minor)),
        None => format!("{} each", money(band.unit_minor)),
    }));
    if price.monthly_minimum_minor != 0 {
        parts.push(format!("at least {} a month", money(price.monthly_minimum_minor)));
    }
    parts.join(", ")
}
