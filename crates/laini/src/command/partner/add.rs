use clap::{Args, ValueEnum};
use laini_core::partner::{Partner, PartnerId};
use laini_office::agreements::add_with_standard;
use laini_office::onboarding;
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{console, named, now, random};
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
    let partner = Partner::new(PartnerId::from_random(random()), named(&args.name)?);
    let office = house.office(&config, &house.ledger_beside()?)?;
    let added = office.run(&console(), now(), |work| match args.agreement {
        FirstAgreement::Standard => Ok(Some(add_with_standard(work, partner.clone())?.id)),
        FirstAgreement::None => onboarding::begin(work, partner.id, &partner.name).map(|_| None),
    });
    let agreement = added.hint("choose another name, or use the partner that is there")?;
    let report = AddReport {
        partner: partner.id.to_string(),
        name: partner.name,
        agreement: agreement.map(|agreement| agreement.to_string()),
    };
    context.out.data(&report, |AddReport { name, agreement, .. }| match agreement {
        Some(_) => format!(
            "{name} added with the standard agreement\nnext: laini app add --partner '{name}' --environment production --products imsi,swap,age"
        ),
        None => format!("{name} added without an agreement\nnext: laini partner onboarding '{name}'"),
    })
}
