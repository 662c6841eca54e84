//! The world API of sandbox apps: their own lines, what happens to them, and their clock.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// `GET`: what the world is like; `DELETE`: as [`RESET_PATH`].
pub const WORLD_PATH: &str = "/sandbox/v1/world";
/// `GET`: the world's own lines, a page at a time (`?after=…&limit=…`).
pub const LINES_PATH: &str = "/sandbox/v1/lines";
/// `GET`, `PUT`, `PATCH`, `DELETE`: one line.
pub const LINE_PATH: &str = "/sandbox/v1/lines/{msisdn}";
/// `POST`: something happens to a line.
pub const EVENTS_PATH: &str = "/sandbox/v1/lines/{msisdn}/events";
/// `GET`: what the world's clock shows.
pub const CLOCK_PATH: &str = "/sandbox/v1/clock";
/// `POST`: the clock moves on.
pub const ADVANCE_PATH: &str = "/sandbox/v1/clock/advance";
/// `POST`: the feed stops.
pub const FEED_STOP_PATH: &str = "/sandbox/v1/feed/stop";
/// `POST`: the feed starts again.
pub const FEED_START_PATH: &str = "/sandbox/v1/feed/start";
/// `POST`: everything is as in a fresh world.
pub const RESET_PATH: &str = "/sandbox/v1/reset";

/// A line as somebody states (`PUT`) or changes (`PATCH`) it. What is left out has its default or stays;
/// `null` takes away. Instants are RFC 3339, plain dates, or how long before the world's clock (`-P10D`).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LineRequest {
    /// `active`, `suspended`, `terminated` or `ported_out`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<String>,
    /// When the present holder took it over, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub holder_since: Option<Option<String>>,
    /// Its newest swap.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub last_swap_at: Option<Option<String>>,
    /// `replacement`, `esim`, `port_in`, `new_holder` or `number_change`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap_cause: Option<String>,
    /// `PAYG`, `PAYM` or `Business`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub contract_type: Option<Option<String>>,
    /// Whether its holder's data must not be disclosed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restricted: Option<bool>,
    /// The operator's own hash of the IMSI: 1 to 64 letters and digits.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub hashed_imsi: Option<Option<String>>,
}

/// Tells `null` from nothing.
#[expect(clippy::option_option, reason = "that is what it tells apart")]
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Something that happens to a line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EventRequest {
    /// `register`, `swap`, `esim`, `port-in`, `port-out`, `recycle`, `terminate`, `suspend`, `resume`,
    /// `device-change`, `number-change`, `row-refused`, `restrict` or `unrestrict`.
    #[serde(rename = "type")]
    pub what: String,
    /// When; the world's now where it is left out. Not for `restrict` and `unrestrict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Of a `number-change`: the number from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_msisdn: Option<String>,
}

/// How far the clock moves on: one of both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AdvanceRequest {
    /// An ISO 8601 duration: `P30D`, `PT15M`, `P3M`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// An instant: RFC 3339, or a plain date in the operator's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What a world is like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorldAnswer {
    /// Its clock.
    pub clock: ClockAnswer,
    /// Its feed.
    pub feed: FeedAnswer,
    /// How many lines of its own it has,
    pub lines: usize,
    /// and how many it may have.
    pub lines_max: usize,
    /// How many events it holds,
    pub events: usize,
    /// and how many it may hold.
    pub events_max: usize,
}

/// What a world's clock shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClockAnswer {
    /// The world's now, RFC 3339.
    pub now: String,
    /// How many whole seconds that is ahead of the real one.
    pub ahead_s: i64,
}

/// How a world's feed is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedAnswer {
    /// Whether it runs.
    pub running: bool,
    /// Until when it is complete, by the world's clock.
    pub as_of: String,
}

/// A line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineAnswer {
    /// The number, in full.
    pub msisdn: String,
    /// `own` or `persona`; `none` where it is neither.
    pub origin: String,
    /// `active`, `suspended`, `terminated`, `ported_out`, or `not_known`.
    pub status: String,
    /// When it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<String>,
    /// When the present holder took it over, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder_since: Option<String>,
    /// Its newest swap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_swap_at: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap_cause: Option<String>,
    /// The contract behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_type: Option<String>,
    /// The operator's own hash of the IMSI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashed_imsi: Option<String>,
    /// Whether its holder's data must not be disclosed.
    pub restricted: bool,
    /// Whether the feed's newest row about it was refused: checks answer "unknown".
    pub source_rejected: bool,
}

/// A page of a world's own lines, in order of their numbers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinesAnswer {
    /// The lines.
    pub lines: Vec<LineAnswer>,
    /// Where there are more: `after` of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_after: Option<String>,
}

macro_rules! shows_nothing {
    ($($name:ident)*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        })*
    };
}

shows_nothing! { LineRequest EventRequest LineAnswer LinesAnswer }
