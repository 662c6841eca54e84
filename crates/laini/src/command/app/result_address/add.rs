use clap::Args;
use laini_core::delivery::Destination;
use laini_core::partner::{ResultAddress, ResultAddressId};
use laini_core::store::ResultAddressChange;
use laini_server::delivery::signing_secret;
use serde::Serialize;

use super::prove::challenge;
use crate::command::Context;
use crate::command::app::find;
use crate::command::context::random;
use crate::command::context::{audit, block_on, concerning, now};
use crate::failure::WithHint as _;
use crate::out::Out;

/// The generation of a new address's secret.
const FIRST_GENERATION: u32 = 1;

/// `laini app result-address add`
#[derive(Args)]
pub(crate) struct AddArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// The address, https://…, or laini:listen for a developer's machine that runs `laini listen`.
    url: String,
}

#[derive(Serialize)]
struct AddReport<'a> {
    address: String,
    url: &'a str,
    proven: bool,
    signing_secret: &'a str,
}

/// Registers an address and challenges it.
pub(crate) fn run(context: &Context, args: &AddArgs) -> anyhow::Result<()> {
    let (house, config) = context.house()?;
    let destination = Destination::parse(&args.url, config.reach()?)
        .map_err(|error| anyhow::anyhow!("{} cannot be a result address: {error}", args.url))
        .hint("results go to https addresses on the internet; to this machine only while the server listens on loopback alone")?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let app = find(&book, &args.app)?;
    let address = ResultAddress {
        id: ResultAddressId::from_random(random()),
        app: app.id,
        url: destination.as_str().to_owned(),
        proven: None,
        secret_generation: FIRST_GENERATION,
        previous_until: None,
    };
    let id = address.id.to_string();
    let noted = |action| concerning(app.partner, audit(action, id.clone(), ""));
    block_on(accounts.add_result_address(address.clone(), noted("result-address.add")))?
        .hint("`laini app result-address list` shows what is registered")?;
    let challenged = match &destination {
        // Only the app's own token takes what goes there.
        Destination::Listener => Ok(()),
        Destination::Web(url) => challenge(&house.keys, config.reach()?, &address, url),
    };
    if challenged.is_ok() {
        let proven = ResultAddressChange::Proven(now());
        block_on(accounts.change_result_address(address.id, proven, noted("result-address.prove")))??;
    }
    let secret = signing_secret(&house.keys, address.id, FIRST_GENERATION);
    let report = AddReport {
        address: id.clone(),
        url: destination.as_str(),
        proven: challenged.is_ok(),
        signing_secret: &secret,
    };
    context.out.data(&report, |report| {
        let state = if report.proven { "proven" } else { "not proven yet" };
        format!(
            "{} {} ({state})\nsigning secret  {}\nThe secret is shown this once: the receiver verifies webhook-signature with it.",
            report.address, report.url, report.signing_secret
        )
    })?;
    if let Err(error) = challenged {
        Out::note(&format!(
            "not proven: {error}\nhint: have it answer the challenge, then: laini app result-address prove {id}"
        ));
    }
    Ok(())
}
