use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{Call, answered};
use crate::gateway::{Gateway, GatewayState};
use crate::http::{ApiError, Context, json};
use crate::sandbox::feed_answer;

/// `POST /sandbox/v1/feed/stop`: nothing new is told, and the as-of stays where the clock is.
pub(super) async fn stop_feed(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    answered(context, switch(&gateway, context, request, false).await)
}

/// `POST /sandbox/v1/feed/start`: the feed is complete again.
pub(super) async fn start_feed(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    answered(context, switch(&gateway, context, request, true).await)
}

async fn switch(gateway: &Gateway, context: Context, request: Request, runs: bool) -> Result<Response, ApiError> {
    let (call, _) = Call::admit(gateway, context, request)?;
    let switched = call.change(move |world, moment| {
        if runs {
            world.start_feed();
        } else {
            world.stop_feed(moment);
        }
        Ok(())
    });
    Ok(json(StatusCode::OK, &feed_answer(&switched.await?, call.now())))
}
