use futures_executor::block_on;
use laini_core::store::{TrailQuery, TrailRow};

use crate::{Actor, Problem, Work};

/// The longest page of the trail.
pub const TRAIL_ROWS_MAX: usize = 500;
/// The longest beginning of a name or action that is looked for.
const FILTER_CHARS_MAX: usize = 100;

/// Whether a text may go into the trail or be looked for there: one line of so many characters at most, or nothing.
pub(crate) fn one_line(field: &'static str, text: &str, chars_max: usize) -> Result<(), Problem> {
    if text.chars().count() > chars_max || text.chars().any(char::is_control) {
        return Err(Problem::invalid(field, format!("expected at most {chars_max} characters on one line")));
    }
    Ok(())
}

/// Rows of the audit trail. A partner sees what concerns it, and of the operator's side that it was the
/// operator: who of its people did something is the operator's own matter.
pub fn trail(work: &Work<'_>, query: TrailQuery) -> Result<Vec<TrailRow>, Problem> {
    if !(1..=TRAIL_ROWS_MAX).contains(&query.limit) {
        return Err(Problem::invalid("limit", format!("expected 1 to {TRAIL_ROWS_MAX}")));
    }
    for (field, text) in [("actor", &query.actor), ("action", &query.action)] {
        one_line(field, text, FILTER_CHARS_MAX)?;
    }
    let names_operators = !query.actor.is_empty() && !query.actor.starts_with("member:");
    if names_operators && matches!(work.actor, Actor::Member { .. }) {
        return Err(Problem::invalid("actor", "expected member: and an id; who of the operator's side is not told"));
    }
    let own = work.actor.partner();
    if own.is_some() && own != query.partner {
        return Err(Problem::NotFound("partner"));
    }
    let mut rows = block_on(work.office.store.trail(query))?;
    if matches!(work.actor, Actor::Member { .. }) {
        for row in &mut rows {
            if row.entry.actor.starts_with("cli:") || row.entry.actor.starts_with("staff:") {
                "operator".clone_into(&mut row.entry.actor);
            }
        }
    }
    Ok(rows)
}
