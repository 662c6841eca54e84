use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use laini_core::partner::Environment;
use laini_core::store::RegistryError;
use serde::Serialize;
use tokio::time::timeout;

use super::{Gateway, GatewayState};
use crate::http::{Context, json};

#[derive(Serialize)]
struct Probe {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<&'static str>,
}

/// `GET /livez`: the process answers.
pub(super) async fn livez() -> Response {
    json(StatusCode::OK, &Probe { status: "live", reasons: Vec::new() })
}

/// `GET /readyz`: checks can be answered; otherwise 503 with the reasons.
pub(super) async fn readyz(State(gateway): GatewayState, Extension(context): Extension<Context>) -> Response {
    let reasons = gateway.reasons_against_readiness(&context).await;
    if reasons.is_empty() {
        json(StatusCode::OK, &Probe { status: "ready", reasons })
    } else {
        json(StatusCode::SERVICE_UNAVAILABLE, &Probe { status: "not ready", reasons })
    }
}

impl Gateway {
    async fn reasons_against_readiness(&self, context: &Context) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        if context.environments.include(Environment::Production) {
            reasons.extend(self.reason_against_registry().await);
        }
        if self.ledger_health.is_failing() {
            reasons.push("the ledger does not confirm records");
        }
        if self.accounts.is_outdated() {
            reasons.push("the accounts could not be read for too long: production checks are refused");
        } else if self.accounts.is_failing() {
            reasons.push("the accounts cannot be read");
        }
        reasons
    }

    async fn reason_against_registry(&self) -> Option<&'static str> {
        let patience = Duration::from_millis(self.settings.glance().limits.look_up_timeout_ms);
        match timeout(patience, self.registry.health()).await {
            Ok(Ok(())) => None,
            Ok(Err(RegistryError::Empty)) => Some("the registry is empty"),
            Ok(Err(RegistryError::Bad(_) | RegistryError::Unavailable(_))) => Some("the registry cannot be read"),
            Ok(Err(RegistryError::TooSlow)) | Err(_) => Some("the registry does not answer in time"),
        }
    }
}
