use std::sync::Arc;

use clap::Args;
use laini_core::access::KeyTree;
use laini_core::delivery::{Destination, Reach, ResultUrl};
use laini_core::partner::ResultAddress;
use laini_core::store::ResultAddressChange;
use laini_server::delivery::{Outbound, SystemResolver, prove};
use serde::Serialize;

use super::{find, of_partner};
use crate::command::Context;
use crate::command::context::random;
use crate::command::context::{audit, block_on, now};
use crate::failure::WithHint as _;

/// `laini app result-address prove`
#[derive(Args)]
pub(crate) struct ProveArgs {
    /// The address: its id.
    address: String,
}

#[derive(Serialize)]
struct ProveReport<'a> {
    address: String,
    url: &'a str,
    proven: bool,
}

/// Challenges an address again.
pub(crate) fn run(context: &Context, args: &ProveArgs) -> anyhow::Result<()> {
    let (house, config) = context.house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let address = find(&book, &args.address)?;
    let reach = config.reach()?;
    match Destination::parse(&address.url, reach)? {
        Destination::Listener => {}
        Destination::Web(url) => challenge(&house.keys, reach, address, &url)
            .hint("the receiver answers 2xx with the value of \"challenge\"; see docs/guide/delivery.md")?,
    }
    let audit = of_partner(&book, address, audit("result-address.prove", address.id.to_string(), ""));
    block_on(accounts.change_result_address(address.id, ResultAddressChange::Proven(now()), audit))??;
    let report = ProveReport { address: address.id.to_string(), url: &address.url, proven: true };
    context.out.data(&report, |report| format!("{} is proven; results can go to {}", report.address, report.url))
}

/// Sends a challenge by the rules of every delivery, and waits for its answer.
pub(super) fn challenge(keys: &KeyTree, reach: Reach, address: &ResultAddress, url: &ResultUrl) -> anyhow::Result<()> {
    let outbound = Outbound::new(reach, Arc::new(SystemResolver), Vec::new())?;
    let mut value = [0; 16];
    value[..8].copy_from_slice(&random().to_be_bytes());
    value[8..].copy_from_slice(&random().to_be_bytes());
    Ok(block_on(prove(&outbound, keys, (address, url), now(), value))??)
}
