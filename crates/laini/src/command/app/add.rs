use std::collections::HashSet;

use clap::Args;
use laini_core::access::{AddressRules, ConsumerKey, ConsumerSecret};
use laini_core::partner::{
    App, AppId, AppLimits, AppProfile, AppSecret, AppStatus, Environment, PartnerId, ProductSet, Purpose,
};
use laini_core::store::AccountBook;
use serde::Serialize;

use crate::command::context::{audit, block_on, concerning, named, now, random};
use crate::command::{Context, partner};
use crate::failure::WithHint as _;

/// `laini app add`
#[derive(Args)]
pub(crate) struct AddArgs {
    /// Whose app it is: the partner's name or id.
    #[arg(long)]
    partner: String,
    /// sandbox or production.
    #[arg(long, value_parser = Environment::parse)]
    environment: Environment,
    /// What it may call: imsi, swap, age, separated by commas.
    #[arg(long, value_parser = ProductSet::parse)]
    products: ProductSet,
    /// Its name, unique within the partner (default: made of environment and a number).
    #[arg(long)]
    name: Option<String>,
    /// A new token invalidates the previous ones, as published.
    #[arg(long)]
    single_token: bool,
    /// "No swap" with a time (true: 01-01-1900 00:00) or without (false); default: each path's own form.
    #[arg(long)]
    sentinel_with_time: Option<bool>,
}

#[derive(Serialize)]
struct AppReport {
    app: String,
    name: String,
    partner: String,
    environment: &'static str,
    products: String,
    consumer_key: String,
    consumer_secret: String,
}

/// Makes an app.
pub(crate) fn run(context: &Context, args: &AddArgs) -> anyhow::Result<()> {
    let (house, _) = context.house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let partner = partner::find(&book, &args.partner)?;
    let name = match &args.name {
        Some(name) => named(name)?,
        None => free_name(&book, partner.id, args.environment),
    };
    let profile = AppProfile { sentinel_with_time: args.sentinel_with_time, single_token: args.single_token };
    let Minted { app, secret } = mint(partner.id, name, args.environment, args.products, profile);
    let report = AppReport {
        app: app.id.to_string(),
        name: app.name.clone(),
        partner: partner.name.clone(),
        environment: app.environment.word(),
        products: app.products.to_string(),
        consumer_key: app.consumer_key.as_str().to_owned(),
        consumer_secret: secret.reveal().to_owned(),
    };
    let audit = concerning(app.partner, audit("app.add", report.app.clone(), ""));
    block_on(accounts.add_app(app, audit))?.hint("choose another --name")?;
    context.out.data(&report, |report| {
        format!(
            "{} ({}, {}) of {}\nconsumer key     {}\nconsumer secret  {}\nThe secret is shown this once: keep it where secrets are kept.",
            report.name, report.environment, report.products, report.partner, report.consumer_key, report.consumer_secret
        )
    })
}

/// `sandbox-1`, or the next number that the partner has not used yet.
fn free_name(book: &AccountBook, partner: PartnerId, environment: Environment) -> String {
    let apps = book.apps.iter().filter(|app| app.partner == partner);
    let taken: HashSet<&str> = apps.map(|app| app.name.as_str()).collect();
    let mut names = (1..=taken.len() + 1).map(|n| format!("{}-{n}", environment.word()));
    names.find(|name| !taken.contains(name.as_str())).unwrap_or_default()
}

/// A new app, with the secret that only its maker sees.
pub(crate) struct Minted {
    pub(crate) app: App,
    pub(crate) secret: ConsumerSecret,
}

/// Makes an app with fresh credentials; the caller stores it.
pub(crate) fn mint(
    partner: PartnerId,
    name: String,
    environment: Environment,
    products: ProductSet,
    profile: AppProfile,
) -> Minted {
    let secret = ConsumerSecret::mint([random(), random(), random(), random()]);
    let app = App {
        id: AppId::from_random(random()),
        partner,
        name,
        environment,
        products,
        status: AppStatus::Active,
        token_epoch: 0,
        consumer_key: ConsumerKey::mint(environment, [random(), random(), random()]),
        secrets: vec![AppSecret::first(&secret, now())],
        profile,
        purpose: Purpose::default(),
        limits: AppLimits::default(),
        client_certificate: None,
        allowed_addresses: AddressRules::default(),
    };
    Minted { app, secret }
}
