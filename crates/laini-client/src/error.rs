use std::fmt;
use std::time::Duration;

use crate::Private;
use crate::attempts::Attempts;

/// Why there is no answer, and what to do about it.
///
/// Shows no phone number, secret or token: in the server's own words, long runs of letters and digits
/// are replaced by `…`.
pub struct Error(Box<Parts>);

struct Parts {
    failure: Failure,
    attempts: Attempts,
}

/// What went wrong, as far as a caller may want to act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The consumer key or secret is wrong, or belongs to another environment.
    Credentials,
    /// A fresh token was refused too.
    TokenRefused,
    /// The app may not call this product.
    ProductNotAllowed,
    /// Suspended, no agreement, or a caller's address that is not allowed.
    Forbidden,
    /// The number has no form that the operator knows.
    InvalidNumber {
        /// The number that was probably meant.
        suggestion: Option<Private>,
    },
    /// The caller's `X-Request-ID` or `Idempotency-Key` cannot be sent.
    InvalidId,
    /// The idempotency key is still in use, too old, or was used for another number.
    IdempotencyKey,
    /// Too many checks in a short time.
    RateLimited,
    /// The quota, budget or prepaid amount is used up.
    QuotaUsedUp,
    /// The server could not answer, this time.
    Unavailable,
    /// The server could not be reached, or the connection broke.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The answer does not make sense, so nothing is read out of it.
    BadAnswer,
    /// Anything else that repeating does not help.
    Refused,
}

/// One attempt that led to no answer.
#[derive(Clone)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) retry: Retry,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    /// May be shown to anybody.
    pub(crate) message: String,
    pub(crate) request_ref_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

/// Whether another attempt can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    Never,
    AfterPause,
    WithFreshToken,
}

impl Failure {
    /// A failure without an answer of the server. `message` must be fit for anybody.
    pub(crate) fn local(kind: ErrorKind, retry: Retry, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, retry, status: None, code: None, message, request_ref_id: None, retry_after: None }
    }

    /// An answer that cannot be relied on. Asking again would bring the same.
    pub(crate) fn bad_answer(message: &'static str) -> Self {
        Self::local(ErrorKind::BadAnswer, Retry::Never, message)
    }
}

impl Error {
    pub(crate) fn new(failure: Failure, attempts: Attempts) -> Self {
        Self(Box::new(Parts { failure, attempts }))
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.failure.kind
    }

    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.0.failure.status
    }

    /// The server's `errorCode`, where it gave one.
    pub fn code(&self) -> Option<&str> {
        self.0.failure.code.as_deref()
    }

    /// After how long the server wants to be asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.failure.retry_after
    }

    /// The server's id of the last attempt, where it gave one: what its support asks for.
    pub fn request_ref_id(&self) -> Option<&str> {
        self.0.failure.request_ref_id.as_deref()
    }

    /// The `X-Request-ID` that every attempt carried.
    pub fn request_id(&self) -> &str {
        &self.0.attempts.request_id
    }

    /// The `Idempotency-Key` that every attempt carried. The same check repeated under it within 10
    /// minutes is not charged twice.
    pub fn idempotency_key(&self) -> &str {
        &self.0.attempts.idempotency_key
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.0.attempts.made
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self.kind() {
            ErrorKind::Credentials => {
                "Check the consumer key and secret, and that they belong to the environment behind this base URL."
            }
            ErrorKind::TokenRefused => {
                "A token fetched a moment ago was refused. Check whether the app was revoked, and whether the \
                 base URL is the server that gave the token."
            }
            ErrorKind::ProductNotAllowed => "Ask the operator to add this product to the app, or call another one.",
            ErrorKind::Forbidden => "Take the reason to the operator: repeating does not help.",
            ErrorKind::InvalidNumber { .. } => {
                "Send the number in full, country code first and digits only, e.g. 2547XXXXXXXX."
            }
            ErrorKind::InvalidId => {
                "Use 1 to 128 visible ASCII characters for X-Request-ID and 1 to 255 for Idempotency-Key."
            }
            ErrorKind::IdempotencyKey => {
                "Use one key for one check and repeat it within 10 minutes only; start anew with a new key."
            }
            ErrorKind::RateLimited => "Send fewer checks at once, or ask the operator for a higher rate.",
            ErrorKind::QuotaUsedUp => "Raise the quota, budget or prepaid amount with the operator.",
            ErrorKind::Unavailable | ErrorKind::Unreachable | ErrorKind::TimedOut => {
                "The number was not checked as far as is known here: treat it as risky. Repeat under the same \
                 idempotency key within 10 minutes, and it is not charged twice."
            }
            ErrorKind::BadAnswer => {
                "Nothing was read out of this answer: treat the number as not checked. Check that the base URL \
                 is a laini server, and report the id to the operator."
            }
            ErrorKind::Refused => "Check the base URL; if it is right, report the id to the operator.",
        }
    }

    fn summary(&self) -> &'static str {
        match self.kind() {
            ErrorKind::Credentials => "the credentials were refused",
            ErrorKind::TokenRefused => "the token was refused",
            ErrorKind::ProductNotAllowed => "the app may not call this product",
            ErrorKind::Forbidden => "the check is forbidden",
            ErrorKind::InvalidNumber { .. } => "the number was refused",
            ErrorKind::InvalidId => "the request's id cannot be sent",
            ErrorKind::IdempotencyKey => "the idempotency key was refused",
            ErrorKind::RateLimited => "the rate limit is reached",
            ErrorKind::QuotaUsedUp => "the quota is used up",
            ErrorKind::Unavailable => "the server could not answer",
            ErrorKind::Unreachable => "the server could not be reached",
            ErrorKind::TimedOut => "no answer came in time",
            ErrorKind::BadAnswer => "the answer could not be relied on",
            ErrorKind::Refused => "the server refused the request",
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = &self.0.failure;
        f.write_str(self.summary())?;
        if let Some(status) = failure.status {
            write!(f, " (HTTP {status}")?;
            failure.code.iter().try_for_each(|code| write!(f, ", {code}"))?;
            f.write_str(")")?;
        }
        if !failure.message.is_empty() {
            write!(f, ": {}", failure.message)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", self.kind())
            .field("status", &self.status())
            .field("code", &self.code())
            .field("message", &self.0.failure.message)
            .field("request_ref_id", &self.request_ref_id())
            .field("request_id", &self.request_id())
            .field("attempts", &self.attempts())
            .finish_non_exhaustive()
    }
}
