use axum::extract::{Extension, Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use laini_core::access::TOKEN_LIFETIME;
use laini_core::store::Stage;
use laini_wire::token::{GRANT_TYPE, OAUTH2_PATH, OAuthError, StandardToken, TOKEN_TYPE};

use super::credentials::{NoToken, no_store};
use super::{Called, Gateway, GatewayState};
use crate::http::{ApiError, BasicCredentials, Context, Refused, basic, json, read_form};

/// Why the standard door gives no token.
enum Refusal {
    /// The request is no token request.
    InvalidRequest(&'static str),
    /// Another grant than client credentials.
    UnsupportedGrantType,
    /// The credentials get no token.
    NoToken(NoToken),
    /// The body could not be read at all.
    Body(ApiError),
}

/// `POST /oauth2/token`: the standard token door (RFC 6749, client credentials).
pub(super) async fn issue_token(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let mut key = None;
    let issued = issue(&gateway, &context, request, &mut key).await;
    no_store(issued.unwrap_or_else(|refusal| {
        let response = refuse(refusal, &context);
        let called = Called { context: &context, path: OAUTH2_PATH, product: None, msisdn: None };
        gateway.note_no_token(key.as_deref(), called, &response);
        response
    }))
}

/// `key` is told the consumer key that came, as soon as it is read.
async fn issue(
    gateway: &Gateway,
    context: &Context,
    request: Request,
    key: &mut Option<String>,
) -> Result<Response, Refusal> {
    gateway.take_token_request(context).map_err(Refusal::NoToken)?;
    let (parts, body) = request.into_parts();
    let settings = gateway.settings.current();
    let form = read_form(&parts.headers, body, context, &settings.limits).await.map_err(Refusal::Body)?;
    let form = form.ok_or(Refusal::InvalidRequest("the body must be application/x-www-form-urlencoded"))?;
    match field(&form, "grant_type")? {
        None => return Err(Refusal::InvalidRequest("grant_type is missing")),
        Some(GRANT_TYPE) => {}
        Some(_) => return Err(Refusal::UnsupportedGrantType),
    }
    let given = credentials(&parts.headers, &form)?;
    *key = Some(given.key.clone());
    let app = gateway.authenticate(context, &given).map_err(Refusal::NoToken)?;
    let token = gateway.mint_token(context, &app).await.map_err(Refusal::NoToken)?;
    Ok(json(
        StatusCode::OK,
        &StandardToken {
            access_token: token.reveal().into(),
            token_type: TOKEN_TYPE.into(),
            expires_in: TOKEN_LIFETIME.as_secs().unsigned_abs(),
        },
    ))
}

/// From the header or from the body, never from both (RFC 6749, section 2.3).
fn credentials(headers: &HeaderMap, form: &[(String, String)]) -> Result<BasicCredentials, Refusal> {
    let in_body = (field(form, "client_id")?, field(form, "client_secret")?);
    if headers.contains_key(AUTHORIZATION) {
        if in_body.1.is_some() {
            return Err(Refusal::InvalidRequest("credentials came both in the header and in the body"));
        }
        return basic(headers).ok_or(Refusal::NoToken(NoToken::Refused));
    }
    match in_body {
        (Some(key), Some(secret)) => Ok(BasicCredentials { key: key.to_owned(), secret: secret.to_owned() }),
        _ => Err(Refusal::NoToken(NoToken::Refused)),
    }
}

/// The value of a field that may come once.
fn field<'a>(form: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = form.iter().filter(|(named, _)| named == name).map(|(_, value)| value.as_str());
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::InvalidRequest("a field came twice"));
    }
    Ok(first)
}

fn refuse(refusal: Refusal, context: &Context) -> Response {
    match refusal {
        Refusal::Body(error) => context.refuse(error),
        Refusal::InvalidRequest(why) => error(StatusCode::BAD_REQUEST, "invalid_request", why),
        Refusal::UnsupportedGrantType => {
            error(StatusCode::BAD_REQUEST, "unsupported_grant_type", "the only grant type is client_credentials")
        }
        Refusal::NoToken(NoToken::Refused) => {
            let mut response =
                error(StatusCode::UNAUTHORIZED, "invalid_client", "the client's credentials are not valid");
            let challenge = HeaderValue::from_static("Basic realm=\"laini\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            response
        }
        Refusal::NoToken(NoToken::Throttled { retry_after_s }) => {
            let why = "too many token requests; reuse a token until it expires";
            let mut response = error(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", why);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_s));
            response
        }
        Refusal::NoToken(NoToken::Unavailable) => {
            let why = "the accounts cannot be reached; try again";
            let mut response = error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", why);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
            response
        }
    }
}

fn error(status: StatusCode, error: &'static str, description: &'static str) -> Response {
    let mut response = json(status, &OAuthError { error: error.into(), error_description: description.into() });
    response.extensions_mut().insert(Refused { code: error, stage: Stage::Token, reason: description.into() });
    response
}
