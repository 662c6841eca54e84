use clap::Args;
use laini_server::sandbox::{Step, world_answer};
use laini_wire::world::AdvanceRequest;

use super::Place;
use super::show::words;
use crate::command::context::now;

/// `laini sandbox world advance`
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct AdvanceArgs {
    /// By an ISO 8601 duration: P30D, PT15M, P3M.
    #[arg(value_name = "DURATION")]
    by: Option<String>,
    /// To an instant: RFC 3339, or a date.
    #[arg(long, value_name = "INSTANT")]
    to: Option<String>,
}

/// Moves the clock on.
pub(super) fn run(place: &Place, args: &AdvanceArgs) -> anyhow::Result<()> {
    let step = Step::of(&AdvanceRequest { by: args.by.clone(), to: args.to.clone() }, &place.zone)?;
    let world = place.change(move |world, moment| step.take(world, moment))?;
    place.out.data(&world_answer(&world, now()), |world| words(&place.name, world))
}
