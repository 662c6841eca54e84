use std::collections::HashMap;

use jiff::tz::TimeZone;
use laini_core::line::{LineStatus, NumberPlan, SwapCause};
use serde::{Deserialize, Serialize};

use super::Mapping;
use super::condition::Condition;
use super::date::DateFormat;
use super::history::History;

/// What an answer means, as texts. A pointer is a JSON pointer (RFC 6901); an empty one = not stated.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MappingSettings {
    /// The number that was asked about, echoed.
    pub msisdn: String,
    /// Whether the line is served.
    pub status: String,
    /// The back end's words for it: `ACT = active`.
    pub statuses: Vec<String>,
    /// The IMSI.
    pub imsi: String,
    /// The back end's own hash of it.
    pub hashed_imsi: String,
    /// When the number was registered.
    pub registered: String,
    /// When the present holder took it over.
    pub holder_since: String,
    /// When the SIM was last swapped.
    pub last_swap: String,
    /// Why.
    pub swap_cause: String,
    /// The back end's words for it: `SIMREP = replacement`.
    pub swap_causes: Vec<String>,
    /// Whether the holder's data must not be disclosed.
    pub restricted: String,
    /// How instants are written, the first one that fits.
    pub date_formats: Vec<String>,
    /// Says that the SIM was never swapped.
    pub never_when: Vec<String>,
    /// Says that nobody knows whether it was.
    pub swap_unknown_when: Vec<String>,
    /// Says that nothing is known for sure about the line.
    pub unknown_when: Vec<String>,
    /// Says that the operator does not serve the number.
    pub not_served_when: Vec<String>,
    /// `now`, or where each answer says until when it is complete.
    pub as_of: String,
    /// Since when every swap is known.
    pub history: String,
}

impl Default for MappingSettings {
    fn default() -> Self {
        let same = |word: &str| format!("{word} = {word}");
        Self {
            msisdn: "/msisdn".into(),
            status: "/status".into(),
            statuses: LineStatus::ALL.map(|status| same(status.word())).into(),
            imsi: "/imsi".into(),
            hashed_imsi: String::new(),
            registered: "/registered_at".into(),
            holder_since: String::new(),
            last_swap: "/last_swap_at".into(),
            swap_cause: String::new(),
            swap_causes: SwapCause::ALL.map(|cause| same(cause.word())).into(),
            restricted: String::new(),
            date_formats: vec!["rfc3339".into(), "date".into()],
            never_when: Vec::new(),
            swap_unknown_when: Vec::new(),
            unknown_when: Vec::new(),
            not_served_when: Vec::new(),
            as_of: "now".into(),
            history: String::new(),
        }
    }
}

/// Why settings make no mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// No JSON pointer.
    #[error("`{0}` is no JSON pointer: it begins with / and goes down by key, e.g. /line/swap/date")]
    Pointer(String),
    /// No condition.
    #[error(
        "`{0}` is no condition: write `/state = \"GONE\"`, `/lastSwap = null`, `/lastSwap missing` or `status 404`"
    )]
    Condition(String),
    /// No date format.
    #[error("`{0}` is no date format: rfc3339, date, epoch_s, epoch_ms, or a pattern that names a day, e.g. %d-%m-%Y")]
    DateFormat(String),
    /// No word with its meaning.
    #[error("`{0}` is no word with its meaning: write THEIRS = ours, where ours is one of {1}")]
    Word(String, String),
    /// No history.
    #[error(
        "history = `{0}` does not say since when every swap is known: always, unknown, a duration (P2Y), a day, or a pointer"
    )]
    History(String),
    /// No as-of.
    #[error("as_of = `{0}` is neither `now` nor a pointer")]
    AsOf(String),
    /// Something that every answer must state.
    #[error("{0} must point at something")]
    Needed(&'static str),
    /// No name for the SIM.
    #[error("imsi or hashed_imsi must point at something")]
    NoSim,
}

impl Mapping {
    /// Compiles settings; plain dates are in `zone`, echoed numbers are read by `plan`.
    pub fn new(settings: &MappingSettings, plan: NumberPlan, zone: TimeZone) -> Result<Self, MappingError> {
        let needed = |text: &str, name| maybe_pointer(text)?.ok_or(MappingError::Needed(name));
        let conditions =
            |texts: &[String]| texts.iter().map(|text| Condition::parse(text)).collect::<Result<Vec<_>, _>>();
        let mapping = Self {
            msisdn: maybe_pointer(&settings.msisdn)?,
            status: maybe_pointer(&settings.status)?,
            statuses: words(&settings.statuses, &LineStatus::ALL, LineStatus::word)?,
            imsi: maybe_pointer(&settings.imsi)?,
            hashed_imsi: maybe_pointer(&settings.hashed_imsi)?,
            registered: needed(&settings.registered, "registered")?,
            holder_since: maybe_pointer(&settings.holder_since)?,
            last_swap: needed(&settings.last_swap, "last_swap")?,
            swap_cause: maybe_pointer(&settings.swap_cause)?,
            swap_causes: words(&settings.swap_causes, &SwapCause::ALL, SwapCause::word)?,
            restricted: maybe_pointer(&settings.restricted)?,
            date_formats: settings.date_formats.iter().map(|text| DateFormat::parse(text)).collect::<Result<_, _>>()?,
            never_when: conditions(&settings.never_when)?,
            swap_unknown_when: conditions(&settings.swap_unknown_when)?,
            unknown_when: conditions(&settings.unknown_when)?,
            not_served_when: conditions(&settings.not_served_when)?,
            as_of: match settings.as_of.as_str() {
                "now" => None,
                place if place.starts_with('/') => Some(pointer(place)?),
                other => return Err(MappingError::AsOf(other.to_owned())),
            },
            history: History::parse(&settings.history, &zone)?,
            plan,
            zone,
        };
        if mapping.imsi.is_none() && mapping.hashed_imsi.is_none() {
            return Err(MappingError::NoSim);
        }
        Ok(mapping)
    }
}

/// A pointer as RFC 6901 writes it, other than the one to the whole document.
pub(super) fn pointer(text: &str) -> Result<String, MappingError> {
    let escapes_fit = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    let fits = text.starts_with('/') && escapes_fit;
    fits.then(|| text.to_owned()).ok_or_else(|| MappingError::Pointer(text.to_owned()))
}

fn maybe_pointer(text: &str) -> Result<Option<String>, MappingError> {
    if text.is_empty() { Ok(None) } else { pointer(text).map(Some) }
}

fn words<T: Copy>(
    texts: &[String],
    all: &[T],
    word: impl Fn(T) -> &'static str,
) -> Result<HashMap<String, T>, MappingError> {
    let refused = |text: &str| {
        let known: Vec<&str> = all.iter().map(|one| word(*one)).collect();
        MappingError::Word(text.to_owned(), known.join(", "))
    };
    let mut meanings = HashMap::new();
    for text in texts {
        let (theirs, ours) = text.rsplit_once('=').ok_or_else(|| refused(text))?;
        let (theirs, ours) = (theirs.trim(), ours.trim());
        let meaning = all.iter().find(|one| word(**one) == ours).ok_or_else(|| refused(text))?;
        if theirs.is_empty() || meanings.insert(theirs.to_owned(), *meaning).is_some() {
            return Err(refused(text));
        }
    }
    Ok(meanings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut MappingSettings)) -> Option<MappingError> {
        let mut settings = MappingSettings { history: "always".into(), ..MappingSettings::default() };
        change(&mut settings);
        Mapping::new(&settings, NumberPlan::KENYA, TimeZone::UTC).err()
    }

    #[test]
    fn settings_that_mean_nothing_are_refused() {
        assert_eq!(refusal(|_| {}), None);
        assert_eq!(refusal(|s| s.imsi = "imsi".into()), Some(MappingError::Pointer("imsi".into())));
        assert_eq!(refusal(|s| s.imsi = "/a~2".into()), Some(MappingError::Pointer("/a~2".into())));
        assert_eq!(refusal(|s| s.imsi = String::new()), Some(MappingError::NoSim));
        assert_eq!(refusal(|s| s.registered = String::new()), Some(MappingError::Needed("registered")));
        assert_eq!(refusal(|s| s.history = String::new()), Some(MappingError::History(String::new())));
        assert_eq!(refusal(|s| s.as_of = "today".into()), Some(MappingError::AsOf("today".into())));
        for statuses in [vec!["ACT"], vec!["ACT = alive"], vec!["= active"], vec!["A = active", "A = suspended"]] {
            let texts: Vec<String> = statuses.iter().map(ToString::to_string).collect();
            assert!(matches!(refusal(|s| s.statuses = texts), Some(MappingError::Word(..))), "{statuses:?}");
        }
    }
}
