use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use laini_core::line::Msisdn;
use laini_core::sandbox::{LineChange, Persona, World};

use super::{Call, LinePath, answered, unreadable};
use crate::gateway::{Gateway, GatewayState};
use crate::http::{ApiError, Context, json};
use crate::sandbox::{line_answer, line_change};

/// What may stand in a line's body.
const FIELDS: &str = "expected the fields status, registered_at, holder_since, last_swap_at, swap_cause, \
                      contract_type, restricted, hashed_imsi";

/// `GET /sandbox/v1/lines/{msisdn}`: a line of the world's own, or a persona.
pub(super) async fn show_line(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    path: LinePath,
    request: Request,
) -> Response {
    let show = async {
        let (call, _) = Call::admit(&gateway, context, request)?;
        let msisdn = call.number(path)?;
        let world = call.world().await?;
        shown(&call, world, msisdn).await
    };
    answered(context, show.await)
}

/// `PUT /sandbox/v1/lines/{msisdn}`: the line is like this, whatever it was.
pub(super) async fn put_line(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    path: LinePath,
    request: Request,
) -> Response {
    let put = async {
        let (call, msisdn, change) = asked(&gateway, context, path, request).await?;
        let world = call.change(move |world, moment| world.state_anew(msisdn, &change, moment)).await?;
        shown(&call, world, msisdn).await
    };
    answered(context, put.await)
}

/// `PATCH /sandbox/v1/lines/{msisdn}`: what is said of it changes, the rest stays.
pub(super) async fn amend_line(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    path: LinePath,
    request: Request,
) -> Response {
    let amend = async {
        let (call, msisdn, change) = asked(&gateway, context, path, request).await?;
        let world = call.change(move |world, moment| world.amend(msisdn, &change, moment)).await?;
        shown(&call, world, msisdn).await
    };
    answered(context, amend.await)
}

/// `DELETE /sandbox/v1/lines/{msisdn}`: the line is gone; a persona shows through again.
pub(super) async fn delete_line(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    path: LinePath,
    request: Request,
) -> Response {
    let delete = async {
        let (call, _) = Call::admit(&gateway, context, request)?;
        let msisdn = call.number(path)?;
        call.change(move |world, _| world.remove(msisdn)).await?;
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    };
    answered(context, delete.await)
}

async fn asked(
    gateway: &Gateway,
    context: Context,
    path: LinePath,
    request: Request,
) -> Result<(Call<'_>, Msisdn, LineChange), ApiError> {
    let (call, body) = Call::admit(gateway, context, request)?;
    let msisdn = call.number(path)?;
    let change = line_change(&call.read(body, FIELDS).await?, &call.zone()).map_err(unreadable)?;
    Ok((call, msisdn, change))
}

/// The line as it is now.
pub(super) async fn shown(call: &Call<'_>, world: World, msisdn: Msisdn) -> Result<Response, ApiError> {
    let is_own = world.owns(msisdn);
    if !is_own && Persona::of(msisdn).is_none() {
        return Err(ApiError::NotServed);
    }
    let state = call.see(world, move |world, moment| world.state(msisdn, moment)).await?;
    Ok(json(StatusCode::OK, &line_answer(msisdn, &state, is_own)))
}
