use std::fmt::Write as _;

use clap::Args;
use jiff::Timestamp;
use laini_core::partner::{AgreementId, App, AppSecret, Budget, Probing, Product};
use laini_core::store::AccountBook;
use serde::Serialize;

use super::find;
use crate::command::Context;
use crate::command::context::{block_on, now};
use crate::command::limits::{LimitsReport, in_words, rate_in_words};

/// `laini app show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The app: its id, consumer key or name.
    app: String,
}

/// The word for all products together.
pub(super) const ALL: &str = "all";

/// An app as it is shown.
#[derive(Serialize)]
pub(super) struct AppReport {
    app: String,
    pub(super) name: String,
    partner: String,
    environment: &'static str,
    products: String,
    status: &'static str,
    partner_status: &'static str,
    agreement: Option<String>,
    consumer_key: String,
    secrets: Vec<SecretReport>,
    token_epoch: u32,
    purpose: &'static str,
    single_token: bool,
    sentinel_with_time: Option<bool>,
    limits: Vec<ProductLimits>,
    budget: Option<BudgetReport>,
    probing: String,
    client_certificate: Option<String>,
    allowed_addresses: Vec<String>,
    result_addresses: Vec<AddressReport>,
    #[serde(skip)]
    pub(super) budget_in_words: String,
}

/// The limits of a product, or of `all` together.
#[derive(Serialize)]
struct ProductLimits {
    product: &'static str,
    #[serde(flatten)]
    limits: LimitsReport,
    #[serde(skip)]
    in_words: String,
}

#[derive(Serialize)]
struct BudgetReport {
    currency: String,
    month_minor: i64,
    warn_at_percent: Vec<u8>,
    overrun_percent: u16,
    hard_stop: bool,
    stop_minor: i64,
}

/// A secret, without the secret.
#[derive(Serialize)]
struct SecretReport {
    number: u32,
    ending: Option<String>,
    created: Option<String>,
    last_used: Option<String>,
}

#[derive(Serialize)]
struct AddressReport {
    url: String,
    is_proven: bool,
}

impl AppReport {
    pub(super) fn of(book: &AccountBook, app: &App) -> Self {
        let partner = book.partners.iter().find(|partner| partner.id == app.partner);
        let agreement = book.agreements_of(app.partner).at(now()).map(|agreement| agreement.id);
        let addresses = book.result_addresses.iter().filter(|address| address.app == app.id);
        Self {
            app: app.id.to_string(),
            name: app.name.clone(),
            partner: partner.map_or(String::new(), |partner| partner.name.clone()),
            environment: app.environment.word(),
            products: app.products.to_string(),
            status: app.status.word(),
            partner_status: partner.map_or("", |partner| partner.status.word()),
            agreement: agreement.ok().as_ref().map(AgreementId::to_string),
            consumer_key: app.consumer_key.as_str().to_owned(),
            secrets: app.secrets.iter().map(SecretReport::of).collect(),
            token_epoch: app.token_epoch,
            purpose: app.purpose.word(),
            single_token: app.profile.single_token,
            sentinel_with_time: app.profile.sentinel_with_time,
            limits: limits(app),
            budget: app.limits.budget.as_ref().map(BudgetReport::of),
            probing: probing_in_words(app.limits.probing),
            client_certificate: app.client_certificate.map(|digest| hex(&digest)),
            allowed_addresses: app.allowed_addresses.texts().collect(),
            result_addresses: addresses
                .map(|address| AddressReport { url: address.url.clone(), is_proven: address.proven.is_some() })
                .collect(),
            budget_in_words: app.limits.budget.as_ref().map_or("none".to_owned(), budget_in_words),
        }
    }

    /// The limits of a product, or of [`ALL`], for people.
    pub(super) fn limits_of(&self, product: &str) -> &str {
        self.limits.iter().find(|limits| limits.product == product).map_or("none", |limits| &limits.in_words)
    }

    fn in_words(&self) -> String {
        let status = match (self.status, self.partner_status) {
            ("active", "suspended") => "active, but its partner is suspended".to_owned(),
            (status, _) => status.to_owned(),
        };
        let sentinel = match self.sentinel_with_time {
            None => "each path's own form",
            Some(true) => "01-01-1900 00:00",
            Some(false) => "01-01-1900",
        };
        let mut rows = vec![
            ("app", format!("{} ({})", self.name, self.app)),
            ("partner", self.partner.clone()),
            ("environment", self.environment.to_owned()),
            ("status", status),
            ("products", self.products.clone()),
            ("purpose", self.purpose.to_owned()),
            ("consumer key", self.consumer_key.clone()),
        ];
        rows.extend(self.secrets.iter().map(|secret| ("secret", secret.in_words())));
        rows.extend([
            ("one token at a time", if self.single_token { "yes" } else { "no" }.to_owned()),
            ("\"no swap\"", sentinel.to_owned()),
        ]);
        rows.extend(self.limits.iter().map(|limits| ("limits", format!("{}: {}", limits.product, limits.in_words))));
        rows.push(("budget", self.budget_in_words.clone()));
        rows.push(("probing", self.probing.clone()));
        rows.push(("client certificate", self.client_certificate.clone().unwrap_or("any or none".to_owned())));
        let from =
            if self.allowed_addresses.is_empty() { "anywhere".to_owned() } else { self.allowed_addresses.join(", ") };
        rows.push(("allowed from", from));
        rows.extend(self.result_addresses.iter().map(|address| {
            let proven = if address.is_proven { "" } else { " (not proven yet)" };
            ("result address", format!("{}{proven}", address.url))
        }));
        rows.iter().map(|(name, value)| format!("{name:<20} {value}")).collect::<Vec<_>>().join("\n")
    }
}

impl SecretReport {
    fn of(secret: &AppSecret) -> Self {
        let instant = |at: Option<Timestamp>| at.map(|at| format!("{at:.0}"));
        let ending = secret.ending.map(|ending| ending.as_str().to_owned());
        Self { number: secret.number, ending, created: instant(secret.created), last_used: instant(secret.used) }
    }

    fn in_words(&self) -> String {
        let since = self.created.as_ref().map_or(String::new(), |at| format!(" since {at}"));
        let used = self.last_used.as_ref().map_or("not used yet".to_owned(), |at| format!("last used {at}"));
        let ends = self.ending.as_ref().map_or(String::new(), |ending| format!(" (…{ending})"));
        format!("{}{ends}{since}, {used}", self.number)
    }
}

impl BudgetReport {
    fn of(budget: &Budget) -> Self {
        Self {
            currency: budget.month.currency.as_str().to_owned(),
            month_minor: budget.month.minor,
            warn_at_percent: budget.warn_at_percent.clone(),
            overrun_percent: budget.overrun_percent,
            hard_stop: budget.hard_stop,
            stop_minor: budget.stop_minor(),
        }
    }
}

/// Shows an app.
pub(crate) fn run(context: &Context, args: &ShowArgs) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let book = block_on(house.accounts()?.load())??;
    let report = AppReport::of(&book, find(&book, &args.app)?);
    context.out.data(&report, AppReport::in_words)
}

/// The limits of all products together, then those of products that have some of their own.
fn limits(app: &App) -> Vec<ProductLimits> {
    let limits =
        |product, limits| ProductLimits { product, limits: LimitsReport::from(limits), in_words: in_words(limits) };
    let own = app.limits.products.iter().map(|(product, own)| limits(Product::word(*product), *own));
    std::iter::once(limits(ALL, app.limits.in_all)).chain(own).collect()
}

/// A budget for people.
pub(super) fn budget_in_words(budget: &Budget) -> String {
    let shares: Vec<String> = budget.warn_at_percent.iter().map(|share| format!("{share} %")).collect();
    let warns = if shares.is_empty() { "no warnings".to_owned() } else { format!("warns at {}", shares.join(", ")) };
    let stops = match (budget.hard_stop, budget.overrun_percent) {
        (true, _) => "stops there".to_owned(),
        (false, percent) => format!("stops {percent} % beyond"),
    };
    format!("{} a month, {warns}, {stops}", budget.month)
}

/// What happens to an app that seems to walk through the numbers, for people.
pub(super) fn probing_in_words(probing: Probing) -> String {
    match probing {
        Probing::Flag => "flagged".to_owned(),
        Probing::Slow(rate) => format!("flagged and slowed to {}", rate_in_words(rate)),
    }
}

/// A digest as people compare it.
pub(super) fn hex(digest: &[u8; 32]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
