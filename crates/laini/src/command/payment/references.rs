use clap::Args;
use laini_office::payments;
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// `laini payment references`
#[derive(Args)]
pub(crate) struct ReferencesArgs {
    /// The partner: its name or id.
    partner: String,
    /// What it writes from now on when it pays: its reference at the bank, its account number at the paybill. Letters
    /// and digits are compared, in any case.
    #[arg(long = "set", value_name = "REFERENCE", num_args = 1..)]
    set: Option<Vec<String>>,
}

#[derive(Serialize)]
struct ReferencesReport {
    partner: String,
    references: Vec<String>,
}

/// Shows or sets what a partner writes when it pays.
pub(crate) fn run(context: &Context, args: &ReferencesArgs) -> anyhow::Result<()> {
    let payer = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        match &args.set {
            Some(references) => payments::set_references(work, partner, references),
            None => payments::references(work, partner),
        }
    })?;
    let report = ReferencesReport { partner: payer.partner.to_string(), references: payer.references };
    context.out.data(&report, |report| match &report.references[..] {
        [] => format!("{} has no references; its payments are matched by invoice numbers alone", args.partner),
        references => format!("{} pays under {}", args.partner, references.join(", ")),
    })
}
