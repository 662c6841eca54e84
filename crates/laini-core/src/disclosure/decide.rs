use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::{FactSet, Window, Windows};
use crate::line::{LineState, LineStatus, Swap};

/// How far the registry's knowledge reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// The instant up to which it is complete (contract §1); `None` = no feed has said.
    pub as_of: Option<Timestamp>,
    /// Since when its swap history is complete.
    pub history_since: Timestamp,
}

/// How old the as-of may be before reassuring answers are withdrawn; `None` = any age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Freshness {
    /// Withdraws "not swapped", "not served" and "same SIM".
    pub swap_stale_after: Option<SignedDuration>,
    /// Withdraws "registered long ago" and "not served".
    pub registration_stale_after: Option<SignedDuration>,
}

impl Freshness {
    /// Whether the registry is too old to say "the same SIM".
    pub fn withdraws_same_sim(self, horizon: Horizon, now: Timestamp) -> bool {
        Self::is_stale(self.swap_stale_after, horizon.as_of, now)
    }

    /// Whether an as-of is older than a limit; without a limit it never is.
    pub fn is_stale(limit: Option<SignedDuration>, as_of: Option<Timestamp>, now: Timestamp) -> bool {
        match (limit, as_of) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(limit), Some(as_of)) => now.duration_since(as_of) > limit,
        }
    }
}

/// Why the registry cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnknownReason {
    /// Its swap history is shorter than the window.
    NoHistory,
    /// Its feed is older than the set limit.
    StaleFeed,
    /// The line's newest row was refused.
    SourceRejected,
}

impl UnknownReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::NoHistory, Self::StaleFeed, Self::SourceRejected];

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// The word in `/v1/checks` and the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoHistory => "no_history",
            Self::StaleFeed => "stale_feed",
            Self::SourceRejected => "source_rejected",
        }
    }
}

/// The swap fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapFact {
    /// A swap inside the window.
    Swapped(Swap),
    /// None inside the window, and the registry would know.
    NotSwapped,
    /// The registry cannot say.
    Unknown(UnknownReason),
}

/// The registration fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationFact {
    /// The present holding began inside the window, at this instant.
    Within(Timestamp),
    /// It began before the window.
    Older,
    /// The registry cannot say.
    Unknown(UnknownReason),
}

/// Facts about a line that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Active or suspended.
    pub status: LineStatus,
    /// Whether and when the SIM changed.
    pub swap: SwapFact,
    /// Since when the present holding exists.
    pub registration: RegistrationFact,
}

/// What may be answered about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The facts, each known or not.
    Facts(Facts),
    /// Never known here, terminated, or ported out.
    NotServed,
    /// The holder's data is restricted.
    Withheld,
    /// Nothing can be said at all.
    Unknown(UnknownReason),
}

impl Decision {
    /// The first reason for which one of `asked` is unknown: then nothing is charged, and a published
    /// path, which has no word for it, answers an error.
    pub fn unknown_for(&self, asked: FactSet) -> Option<UnknownReason> {
        let facts = match self {
            Self::Unknown(reason) => return Some(*reason),
            Self::NotServed | Self::Withheld => return None,
            Self::Facts(facts) => facts,
        };
        let swap = match facts.swap {
            SwapFact::Unknown(reason) if asked.contains(FactSet::SWAP) => Some(reason),
            _ => None,
        };
        let registration = match facts.registration {
            RegistrationFact::Unknown(reason) if asked.contains(FactSet::REGISTRATION) => Some(reason),
            _ => None,
        };
        swap.or(registration)
    }
}

/// Decides what may be answered. Days are counted in the operator's `zone`; an unknown is never
/// turned into "no" (contract §3).
pub fn disclose(
    state: &LineState,
    horizon: Horizon,
    windows: Windows,
    freshness: Freshness,
    now: Timestamp,
    zone: &TimeZone,
) -> Decision {
    if state.source_rejected {
        return Decision::Unknown(UnknownReason::SourceRejected);
    }
    let swap_stale = Freshness::is_stale(freshness.swap_stale_after, horizon.as_of, now);
    let registration_stale = Freshness::is_stale(freshness.registration_stale_after, horizon.as_of, now);
    let Some(line) = state.line.as_ref().filter(|line| line.status.is_served()) else {
        return if swap_stale || registration_stale {
            Decision::Unknown(UnknownReason::StaleFeed)
        } else {
            Decision::NotServed
        };
    };
    if line.restricted {
        return Decision::Withheld;
    }
    let day = |at: Timestamp| zone.to_datetime(at).date();
    let today = day(now);
    let holding_since = line.holding_since();
    Decision::Facts(Facts {
        status: line.status,
        swap: match line.last_swap {
            Some(swap) if day(swap.at) >= windows.swap.first_day(today) => SwapFact::Swapped(swap),
            _ if !history_covers(horizon, windows.swap, holding_since, today, zone) => {
                SwapFact::Unknown(UnknownReason::NoHistory)
            }
            _ if swap_stale => SwapFact::Unknown(UnknownReason::StaleFeed),
            _ => SwapFact::NotSwapped,
        },
        registration: if day(holding_since) >= windows.registration.first_day(today) {
            RegistrationFact::Within(holding_since)
        } else if registration_stale {
            RegistrationFact::Unknown(UnknownReason::StaleFeed)
        } else {
            RegistrationFact::Older
        },
    })
}

/// Whether the history reaches back to the window's first instant, or at least to the beginning of
/// the holding (a SIM cannot be swapped before its line exists).
fn history_covers(horizon: Horizon, window: Window, holding_since: Timestamp, today: Date, zone: &TimeZone) -> bool {
    if horizon.history_since <= holding_since {
        return true;
    }
    let first_instant = zone.to_timestamp(window.first_day(today).at(0, 0, 0, 0));
    first_instant.is_ok_and(|first| horizon.history_since <= first)
}

#[cfg(test)]
mod tests;
