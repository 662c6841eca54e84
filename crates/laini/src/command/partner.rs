//! `laini partner …`: organisations that ask.

use clap::{Args, Subcommand};
use laini_core::billing::{Currency, FreeUnits, Money, Price};
use laini_core::disclosure::Windows;
use laini_core::partner::{Agreement, AgreementId, Partner, PartnerId, Product, Purpose};
use laini_server::Entropy as _;
use serde::Serialize;

use super::Context;
use super::context::{audit, block_on};
use crate::compose::SystemEntropy;
use crate::failure::WithHint as _;

/// What to do with partners.
#[derive(Subcommand)]
pub(crate) enum PartnerCommand {
    /// Add an organisation, with the standard agreement.
    Add(AddArgs),
}

/// `laini partner add NAME`
#[derive(Args)]
pub(crate) struct AddArgs {
    /// Its name, unique here.
    name: String,
}

#[derive(Serialize)]
struct PartnerReport {
    partner: String,
    name: String,
    agreement: String,
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &PartnerCommand) -> anyhow::Result<()> {
    let PartnerCommand::Add(args) = command;
    let (house, config) = context.house()?;
    let (partner, agreement) = standard(&args.name, config.currency()?)?;
    let report = PartnerReport {
        partner: partner.id.to_string(),
        name: partner.name.clone(),
        agreement: agreement.id.to_string(),
    };
    let audit = audit("partner.add", report.partner.clone(), "standard agreement");
    block_on(house.accounts()?.add_partner(partner, agreement, audit))?
        .hint("choose another name, or use the partner that is there")?;
    context.out.data(&report, |report| {
        format!(
            "{} added with the standard agreement\nnext: laini app add --partner '{}' --environment production --products imsi,swap,age",
            report.name, report.name
        )
    })
}

/// A partner with the standard agreement (contract §5: default windows and list prices).
pub(crate) fn standard(name: &str, currency: Currency) -> anyhow::Result<(Partner, Agreement)> {
    let name = named(name)?;
    let partner = Partner::new(PartnerId::from_random(random()), name);
    let flat = |minor| Price::flat(1, Money::new(minor, currency));
    let swap = Price { set_up_minor: 5_000_000, free: FreeUnits::Once(200_000), ..flat(100) };
    let agreement = Agreement {
        id: AgreementId::from_random(random()),
        partner: partner.id,
        windows: Windows::default(),
        prices: vec![(Product::Imsi, flat(2_000)), (Product::Swap, swap), (Product::Age, flat(400))],
        pass_hashed_imsi: false,
        purposes: Purpose::ALL.to_vec(),
        exact_times: false,
    };
    Ok((partner, agreement))
}

/// A name that people can read: 1 to 100 characters, no control characters.
pub(crate) fn named(name: &str) -> anyhow::Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        anyhow::bail!("a name has 1 to 100 characters, none of them a control character");
    }
    // Exports are opened in spreadsheets, which would take it for a formula.
    if name.starts_with(['=', '+', '-', '@']) {
        anyhow::bail!("a name does not begin with = + - or @");
    }
    Ok(name.to_owned())
}

/// 64 random bits.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    u64::from_be_bytes(bytes)
}
