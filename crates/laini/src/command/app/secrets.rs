use clap::Args;
use laini_office::apps::{add_secret, retire_secret, the_app};
use serde::Serialize;

use super::find;
use crate::command::Context;
use crate::command::context::{block_on, console, now};

/// `laini app rotate`
#[derive(Args)]
pub(crate) struct RotateArgs {
    /// The app: its id, consumer key or name.
    app: String,
}

/// `laini app retire-secret`
#[derive(Args)]
pub(crate) struct RetireArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// The secret's number: `laini app show` tells it.
    secret: u32,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Serialize)]
struct RotateReport {
    app: String,
    name: String,
    consumer_key: String,
    consumer_secret: String,
    retire: Vec<u32>,
}

#[derive(Serialize)]
struct RetireReport {
    app: String,
    name: String,
    secrets: Vec<u32>,
}

/// Adds a secret beside the present one.
pub(crate) fn rotate(context: &Context, args: &RotateArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let book = block_on(house.accounts()?.load())??;
    let app = find(&book, &args.app)?;
    let office = house.office(&config, &house.ledger_beside()?)?;
    let secret = office.run(&console(), now(), |work| add_secret(work, app.partner, app.id))?;
    let report = RotateReport {
        app: app.id.to_string(),
        name: app.name.clone(),
        consumer_key: app.consumer_key.as_str().to_owned(),
        consumer_secret: secret.reveal().to_owned(),
        retire: app.secrets.iter().map(|secret| secret.number).collect(),
    };
    context.out.data(&report, |report| {
        let before = report.retire.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        format!(
            "{}\nconsumer key     {}\nconsumer secret  {}\nThe secret is shown this once: keep it where secrets are kept.\n\
             Secret {before} stays good until it is retired: laini app retire-secret {} {before}",
            report.name, report.consumer_key, report.consumer_secret, report.app
        )
    })
}

/// Ends a secret.
pub(crate) fn retire(context: &Context, args: &RetireArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let book = block_on(house.accounts()?.load())??;
    let app = find(&book, &args.app)?;
    let (partner, id) = (app.partner, app.id);
    let office = house.office(&config, &house.ledger_beside()?)?;
    office.run(&console(), now(), |work| retire_secret(work, partner, id, args.secret, &args.reason))?;
    let of = office.run(&console(), now(), |work| the_app(work, partner, id))?;
    let secrets = of.app.secrets.iter().map(|secret| secret.number).collect();
    let report = RetireReport { app: id.to_string(), name: of.app.name, secrets };
    context.out.data(&report, |report| {
        format!("secret {} of {} gets no more tokens at running servers within a second", args.secret, report.name)
    })
}
