//! `laini app result-address …`: where an app has results delivered.
//!
//! Owns how an address is registered, proven, shown and ended. Must never show a signing secret twice,
//! or connect anywhere but through [`laini_server::delivery::Outbound`].

mod add;
mod list;
mod prove;
mod remove;
mod roll_secret;

use anyhow::Context as _;
use clap::Subcommand;
use laini_core::partner::{ResultAddress, ResultAddressId};
use laini_core::store::{AccountBook, AuditEntry};

use crate::command::Context;
use crate::command::context::concerning;
use crate::failure::WithHint as _;

/// What to do with result addresses.
#[derive(Subcommand)]
pub(crate) enum ResultAddressCommand {
    /// Register an address and challenge it; its signing secret is shown once.
    Add(add::AddArgs),
    /// List addresses.
    List(list::ListArgs),
    /// Challenge an address again; results go to it once it answered.
    Prove(prove::ProveArgs),
    /// Sign with a new secret; for a time with the old one as well.
    RollSecret(roll_secret::RollSecretArgs),
    /// Deliver nothing more to an address.
    Remove(remove::RemoveArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &ResultAddressCommand) -> anyhow::Result<()> {
    match command {
        ResultAddressCommand::Add(args) => add::run(context, args),
        ResultAddressCommand::List(args) => list::run(context, args),
        ResultAddressCommand::Prove(args) => prove::run(context, args),
        ResultAddressCommand::RollSecret(args) => roll_secret::run(context, args),
        ResultAddressCommand::Remove(args) => remove::run(context, args),
    }
}

/// The audit row of a change of an address, with the partner that it concerns.
fn of_partner(book: &AccountBook, address: &ResultAddress, entry: AuditEntry) -> AuditEntry {
    match book.apps.iter().find(|app| app.id == address.app) {
        Some(app) => concerning(app.partner, entry),
        None => entry,
    }
}

/// The address that a person means, by its id.
fn find<'a>(book: &'a AccountBook, wanted: &str) -> anyhow::Result<&'a ResultAddress> {
    let id = ResultAddressId::parse(wanted).ok();
    let found = book.result_addresses.iter().find(|address| Some(address.id) == id);
    found
        .with_context(|| format!("there is no result address {wanted}"))
        .hint("name it by its id: `laini app result-address list` shows them")
}
