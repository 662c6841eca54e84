use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use laini_core::access::TOKEN_LIFETIME;
use laini_wire::token::{GENERATE_PATH, GRANT_TYPE, PublishedToken};

use super::credentials::{NoToken, no_store};
use super::{Called, Gateway, GatewayState};
use crate::http::{ApiError, Context, basic, json};

/// `GET /oauth/v1/generate?grant_type=client_credentials`: the published token door.
pub(super) async fn generate_token(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    match issue(&gateway, &context, &parts).await {
        Ok(response) => no_store(response),
        Err(error) => {
            let response = context.refuse(error);
            let key = basic(&parts.headers).map(|given| given.key);
            let called = Called { context: &context, path: GENERATE_PATH, product: None, msisdn: None };
            gateway.note_no_token(key.as_deref(), called, &response);
            no_store(response)
        }
    }
}

async fn issue(gateway: &Gateway, context: &Context, request: &Parts) -> Result<Response, ApiError> {
    gateway.take_token_request(context).map_err(as_api_error)?;
    let given = basic(&request.headers).ok_or(ApiError::InvalidCredentials)?;
    let app = gateway.authenticate(context, &given).map_err(as_api_error)?;
    let query = request.uri.query().unwrap_or_default();
    let grants: Vec<_> = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "grant_type").collect();
    if !matches!(&*grants, [(_, grant)] if grant == GRANT_TYPE) {
        return Err(ApiError::InvalidGrantType);
    }
    let token = gateway.mint_token(context, &app).await.map_err(as_api_error)?;
    let expires_in = TOKEN_LIFETIME.as_secs().to_string();
    Ok(json(StatusCode::OK, &PublishedToken { access_token: token.reveal().into(), expires_in: expires_in.into() }))
}

fn as_api_error(no_token: NoToken) -> ApiError {
    match no_token {
        NoToken::Refused => ApiError::InvalidCredentials,
        NoToken::Throttled { retry_after_s } => ApiError::SpikeArrest { retry_after_s },
        NoToken::Unavailable => ApiError::Unreachable,
    }
}
