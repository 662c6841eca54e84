//! `laini agreement …`: what partners agreed to.
//!
//! Owns how an agreement is shown and followed by a new version. Must never change a version that was
//! in force: ledger rows stand on it.

mod change;
mod show;
mod version;

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
    /// List the versions of a partner that were drafted, sent and signed.
    List {
        /// The partner: its name or id.
        partner: String,
    },
    /// Write a new version; it changes nothing before both sides have signed it.
    #[command(visible_alias = "amend")]
    Draft(version::DraftArgs),
    /// Lay a draft before both sides: its text stands from now on.
    Send(version::VersionArgs),
    /// Make a version that was sent a draft again; who signed it has not.
    TakeBack(version::VersionArgs),
    /// Sign for the operator, or take note that both sides signed on paper.
    Sign(version::SignArgs),
    /// Give notice: no version is in force from then on.
    End(version::EndArgs),
    /// Write a version as PDF or as a page.
    Print(version::PrintArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &AgreementCommand) -> anyhow::Result<()> {
    match command {
        AgreementCommand::Show(args) => show::run(context, args),
        AgreementCommand::Change(args) => change::run(context, args),
        AgreementCommand::List { partner } => version::list(context, partner),
        AgreementCommand::Draft(args) => version::draft(context, args),
        AgreementCommand::Send(args) => version::send(context, args),
        AgreementCommand::TakeBack(args) => version::take_back(context, args),
        AgreementCommand::Sign(args) => version::sign(context, args),
        AgreementCommand::End(args) => version::end(context, args),
        AgreementCommand::Print(args) => version::print(context, args),
    }
}

/// The partner that a person means, and its agreement in force.
fn in_force<'a>(book: &'a AccountBook, wanted: &str) -> anyhow::Result<(&'a Partner, Agreement)> {
    let partner = partner::find(book, wanted)?;
    let agreement = book.agreements_of(partner.id).at(now()).cloned();
    Ok((partner, agreement.map_err(|why| anyhow::anyhow!("{}: {why}", partner.name))?))
}
