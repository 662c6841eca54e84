use laini_core::store::verify_ledger;
use serde::Serialize;

use crate::command::Context;
use crate::command::context::block_on;
use crate::command::progress::bar;
use crate::failure::WithHint as _;

/// Findings that are told one by one.
const TOLD_MAX: usize = 20;

#[derive(Serialize)]
struct VerifyReport {
    rows: u64,
    heads: usize,
    findings: u64,
    told: Vec<String>,
}

/// Proves that no row was altered, removed or added; exit code 1 where one was.
pub(crate) fn run(context: &Context) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let ledger = house.ledger_reader()?;
    let heads = block_on(ledger.heads())??.len();
    let verifying = bar(context.out, "verifying", "rows", None);
    let verified = block_on(verify_ledger(&*ledger, house.keys.chain(), |rows| verifying.set_position(rows)))?;
    let (rows, breaks) = verified?;
    verifying.finish_and_clear();
    let told = breaks.iter().take(TOLD_MAX).map(ToString::to_string).collect();
    let report = VerifyReport { rows, heads, findings: breaks.len() as u64, told };
    context.out.data(&report, |report| {
        if report.findings == 0 {
            return format!(
                "{} rows verified, {} heads found in the chain: nothing was altered",
                report.rows, report.heads
            );
        }
        let mut text = format!("{} rows, {} findings", report.rows, report.findings);
        for finding in &report.told {
            text.push_str(&format!("\n  {finding}"));
        }
        text
    })?;
    if report.findings > 0 {
        return Err(anyhow::anyhow!("the ledger was altered"))
            .hint("keep this copy as evidence, and compare it with a backup");
    }
    Ok(())
}
