use clap::{Args, ValueEnum};
use laini_office::onboarding::{self, Begins};
use serde::Serialize;

use super::find;
use crate::command::Context;
use crate::command::context::{block_on, console, now};
use crate::failure::WithHint as _;

/// `laini partner add NAME`
#[derive(Args)]
pub(crate) struct AddArgs {
    /// Its name, unique here.
    name: String,
    /// With what it begins.
    #[arg(long, value_enum, default_value = "standard")]
    agreement: FirstAgreement,
}

/// With what a partner begins.
#[derive(Clone, Copy, ValueEnum)]
enum FirstAgreement {
    /// The standard agreement, signed for both sides in this step.
    Standard,
    /// None: its onboarding begins.
    None,
}

#[derive(Serialize)]
struct AddReport {
    partner: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<String>,
}

/// Adds an organisation.
pub(crate) fn run(context: &Context, args: &AddArgs) -> anyhow::Result<()> {
    let (house, config) = context.house()?;
    let office = house.office(&config, &house.ledger_beside()?)?;
    let begins = match args.agreement {
        FirstAgreement::Standard => Begins::WithStandardAgreement,
        FirstAgreement::None => Begins::Onboarding,
    };
    let added = office.run(&console(), now(), |work| onboarding::add(work, &args.name, begins));
    let partner = added.hint("choose another name, or use the partner that is there")?;
    let book = block_on(house.accounts()?.load())??;
    let report = AddReport {
        partner: partner.to_string(),
        name: find(&book, &partner.to_string())?.name.clone(),
        agreement: book.agreements.iter().find(|one| one.partner == partner).map(|one| one.id.to_string()),
    };
    context.out.data(&report, |AddReport { name, agreement, .. }| match agreement {
        Some(_) => format!(
            "{name} added with the standard agreement\nnext: laini app add --partner '{name}' --environment production --products imsi,swap,age"
        ),
        None => format!("{name} added without an agreement\nnext: laini partner onboarding '{name}'"),
    })
}
