use laini_core::access::ConsumerSecret;
use laini_core::partner::{AppId, AppSecret, PartnerId};
use laini_core::store::{AccountsChange, AppChange};

use super::{is_alive, the_app};
use crate::{Problem, Work};

/// Adds a secret beside the present one, which stays good until it is retired; the new one, to be shown once.
pub fn add_secret(work: &mut Work<'_>, partner: PartnerId, app: AppId) -> Result<ConsumerSecret, Problem> {
    let of = the_app(work, partner, app)?;
    is_alive(&of.app)?;
    if of.app.secrets.len() >= AppSecret::LIVE_MAX {
        let why = "two secrets are good already; retire the one that is not used any more";
        return Err(Problem::not_now(why));
    }
    let word = || work.office.entropy.next_u64();
    let secret = ConsumerSecret::mint([word(), word(), word(), word()]);
    let change = AppChange::SecretAdded(AppSecret::first(&secret, work.at));
    work.accounts(AccountsChange::App(app, change));
    work.note("app.rotate", Some(partner), app, "");
    Ok(secret)
}

/// Ends every token that the app has; its next ones are good.
pub fn revoke_tokens(work: &mut Work<'_>, partner: PartnerId, app: AppId, reason: &str) -> Result<(), Problem> {
    is_alive(&the_app(work, partner, app)?.app)?;
    work.accounts(AccountsChange::NextTokenEpoch(app));
    work.note("app.revoke-tokens", Some(partner), app, reason);
    Ok(())
}

/// Ends a secret; another one stays. Tokens that it got stay good until they expire: they are ended together with all
/// others by a new token epoch.
pub fn retire_secret(
    work: &mut Work<'_>,
    partner: PartnerId,
    app: AppId,
    number: u32,
    reason: &str,
) -> Result<(), Problem> {
    let of = the_app(work, partner, app)?;
    is_alive(&of.app)?;
    if !of.app.secrets.iter().any(|secret| secret.number == number) {
        return Err(Problem::NotFound("secret"));
    }
    if of.app.secrets.len() == 1 {
        return Err(Problem::not_now("it is the only secret; add another one first, or end the app"));
    }
    work.accounts(AccountsChange::App(app, AppChange::SecretRetired(number)));
    let because = if reason.is_empty() { format!("secret {number}") } else { format!("secret {number}: {reason}") };
    work.note("app.retire-secret", Some(partner), app, &because);
    Ok(())
}
