use clap::Args;
use laini_core::partner::IncidentId;
use laini_core::support::IncidentState;
use laini_office::incidents;

use super::{IncidentReport, id, open::state};
use crate::command::Context;
use crate::command::context::in_office;

/// `laini incident update`
#[derive(Args)]
pub(crate) struct UpdateArgs {
    /// Which.
    #[arg(value_parser = id)]
    incident: IncidentId,
    /// investigating, identified, monitoring or resolved.
    #[arg(long, value_parser = state)]
    state: IncidentState,
    /// What is said, in plain words.
    #[arg(long)]
    text: String,
}

/// `laini incident resolve`
#[derive(Args)]
pub(crate) struct ResolveArgs {
    /// Which.
    #[arg(value_parser = id)]
    incident: IncidentId,
    /// What is said, in plain words.
    #[arg(long)]
    text: String,
}

/// Says how far an incident is.
pub(crate) fn run(context: &Context, args: &UpdateArgs) -> anyhow::Result<()> {
    say(context, args.incident, args.state, &args.text)
}

/// Ends an incident.
pub(crate) fn resolve(context: &Context, args: &ResolveArgs) -> anyhow::Result<()> {
    say(context, args.incident, IncidentState::Resolved, &args.text)
}

fn say(context: &Context, incident: IncidentId, state: IncidentState, text: &str) -> anyhow::Result<()> {
    let report = in_office(context, |work| Ok(IncidentReport::of(&incidents::update(work, incident, state, text)?)))?;
    context.out.data(&report, IncidentReport::in_words)
}
