use jiff::{SignedDuration, Timestamp};

use super::attempts::Attempts;
use super::once_token::OnceToken;
use super::registration::Registration;
use super::reset::ResetRequest;
use super::session::Session;
use super::sign_on::UsedSignOn;
use crate::{Actor, Kept, Office, PageRequest, Problem, Replay};

/// Records that are looked at in one unit of work,
const PAGE_RECORDS: usize = PageRequest::LIMIT_MAX;
/// and how often of one kind in one round; the next round begins anew.
const PAGES_MAX: usize = 1_000;
/// What a write under an idempotency key was answered is known for so long.
const REPLAYS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Forgets what is over: sessions, tokens, attempts, requests, registrations, stored answers; how many records.
pub fn forget_what_is_over(office: &Office, at: Timestamp) -> Result<usize, Problem> {
    let sessions = forget(office, at, ("began", "all"), |session: &Session| session.ends() <= at)?;
    let tokens = forget(office, at, ("expires", "all"), |token: &OnceToken| token.expires <= at)?;
    let attempts = forget(office, at, ("last", "all"), |attempts: &Attempts| attempts.is_over(at))?;
    let requests = forget(office, at, ("answered", "all"), |request: &ResetRequest| request.is_over(at))?;
    let registrations = forget(office, at, ("all", "all"), |registration: &Registration| registration.is_over(at))?;
    let sign_ons = forget(office, at, ("at", "all"), |used: &UsedSignOn| used.is_over(at))?;
    let replays = forget(office, at, ("at", "all"), |replay: &Replay| replay.at + REPLAYS_KEPT <= at)?;
    Ok(sessions + tokens + attempts + requests + registrations + sign_ons + replays)
}

/// Removes those of the oldest records that are over.
fn forget<T: Kept>(
    office: &Office,
    at: Timestamp,
    (index, value): (&'static str, &str),
    is_over: impl Fn(&T) -> bool,
) -> Result<usize, Problem> {
    let mut page = PageRequest { limit: PAGE_RECORDS, ..PageRequest::FIRST };
    let mut forgotten = 0;
    // Every page: what is over stands between what is not.
    for _ in 0..PAGES_MAX {
        let (gone, next) = office.run(&Actor::System, at, |work| {
            let found = work.find::<T>(index, value, false, page)?;
            let over: Vec<_> = found.items.iter().filter(|record| is_over(record)).collect();
            for record in &over {
                work.remove(*record);
            }
            Ok((over.len(), found.next))
        })?;
        forgotten += gone;
        page.after = next;
        if next.is_none() {
            break;
        }
    }
    Ok(forgotten)
}
