use clap::Args;
use laini_server::sandbox::life_event;
use laini_wire::world::EventRequest;

use super::Place;
use super::line::show;

/// `laini sandbox world event`
#[derive(Args)]
pub(super) struct EventArgs {
    /// Whose line.
    number: String,
    /// register, swap, esim, port-in, port-out, recycle, terminate, suspend, resume, device-change,
    /// number-change, row-refused, restrict or unrestrict.
    #[arg(value_name = "TYPE")]
    what: String,
    /// When: RFC 3339, a date, or how long before the world's clock (-P10D); default: the world's now.
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    at: Option<String>,
    /// Of a number-change: the number from then on.
    #[arg(long, value_name = "NUMBER")]
    new_number: Option<String>,
}

/// Lets something happen to a line.
pub(super) fn run(place: &Place, args: &EventArgs) -> anyhow::Result<()> {
    let msisdn = place.number(&args.number)?;
    let request = EventRequest { what: args.what.clone(), at: args.at.clone(), new_msisdn: args.new_number.clone() };
    let life = life_event(&request, place.plan, &place.zone)?;
    let world = place.change(move |world, moment| life.happen(world, msisdn, moment))?;
    show(place, &world, msisdn)
}
