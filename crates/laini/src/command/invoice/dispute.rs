use clap::{ArgGroup, Args};
use laini_core::billing::{Currency, Money};
use laini_core::partner::DisputeId;
use laini_core::store::RecordId;
use laini_office::billing::{Dispute, Invoice, Settlement, disputes, open_dispute, settle_dispute};
use laini_office::{PageRequest, Problem};

use super::{invoice, office};
use crate::command::Context;
use crate::command::context::{console, now};

/// `laini invoice dispute`
#[derive(Args)]
pub(crate) struct DisputeArgs {
    /// The number of the invoice.
    number: u64,
    /// Which of its lines.
    #[arg(long)]
    line: u32,
    /// What is wrong.
    #[arg(long)]
    reason: String,
}

/// `laini invoice settle`
#[derive(Args)]
#[command(group = ArgGroup::new("how").required(true))]
pub(crate) struct SettleArgs {
    /// The dispute's id.
    dispute: String,
    /// So much is given back, before tax, in the currency's unit.
    #[arg(long, group = "how", value_name = "AMOUNT")]
    accept: Option<String>,
    /// The line stays.
    #[arg(long, group = "how")]
    reject: bool,
    /// What the partner is told.
    #[arg(long)]
    answer: String,
}

/// `laini invoice disputes`
#[derive(Args)]
pub(crate) struct DisputesArgs {
    /// In which state.
    #[arg(long, default_value = "open", value_parser = ["open", "accepted", "rejected"])]
    state: String,
}

/// Opens a dispute.
pub(crate) fn open(context: &Context, args: &DisputeArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let found = invoice(&office, args.number)?;
    let dispute = office.run(&console(), now(), |work| open_dispute(work, &found, args.line, &args.reason))?;
    context.out.data(&dispute, |dispute| format!("dispute {} is open", dispute.id))
}

/// Settles one.
pub(crate) fn settle(context: &Context, args: &SettleArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let id = DisputeId::parse(&args.dispute)?;
    let settled = office.run(&console(), now(), |work| {
        let settlement = match &args.accept {
            None => Settlement::Reject,
            Some(amount) => {
                let dispute: Dispute = work.get(id)?;
                let of: Invoice = work.get(RecordId(dispute.invoice))?;
                let currency = Currency::parse(&of.statement.currency).unwrap_or(Currency::KES);
                let amount = Money::parse_amount(amount, currency);
                let amount = amount.map_err(|error| Problem::invalid("accept", error.to_string()))?;
                Settlement::Accept { amount_minor: amount.minor }
            }
        };
        settle_dispute(work, id, settlement, &args.answer)
    })?;
    context.out.data(&settled, |settled| format!("dispute {} is {}", settled.id, settled.state.word()))
}

/// Lists those in a state.
pub(crate) fn list(context: &Context, args: &DisputesArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let found = office.run(&console(), now(), |work| disputes(work, &args.state, PageRequest::LONGEST))?.items;
    context.out.data(&found, |found| {
        if found.is_empty() {
            return format!("no dispute is {}", args.state);
        }
        let line = |one: &Dispute| {
            format!("{}  invoice {} line {}, {:.0}: {}", one.id, one.invoice, one.line, one.opened, one.reason)
        };
        found.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
