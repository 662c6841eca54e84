//! What the back end's answer means, as the operator's settings say it.
//!
//! Owns the reading of pointers, conditions, words and dates. Must never guess: what the settings do
//! not name, contradicts itself or has another type is no answer.

mod condition;
mod date;
mod history;
mod read;
mod settings;

pub use settings::{MappingError, MappingSettings};

use std::collections::HashMap;

use jiff::tz::TimeZone;
use laini_core::line::{LineStatus, NumberPlan, SwapCause};

use condition::Condition;
use date::DateFormat;
use history::History;

/// Where each fact stands in an answer; `None` = the back end does not state it.
pub struct Mapping {
    plan: NumberPlan,
    zone: TimeZone,
    msisdn: Option<String>,
    status: Option<String>,
    statuses: HashMap<String, LineStatus>,
    imsi: Option<String>,
    hashed_imsi: Option<String>,
    registered: String,
    holder_since: Option<String>,
    last_swap: String,
    swap_cause: Option<String>,
    swap_causes: HashMap<String, SwapCause>,
    restricted: Option<String>,
    date_formats: Vec<DateFormat>,
    never_when: Vec<Condition>,
    swap_unknown_when: Vec<Condition>,
    unknown_when: Vec<Condition>,
    not_served_when: Vec<Condition>,
    /// `None` = each answer counts as of its arrival.
    as_of: Option<String>,
    history: History,
}
