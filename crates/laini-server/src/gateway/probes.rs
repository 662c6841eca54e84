use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::SignedDuration;
use laini_core::disclosure::Freshness;
use laini_core::partner::Environment;
use laini_core::store::RegistryError;
use rustix::fs::statvfs;
use serde::Serialize;
use tokio::time::timeout;

use super::{Gateway, GatewayState};
use crate::http::{Context, json};

/// With less room somebody should see to it, before records fail: that they do is noticed by itself.
const DISK_FREE_BYTES_ADVISED: u64 = 1 << 30;

#[derive(Default, Serialize)]
struct Probe {
    status: &'static str,
    /// Why checks cannot be answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<&'static str>,
    /// What somebody should see to; checks are answered all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<&'static str>,
}

/// `GET /livez`: the process answers.
pub(super) async fn livez() -> Response {
    json(StatusCode::OK, &Probe { status: "live", ..Probe::default() })
}

/// `GET /readyz`: checks can be answered; otherwise 503 with the reasons.
pub(super) async fn readyz(State(gateway): GatewayState, Extension(context): Extension<Context>) -> Response {
    let mut probe = Probe::default();
    gateway.probe(&context, &mut probe).await;
    if probe.reasons.is_empty() {
        json(StatusCode::OK, &Probe { status: "ready", ..probe })
    } else {
        json(StatusCode::SERVICE_UNAVAILABLE, &Probe { status: "not ready", ..probe })
    }
}

impl Gateway {
    async fn probe(&self, context: &Context, probe: &mut Probe) {
        if context.environments.include(Environment::Production) {
            self.probe_registry(context, probe).await;
        }
        if self.ledger_health.is_failing() {
            probe.reasons.push("the ledger does not confirm records");
        }
        if self.accounts.is_outdated() {
            probe.reasons.push("the accounts could not be read for too long: production checks are refused");
        } else if self.accounts.is_failing() {
            probe.reasons.push("the accounts cannot be read");
        }
        match self.settings.glance().disk.as_ref().map(statvfs) {
            Some(Ok(disk)) if disk.f_bavail.saturating_mul(disk.f_frsize) < DISK_FREE_BYTES_ADVISED => {
                probe.warnings.push("the disk is nearly full");
            }
            Some(Ok(_)) | None => {}
            Some(Err(_)) => probe.warnings.push("the disk cannot be looked at"),
        }
    }

    async fn probe_registry(&self, context: &Context, probe: &mut Probe) {
        let settings = self.settings.current();
        let patience = Duration::from_millis(settings.limits.look_up_timeout_ms);
        match timeout(patience, self.registry.health()).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(horizon))) => {
                let is_stale =
                    |limit: SignedDuration| horizon.as_of.is_none_or(|as_of| context.at.duration_since(as_of) > limit);
                let Freshness { swap_stale_after, registration_stale_after } = settings.freshness;
                if swap_stale_after.into_iter().chain(registration_stale_after).any(is_stale) {
                    probe.warnings.push("the feed is stale: reassuring answers are withdrawn");
                }
            }
            Ok(Err(RegistryError::Empty)) => probe.reasons.push("the registry is empty"),
            Ok(Err(RegistryError::Bad(_) | RegistryError::Unavailable(_))) => {
                probe.reasons.push("the registry cannot be read");
            }
            Ok(Err(RegistryError::TooSlow | RegistryError::Busy)) | Err(_) => {
                probe.reasons.push("the registry does not answer in time");
            }
        }
    }
}
