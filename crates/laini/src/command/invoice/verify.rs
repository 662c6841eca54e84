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
    differences: Vec<String>,
}

/// Computes it again.
pub(crate) fn run(context: &Context, args: &VerifyArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let found = invoice(&office, args.number)?;
    let done = verify_invoice(&office, &found)?;
    let (units, total_minor, differences) = (done.units, done.total_minor, done.differences);
    let verified = Verified { number: done.number, units, total_minor, differences };
    context.out.data(&verified, |verified| {
        let total = money(verified.total_minor, &found.statement.currency);
        let Verified { number, units, differences, .. } = verified;
        let head = format!("invoice {number}: {units} units, {total} computed from the ledger");
        if differences.is_empty() {
            return format!("{head}: right to the cent");
        }
        std::iter::once(head).chain(differences.iter().map(|one| format!("  {one}"))).collect::<Vec<_>>().join("\n")
    })?;
    if !verified.differences.is_empty() {
        return Err(anyhow::anyhow!("the invoice does not follow from the ledger"))
            .hint("`laini ledger verify` says whether the ledger was altered");
    }
    Ok(())
}
