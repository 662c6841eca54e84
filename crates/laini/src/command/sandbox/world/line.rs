use clap::{Args, Subcommand};
use laini_core::line::Msisdn;
use laini_core::sandbox::World;
use laini_server::sandbox::{line_answer, line_change};
use laini_wire::world::{LineAnswer, LineRequest, LinesAnswer};

use super::Place;

/// What to do with lines.
#[derive(Subcommand)]
pub(super) enum LineCommand {
    /// State a line whole, whatever it was before.
    Add(LineArgs),
    /// Show a line, or a persona.
    Show(NumberArgs),
    /// List the world's own lines.
    List,
    /// Take a line away; a persona shows through again.
    Remove(NumberArgs),
}

/// `laini sandbox world line add`. Instants are RFC 3339, dates, or how long before the world's clock
/// (-P10D).
#[derive(Args)]
pub(super) struct LineArgs {
    /// Its number.
    number: String,
    /// active, suspended, terminated or ported_out.
    #[arg(long)]
    status: Option<String>,
    /// When it was registered (default: ten years ago).
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    registered_at: Option<String>,
    /// When the present holder took it over, where that differs.
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    holder_since: Option<String>,
    /// Its newest swap (default: never swapped).
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    last_swap_at: Option<String>,
    /// replacement, esim, port_in, new_holder or number_change.
    #[arg(long)]
    swap_cause: Option<String>,
    /// PAYG, PAYM or Business.
    #[arg(long)]
    contract_type: Option<String>,
    /// Its holder's data must not be disclosed.
    #[arg(long)]
    restricted: bool,
    /// The operator's own hash of the IMSI.
    #[arg(long)]
    hashed_imsi: Option<String>,
}

/// One number.
#[derive(Args)]
pub(super) struct NumberArgs {
    /// Its number.
    number: String,
}

/// Runs one of them.
pub(super) fn run(place: &Place, command: &LineCommand) -> anyhow::Result<()> {
    match command {
        LineCommand::Add(args) => {
            let msisdn = place.number(&args.number)?;
            let change = line_change(&args.request(), &place.zone)?;
            let world = place.change(move |world, moment| world.state_anew(msisdn, &change, moment))?;
            show(place, &world, msisdn)
        }
        LineCommand::Show(args) => show(place, &place.world()?, place.number(&args.number)?),
        LineCommand::List => {
            let states = place.world()?.states();
            let lines = states.iter().map(|(msisdn, state)| line_answer(*msisdn, state, true)).collect();
            place.out.data(&LinesAnswer { lines, next_after: None }, |answer| {
                answer.lines.iter().map(words).collect::<Vec<_>>().join("\n")
            })
        }
        LineCommand::Remove(args) => {
            let msisdn = place.number(&args.number)?;
            let world = place.change(move |world, _| world.remove(msisdn))?;
            show(place, &world, msisdn)
        }
    }
}

impl LineArgs {
    fn request(&self) -> LineRequest {
        LineRequest {
            status: self.status.clone(),
            registered_at: self.registered_at.clone(),
            holder_since: self.holder_since.clone().map(Some),
            last_swap_at: self.last_swap_at.clone().map(Some),
            swap_cause: self.swap_cause.clone(),
            contract_type: self.contract_type.clone().map(Some),
            restricted: self.restricted.then_some(true),
            hashed_imsi: self.hashed_imsi.clone().map(Some),
        }
    }
}

/// Shows a line as it is now.
pub(super) fn show(place: &Place, world: &World, msisdn: Msisdn) -> anyhow::Result<()> {
    let state = world.state(msisdn, place.moment());
    place.out.data(&line_answer(msisdn, &state, world.owns(msisdn)), words)
}

fn words(line: &LineAnswer) -> String {
    let mut words = format!("{} {} ({})", line.msisdn, line.status, line.origin);
    for (name, value) in [
        ("registered", &line.registered_at),
        ("holder since", &line.holder_since),
        ("swapped", &line.last_swap_at),
        ("because of", &line.swap_cause),
        ("contract", &line.contract_type),
    ] {
        if let Some(value) = value {
            words.push_str(&format!(", {name} {value}"));
        }
    }
    for (name, is_so) in [("restricted", line.restricted), ("newest row refused", line.source_rejected)] {
        if is_so {
            words.push_str(&format!(", {name}"));
        }
    }
    words
}
