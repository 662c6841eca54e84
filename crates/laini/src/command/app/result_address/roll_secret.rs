use clap::Args;
use jiff::SignedDuration;
use laini_core::store::ResultAddressChange;
use laini_server::delivery::signing_secret;
use serde::Serialize;

use super::{find, of_partner};
use crate::command::Context;
use crate::command::context::{audit, block_on, now};

/// `laini app result-address roll-secret`
#[derive(Args)]
pub(crate) struct RollSecretArgs {
    /// The address: its id.
    address: String,
    /// For so many hours the old secret signs as well; 0 = the old one signs nothing more.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=720))]
    overlap_hours: u32,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Serialize)]
struct RollReport<'a> {
    address: String,
    signing_secret: &'a str,
    previous_until: String,
}

/// Signs with a new secret from now on.
pub(crate) fn run(context: &Context, args: &RollSecretArgs) -> anyhow::Result<()> {
    let (house, _) = context.house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let address = find(&book, &args.address)?;
    let previous_until = now() + SignedDuration::from_hours(args.overlap_hours.into());
    let change = ResultAddressChange::SecretRolled { previous_until };
    let audit = of_partner(&book, address, audit("result-address.roll-secret", address.id.to_string(), &args.reason));
    block_on(accounts.change_result_address(address.id, change, audit))??;
    // As it lies there now: somebody else may have rolled it at the same time.
    let book = block_on(accounts.load())??;
    let rolled = find(&book, &args.address)?;
    let secret = signing_secret(&house.keys, rolled.id, rolled.secret_generation);
    let previous_until = previous_until.to_string();
    let report = RollReport { address: rolled.id.to_string(), signing_secret: &secret, previous_until };
    context.out.data(&report, |report| {
        format!(
            "signing secret  {}\nThe secret is shown this once. Until {} deliveries carry both signatures.",
            report.signing_secret, report.previous_until
        )
    })
}
