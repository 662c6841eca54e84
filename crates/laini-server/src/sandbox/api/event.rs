use axum::extract::{Extension, Request, State};
use axum::response::Response;

use super::line::shown;
use super::{Call, LinePath, answered, unreadable};
use crate::gateway::GatewayState;
use crate::http::Context;
use crate::sandbox::life_event;

/// `POST /sandbox/v1/lines/{msisdn}/events`: something happens to a line.
pub(super) async fn add_event(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    path: LinePath,
    request: Request,
) -> Response {
    let add = async {
        let (call, body) = Call::admit(&gateway, context, request)?;
        let msisdn = call.number(path)?;
        let request = call.read(body, "expected the fields type, at, new_msisdn").await?;
        let life = life_event(&request, gateway.settings().plan, &call.zone()).map_err(unreadable)?;
        let world = call.change(move |world, moment| life.happen(world, msisdn, moment)).await?;
        shown(&call, world, msisdn).await
    };
    answered(context, add.await)
}
