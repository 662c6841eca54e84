use jiff::{Timestamp, Zoned};
use laini_core::disclosure::Horizon;
use laini_core::line::{HashedImsi, Imsi, Line, LineState, LineStatus, Msisdn, Sim, Swap, SwapCause, swap_of_holder};
use laini_core::store::Lookup;
use serde_json::Value;

use super::Mapping;
use super::condition::Condition;
use super::date::instant;
use super::history::History;
use crate::exchange::Reply;

/// Why an answer cannot be believed: which part of it, and what is wrong there. Never what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its {part} {problem}")]
pub(crate) struct Misread {
    pub(crate) part: &'static str,
    pub(crate) problem: &'static str,
}

fn misread(part: &'static str, problem: &'static str) -> Misread {
    Misread { part, problem }
}

/// An answer that is being read.
struct Answer<'a> {
    mapping: &'a Mapping,
    status: u16,
    /// Of a 200.
    body: Option<Value>,
    now: Timestamp,
}

impl Mapping {
    /// What the back end says about the number that was asked about, at `now`.
    pub(crate) fn read(&self, reply: &Reply, asked: Msisdn, now: Timestamp) -> Result<Lookup, Misread> {
        let is_ok = reply.status == 200;
        let body = is_ok.then(|| crate::json::parse(&reply.body).ok_or(misread("body", "is not JSON"))).transpose()?;
        let answer = Answer { mapping: self, status: reply.status, body, now };
        let not_served = answer.says(&self.not_served_when);
        let unknown = answer.says(&self.unknown_when);
        let is_silent = not_served || unknown;
        if !is_ok && !is_silent {
            return Err(misread("HTTP status", "is none that the settings name"));
        }
        answer.echoes(asked, is_silent)?;
        if not_served && unknown {
            return Err(misread("body", "says both that the number is not served and that it is not known"));
        }
        let as_of = answer.as_of(is_silent)?;
        if is_silent {
            let horizon = Horizon { as_of, history_since: Timestamp::MAX };
            return Ok(Lookup { state: LineState { line: None, source_rejected: unknown }, horizon });
        }
        let status = answer.line_status()?;
        if !status.is_served() {
            let horizon = Horizon { as_of, history_since: Timestamp::MAX };
            return Ok(Lookup { state: LineState::default(), horizon });
        }
        answer.line(status, as_of)
    }
}

impl Answer<'_> {
    fn says(&self, conditions: &[Condition]) -> bool {
        conditions.iter().any(|condition| condition.holds(self.status, self.body.as_ref()))
    }

    fn at(&self, place: &str) -> Option<&Value> {
        self.body.as_ref()?.pointer(place)
    }

    /// The value at a place that the settings name; missing is not the same as null.
    fn needed(&self, place: &str, part: &'static str) -> Result<&Value, Misread> {
        self.at(place).ok_or(misread(part, "is missing"))
    }

    /// That the answer is about the number that was asked about.
    fn echoes(&self, asked: Msisdn, may_be_silent: bool) -> Result<(), Misread> {
        const PART: &str = "number";
        let Some(place) = &self.mapping.msisdn else { return Ok(()) };
        let echoed = match self.at(place) {
            None | Some(Value::Null) if may_be_silent => return Ok(()),
            None => return Err(misread(PART, "is missing")),
            Some(Value::String(text)) => self.mapping.plan.parse_spaced(text).ok(),
            Some(Value::Number(number)) => self.mapping.plan.parse(&number.to_string()).ok(),
            Some(_) => None,
        };
        if echoed == Some(asked) { Ok(()) } else { Err(misread(PART, "is not the one that was asked about")) }
    }

    fn as_of(&self, may_be_silent: bool) -> Result<Option<Timestamp>, Misread> {
        const PART: &str = "as-of";
        let Some(place) = &self.mapping.as_of else { return Ok(Some(self.now)) };
        match self.at(place) {
            None | Some(Value::Null) if may_be_silent => Ok(None),
            None => Err(misread(PART, "is missing")),
            Some(value) => self.instant(value, PART).map(Some),
        }
    }

    fn instant(&self, value: &Value, part: &'static str) -> Result<Timestamp, Misread> {
        let Mapping { date_formats, zone, .. } = self.mapping;
        instant(value, date_formats, zone, self.now).map_err(|problem| misread(part, problem))
    }

    fn line_status(&self) -> Result<LineStatus, Misread> {
        const PART: &str = "status";
        let Some(place) = &self.mapping.status else { return Ok(LineStatus::Active) };
        let word = word(self.needed(place, PART)?).ok_or(misread(PART, "is no word"))?;
        self.mapping.statuses.get(&word).copied().ok_or(misread(PART, "is none of the words that the settings name"))
    }

    fn line(&self, status: LineStatus, as_of: Option<Timestamp>) -> Result<Lookup, Misread> {
        let (sim, hashed_imsi) = self.sim()?;
        let registered = self.instant(self.needed(&self.mapping.registered, "registration")?, "registration")?;
        let holder_since = self.holder_since()?;
        let swap = self.swap(registered)?;
        let line = Line {
            status,
            sim,
            registered,
            holder_since: holder_since.filter(|held| *held != registered),
            last_swap: swap_of_holder(swap.known(), registered, holder_since),
            swap_learned: false,
            swap_before: None,
            last_pairing: None,
            contract: None,
            restricted: self.restricted()?,
            hashed_imsi,
        };
        let history_since = if swap == LastSwap::Unknown { Timestamp::MAX } else { self.history_since()? };
        let state = LineState { line: Some(line), source_rejected: false };
        Ok(Lookup { state, horizon: Horizon { as_of, history_since } })
    }

    /// What names the SIM, and the back end's own hash where that stands beside an IMSI.
    fn sim(&self) -> Result<(Sim, Option<HashedImsi>), Misread> {
        let text = |place: &Option<String>, part| match place.as_ref().and_then(|place| self.at(place)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(misread(part, "is no text")),
        };
        let imsi = text(&self.mapping.imsi, "IMSI")?
            .map(|digits| Imsi::parse(digits).map_err(|_| misread("IMSI", "is not 15 digits")))
            .transpose()?;
        let hashed = text(&self.mapping.hashed_imsi, "hashed IMSI")?
            .map(|text| {
                HashedImsi::parse(text).map_err(|_| misread("hashed IMSI", "is not 1 to 64 letters and digits"))
            })
            .transpose()?;
        match (imsi, hashed) {
            (Some(imsi), hashed) => Ok((imsi.into(), hashed)),
            (None, Some(hashed)) => Ok((Sim::Hashed(hashed), None)),
            (None, None) => Err(misread("IMSI", "is missing")),
        }
    }

    fn holder_since(&self) -> Result<Option<Timestamp>, Misread> {
        const PART: &str = "holder's date";
        let Some(place) = &self.mapping.holder_since else { return Ok(None) };
        match self.needed(place, PART)? {
            Value::Null => Ok(None),
            value => self.instant(value, PART).map(Some),
        }
    }

    fn swap(&self, registered: Timestamp) -> Result<LastSwap, Misread> {
        const PART: &str = "last swap";
        let Mapping { last_swap: place, never_when, swap_unknown_when, zone, .. } = self.mapping;
        let stated = self.at(place).filter(|value| !value.is_null());
        let told = match (self.says(never_when), self.says(swap_unknown_when)) {
            (true, true) => return Err(misread(PART, "is said both to be none and to be unknown")),
            (true, false) => Some((LastSwap::Never, never_when)),
            (false, true) => Some((LastSwap::Unknown, swap_unknown_when)),
            (false, false) => None,
        };
        if let Some((told, conditions)) = told {
            let explains =
                |condition: &&Condition| condition.is_about(place) && condition.holds(self.status, self.body.as_ref());
            if stated.is_some() && !conditions.iter().any(|condition| explains(&condition)) {
                return Err(misread(PART, "has a date, and is said to be none or unknown"));
            }
            return Ok(told);
        }
        let stated = stated.ok_or(misread(PART, "is neither a date nor said to be none"))?;
        let at = self.instant(stated, PART)?;
        let day = |at: Timestamp| zone.to_datetime(at).date();
        if day(at) < day(registered) {
            return Err(misread(PART, "lies before the registration"));
        }
        Ok(LastSwap::At(Swap { at, cause: self.swap_cause()? }))
    }

    fn swap_cause(&self) -> Result<SwapCause, Misread> {
        const PART: &str = "swap's cause";
        let Some(place) = &self.mapping.swap_cause else { return Ok(SwapCause::Replacement) };
        let word = word(self.needed(place, PART)?).ok_or(misread(PART, "is no word"))?;
        self.mapping.swap_causes.get(&word).copied().ok_or(misread(PART, "is none of the words that the settings name"))
    }

    fn restricted(&self) -> Result<bool, Misread> {
        let Some(place) = &self.mapping.restricted else { return Ok(false) };
        self.needed(place, "restriction")?.as_bool().ok_or(misread("restriction", "is neither true nor false"))
    }

    fn history_since(&self) -> Result<Timestamp, Misread> {
        const PART: &str = "beginning of the history";
        match &self.mapping.history {
            History::Always => Ok(Timestamp::MIN),
            History::Unknown => Ok(Timestamp::MAX),
            History::Since(at) => Ok(*at),
            History::Reaching(span) => {
                let here = Zoned::new(self.now, self.mapping.zone.clone());
                Ok(here.checked_sub(*span).map_or(Timestamp::MIN, |at| at.timestamp()))
            }
            History::Stated(place) => self.instant(self.needed(place, PART)?, PART),
        }
    }
}

/// What an answer says about the last swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastSwap {
    At(Swap),
    Never,
    Unknown,
}

impl LastSwap {
    fn known(self) -> Option<Swap> {
        match self {
            Self::At(swap) => Some(swap),
            Self::Never | Self::Unknown => None,
        }
    }
}

/// A code, as back ends write them: a text or a whole number.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
