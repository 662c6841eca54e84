use std::net::IpAddr;

use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_wire::header;
use tokio::time::Instant;

use super::{ApiError, Shape};
use crate::Environments;

/// What is known of a request before it is looked at; every handler gets one.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Its identity, in its answer and in the log.
    pub id: CheckId,
    /// When its header was complete.
    pub at: Timestamp,
    /// Where it comes from: the other end of the connection, or whom a trusted proxy names.
    pub address: IpAddr,
    /// Whom limits count as one client: the address, or the /64 that a holder of IPv6 is given.
    pub peer: IpAddr,
    /// Whose credentials are answered here.
    pub environments: Environments,
    /// SHA-256 of the client's certificate (DER), where it presented one that was verified.
    pub certificate: Option<[u8; 32]>,
    /// The same, as what its answer takes is measured.
    pub began: Instant,
    /// When it must have been answered.
    pub deadline: Instant,
    /// How its errors look.
    pub shape: Shape,
}

impl Context {
    /// The answer that says `error`.
    pub fn refuse(&self, error: ApiError) -> Response {
        error.into_response(self.id, self.shape)
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static(header::X_REQUEST_ID);
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static(header::IDEMPOTENCY_KEY);
const X_IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static(header::X_IDEMPOTENCY_KEY);
const CORRELATION_ID: HeaderName = HeaderName::from_static(header::X_CORRELATION_ID);

/// The longest id of a caller that is taken.
const CALLER_ID_BYTES_MAX: usize = 128;
/// The longest idempotency key that is taken.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// The key under which a request's answer is stored.
#[derive(Debug, PartialEq, Eq)]
pub enum IdempotencyKey<'a> {
    /// The request has none.
    None,
    /// This one, under either name.
    Given(&'a HeaderValue),
    /// Too long, empty, not visible ASCII, or several that differ: to run it without would charge twice.
    Unusable,
}

impl<'a> IdempotencyKey<'a> {
    /// The key of a request.
    pub fn of(headers: &'a HeaderMap) -> Self {
        let mut given = [IDEMPOTENCY_KEY, X_IDEMPOTENCY_KEY].into_iter().flat_map(|name| headers.get_all(name));
        let Some(key) = given.next() else { return Self::None };
        let fits = is_caller_id(key, IDEMPOTENCY_KEY_BYTES_MAX) && given.all(|other| other == key);
        if fits { Self::Given(key) } else { Self::Unusable }
    }
}

/// What tells the caller's repeats of one question from a new one: the idempotency key, or else the
/// caller's own id of the request.
pub fn caller_repeat_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    match IdempotencyKey::of(headers) {
        IdempotencyKey::Given(key) => Some(key),
        IdempotencyKey::None | IdempotencyKey::Unusable => caller_id(headers, &REQUEST_ID, CALLER_ID_BYTES_MAX),
    }
}

/// The ids that a caller gave a request. Echoed, and never logged.
pub(super) struct CallerIds {
    request: Option<HeaderValue>,
    correlation: Option<HeaderValue>,
}

impl CallerIds {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            request: caller_id(headers, &REQUEST_ID, CALLER_ID_BYTES_MAX).cloned(),
            correlation: caller_id(headers, &CORRELATION_ID, CALLER_ID_BYTES_MAX).cloned(),
        }
    }

    pub(super) fn echo(self, headers: &mut HeaderMap) {
        for (name, id) in [(REQUEST_ID, self.request), (CORRELATION_ID, self.correlation)] {
            if let Some(id) = id {
                headers.insert(name, id);
            }
        }
    }
}

fn caller_id<'a>(headers: &'a HeaderMap, name: &HeaderName, bytes_max: usize) -> Option<&'a HeaderValue> {
    headers.get(name).filter(|id| is_caller_id(id, bytes_max))
}

fn is_caller_id(id: &HeaderValue, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
}
