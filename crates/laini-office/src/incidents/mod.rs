//! Incidents: what goes wrong, told to whom it concerns.
//!
//! Owns incidents from their opening to their end, who is told of each, and what waits to be sent to apps. Must never name
//! a partner or an app to anybody else, or keep a number that somebody wrote into a text.

mod audience;
mod event;
mod impact;
mod incident;
mod letters;
mod steps;
mod subscription;

pub use audience::{Told, audience};
pub use event::{IncidentEvent, due_events, end_event};
pub use impact::{Impact, impact};
pub use incident::{Incident, IncidentUpdate, Which, list, the_incident};
pub use steps::{NewIncident, open, resolve, update};
pub use subscription::{is_subscribed, subscribe};

use jiff::Timestamp;
use laini_core::support::mask_numbers;

use crate::{Problem, Work};

/// The longest title.
const TITLE_CHARS_MAX: usize = 120;
/// The longest text of an update.
const TEXT_CHARS_MAX: usize = 2_000;

/// A text as it is kept: its numbers masked.
fn written(work: &Work<'_>, field: &'static str, text: &str, chars_max: usize) -> Result<String, Problem> {
    let text = text.trim();
    let is_one_line = field == "title";
    let is_odd = |c: char| c.is_control() && (is_one_line || !['\n', '\r', '\t'].contains(&c));
    if text.is_empty() || text.chars().count() > chars_max || text.chars().any(is_odd) {
        let lines = if is_one_line { " on one line" } else { "" };
        return Err(Problem::invalid(field, format!("expected 1 to {chars_max} characters{lines}")));
    }
    Ok(mask_numbers(text, work.office.settings.plan))
}

/// An instant as letters have it, in the operator's zone.
fn in_words(work: &Work<'_>, at: Timestamp) -> String {
    let at = at.to_zoned(work.office.settings.zone.clone());
    at.strftime("%-d %B %Y, %H:%M (%Z)").to_string()
}
