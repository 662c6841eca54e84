use super::{Call, answered, unreadable};
use crate::gateway::GatewayState;
use crate::http::{Context, json};
use crate::sandbox::{Step, clock_answer};
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

/// `GET /sandbox/v1/clock`: what the world's clock shows.
pub(super) async fn show_clock(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let show = async {
        let (call, _) = Call::admit(&gateway, context, request)?;
        Ok(json(StatusCode::OK, &clock_answer(&call.world().await?, call.now())))
    };
    answered(context, show.await)
}

/// `POST /sandbox/v1/clock/advance`: it moves on.
pub(super) async fn advance_clock(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let advance = async {
        let (call, body) = Call::admit(&gateway, context, request)?;
        let request = call.read(body, "expected by or to").await?;
        let step = Step::of(&request, &call.zone()).map_err(unreadable)?;
        let world = call.change(move |world, moment| step.take(world, moment)).await?;
        Ok(json(StatusCode::OK, &clock_answer(&world, call.now())))
    };
    answered(context, advance.await)
}
