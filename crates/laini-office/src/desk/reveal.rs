use laini_core::partner::{DeskBatchId, DeskCheckId, PartnerId};
use zeroize::Zeroizing;

use super::batch;
use super::{a_reason, check, settings, today};
use crate::{Problem, Work};

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 200;

/// Uncovers the number of a receipt, once: it counts for the person's day, and the audit trail has who, which and why,
/// without the number.
pub fn reveal_check(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: DeskCheckId,
    reason: &str,
) -> Result<Zeroizing<String>, Problem> {
    let number = check(work, partner, id)?.number(work.office).ok_or_else(forgotten)?;
    count(work, partner, &id.to_string(), reason)?;
    Ok(number)
}

/// Uncovers the number of a row of a batch, from 0, in the same way.
pub fn reveal_row(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: DeskBatchId,
    row: u32,
    reason: &str,
) -> Result<Zeroizing<String>, Problem> {
    let number = batch::row(work, partner, id, row)?.1.number;
    if number.is_empty() {
        return Err(Problem::not_now("the number was forgotten at its holder's request"));
    }
    count(work, partner, &format!("{id}/{row}"), reason)?;
    Ok(Zeroizing::new(number))
}

fn forgotten() -> Problem {
    Problem::not_now("the desk keeps whole numbers for 30 days, and this one is older")
}

fn count(work: &mut Work<'_>, partner: PartnerId, what: &str, reason: &str) -> Result<(), Problem> {
    let reason = a_reason("reason", reason, REASON_CHARS_MAX)?;
    if reason.chars().filter(char::is_ascii_digit).count() >= 7 {
        return Err(Problem::invalid("reason", "the audit trail has it: it must not hold a number"));
    }
    let person = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let most = settings(work, partner)?.reveals_per_day;
    let mut day = today(work, person, work.office.settings.zone.to_datetime(work.at).date())?;
    if day.reveals >= most {
        return Err(Problem::not_now(format!(
            "one person uncovers {most} numbers a day at most; an owner sets how many"
        )));
    }
    day.reveals += 1;
    work.note("desk.reveal", Some(partner), what, &reason);
    work.put(&day)
}
