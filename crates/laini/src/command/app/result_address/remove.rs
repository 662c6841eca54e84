use clap::Args;
use laini_core::store::ResultAddressChange;
use serde::Serialize;

use super::{find, of_partner};
use crate::command::Context;
use crate::command::context::{audit, block_on};

/// `laini app result-address remove`
#[derive(Args)]
pub(crate) struct RemoveArgs {
    /// The address: its id.
    address: String,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Serialize)]
struct RemoveReport<'a> {
    address: String,
    url: &'a str,
}

/// Removes an address; what waits for it is given up.
pub(crate) fn run(context: &Context, args: &RemoveArgs) -> anyhow::Result<()> {
    let (house, _) = context.house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let address = find(&book, &args.address)?;
    let audit = of_partner(&book, address, audit("result-address.remove", address.id.to_string(), &args.reason));
    block_on(accounts.change_result_address(address.id, ResultAddressChange::Removed, audit))??;
    let report = RemoveReport { address: address.id.to_string(), url: &address.url };
    context.out.data(&report, |report| format!("{} is removed; what waits for it is given up", report.url))
}
