//! `laini agreement …`: what partners agreed to.
//!
//! Owns how an agreement is shown and followed by a new version. Must never change a version that was
//! in force: ledger rows stand on it.

mod change;
mod show;

use clap::Subcommand;
use laini_core::partner::{Agreement, Partner};
use laini_core::store::AccountBook;

use super::Context;
use super::context::now;
use super::partner;

/// What to do with agreements.
#[derive(Subcommand)]
pub(crate) enum AgreementCommand {
    /// Show what a partner agreed to.
    Show(show::ShowArgs),
    /// Put a new version of a partner's agreement in force; the ones before stay as they were.
    Change(change::ChangeArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &AgreementCommand) -> anyhow::Result<()> {
    match command {
        AgreementCommand::Show(args) => show::run(context, args),
        AgreementCommand::Change(args) => change::run(context, args),
    }
}

/// The partner that a person means, and its agreement in force.
fn in_force<'a>(book: &'a AccountBook, wanted: &str) -> anyhow::Result<(&'a Partner, Agreement)> {
    let partner = partner::find(book, wanted)?;
    let agreement = book.agreements_of(partner.id).at(now()).cloned();
    Ok((partner, agreement.map_err(|why| anyhow::anyhow!("{}: {why}", partner.name))?))
}
