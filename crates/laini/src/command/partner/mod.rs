//! `laini partner …`: organisations that ask.
//!
//! Owns how a partner is made, taken on, listed, limited and suspended. Must never touch its agreement
//! (`laini agreement`) or its apps (`laini app`).

mod add;
mod change;
mod list;
mod onboarding;
mod organisation;

use clap::Subcommand;
use laini_core::partner::{Partner, PartnerId};
use laini_core::store::AccountBook;

use super::Context;
use crate::failure::WithHint as _;

/// What to do with partners.
#[derive(Subcommand)]
pub(crate) enum PartnerCommand {
    /// Add an organisation, with the standard agreement or with none.
    Add(add::AddArgs),
    /// Show what an organisation is registered as and how it is reached, or put other details there.
    Details(organisation::DetailsArgs),
    /// Take a document of an organisation.
    Document(organisation::DocumentArgs),
    /// Show how far an organisation is on its way to a signed agreement, and move it on.
    Onboarding(onboarding::OnboardingArgs),
    /// List the organisations.
    List,
    /// Refuse all apps of a partner, until it is resumed.
    Suspend(change::SuspendArgs),
    /// Answer a suspended partner again.
    Resume(change::ResumeArgs),
    /// Change how many numbers all production apps of a partner may ask about together.
    Limits(change::LimitsArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &PartnerCommand) -> anyhow::Result<()> {
    match command {
        PartnerCommand::Add(args) => add::run(context, args),
        PartnerCommand::Details(args) => organisation::details(context, args),
        PartnerCommand::Document(args) => organisation::document(context, args),
        PartnerCommand::Onboarding(args) => onboarding::run(context, args),
        PartnerCommand::List => list::run(context),
        PartnerCommand::Suspend(args) => change::suspend(context, args),
        PartnerCommand::Resume(args) => change::resume(context, args),
        PartnerCommand::Limits(args) => change::limits(context, args),
    }
}

/// The partner that a person means, by name or id.
pub(super) fn find<'a>(book: &'a AccountBook, wanted: &str) -> anyhow::Result<&'a Partner> {
    let id = PartnerId::parse(wanted).ok();
    let found = book.partners.iter().find(|partner| partner.name == wanted || Some(partner.id) == id);
    found
        .ok_or_else(|| anyhow::anyhow!("no partner is called {wanted}"))
        .hint("add it first: laini partner add NAME; `laini partner list` shows those there are")
}
