//! Names of the headers, in lower case as HTTP/2 sends them, and the words that they carry.

/// What the published shape cannot say of a swap: one of [`SWAPPED`], [`NOT_SWAPPED`], [`UNKNOWN`].
pub const LAINI_SWAP: &str = "laini-swap";
/// How far back facts are disclosed, as ISO 8601 durations: `swap=P3M, registration=P1Y`.
pub const LAINI_WINDOW: &str = "laini-window";
/// The instant up to which the registry is complete (RFC 3339).
pub const LAINI_AS_OF: &str = "laini-as-of";
/// `sandbox` or `production`.
pub const LAINI_ENVIRONMENT: &str = "laini-environment";
/// What the check costs: `KES 20.00`, `none; reason=…` or `unknown`.
pub const LAINI_CHARGE: &str = "laini-charge";

/// The caller's id of a request; one for all attempts at the same check.
pub const X_REQUEST_ID: &str = "x-request-id";
/// The caller's id of whatever the request is part of.
pub const X_CORRELATION_ID: &str = "x-correlation-id";
/// The key under which a repeat gets the stored answer and is free.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Another name of [`IDEMPOTENCY_KEY`].
pub const X_IDEMPOTENCY_KEY: &str = "x-idempotency-key";
/// `true` on a stored answer.
pub const IDEMPOTENT_REPLAYED: &str = "idempotent-replayed";
/// Whole seconds to wait before the next attempt.
pub const RETRY_AFTER: &str = "retry-after";
/// What is left of the limit.
pub const RATE_LIMIT: &str = "ratelimit";
/// The limit.
pub const RATE_LIMIT_POLICY: &str = "ratelimit-policy";

/// [`LAINI_SWAP`]: the SIM changed inside the window.
pub const SWAPPED: &str = "swapped";
/// [`LAINI_SWAP`]: it did not, and the registry would know.
pub const NOT_SWAPPED: &str = "not-swapped";
/// [`LAINI_SWAP`]: the registry cannot say.
pub const UNKNOWN: &str = "unknown";
