use clap::Args;
use jiff::Timestamp;
use laini_core::line::{ContractType, Line, LineState};
use laini_core::store::Lookup;
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{audit, block_on};
use crate::failure::WithHint as _;

/// `laini registry show NUMBER`
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The number, in any form.
    number: String,
    /// Show number and IMSI in full; writes an audit row.
    #[arg(long, requires = "reason")]
    reveal: bool,
    /// Why they must be seen.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct LineReport {
    msisdn: String,
    imsi: Option<String>,
    status: String,
    registered: Option<String>,
    holding_since: Option<String>,
    last_swap: Option<String>,
    swap_cause: Option<&'static str>,
    contract_type: Option<&'static str>,
    restricted: bool,
    source_rejected: bool,
    as_of: Option<String>,
    events: Vec<EventReport>,
}

#[derive(Serialize)]
struct EventReport {
    at: String,
    r#type: &'static str,
    id: String,
}

/// Shows one line.
pub(crate) fn run(context: &Context, args: &ShowArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let msisdn = config.plan()?.parse_spaced(&args.number).hint("write it as 2547…, +2547… or 07…")?;
    if args.reveal {
        let reason = args.reason.as_deref().map(str::trim).unwrap_or_default();
        if reason.is_empty() {
            return Err(anyhow::anyhow!("--reveal needs a reason"))
                .hint("say why with --reason TEXT; it is kept in the audit trail");
        }
        // The keyed hash tells later whose data it was, without telling it to every reader.
        let hash = u128::from_be_bytes(house.keys.subject().number(msisdn).0);
        let audit = audit("line.reveal", format!("{} {hash:032x}", msisdn.masked()), reason);
        block_on(house.accounts()?.audit(audit))??;
    }
    let registry = house.registry(&config)?;
    let (lookup, history) =
        block_on(async { (registry.reader.look_up(msisdn).await, registry.feed.history(msisdn).await) })?;
    let Lookup { state, horizon } = lookup.hint("load an extract with `laini registry import FILE`")?;
    let LineState { line, source_rejected } = state;
    let day = |at: Timestamp| at.to_string();
    let report = LineReport {
        msisdn: if args.reveal { msisdn.digits() } else { msisdn.masked() },
        imsi: line.as_ref().map(|line| shown_imsi(line, args.reveal)),
        status: line.as_ref().map_or("never known", |line| line.status.word()).to_owned(),
        registered: line.as_ref().map(|line| day(line.registered)),
        holding_since: line.as_ref().map(|line| day(line.holding_since())),
        last_swap: line.as_ref().and_then(|line| line.last_swap).map(|swap| day(swap.at)),
        swap_cause: line.as_ref().and_then(|line| line.last_swap).map(|swap| swap.cause.word()),
        contract_type: line.as_ref().and_then(|line| line.contract).map(ContractType::word),
        restricted: line.as_ref().is_some_and(|line| line.restricted),
        source_rejected,
        as_of: horizon.as_of.map(day),
        events: history?
            .into_iter()
            .map(|event| EventReport {
                at: day(event.at),
                r#type: event.happening.kind().word(),
                id: event.key.id.as_str().to_owned(),
            })
            .collect(),
    };
    context.out.data(&report, in_words)
}

/// In full, or with all but the network's digits hidden.
fn shown_imsi(line: &Line, reveal: bool) -> String {
    let Some(imsi) = line.sim.imsi() else { return "known by its hash alone".to_owned() };
    let digits = imsi.ascii().map(char::from);
    let digits: String = digits.iter().collect();
    if reveal { digits } else { format!("{}**********", &digits[..5]) }
}

fn in_words(report: &LineReport) -> String {
    let unset = "none".to_owned();
    let value = |text: &Option<String>| text.clone().unwrap_or_else(|| unset.clone());
    let mut text = format!("number      {}\nstatus      {}", report.msisdn, report.status);
    if report.imsi.is_some() {
        text.push_str(&format!(
            "\nIMSI        {}\nregistered  {}\nheld since  {}\nlast swap   {}",
            value(&report.imsi),
            value(&report.registered),
            value(&report.holding_since),
            value(&report.last_swap)
        ));
    }
    if let Some(cause) = report.swap_cause {
        text.push_str(&format!(" ({cause})"));
    }
    if let Some(contract) = report.contract_type {
        text.push_str(&format!("\ncontract    {contract}"));
    }
    if report.restricted {
        text.push_str("\nrestricted: checks answer 403");
    }
    if report.source_rejected {
        text.push_str("\nthe newest row about it was refused: checks answer \"unknown\"");
    }
    text.push_str(&format!("\nas of       {}", value(&report.as_of)));
    for event in &report.events {
        text.push_str(&format!("\n  {} {} {}", event.at, event.r#type, event.id));
    }
    text
}
