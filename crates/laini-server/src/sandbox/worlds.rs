use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::disclosure::{Freshness, Horizon, Windows};
use laini_core::line::Msisdn;
use laini_core::partner::AppId;
use laini_core::sandbox::{Fault, Persona};
use laini_core::store::Lookup;

/// How old the sandbox's feed may be where the operator set no limits of its own: 15 minutes for swaps,
/// 26 hours for registrations.
const ADVISED_FRESHNESS: Freshness = Freshness {
    swap_stale_after: Some(SignedDuration::from_mins(15)),
    registration_stale_after: Some(SignedDuration::from_hours(26)),
};
/// How old the feed of [`Fault::StaleFeed`] is: beyond every advised limit.
const STALE_FEED_AGE: SignedDuration = SignedDuration::from_hours(48);

/// The lines that sandbox apps see.
#[derive(Debug)]
pub struct SandboxWorlds {
    zone: TimeZone,
}

/// What a sandbox app finds.
#[derive(Debug)]
pub struct SandboxLookup {
    /// As a registry would say it.
    pub lookup: Lookup,
    /// What it is disclosed at: the world's clock.
    pub now: Timestamp,
    /// Windows that stand for this line instead of the agreement's: the published sample is disclosed
    /// however long ago its dates lie.
    pub windows: Option<Windows>,
    /// How old the world's feed may be.
    pub freshness: Freshness,
}

impl SandboxWorlds {
    /// Worlds whose days begin in `zone`.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    /// What goes wrong with a check of `msisdn` by `_app`.
    pub fn fault(&self, _app: AppId, msisdn: Msisdn) -> Option<Fault> {
        Fault::of(msisdn)
    }

    /// The line of `msisdn` as `_app` sees it when it is really `now`.
    pub fn look_up(&self, _app: AppId, msisdn: Msisdn, now: Timestamp) -> SandboxLookup {
        let persona = Persona::of(msisdn);
        let state = persona.map(|persona| persona.state(msisdn, now, &self.zone)).unwrap_or_default();
        let is_stale = Fault::of(msisdn) == Some(Fault::StaleFeed);
        let as_of = if is_stale { now - STALE_FEED_AGE } else { now };
        let horizon = Horizon { as_of: Some(as_of), history_since: Timestamp::MIN };
        let windows = persona.and_then(Persona::windows);
        SandboxLookup { lookup: Lookup { state, horizon }, now, windows, freshness: ADVISED_FRESHNESS }
    }
}
