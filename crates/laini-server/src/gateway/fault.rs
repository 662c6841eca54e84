use std::time::Duration;

use laini_core::line::Msisdn;
use laini_core::partner::{AppView, Environment};
use laini_core::sandbox::{Fault, LATE_BY_MS};
use tokio::time::{Instant, sleep_until};

use super::Gateway;
use crate::http::{ApiError, Context};

/// When to come back after the made-up limits.
const RATE_RETRY_AFTER_S: u64 = 1;
const QUOTA_RETRY_AFTER_S: u64 = 60;

impl Gateway {
    /// Lets go wrong what a sandbox number stands for. It comes before the registry is read, so it
    /// leaves no row and costs nothing; only an answer that is merely late is charged.
    pub(crate) async fn suffer(&self, app: &AppView, msisdn: Msisdn, context: &Context) -> Result<(), ApiError> {
        if app.app.environment != Environment::Sandbox {
            return Ok(());
        }
        let fault = self.worlds.fault(app.app.id, msisdn, context.at).await.map_err(|error| {
            tracing::error!(%error, "a sandbox world cannot be read");
            ApiError::Unreachable
        })?;
        match fault {
            // A stale feed is no fault of the request: the line's own look-up says so.
            None | Some(Fault::StaleFeed) => Ok(()),
            Some(Fault::Late) => {
                let late = Instant::now() + Duration::from_millis(LATE_BY_MS);
                sleep_until(late.min(context.deadline)).await;
                Ok(())
            }
            Some(Fault::Internal) => Err(ApiError::Internal),
            Some(Fault::RegistryBad) => Err(ApiError::RegistryBad),
            Some(Fault::RegistryUnreachable) => Err(ApiError::Unreachable),
            Some(Fault::RegistryTooSlow) => Err(ApiError::RegistryTooSlow),
            Some(Fault::RateLimit) => Err(ApiError::SpikeArrest { retry_after_s: RATE_RETRY_AFTER_S }),
            Some(Fault::Quota) => Err(ApiError::QuotaViolation { retry_after_s: QUOTA_RETRY_AFTER_S }),
            Some(Fault::BodyTooSlow) => Err(ApiError::BodyTooSlow),
            Some(Fault::Reset) => Err(ApiError::Reset),
        }
    }
}
