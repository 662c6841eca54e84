use std::fmt;
use std::time::Duration;

use crate::{Date, Private, TimeOfDay, Window};

/// What came of one check: the answer, and what belongs to its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<T> {
    /// What the operator said.
    pub answer: Answer<T>,
    /// What to keep beside the decision that was taken on it.
    pub receipt: Receipt,
}

/// What the operator said about a number.
///
/// Facts exist only in `Known`. Neither of the others means "fine": the number was *not checked*.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an answer that nobody looks at protects nobody"]
pub enum Answer<T> {
    /// The facts.
    Known(T),
    /// The operator serves the number, or may serve it, and cannot or may not say more.
    Unknown(Unknown),
    /// The operator does not serve the number (never known, terminated, ported out).
    NotServed,
}

/// Why there are no facts, and when to ask again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Why.
    pub reason: UnknownReason,
    /// After how long asking again may help; `None` = the operator did not say.
    pub retry_after: Option<Duration>,
}

/// Why there are no facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownReason {
    /// The registry's feed is older than the operator allows for this question.
    Stale,
    /// The registry's history does not reach far enough, or the line's newest data was refused.
    Incomplete,
    /// The subscriber's data is restricted.
    Withheld,
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stale => "the registry is stale",
            Self::Incomplete => "the registry is incomplete",
            Self::Withheld => "withheld",
        })
    }
}

/// The facts of product `imsi`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImsiFacts {
    /// The SIM's pseudonym (hashed IMSI), stable for one partner: another one is another SIM.
    pub imsi: Private,
    /// Whether the SIM changed.
    pub swap: SwapStatus,
    /// Since when the present holder has the number.
    pub registration: Registration,
}

/// The facts of product `swap`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwapFacts {
    /// Whether the SIM changed.
    pub swap: SwapStatus,
}

/// The facts of product `age`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgeFacts {
    /// Since when the present holder has the number.
    pub registration: Registration,
}

/// Whether the SIM behind a number changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapStatus {
    /// It did, inside the window.
    Swapped {
        /// The day of the last time.
        on: Date,
        /// The minute, which only `swap` tells.
        at: Option<TimeOfDay>,
    },
    /// It did not, and the operator would know.
    NotSwapped {
        /// How far back that holds.
        within: Window,
    },
}

/// Since when the present holder has the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Since this day, inside the window.
    Within(Date),
    /// For longer than the window.
    Older {
        /// The window.
        than: Window,
    },
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Made-up lines: never decide about money on these.
    Sandbox,
    /// The operator's registry.
    Production,
}

/// What to keep beside the decision that was taken on an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The check's id at the operator: on the invoice, and what support asks for.
    pub request_ref_id: String,
    /// What it costs, as the operator says it: `KES 20.00`, or `none; reason=…`.
    pub charge: Option<String>,
    /// Where the answer came from; `None` = the server did not say.
    pub environment: Option<Environment>,
    /// The instant up to which the registry is complete (RFC 3339).
    pub as_of: Option<String>,
    /// Whether this is the stored answer to an earlier request under the same idempotency key.
    pub replayed: bool,
    /// The `X-Request-ID` that every attempt carried.
    pub request_id: String,
    /// The `Idempotency-Key` that every attempt carried.
    pub idempotency_key: String,
    /// How many attempts it took, this one included.
    pub attempts: u32,
    /// The body as it came.
    pub body: Private,
}
