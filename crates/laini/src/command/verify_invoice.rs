//! `laini verify-invoice`: an invoice computed again by whoever is to pay it. Built on the SDK; needs no server.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use laini_client::invoices::InvoiceStatement;
use laini_client::{ExportedRow, check_invoice};
use serde::{Deserialize, Serialize};

use super::Context;
use crate::failure::WithHint as _;

/// `laini verify-invoice`
#[derive(Args)]
pub(crate) struct VerifyInvoiceArgs {
    /// The invoice as JSON: `laini invoice print N --form json`, or the statement of the API's answer.
    invoice: PathBuf,
    /// The export of the ledger as CSV: `laini ledger export`, or `laini invoice rows`.
    #[arg(long, value_name = "LEDGER.csv")]
    export: PathBuf,
    /// The partner's name in the export, where it holds others' rows too.
    #[arg(long)]
    partner: Option<String>,
}

/// A row as the export has it; further columns pass by.
#[derive(Deserialize)]
struct Row {
    #[serde(rename = "requestRefID")]
    request_ref_id: String,
    at: String,
    partner: String,
    product: String,
    environment: String,
    outcome: String,
    price_version: u32,
    reverses: String,
    writer: u32,
    seq: u64,
}

#[derive(Serialize)]
struct Checked {
    number: u64,
    units: u64,
    total_minor: i64,
    differences: Vec<String>,
}

/// Computes it again; exit code 1 where it differs.
pub(crate) fn run(context: &Context, args: &VerifyInvoiceArgs) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&args.invoice);
    let text = text.with_context(|| format!("{} cannot be read", args.invoice.display()))?;
    let invoice: InvoiceStatement = serde_json::from_str(&text).context("this is no invoice of laini's as JSON")?;
    let checked = check_invoice(&invoice, rows(args)?)?;
    let (units, total_minor, differences) = (checked.units, checked.total_minor, checked.differences);
    let checked = Checked { number: invoice.number, units, total_minor, differences };
    context.out.data(&checked, |checked| {
        let Checked { number, units, total_minor, differences } = checked;
        let (whole, cents) = (total_minor / 100, (total_minor % 100).abs());
        let head = format!("invoice {number}: {units} units, {} {whole}.{cents:02} computed", invoice.currency);
        if differences.is_empty() {
            return format!("{head}: right to the cent");
        }
        std::iter::once(head).chain(differences.iter().map(|one| format!("  {one}"))).collect::<Vec<_>>().join("\n")
    })?;
    if !checked.differences.is_empty() {
        return Err(anyhow::anyhow!("the invoice does not follow from the export"))
            .hint("see that the export is whole; then dispute the line within 60 days");
    }
    Ok(())
}

fn rows(args: &VerifyInvoiceArgs) -> anyhow::Result<Vec<ExportedRow>> {
    let mut csv =
        csv::Reader::from_path(&args.export).with_context(|| format!("{} cannot be read", args.export.display()))?;
    let mut rows = Vec::new();
    for row in csv.deserialize() {
        let row: Row = row.context("this is no export of the ledger with all its columns")?;
        if args.partner.as_ref().is_some_and(|partner| *partner != row.partner) {
            continue;
        }
        let Row { request_ref_id, at, product, environment, outcome, price_version, reverses, writer, seq, .. } = row;
        rows.push(ExportedRow {
            request_ref_id,
            at,
            product,
            environment,
            outcome,
            price_version,
            reverses,
            writer,
            seq,
        });
    }
    Ok(rows)
}
