use clap::Args;
use laini_office::billing::verify_invoice;
use serde::Serialize;

use super::{invoice, list::money, office};
use crate::command::Context;
use crate::failure::WithHint as _;

/// `laini invoice verify`
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// The number of the invoice.
    number: u64,
}

#[derive(Serialize)]
struct Verified {
    number: u64,
    units: u64,
    total_minor: i64,
    chain_heads: u64,
    differences: Vec<String>,
}

/// Computes it again.
pub(crate) fn run(context: &Context, args: &VerifyArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let found = invoice(&office, args.number)?;
    let done = verify_invoice(&office, &found)?;
    let verified = Verified {
        number: done.number,
        units: done.units,
        total_minor: done.total_minor,
        chain_heads: done.heads,
        differences: done.differences,
    };
    context.out.data(&verified, |verified| {
        let total = money(verified.total_minor, &found.statement.currency);
        let Verified { number, units, chain_heads, differences, .. } = verified;
        let head = format!("invoice {number}: {units} units, {total} computed from the ledger");
        if differences.is_empty() {
            return format!("{head}: right to the cent; chain heads found in the ledger: {chain_heads}");
        }
        std::iter::once(head).chain(differences.iter().map(|one| format!("  {one}"))).collect::<Vec<_>>().join("\n")
    })?;
    if !verified.differences.is_empty() {
        return Err(anyhow::anyhow!("the invoice does not follow from the ledger"))
            .hint("`laini ledger verify` says whether the ledger was altered");
    }
    Ok(())
}
