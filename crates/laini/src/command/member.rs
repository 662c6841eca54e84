//! `laini member …`: people of partners.
//!
//! Owns how the first owner of a partner comes in. Must never set a password: people choose their own.

use clap::{Args, Subcommand};
use laini_core::partner::{MemberRole, PartnerId};
use laini_office::people::{self, Roster, Seat};
use laini_office::{Problem, Work};

use super::Context;
use super::context::partner_of;
use super::roster::{self, Invited, Whom};

/// What to do with the people of a partner.
#[derive(Subcommand)]
pub(crate) enum MemberCommand {
    /// Invite somebody; prints a token that is good once, for seven days.
    Add(AddArgs),
    /// List them.
    List(ListArgs),
    /// Give somebody another role.
    Role(RoleArgs),
    /// Let somebody not sign in any more.
    Disable(DisableArgs),
    /// Let somebody sign in again.
    Enable(DisableArgs),
    /// Help somebody who cannot get in: prints a token for a new password, good for 30 minutes.
    Reset(ResetArgs),
}

/// Whose people.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// The partner: its name or id.
    partner: String,
}

/// `laini member add`
#[derive(Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    of: ListArgs,
    #[command(flatten)]
    invited: Invited,
    /// owner, developer, billing, fraud_desk or viewer.
    #[arg(long, value_parser = role)]
    role: MemberRole,
}

/// `laini member role`
#[derive(Args)]
pub(crate) struct RoleArgs {
    #[command(flatten)]
    of: ListArgs,
    #[command(flatten)]
    whom: Whom,
    /// owner, developer, billing, fraud_desk or viewer.
    #[arg(value_parser = role)]
    role: MemberRole,
}

/// `laini member disable` and `laini member enable`
#[derive(Args)]
pub(crate) struct DisableArgs {
    #[command(flatten)]
    of: ListArgs,
    #[command(flatten)]
    whom: Whom,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
}

/// `laini member reset`
#[derive(Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    of: ListArgs,
    #[command(flatten)]
    whom: Whom,
    /// Send the token by letter instead of printing it.
    #[arg(long)]
    send: bool,
}

fn role(word: &str) -> Result<MemberRole, String> {
    MemberRole::parse(word).map_err(|error| error.to_string())
}

impl ListArgs {
    fn partner(&self, work: &Work<'_>) -> Result<PartnerId, Problem> {
        partner_of(work, &self.partner)
    }

    fn roster(&self, work: &Work<'_>) -> Result<Roster, Problem> {
        self.partner(work).map(Roster::Partner)
    }
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &MemberCommand) -> anyhow::Result<()> {
    match command {
        MemberCommand::Add(args) => roster::add(context, &args.invited, |work| {
            Ok(Seat::Member { partner: args.of.partner(work)?, role: args.role })
        }),
        MemberCommand::List(args) => roster::list(context, |work| args.roster(work)),
        MemberCommand::Role(args) => roster::change(
            context,
            &args.whom,
            |work| args.of.roster(work),
            |work, roster, person| {
                let seat = Seat::Member { partner: args.of.partner(work)?, role: args.role };
                people::set_role(work, roster, person.id, seat)
            },
        ),
        MemberCommand::Disable(args) => roster::change(
            context,
            &args.whom,
            |work| args.of.roster(work),
            |work, roster, person| people::disable(work, roster, person.id, &args.reason),
        ),
        MemberCommand::Enable(args) => roster::change(
            context,
            &args.whom,
            |work| args.of.roster(work),
            |work, roster, person| people::enable(work, roster, person.id, &args.reason),
        ),
        MemberCommand::Reset(args) => roster::reset(context, &args.whom, args.send, |work| args.of.roster(work)),
    }
}
