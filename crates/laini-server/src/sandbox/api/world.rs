use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use laini_core::sandbox::World;

use super::{Call, answered};
use crate::gateway::{Gateway, GatewayState};
use crate::http::{ApiError, Context, json};
use crate::sandbox::world_answer;

/// `GET /sandbox/v1/world`: what the world is like.
pub(super) async fn show_world(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let show = async {
        let (call, _) = Call::admit(&gateway, context, request)?;
        Ok(json(StatusCode::OK, &world_answer(&call.world().await?, call.now())))
    };
    answered(context, show.await)
}

/// `DELETE /sandbox/v1/world`: as a reset.
pub(super) async fn delete_world(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let deleted = reset(&gateway, context, request).await;
    let empty = |_| {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    };
    answered(context, deleted.map(empty))
}

/// `POST /sandbox/v1/reset`: everything is as in a fresh world.
pub(super) async fn reset_world(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let reset = reset(&gateway, context, request).await;
    answered(context, reset.map(|world| json(StatusCode::OK, &world_answer(&world, context.at))))
}

async fn reset(gateway: &Gateway, context: Context, request: Request) -> Result<World, ApiError> {
    let (call, _) = Call::admit(gateway, context, request)?;
    call.change(|world, _| {
        world.reset();
        Ok(())
    })
    .await
}
