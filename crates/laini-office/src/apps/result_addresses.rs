use jiff::SignedDuration;
use laini_core::delivery::{Destination, Reach};
use laini_core::partner::{AppId, PartnerId, ResultAddress, ResultAddressId};
use laini_core::store::{AccountsChange, ResultAddressChange};

use super::{AppOf, is_alive, the_app};
use crate::{Problem, Work};

/// The generation of a new address's secret.
pub const FIRST_GENERATION: u32 = 1;
/// So many addresses an app has at most.
const ADDRESSES_PER_APP_MAX: usize = 10;
/// After a roll, the secret before signs as well for so long.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// The result address of this id, where it is of this app of this partner.
pub fn the_address(
    work: &Work<'_>,
    partner: PartnerId,
    app: AppId,
    address: ResultAddressId,
) -> Result<ResultAddress, Problem> {
    let of = the_app(work, partner, app)?;
    of.addresses.into_iter().find(|found| found.id == address).ok_or(Problem::NotFound("result address"))
}

/// Registers an address, not proven yet: nothing is sent to it before it answered a challenge. One of a listener needs
/// none, for only the app's own token takes what goes there.
pub fn add_result_address(
    work: &mut Work<'_>,
    partner: PartnerId,
    app: AppId,
    url: &str,
    reach: Reach,
) -> Result<ResultAddress, Problem> {
    let AppOf { app: of, addresses, .. } = the_app(work, partner, app)?;
    is_alive(&of)?;
    let destination = Destination::parse(url, reach);
    let destination = destination.map_err(|error| Problem::invalid("url", error.to_string()))?;
    if addresses.iter().any(|address| address.url == destination.as_str()) {
        return Err(Problem::Taken("the app has this address already".into()));
    }
    if addresses.len() >= ADDRESSES_PER_APP_MAX {
        let why = format!("the app has {ADDRESSES_PER_APP_MAX} addresses, the most there may be; remove one");
        return Err(Problem::not_now(why));
    }
    let address = ResultAddress {
        id: ResultAddressId::from_random(work.office.entropy.next_u64()),
        app,
        url: destination.as_str().to_owned(),
        proven: matches!(destination, Destination::Listener).then_some(work.at),
        secret_generation: FIRST_GENERATION,
        previous_until: None,
    };
    work.accounts(AccountsChange::AddResultAddress(address.clone()));
    work.note("result-address.add", Some(partner), address.id, "");
    Ok(address)
}

/// Notes that an address answered its challenge.
pub fn note_proof(
    work: &mut Work<'_>,
    partner: PartnerId,
    app: AppId,
    address: ResultAddressId,
) -> Result<ResultAddress, Problem> {
    let found = the_address(work, partner, app, address)?;
    work.accounts(AccountsChange::ResultAddress(address, ResultAddressChange::Proven(work.at)));
    work.note("result-address.prove", Some(partner), address, "");
    Ok(ResultAddress { proven: Some(work.at), ..found })
}

/// Begins the next generation of an address's signing secret; the one before signs as well for a day. Within that day
/// no other begins, for a third would end the first under a receiver that was told it has a day.
pub fn roll_secret(
    work: &mut Work<'_>,
    partner: PartnerId,
    app: AppId,
    address: ResultAddressId,
) -> Result<ResultAddress, Problem> {
    let found = the_address(work, partner, app, address)?;
    if let Some(until) = found.overlap_at(work.at) {
        return Err(Problem::not_now(format!(
            "the secret before signs as well until {until:.0}: roll it again after that, or remove the address and add \
             it anew where the secret has leaked"
        )));
    }
    let previous_until = work.at + OVERLAP;
    let change = ResultAddressChange::SecretRolled { from: found.secret_generation, previous_until };
    work.accounts(AccountsChange::ResultAddress(address, change));
    work.note("result-address.roll-secret", Some(partner), address, "");
    let secret_generation = found.secret_generation.saturating_add(1);
    Ok(ResultAddress { secret_generation, previous_until: Some(previous_until), ..found })
}

/// Ends an address; what waits for it is not delivered any more.
pub fn remove_result_address(
    work: &mut Work<'_>,
    partner: PartnerId,
    app: AppId,
    address: ResultAddressId,
) -> Result<(), Problem> {
    the_address(work, partner, app, address)?;
    work.accounts(AccountsChange::ResultAddress(address, ResultAddressChange::Removed));
    work.note("result-address.remove", Some(partner), address, "");
    Ok(())
}
