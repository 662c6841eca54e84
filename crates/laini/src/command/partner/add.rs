use clap::Args;
use laini_core::billing::{Currency, FreeUnits, Money, Price};
use laini_core::disclosure::Windows;
use laini_core::partner::{Agreement, AgreementId, Partner, PartnerId, Product, Purpose};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{audit, block_on, concerning, named, now, random};
use crate::failure::WithHint as _;

/// `laini partner add NAME`
#[derive(Args)]
pub(crate) struct AddArgs {
    /// Its name, unique here.
    name: String,
}

#[derive(Serialize)]
struct AddReport {
    partner: String,
    name: String,
    agreement: String,
}

/// Adds an organisation.
pub(crate) fn run(context: &Context, args: &AddArgs) -> anyhow::Result<()> {
    let (house, config) = context.house()?;
    let (partner, agreement) = standard(&args.name, config.currency()?)?;
    let report =
        AddReport { partner: partner.id.to_string(), name: partner.name.clone(), agreement: agreement.id.to_string() };
    let audit = concerning(partner.id, audit("partner.add", report.partner.clone(), "standard agreement"));
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
        valid_from: now(),
        valid_until: None,
        windows: Windows::default(),
        prices: vec![(Product::Imsi, flat(2_000)), (Product::Swap, swap), (Product::Age, flat(400))],
        pass_hashed_imsi: false,
        purposes: Purpose::ALL.to_vec(),
        exact_times: false,
    };
    Ok((partner, agreement))
}
