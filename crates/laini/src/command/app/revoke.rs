use clap::Args;
use serde::Serialize;

use super::find;
use crate::command::Context;
use crate::command::context::{audit, block_on, concerning};

/// `laini app revoke` and `laini app revoke-tokens`
#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Serialize)]
struct RevokeReport {
    app: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_epoch: Option<u32>,
}

/// Ends an app for good.
pub(crate) fn app(context: &Context, args: &RevokeArgs) -> anyhow::Result<()> {
    let (house, _) = context.house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let app = find(&book, &args.app)?;
    let audit = concerning(app.partner, audit("app.revoke", app.id.to_string(), &args.reason));
    block_on(accounts.revoke_app(app.id, audit))??;
    let report = RevokeReport { app: app.id.to_string(), name: app.name.clone(), token_epoch: None };
    context.out.data(&report, |report| format!("{} is revoked; running servers refuse it within a second", report.name))
}

/// Refuses every token that an app holds now.
pub(crate) fn tokens(context: &Context, args: &RevokeArgs) -> anyhow::Result<()> {
    let (house, _) = context.house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let app = find(&book, &args.app)?;
    let audit = concerning(app.partner, audit("app.revoke-tokens", app.id.to_string(), &args.reason));
    let epoch = block_on(accounts.next_token_epoch(app.id, audit))??;
    let report = RevokeReport { app: app.id.to_string(), name: app.name.clone(), token_epoch: Some(epoch) };
    context.out.data(&report, |report| {
        format!("the tokens of {} are revoked; running servers refuse them within a second", report.name)
    })
}
