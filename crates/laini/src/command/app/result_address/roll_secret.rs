use clap::Args;
use jiff::SignedDuration;
use laini_core::store::ResultAddressChange;
use laini_server::delivery::signing_secret;
use serde::Serialize;

use super::{find, of_partner};
use crate::command::Context;
use crate::command::context::{audit, block_on, now};
use crate::failure::hinted;

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
    let at = now();
    if let Some(until) = address.overlap_at(at).filter(|_| args.overlap_hours > 0) {
        return Err(hinted(
            anyhow::anyhow!("the secret before signs as well until {until:.0}"),
            "roll it again after that; `--overlap-hours 0` ends both at once, where one has leaked",
        ));
    }
    let previous_until = at + SignedDuration::from_hours(args.overlap_hours.into());
    let change = ResultAddressChange::SecretRolled { from: address.secret_generation, previous_until };
    let audit = of_partner(&book, address, audit("result-address.roll-secret", address.id.to_string(), &args.reason));
    block_on(accounts.change_result_address(address.id, change, audit))??;
    // What was read is what was rolled, or nothing was.
    let secret = signing_secret(&house.keys, address.id, address.secret_generation.saturating_add(1));
    let previous_until = previous_until.to_string();
    let report = RollReport { address: address.id.to_string(), signing_secret: &secret, previous_until };
    context.out.data(&report, |report| {
        format!(
            "signing secret  {}\nThe secret is shown this once. Until {} deliveries carry both signatures.",
            report.signing_secret, report.previous_until
        )
    })
}
