//! `laini staff …`: the operator's people.
//!
//! Owns how the first administrator comes in. Must never set a password: people choose their own.

use clap::{Args, Subcommand};
use laini_core::partner::StaffRole;
use laini_office::people::{self, Roster, Seat};

use super::Context;
use super::roster::{self, Invited, Whom};

/// What to do with the operator's people.
#[derive(Subcommand)]
pub(crate) enum StaffCommand {
    /// Invite somebody; prints a token that is good once, for seven days.
    Add(AddArgs),
    /// List them.
    List,
    /// Give somebody another role.
    Role(RoleArgs),
    /// Let somebody not sign in any more.
    Disable(DisableArgs),
    /// Let somebody sign in again.
    Enable(DisableArgs),
    /// Help somebody who cannot get in: prints a token for a new password, good for 30 minutes.
    Reset(ResetArgs),
}

/// `laini staff add`
#[derive(Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    invited: Invited,
    /// admin, onboarding, support, finance or auditor.
    #[arg(long, value_parser = role)]
    role: StaffRole,
}

/// `laini staff role`
#[derive(Args)]
pub(crate) struct RoleArgs {
    #[command(flatten)]
    whom: Whom,
    /// admin, onboarding, support, finance or auditor.
    #[arg(value_parser = role)]
    role: StaffRole,
}

/// `laini staff disable` and `laini staff enable`
#[derive(Args)]
pub(crate) struct DisableArgs {
    #[command(flatten)]
    whom: Whom,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
}

/// `laini staff reset`
#[derive(Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    whom: Whom,
    /// Send the token by letter instead of printing it.
    #[arg(long)]
    send: bool,
}

fn role(word: &str) -> Result<StaffRole, String> {
    StaffRole::parse(word).map_err(|error| error.to_string())
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &StaffCommand) -> anyhow::Result<()> {
    let staff = |_: &laini_office::Work<'_>| Ok(Roster::Staff);
    match command {
        StaffCommand::Add(args) => roster::add(context, &args.invited, |_| Ok(Seat::Staff { role: args.role })),
        StaffCommand::List => roster::list(context, staff),
        StaffCommand::Role(args) => roster::change(context, &args.whom, staff, |work, roster, person| {
            people::set_role(work, roster, person.id, Seat::Staff { role: args.role })
        }),
        StaffCommand::Disable(args) => roster::change(context, &args.whom, staff, |work, roster, person| {
            people::disable(work, roster, person.id, &args.reason)
        }),
        StaffCommand::Enable(args) => roster::change(context, &args.whom, staff, |work, roster, person| {
            people::enable(work, roster, person.id, &args.reason)
        }),
        StaffCommand::Reset(args) => roster::reset(context, &args.whom, args.send, staff),
    }
}
