use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use laini_wire::delivery::{Acknowledgement, HandedPage, LISTEN_WAIT_S};
use tokio::time::{Duration, Instant};

use super::{GatewayState, ledger_failed};
use crate::Capability;
use crate::http::{ApiError, Context, ResultAddressProblem, is_object, json, read_json};

/// `GET /v1/deliveries`: what waits for the app's own listener, as soon as there is something.
pub(super) async fn take_deliveries(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
) -> Response {
    let taking = async {
        let app = gateway.caller(&headers, &context)?;
        gateway.settings.offers(Capability::Delivery)?;
        if !gateway.deliveries.listener_came(&app, context.at).await.map_err(|error| ledger_failed(&error))? {
            return Err(ApiError::ResultAddress(ResultAddressProblem::NoListenAddress));
        }
        let deadline = context.deadline.min(Instant::now() + Duration::from_secs(LISTEN_WAIT_S));
        let deliveries = gateway.deliveries.listeners.take(app.app.id, deadline).await;
        Ok(HandedPage { deliveries })
    };
    match taking.await {
        Ok(page) => json(StatusCode::OK, &page),
        Err(error) => context.refuse(error),
    }
}

/// `POST /v1/deliveries/acknowledge`: what became of one of them. Said too late, it is a failed attempt,
/// and the delivery comes again.
pub(super) async fn acknowledge_delivery(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let acknowledging = async {
        let app = gateway.caller(&parts.headers, &context)?;
        let limits = gateway.settings.current().limits.clone();
        let body = read_json(&parts.headers, body, &context, &limits).await?;
        let said: Option<Acknowledgement> = is_object(&body).then(|| serde_json::from_slice(&body).ok()).flatten();
        let said = said.ok_or(ApiError::InvalidPayload)?;
        let was_awaited = gateway.deliveries.listeners.acknowledge(app.app.id, &said.id, said.status);
        if was_awaited { Ok(said) } else { Err(ApiError::NoSuchCheck) }
    };
    match acknowledging.await {
        Ok(said) => json(StatusCode::OK, &said),
        Err(error) => context.refuse(error),
    }
}
