//! `/status.json`: how well the service works, for everybody.

use serde::{Deserialize, Serialize};

use crate::office::incidents::IncidentAnswer;

/// How well the service works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// `ok`, `degraded`, `down`, or `unknown`.
    pub status: String,
    /// When this picture was taken (RFC 3339). It stays the last known one while the store does not answer.
    pub as_of: String,
    /// When the newest probes were made; null: there were none.
    pub probed: Option<String>,
    /// The parts of the service.
    pub components: Vec<ComponentStatus>,
    /// Incidents that go on, the newest first.
    pub open: Vec<IncidentAnswer>,
    /// Incidents of the last 90 days that are over, the newest first.
    pub past: Vec<IncidentAnswer>,
}

/// How well a component works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentStatus {
    /// `tokens`, `checks`, `deliveries`, `feed` or `portal`.
    pub component: String,
    /// `ok`, `degraded`, `down`, or `unknown`.
    pub status: String,
    /// How long its newest probe took, in microseconds; null: there is none that still counts.
    pub latest_micros: Option<u64>,
    /// The share of its probes in 90 days that were answered, in per cent with two decimals; null: there were none.
    pub uptime_percent: Option<String>,
    /// The last 90 days, the oldest first; days without a probe are left out.
    pub days: Vec<DayStatus>,
    /// Today by hour in the operator's time zone.
    pub hours: Vec<HourStatus>,
}

/// What the probes of a day came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayStatus {
    /// The day, in the operator's time zone.
    pub on: String,
    /// How many there were.
    pub probes: u32,
    /// How many of them found it degraded.
    pub degraded: u32,
    /// How many of them found it down.
    pub down: u32,
    /// The longest that one took, in microseconds.
    pub worst_micros: u64,
}

/// What the probes of an hour came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourStatus {
    /// 0 to 23.
    pub hour: i8,
    /// How many there were.
    pub probes: u32,
    /// How many of them found it degraded.
    pub degraded: u32,
    /// How many of them found it down.
    pub down: u32,
    /// The longest that one took, in microseconds.
    pub worst_micros: u64,
}
