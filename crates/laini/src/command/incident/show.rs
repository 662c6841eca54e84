use clap::Args;
use laini_core::partner::IncidentId;
use laini_office::incidents;

use super::{IncidentReport, id};
use crate::command::Context;
use crate::command::context::in_office;

/// `laini incident show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// Which.
    #[arg(value_parser = id)]
    incident: IncidentId,
}

/// Shows one incident.
pub(crate) fn run(context: &Context, args: &ShowArgs) -> anyhow::Result<()> {
    let report = in_office(context, |work| Ok(IncidentReport::of(&incidents::the_incident(work, args.incident)?)))?;
    context.out.data(&report, IncidentReport::in_words)
}
