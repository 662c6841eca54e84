//! `laini subject …`: what is held about a number, who asked about it, and what its holder may ask for.
//!
//! Owns the words of it. Must never act without a privacy request that says who asked and how that was made sure, or put a
//! number into the audit trail.

mod erase;
mod export;
mod lookups;
mod order;
mod rectify;
mod requests;
mod restrict;
mod span;

use clap::Subcommand;
use laini_core::privacy::PrivacyAction;

use super::Context;

/// What to do about a number.
#[derive(Subcommand)]
pub(crate) enum SubjectCommand {
    /// Put together what is held about a number, and who asked about it.
    Export(export::ExportArgs),
    /// Correct or withdraw what the feed told of a number.
    Rectify(rectify::RectifyArgs),
    /// Let nobody be told anything about a number.
    Restrict(restrict::RestrictArgs),
    /// Lift the restriction of a number.
    Unrestrict(restrict::UnrestrictArgs),
    /// Forget what was asked about a number; what it cost stays.
    Erase(erase::EraseArgs),
    /// Write who asked about whom, for a notice after a breach.
    Lookups(lookups::LookupsArgs),
    /// Show privacy requests, those that are due first.
    Requests(requests::RequestsArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &SubjectCommand) -> anyhow::Result<()> {
    match command {
        SubjectCommand::Export(args) => export::run(context, args),
        SubjectCommand::Rectify(args) => rectify::run(context, args),
        SubjectCommand::Restrict(args) => {
            restrict::run(context, PrivacyAction::Restrict, &args.number, args.any_holder, &args.order)
        }
        SubjectCommand::Unrestrict(args) => {
            restrict::run(context, PrivacyAction::Unrestrict, &args.number, false, &args.order)
        }
        SubjectCommand::Erase(args) => erase::run(context, args),
        SubjectCommand::Lookups(args) => lookups::run(context, args),
        SubjectCommand::Requests(args) => requests::run(context, args),
    }
}
