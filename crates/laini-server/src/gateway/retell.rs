use std::time::Duration;

use laini_core::billing::{CheckId, Outcome};
use laini_core::partner::{AppStatus, AppView, Environment, PartnerStatus};
use laini_core::store::{LedgerError, LedgerRow, RegistryError, Subject};
use tokio::time::{Instant, timeout_at};

use super::Gateway;

/// It is found out within so long whether a result may be told: a delivery is leased for little longer than it takes.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether what a check told may be told once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retell {
    /// It may.
    May,
    /// The app or its partner is suspended, and may be resumed.
    Suspended(&'static str),
    /// Its number is restricted since.
    Withheld,
    /// It cannot be found out now.
    Unknown,
}

impl Gateway {
    /// Whether the result of this check of `app` may be delivered: what was told before is not told again to whoever
    /// was suspended since, nor of a number that was restricted since.
    pub(crate) async fn may_retell(&self, app: &AppView, check: CheckId) -> Retell {
        let suspended = suspended(app);
        let may_be_restricted =
            app.app.environment == Environment::Production && !self.accounts.restrictions().is_empty();
        if suspended.is_none() && !may_be_restricted {
            return Retell::May;
        }
        let deadline = Instant::now() + LOOK_TIMEOUT;
        let looked = timeout_at(deadline, self.look_again(check, suspended, deadline)).await;
        looked.unwrap_or(Ok(Retell::Unknown)).unwrap_or_else(|error| {
            tracing::warn!(check = %check.request_ref(), %error, "whether a result may be told is not known; it waits");
            Retell::Unknown
        })
    }

    async fn look_again(
        &self,
        check: CheckId,
        suspended: Option<&'static str>,
        deadline: Instant,
    ) -> Result<Retell, LookError> {
        // Without a row it was refused, and that is all it tells.
        let Some(found) = self.ledger.find(check).await? else { return Ok(Retell::May) };
        if let Some(why) = suspended {
            return Ok(Retell::Suspended(why));
        }
        if found.row.environment == Environment::Sandbox || found.row.outcome == Outcome::Withheld {
            return Ok(Retell::May);
        }
        let is_withheld = match (&found.subject, found.number) {
            (Some(subject), _) => self.is_withheld_since(&found.row, subject, deadline).await?,
            // The number was forgotten, so nobody can look up who holds it: any restriction of it withholds the result.
            (None, Some(number)) => self.accounts.restrictions().names(number),
            (None, None) => false,
        };
        Ok(if is_withheld { Retell::Withheld } else { Retell::May })
    }

    /// Whether what a check told is not told again: its number is restricted since, or it was about an earlier holder
    /// who is.
    pub(super) async fn is_withheld_since(
        &self,
        row: &LedgerRow,
        subject: &Subject,
        deadline: Instant,
    ) -> Result<bool, RegistryError> {
        let withheld = self.withheld_since(row.environment, &[subject.msisdn], deadline).await?;
        let of_before = || {
            row.environment == Environment::Production
                && self.accounts.restrictions().withhold_again(subject.hash, row.at)
        };
        Ok(!withheld.is_empty() || of_before())
    }
}

fn suspended(app: &AppView) -> Option<&'static str> {
    if app.partner.status == PartnerStatus::Suspended {
        return Some("the partner is suspended");
    }
    (app.app.status == AppStatus::Suspended).then_some("the app is suspended")
}

/// Why it was not found out.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
}
