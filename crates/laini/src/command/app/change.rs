use clap::Args;
use laini_core::partner::{App, AppProfile, AppStatus, Environment, Product, ProductSet, Purpose};
use laini_core::store::{AccountBook, AppChange};

use super::find;
use super::show::AppReport;
use crate::command::Context;
use crate::command::context::{audit, because, block_on, concerning, now};
use crate::failure::{WithHint as _, hinted};

/// `laini app suspend` and `laini app resume`
#[derive(Args)]
pub(crate) struct StatusArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
}

/// `laini app purpose`
#[derive(Args)]
pub(crate) struct PurposeArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// fraud_prevention, onboarding or cheque_confirmation.
    #[arg(value_parser = Purpose::parse)]
    purpose: Purpose,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// `laini app products`
#[derive(Args)]
pub(crate) struct ProductsArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// Everything that it may call from now on: imsi, swap, age, separated by commas.
    #[arg(value_parser = ProductSet::parse)]
    products: ProductSet,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// `laini app profile`
#[derive(Args)]
pub(crate) struct ProfileArgs {
    /// The app: its id, consumer key or name.
    app: String,
    #[command(flatten)]
    forms: Forms,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct Forms {
    /// "No swap" with a time (true: 01-01-1900 00:00), without (false), or in each path's own form (default).
    #[arg(long, value_parser = sentinel)]
    sentinel_with_time: Option<Sentinel>,
    /// Whether a new token invalidates the previous ones, as published.
    #[arg(long)]
    single_token: Option<bool>,
}

#[derive(Clone, Copy)]
struct Sentinel(Option<bool>);

fn sentinel(word: &str) -> Result<Sentinel, &'static str> {
    match word {
        "true" => Ok(Sentinel(Some(true))),
        "false" => Ok(Sentinel(Some(false))),
        "default" => Ok(Sentinel(None)),
        _ => Err("expected true, false or default"),
    }
}

/// Suspends or resumes an app.
pub(crate) fn status(context: &Context, args: &StatusArgs, status: AppStatus) -> anyhow::Result<()> {
    let (action, effect) = match status {
        AppStatus::Active => ("app.resume", "is resumed; running servers answer it within a second"),
        AppStatus::Suspended | AppStatus::Revoked => {
            ("app.suspend", "is suspended; running servers refuse it within a second")
        }
    };
    let change = |_: &App, _: &AccountBook| Ok((AppChange::Status(status), args.reason.clone()));
    apply(context, &args.app, action, change, |report| format!("{} {effect}", report.name))
}

/// Changes an app's default purpose.
pub(crate) fn purpose(context: &Context, args: &PurposeArgs) -> anyhow::Result<()> {
    let change = |app: &App, book: &AccountBook| {
        let agreements = book.agreements_of(app.partner);
        let allowed = agreements.at(now()).is_ok_and(|agreement| agreement.purposes.contains(&args.purpose));
        if app.environment == Environment::Production && !allowed {
            return Err(anyhow::anyhow!("the agreement does not allow {}", args.purpose.word()))
                .hint("`laini agreement change PARTNER --purposes …` makes a new version that does");
        }
        Ok((AppChange::Purpose(args.purpose), because(args.purpose.word(), &args.reason)))
    };
    apply(context, &args.app, "app.purpose", change, |report| {
        format!("{} asks for {} where a request does not say", report.name, args.purpose.word())
    })
}

/// Changes what an app may call.
pub(crate) fn products(context: &Context, args: &ProductsArgs) -> anyhow::Result<()> {
    let change = |app: &App, book: &AccountBook| {
        let agreements = book.agreements_of(app.partner);
        let covers = |product: &Product| {
            agreements.at(now()).is_ok_and(|agreement| agreement.prices.iter().any(|(priced, _)| priced == product))
        };
        let uncovered = args.products.iter().find(|product| !covers(product));
        if let (Environment::Production, Some(product)) = (app.environment, uncovered) {
            return Err(anyhow::anyhow!("the agreement does not cover {}", product.word()))
                .hint("an app in production calls what its partner's agreement has a price for");
        }
        Ok((AppChange::Products(args.products), because(&args.products.to_string(), &args.reason)))
    };
    apply(context, &args.app, "app.products", change, |report| {
        format!("{} may call {}; running servers hold to it within a second", report.name, args.products)
    })
}

/// Chooses between the published forms.
pub(crate) fn profile(context: &Context, args: &ProfileArgs) -> anyhow::Result<()> {
    let change = |app: &App, _: &AccountBook| {
        let profile = AppProfile {
            sentinel_with_time: args.forms.sentinel_with_time.map_or(app.profile.sentinel_with_time, |form| form.0),
            single_token: args.forms.single_token.unwrap_or(app.profile.single_token),
        };
        let sentinel = profile.sentinel_with_time.map_or("default".to_owned(), |with_time| with_time.to_string());
        let set = format!("sentinel-with-time {sentinel}, single-token {}", profile.single_token);
        Ok((AppChange::Profile(profile), because(&set, &args.reason)))
    };
    apply(context, &args.app, "app.profile", change, |report| {
        format!("{} is answered in the chosen forms", report.name)
    })
}

/// One audited change of the app that is meant, and how it is now.
pub(super) fn apply(
    context: &Context,
    wanted: &str,
    action: &str,
    make: impl FnOnce(&App, &AccountBook) -> anyhow::Result<(AppChange, String)>,
    say: impl FnOnce(&AppReport) -> String,
) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let app = find(&book, wanted)?;
    if app.status == AppStatus::Revoked {
        return Err(hinted(
            anyhow::anyhow!("{} was revoked for good", app.name),
            "make another: laini app add --partner NAME --environment … --products …",
        ));
    }
    let (change, reason) = make(app, &book)?;
    let audit = concerning(app.partner, audit(action, app.id.to_string(), &reason));
    block_on(accounts.change_app(app.id, change, audit))??;
    let book = block_on(accounts.load())??;
    let report = AppReport::of(&book, find(&book, &app.id.to_string())?);
    context.out.data(&report, say)
}
