use std::num::NonZeroU32;

use jiff::Timestamp;
use laini_core::billing::{Band, Currency, FreeUnits, Money, Price};
use laini_core::disclosure::{Window, Windows};
use laini_core::partner::{Agreement, Agreements, LawfulBasis, Limits, Product, Purpose, Rate};
use serde::{Deserialize, Serialize};

use super::AgreementRecord;
use crate::Problem;

/// The shortest and the longest notice.
const NOTICE_DAYS: std::ops::RangeInclusive<u16> = 1..=365;

/// What an agreement says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The products that it covers, with their prices.
    pub prices: Vec<PriceTerms>,
    /// How many calendar months back swaps are disclosed.
    pub swap_months: u16,
    /// How many calendar months back registrations are disclosed.
    pub registration_months: u16,
    /// For which purposes the partner may ask, and on what ground.
    pub purposes: Vec<PurposeTerms>,
    /// Whether `/v1/checks` answers instants where it would answer days.
    #[serde(default)]
    pub exact_times: bool,
    /// Whether the operator's own hash is answered where the feed carries one.
    #[serde(default)]
    pub pass_hashed_imsi: bool,
    /// What all production apps together may ask.
    #[serde(default)]
    pub limits: LimitTerms,
    /// From when on; `None` = from the second signature on.
    #[serde(default)]
    pub valid_from: Option<Timestamp>,
    /// Until when; `None` = until one side ends it.
    #[serde(default)]
    pub valid_until: Option<Timestamp>,
    /// Either side ends it with so many days' notice.
    pub notice_days: u16,
}

/// What a product costs, before tax, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTerms {
    /// Which.
    pub product: Product,
    /// Three letters.
    pub currency: String,
    /// Charged once.
    #[serde(default)]
    pub set_up_minor: i64,
    /// So many checks cost nothing,
    #[serde(default)]
    pub free_units: u64,
    /// in every month, or once.
    #[serde(default)]
    pub free_units_renew: bool,
    /// What the others cost, the last band without an end.
    pub bands: Vec<BandTerms>,
    /// The least that a month costs.
    #[serde(default)]
    pub monthly_minimum_minor: i64,
}

/// A band of graduated prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandTerms {
    /// The last check of the month that it covers; `None` = no end.
    #[serde(default)]
    pub up_to: Option<u64>,
    /// The price of each.
    pub unit_minor: i64,
}

/// A purpose, and on what ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeTerms {
    /// The purpose.
    pub purpose: Purpose,
    /// The ground.
    pub lawful_basis: LawfulBasis,
}

/// Limits; `None` = none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitTerms {
    /// Numbers a second.
    pub per_second: Option<u32>,
    /// Numbers a day.
    pub per_day: Option<u64>,
    /// Numbers a calendar month.
    pub per_month: Option<u64>,
}

impl LimitTerms {
    fn checked(&self) -> Result<(), Problem> {
        let Self { per_second, per_day, per_month } = self;
        let most = Limits::PER_SECOND_MAX;
        if per_second.is_some_and(|rate| !(1..=most).contains(&rate)) {
            return Err(Problem::invalid("limits", format!("per_second is 1 to {most}; leave it out for no limit")));
        }
        let most = Limits::PER_SPAN_MAX;
        if [per_day, per_month].into_iter().flatten().any(|span| *span > most) {
            return Err(Problem::invalid("limits", format!("per_day and per_month are {most} at most")));
        }
        Ok(())
    }
}

impl Terms {
    /// The standard agreement: every product at its list price, the widest windows, every purpose.
    pub fn standard(currency: Currency) -> Self {
        let flat = |product, unit_minor| PriceTerms {
            product,
            currency: currency.as_str().to_owned(),
            set_up_minor: 0,
            free_units: 0,
            free_units_renew: false,
            bands: vec![BandTerms { up_to: None, unit_minor }],
            monthly_minimum_minor: 0,
        };
        let swap = PriceTerms { set_up_minor: 5_000_000, free_units: 200_000, ..flat(Product::Swap, 100) };
        let windows = Windows::default();
        Self {
            prices: vec![flat(Product::Imsi, 2_000), swap, flat(Product::Age, 400)],
            swap_months: windows.swap.as_months(),
            registration_months: windows.registration.as_months(),
            purposes: Purpose::ALL.map(PurposeTerms::usual).to_vec(),
            exact_times: false,
            pass_hashed_imsi: false,
            limits: LimitTerms::default(),
            valid_from: None,
            valid_until: None,
            notice_days: 30,
        }
    }

    /// The terms of an agreement of which there is no record: it was made before there were any.
    pub(super) fn of(agreement: &Agreement) -> Self {
        Self {
            prices: agreement.prices.iter().map(|(product, price)| PriceTerms::of(*product, price)).collect(),
            swap_months: agreement.windows.swap.as_months(),
            registration_months: agreement.windows.registration.as_months(),
            purposes: agreement.purposes.iter().copied().map(PurposeTerms::usual).collect(),
            exact_times: agreement.exact_times,
            pass_hashed_imsi: agreement.pass_hashed_imsi,
            limits: LimitTerms::default(),
            valid_from: None,
            valid_until: agreement.valid_until,
            notice_days: 30,
        }
    }

    /// The terms, where they can be agreed at an instant by an operator of this currency; products and purposes in their
    /// own order.
    pub(super) fn checked(mut self, at: Timestamp, currency: Currency) -> Result<Self, Problem> {
        self.prices.sort_by_key(|price| price.product);
        let repeats = self.prices.windows(2).any(|pair| pair[0].product == pair[1].product);
        if self.prices.is_empty() || repeats {
            return Err(Problem::invalid("prices", "a price for at least one product is expected, and one for each"));
        }
        for price in &self.prices {
            // Accounts are kept in one currency.
            if price.price(1)?.currency != currency {
                let expected = format!("expected {}, the operator's currency", currency.as_str());
                return Err(Problem::invalid("prices", expected));
            }
        }
        self.windows()?;
        self.purposes.sort_by_key(|of| Purpose::ALL.iter().position(|purpose| *purpose == of.purpose));
        let repeats = self.purposes.windows(2).any(|pair| pair[0].purpose == pair[1].purpose);
        if self.purposes.is_empty() || repeats {
            return Err(Problem::invalid("purposes", "at least one purpose is expected, and each once"));
        }
        if !NOTICE_DAYS.contains(&self.notice_days) {
            return Err(Problem::invalid("notice_days", "1 to 365 days are expected"));
        }
        self.limits.checked()?;
        if self.valid_from.is_some_and(|from| from < at) {
            return Err(Problem::invalid("valid_from", "an agreement begins in the future, or once both have signed"));
        }
        if self.valid_until.is_some_and(|until| until <= self.valid_from.unwrap_or(at)) {
            return Err(Problem::invalid("valid_until", "it must lie after the beginning"));
        }
        Ok(self)
    }

    fn windows(&self) -> Result<Windows, Problem> {
        let window = |field, months| Window::months(months).map_err(|error| Problem::invalid(field, error.to_string()));
        Ok(Windows {
            swap: window("swap_months", self.swap_months)?,
            registration: window("registration_months", self.registration_months)?,
        })
    }

    /// The limits of all production apps together, where it names any.
    pub(super) fn limits(&self) -> Option<Limits> {
        let LimitTerms { per_second, per_day, per_month } = self.limits;
        let rate = per_second.and_then(NonZeroU32::new).map(|rate| Rate { per_second: rate, burst: rate });
        (self.limits != LimitTerms::default()).then_some(Limits { rate, per_day, per_month })
    }
}

impl PurposeTerms {
    /// A purpose on the ground that it usually stands on.
    pub fn usual(purpose: Purpose) -> Self {
        let lawful_basis = match purpose {
            Purpose::FraudPrevention | Purpose::ChequeConfirmation => LawfulBasis::LegitimateInterests,
            Purpose::Onboarding => LawfulBasis::LegalObligation,
        };
        Self { purpose, lawful_basis }
    }
}

impl PriceTerms {
    /// What an agreement says of this price; its version is not in it.
    pub fn of(product: Product, price: &Price) -> Self {
        let (free_units, free_units_renew) = match price.free {
            FreeUnits::PerMonth(units) => (units, true),
            FreeUnits::Once(units) => (units, false),
        };
        Self {
            product,
            currency: price.currency.as_str().to_owned(),
            set_up_minor: price.set_up_minor,
            free_units,
            free_units_renew,
            bands: price.bands.iter().map(|b| BandTerms { up_to: b.up_to, unit_minor: b.unit_minor }).collect(),
            monthly_minimum_minor: price.monthly_minimum_minor,
        }
    }

    /// The price in the form that checks and invoices go by.
    pub fn price(&self, version: u32) -> Result<Price, Problem> {
        let invalid = |why: String| Problem::invalid("prices", why);
        let currency = Currency::parse(&self.currency).map_err(|error| invalid(error.to_string()))?;
        let free = |units| if self.free_units_renew { FreeUnits::PerMonth(units) } else { FreeUnits::Once(units) };
        let price = Price {
            version,
            currency,
            set_up_minor: self.set_up_minor,
            free: free(self.free_units),
            bands: self.bands.iter().map(|b| Band { up_to: b.up_to, unit_minor: b.unit_minor }).collect(),
            monthly_minimum_minor: self.monthly_minimum_minor,
        };
        price.check().map_err(|error| invalid(error.to_string()))?;
        Ok(price)
    }

    /// The price in words.
    pub(super) fn in_words(&self) -> String {
        let Ok(currency) = Currency::parse(&self.currency) else { return String::new() };
        let money = |minor| Money::new(minor, currency).to_string();
        let mut from = 1;
        let bands = self.bands.iter().map(|band| {
            let start = std::mem::replace(&mut from, band.up_to.unwrap_or(0).saturating_add(1));
            match band.up_to {
                Some(end) => format!("{} each from the {start}. to the {end}. of a month", money(band.unit_minor)),
                None if start == 1 => format!("{} each", money(band.unit_minor)),
                None => format!("{} each from the {start}. of a month on", money(band.unit_minor)),
            }
        });
        let mut parts: Vec<String> = bands.collect();
        if self.set_up_minor != 0 {
            parts.push(format!("{} once for setting up", money(self.set_up_minor)));
        }
        if self.free_units != 0 {
            let often = if self.free_units_renew { "in every month" } else { "once" };
            parts.push(format!("the first {} free, {often}", self.free_units));
        }
        if self.monthly_minimum_minor != 0 {
            parts.push(format!("at least {} a month", money(self.monthly_minimum_minor)));
        }
        parts.join("; ")
    }
}

impl AgreementRecord {
    /// The agreement that checks go by. A price that was agreed before, whenever it begins, keeps its version; another
    /// one gets a version that no price of its product has.
    pub(super) fn agreed(&self, before: &Agreements, at: Timestamp) -> Result<Agreement, Problem> {
        let priced = |of: &PriceTerms| {
            let versions = before.versions().iter().flat_map(|agreement| &agreement.prices);
            let known = versions.filter(|(product, _)| *product == of.product).map(|(_, price)| price);
            let price = of.price(1)?;
            let same = known.clone().find(|known| **known == Price { version: known.version, ..price.clone() });
            let next = || known.map(|known| known.version).max().map_or(1, |last| last + 1);
            let version = same.map_or_else(next, |same| same.version);
            Ok((of.product, Price { version, ..price }))
        };
        Ok(Agreement {
            id: self.id,
            partner: self.partner,
            valid_from: self.terms.valid_from.unwrap_or(at).max(at),
            valid_until: self.terms.valid_until,
            windows: self.terms.windows()?,
            prices: self.terms.prices.iter().map(priced).collect::<Result<_, Problem>>()?,
            pass_hashed_imsi: self.terms.pass_hashed_imsi,
            purposes: self.terms.purposes.iter().map(|of| of.purpose).collect(),
            exact_times: self.terms.exact_times,
        })
    }
}
