//! `laini app …`: consumer keys and secrets.
//!
//! Owns how an app is made, shown, changed and ended. Must never show a secret twice.

mod add;
mod addresses;
mod budget;
mod certificate;
mod change;
mod go_live;
mod import;
mod limits;
mod list;
mod result_address;
mod revoke;
mod secrets;
mod show;

use anyhow::Context as _;
use clap::Subcommand;
use laini_core::partner::{App, AppId, AppStatus};
use laini_core::store::AccountBook;

use super::Context;
use crate::failure::WithHint as _;

pub(crate) use add::{Minted, mint};

/// What to do with apps.
#[derive(Subcommand)]
pub(crate) enum AppCommand {
    /// Make a consumer key and secret; the secret is shown once.
    Add(add::AddArgs),
    /// Take over consumer keys and secrets that another gateway made, all of a file or none.
    Import(import::ImportArgs),
    /// List the apps.
    List(list::ListArgs),
    /// Show everything about an app but its secret.
    Show(show::ShowArgs),
    /// Refuse an app, until it is resumed.
    Suspend(change::StatusArgs),
    /// Answer a suspended app again.
    Resume(change::StatusArgs),
    /// Add a secret beside the present one, which stays good until it is retired; it is shown once.
    Rotate(secrets::RotateArgs),
    /// End one of two secrets.
    RetireSecret(secrets::RetireArgs),
    /// Change what an app may call.
    Products(change::ProductsArgs),
    /// Requests for production credentials.
    #[command(subcommand)]
    GoLive(go_live::GoLiveCommand),
    /// Change how many numbers an app may ask about.
    Limits(limits::LimitsArgs),
    /// Change what an app may spend in a month.
    Budget(budget::BudgetArgs),
    /// Choose what happens to an app that seems to walk through the numbers.
    #[command(subcommand)]
    Probing(limits::ProbingCommand),
    /// Change what an app asks for where a request does not say.
    Purpose(change::PurposeArgs),
    /// Choose between the published forms.
    Profile(change::ProfileArgs),
    /// Answer an app under one client certificate only.
    Certificate(certificate::CertificateArgs),
    /// Answer an app from these addresses only.
    Addresses(addresses::AddressesArgs),
    /// Where its results are delivered.
    #[command(subcommand)]
    ResultAddress(result_address::ResultAddressCommand),
    /// End an app for good.
    Revoke(revoke::RevokeArgs),
    /// Refuse every token that an app holds now; it can get new ones.
    RevokeTokens(revoke::RevokeArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &AppCommand) -> anyhow::Result<()> {
    match command {
        AppCommand::Add(args) => add::run(context, args),
        AppCommand::Import(args) => import::run(context, args),
        AppCommand::List(args) => list::run(context, args),
        AppCommand::Show(args) => show::run(context, args),
        AppCommand::Suspend(args) => change::status(context, args, AppStatus::Suspended),
        AppCommand::Resume(args) => change::status(context, args, AppStatus::Active),
        AppCommand::Rotate(args) => secrets::rotate(context, args),
        AppCommand::RetireSecret(args) => secrets::retire(context, args),
        AppCommand::Products(args) => change::products(context, args),
        AppCommand::GoLive(command) => go_live::run(context, command),
        AppCommand::Limits(args) => limits::run(context, args),
        AppCommand::Budget(args) => budget::run(context, args),
        AppCommand::Probing(command) => limits::probing(context, command),
        AppCommand::Purpose(args) => change::purpose(context, args),
        AppCommand::Profile(args) => change::profile(context, args),
        AppCommand::Certificate(args) => certificate::run(context, args),
        AppCommand::Addresses(args) => addresses::run(context, args),
        AppCommand::ResultAddress(command) => result_address::run(context, command),
        AppCommand::Revoke(args) => revoke::app(context, args),
        AppCommand::RevokeTokens(args) => revoke::tokens(context, args),
    }
}

/// The app that a person means: by id, by consumer key, or by a name that is the only one of its kind.
pub(super) fn find<'a>(book: &'a AccountBook, wanted: &str) -> anyhow::Result<&'a App> {
    let id = AppId::parse(wanted).ok();
    let mut named =
        book.apps.iter().filter(|app| Some(app.id) == id || app.consumer_key.as_str() == wanted || app.name == wanted);
    let app = named.next().with_context(|| format!("no app is called {wanted}")).hint("`laini app list` shows them")?;
    if named.next().is_some() {
        return Err(anyhow::anyhow!("several apps are called {wanted}"))
            .hint("name it by its id or consumer key: `laini app list`");
    }
    Ok(app)
}
