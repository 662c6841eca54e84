use clap::Args;
use laini_core::access::AddressRules;
use laini_core::partner::App;
use laini_core::store::{AccountBook, AppChange};

use super::change::apply;
use crate::command::Context;
use crate::command::context::because;

/// `laini app addresses`
#[derive(Args)]
pub(crate) struct AddressesArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// Addresses and networks: 192.0.2.7 2001:db8::/32.
    #[arg(required_unless_present = "any")]
    networks: Vec<String>,
    /// Answer it from anywhere.
    #[arg(long, conflicts_with = "networks")]
    any: bool,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// Answers an app from some addresses only.
pub(crate) fn run(context: &Context, args: &AddressesArgs) -> anyhow::Result<()> {
    let rules = AddressRules::parse(args.networks.iter().map(String::as_str))?;
    let words = if rules.is_empty() { "anywhere".to_owned() } else { rules.to_string() };
    let change = |_: &App, _: &AccountBook| Ok((AppChange::AllowedAddresses(rules), because(&words, &args.reason)));
    apply(context, &args.app, "app.addresses", change, |report| format!("{} is answered from {words}", report.name))
}
