use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use laini_core::billing::{CheckId, FreeReason};
use laini_core::store::Stage;
use laini_wire::check::{AGE_PATH, IMSI_PATH, SWAP_PATH};
use laini_wire::error::{CheckErrorBody, ErrorBody, code, message};
use laini_wire::header;
use serde::Serialize;

use super::Refused;
use super::problem::{ForbiddenReason, NumberHint, ResultAddressProblem, SignInProblem, TokenProblem};
use crate::observe::ErrorCode;

/// Everything that a request can be refused for (contract §4). What it looks like is decided in one
/// place, [`ApiError::row`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// No usable Basic credentials, or wrong ones.
    InvalidCredentials,
    /// `grant_type` missing or another.
    InvalidGrantType,
    /// No good bearer token.
    Token(TokenProblem),
    /// Not who they say they are, as far as they have shown.
    SignIn(SignInProblem),
    /// The app may not call this product.
    NoProduct,
    /// Known, and not allowed.
    Forbidden(ForbiddenReason),
    /// The subscriber's data is restricted.
    Withheld,
    /// Not a JSON object.
    InvalidPayload,
    /// `customerNumber` missing or malformed.
    InvalidNumber(NumberHint),
    /// `resultURL` names no address that results can go to.
    ResultAddress(ResultAddressProblem),
    /// A field of the request, and what is wrong with it: our own words, never the caller's text.
    InvalidField(&'static str, Cow<'static, str>),
    /// The sandbox world is not such that this can be done: why, and what to do.
    WorldConflict(String),
    /// An upload of the operator's cannot be read: why, and what holds of it.
    UploadBroken(String),
    /// The registry is not such that this can be loaded now: why.
    FeedConflict(String),
    /// A snapshot was read, and would do harm: why.
    SnapshotRefused(String),
    /// The number is not served here.
    NotServed,
    /// No such path.
    UnknownPath,
    /// The path has other methods.
    WrongMethod(Method),
    /// The body did not come in time.
    BodyTooSlow,
    /// The body is too large.
    BodyTooLarge,
    /// The body claims to be something else than JSON.
    NotJson,
    /// A rate limit.
    SpikeArrest {
        /// When to come back, at least 1.
        retry_after_s: u64,
    },
    /// A quota or a budget is used up.
    QuotaViolation {
        /// When to come back, 1 to 60.
        retry_after_s: u64,
    },
    /// A batch that its limits never allow at once.
    BatchTooLarge {
        /// How many numbers the limit allows at once.
        burst: u32,
    },
    /// No check of this id, of this app, within a day.
    NoSuchCheck,
    /// No such thing of the office, or none that the caller may know of.
    NoSuchThing,
    /// It is not such that this can be done now: why, and what to do first.
    NotNow(String),
    /// Another one has the name.
    Taken(String),
    /// The office does not allow it: why.
    Refused(String),
    /// A capability that is switched off.
    NotImplemented,
    /// A header that cannot be used.
    InvalidHeader(&'static str),
    /// The idempotency key belongs to a request that is still running.
    KeyRunning,
    /// The idempotency key was answered too long ago to be answered again.
    KeyTooOld,
    /// The idempotency key belongs to another request.
    KeyOfOtherRequest,
    /// Our fault.
    Internal,
    /// The registry's answer cannot be right.
    RegistryBad,
    /// The registry cannot be reached, or this server sheds load.
    Unreachable,
    /// As unreachable: not the registry, but what another step of a check needs.
    UnreachableAt(Stage),
    /// The registry was too slow.
    RegistryTooSlow,
    /// The registry's knowledge is too old for this question.
    RegistryStale,
    /// The registry's knowledge has a gap where the question lies.
    RegistryIncomplete,
    /// The ledger wrote nothing.
    NotRecorded,
    /// The ledger may have written, and did not confirm it.
    NotConfirmed,
    /// No answer at all: the connection is reset. A sandbox fault.
    Reset,
}

/// On an answer: it is not sent, its connection is reset instead (on HTTP/2, its stream).
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the connection is reset on purpose")]
pub(super) struct ResetConnection;

/// How an error's body looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Three fields.
    Plain,
    /// Six fields: the check paths answer in both published styles.
    Check,
}

impl Shape {
    /// The shape that errors on `path` have.
    pub fn of_path(path: &str) -> Self {
        if [IMSI_PATH, SWAP_PATH, AGE_PATH].contains(&path) { Self::Check } else { Self::Plain }
    }
}

/// The longest method that a 405 repeats.
const METHOD_BYTES_MAX: usize = 16;

const CHARGE: HeaderName = HeaderName::from_static(header::LAINI_CHARGE);

/// What an error looks like.
struct Row {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    /// When to come back, where coming back helps.
    retry_after_s: Option<u64>,
    /// Why it costs nothing; `None` where that is not known.
    free: Option<FreeReason>,
}

impl Row {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), retry_after_s: None, free: Some(FreeReason::Refused) }
    }

    fn retry_after_s(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    fn free(self, reason: FreeReason) -> Self {
        Self { free: Some(reason), ..self }
    }
}

impl ApiError {
    /// The table of contract §4.
    fn row(&self) -> Row {
        use StatusCode as S;
        match self {
            Self::InvalidCredentials => {
                Row::new(S::BAD_REQUEST, code::INVALID_AUTHENTICATION, "Invalid Authentication passed")
            }
            Self::InvalidGrantType => Row::new(S::BAD_REQUEST, code::INVALID_GRANT_TYPE, "Invalid grant type passed"),
            Self::Token(problem) => Row::new(S::UNAUTHORIZED, code::INVALID_ACCESS_TOKEN, problem.message()),
            Self::SignIn(SignInProblem::CodeNeeded) => {
                Row::new(S::UNAUTHORIZED, code::CODE_NEEDED, SignInProblem::CodeNeeded.message())
            }
            Self::SignIn(problem) => Row::new(S::UNAUTHORIZED, code::NOT_SIGNED_IN, problem.message()),
            Self::NoProduct => Row::new(S::UNAUTHORIZED, code::INVALID_ACCESS_TOKEN, message::NO_PRODUCT),
            Self::Forbidden(reason) => Row::new(S::FORBIDDEN, code::FORBIDDEN, reason.message()),
            Self::Withheld => Row::new(S::FORBIDDEN, code::WITHHELD, "Forbidden - withheld").free(FreeReason::Withheld),
            Self::InvalidPayload => Row::new(S::BAD_REQUEST, code::INVALID_PAYLOAD, "Invalid Request Payload"),
            Self::InvalidNumber(hint) => Row::new(S::BAD_REQUEST, code::INVALID_CUSTOMER_NUMBER, hint.message()),
            Self::WorldConflict(why) => Row::new(S::CONFLICT, code::WORLD_CONFLICT, format!("Conflict - {why}")),
            Self::ResultAddress(problem) => Row::new(S::BAD_REQUEST, code::INVALID_CUSTOMER_NUMBER, problem.message()),
            Self::NotServed => {
                Row::new(S::NOT_FOUND, code::NOT_SERVED, "Resource not found").free(FreeReason::NotServed)
            }
            Self::UnknownPath | Self::NoSuchCheck | Self::NoSuchThing => {
                Row::new(S::NOT_FOUND, code::UNKNOWN_PATH, "Resource not found")
            }
            Self::WrongMethod(method) => {
                Row::new(S::METHOD_NOT_ALLOWED, code::METHOD_NOT_ALLOWED, wrong_method_message(method))
            }
            Self::BodyTooSlow => Row::new(S::REQUEST_TIMEOUT, code::REQUEST_TIMEOUT, "Request Timeout"),
            Self::BodyTooLarge => Row::new(S::PAYLOAD_TOO_LARGE, code::PAYLOAD_TOO_LARGE, "Payload Too Large"),
            Self::NotJson => {
                Row::new(S::UNSUPPORTED_MEDIA_TYPE, code::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type")
            }
            Self::SpikeArrest { retry_after_s } => {
                Row::new(S::TOO_MANY_REQUESTS, code::RATE_LIMITED, "Error Occurred: Spike Arrest Violation")
                    .retry_after_s(*retry_after_s)
            }
            Self::QuotaViolation { retry_after_s } => {
                Row::new(S::TOO_MANY_REQUESTS, code::QUOTA_USED_UP, "Error Occurred: Quota Violation")
                    .retry_after_s(*retry_after_s)
            }
            Self::NotNow(why) => Row::new(S::CONFLICT, code::NOT_NOW, format!("Conflict - {why}")),
            Self::Taken(why) => Row::new(S::CONFLICT, code::TAKEN, format!("Conflict - {why}")),
            Self::Refused(why) => Row::new(S::FORBIDDEN, code::FORBIDDEN, format!("Forbidden - {why}")),
            Self::NotImplemented => Row::new(S::NOT_IMPLEMENTED, code::NOT_IMPLEMENTED, "Not Implemented"),
            Self::BatchTooLarge { burst } => {
                Row::invalid(format!("more numbers than may be asked at once ({burst}); send smaller batches"))
            }
            Self::InvalidField(field, problem) => Row::invalid(format!("Invalid {field} - {problem}")),
            Self::InvalidHeader(name) => {
                Row::invalid(format!("Invalid header {name} - send it once, as visible ASCII characters"))
            }
            Self::UploadBroken(why) => Row::new(S::BAD_REQUEST, code::UPLOAD_BROKEN, format!("Bad Request - {why}")),
            Self::FeedConflict(why) => Row::new(S::CONFLICT, code::FEED_CONFLICT, format!("Conflict - {why}")),
            Self::SnapshotRefused(why) => {
                Row::new(S::UNPROCESSABLE_ENTITY, code::SNAPSHOT_REFUSED, format!("Unprocessable - {why}"))
            }
            Self::KeyRunning => Row::new(S::CONFLICT, code::KEY_IN_USE, KEY_RUNNING).retry_after_s(1),
            Self::KeyTooOld => Row::new(S::CONFLICT, code::KEY_TOO_OLD, KEY_TOO_OLD),
            Self::KeyOfOtherRequest => Row::new(S::UNPROCESSABLE_ENTITY, code::KEY_REUSED, KEY_OF_OTHER_REQUEST),
            // Whatever cannot reset its connection (a stored delivery) says that something broke.
            Self::Internal | Self::Reset => Row::new(S::INTERNAL_SERVER_ERROR, code::INTERNAL, "Internal Server Error"),
            Self::RegistryBad => Row::new(S::BAD_GATEWAY, code::UPSTREAM_BAD, UNREACHABLE),
            Self::Unreachable | Self::UnreachableAt(_) => {
                Row::new(S::SERVICE_UNAVAILABLE, code::UNREACHABLE, UNREACHABLE).retry_after_s(1)
            }
            Self::RegistryTooSlow => Row::new(S::GATEWAY_TIMEOUT, code::UPSTREAM_TIMEOUT, UNREACHABLE).retry_after_s(1),
            Self::RegistryStale => Row::unknown(message::REGISTRY_STALE),
            Self::RegistryIncomplete => Row::unknown(message::REGISTRY_INCOMPLETE),
            Self::NotRecorded => Row::not_confirmed(Some(FreeReason::Refused)),
            Self::NotConfirmed => Row::not_confirmed(None),
        }
    }

    /// What it says, for people.
    pub(crate) fn message(&self) -> String {
        self.row().message.into()
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.row().status
    }

    /// Its code and its body, as the OpenAPI document shows them.
    pub(crate) fn shown(&self, id: CheckId, shape: Shape) -> (&'static str, serde_json::Value) {
        let (row, id) = (self.row(), id.request_ref());
        let body = match shape {
            Shape::Plain => serde_json::to_value(row.plain(&id)),
            Shape::Check => serde_json::to_value(CheckErrorBody::new(&id, row.status.as_u16(), row.code, &row.message)),
        };
        (row.code, body.unwrap_or_default())
    }

    /// The whole answer.
    pub fn into_response(self, id: CheckId, shape: Shape) -> Response {
        let row = self.row();
        let id = id.request_ref();
        let mut response = match shape {
            Shape::Plain => json(row.status, &row.plain(&id)),
            Shape::Check => json(row.status, &CheckErrorBody::new(&id, row.status.as_u16(), row.code, &row.message)),
        };
        let headers = response.headers_mut();
        if let Some(seconds) = row.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if row.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if shape == Shape::Check {
            headers.insert(CHARGE, HeaderValue::from_static(free_words(row.free)));
        }
        let refused = Refused { code: row.code, stage: self.stage(), reason: self.kept_reason(row.message) };
        let extensions = response.extensions_mut();
        if self == Self::Reset {
            extensions.insert(ResetConnection);
        }
        extensions.insert(ErrorCode(row.code));
        extensions.insert(refused);
        response
    }

    /// The body of a check path's answer and the words of its charge header, for what is delivered
    /// instead of answered.
    pub(crate) fn in_delivery(&self, id: CheckId) -> (Vec<u8>, &'static str) {
        let row = self.row();
        let id = id.request_ref();
        let body = CheckErrorBody::new(&id, row.status.as_u16(), row.code, &row.message);
        (to_json(&body), free_words(row.free))
    }

    /// The whole answer as it goes over an HTTP/1.1 connection that is closed right after it.
    pub(super) fn into_last_words(self, id: CheckId) -> Vec<u8> {
        let row = self.row();
        let body = serde_json::to_vec(&row.plain(&id.request_ref())).unwrap_or_default();
        let mut words = format!(
            "HTTP/1.1 {}\r\ncontent-type: {JSON}\r\ncontent-length: {}\r\nretry-after: {}\r\nconnection: close\r\n\r\n",
            row.status,
            body.len(),
            row.retry_after_s.unwrap_or(1),
        )
        .into_bytes();
        words.extend_from_slice(&body);
        words
    }
}

const KEY_RUNNING: &str = "Conflict - a request with this idempotency key is still running; repeat in a moment";
const KEY_TOO_OLD: &str =
    "Conflict - this idempotency key was answered more than 10 minutes ago; ask anew with a new key";
const KEY_OF_OTHER_REQUEST: &str =
    "Unprocessable - this idempotency key was used for another request; use a new key for each request";
const UNREACHABLE: &str = "Service is currently unreachable";

impl Row {
    fn invalid(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::INVALID_CUSTOMER_NUMBER, format!("Bad Request - {what}"))
    }

    fn unknown(message: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::REGISTRY_UNKNOWN, message)
            .retry_after_s(60)
            .free(FreeReason::Unknown)
    }

    fn not_confirmed(free: Option<FreeReason>) -> Self {
        let message = "Record not confirmed - repeat with the same key";
        let row = Self::new(StatusCode::SERVICE_UNAVAILABLE, code::NOT_CONFIRMED, message).retry_after_s(2);
        Self { free, ..row }
    }

    fn plain<'a>(&'a self, id: &'a str) -> ErrorBody<'a> {
        ErrorBody { request_id: id.into(), error_code: self.code.into(), error_message: (&*self.message).into() }
    }
}

fn wrong_method_message(method: &Method) -> Cow<'static, str> {
    let name = method.as_str();
    if name.len() > METHOD_BYTES_MAX {
        "Method Not Allowed".into()
    } else {
        format!("{name} Method Not Allowed").into()
    }
}

fn free_words(reason: Option<FreeReason>) -> &'static str {
    match reason {
        None => "unknown",
        Some(FreeReason::Repeat) => "none; reason=repeat",
        Some(FreeReason::NotServed) => "none; reason=not-served",
        Some(FreeReason::Unknown) => "none; reason=unknown",
        Some(FreeReason::Withheld) => "none; reason=withheld",
        Some(FreeReason::Refused) => "none; reason=refused",
    }
}

const JSON: &str = "application/json;charset=UTF-8";

/// The headers of the widest answer, so that the map never grows.
const HEADERS_MAX: usize = 24;

/// An answer with `body` as JSON.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = json_bytes(to_json(body));
    *response.status_mut() = status;
    response
}

/// `body` as JSON.
pub fn to_json(body: &impl Serialize) -> Vec<u8> {
    // The bodies hold only texts and numbers, which always serialise.
    serde_json::to_vec(body).unwrap_or_default()
}

/// A 200 whose body is JSON already.
pub fn json_bytes(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let mut headers = HeaderMap::with_capacity(HEADERS_MAX);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    *response.headers_mut() = headers;
    response
}
