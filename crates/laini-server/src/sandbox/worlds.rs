use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::disclosure::{Horizon, Windows};
use laini_core::line::Msisdn;
use laini_core::partner::AppId;
use laini_core::store::Lookup;

use super::personas::Persona;

/// The lines that sandbox apps see: one read-only world of personas, the same for every app.
#[derive(Debug)]
pub struct SandboxWorlds {
    zone: TimeZone,
}

/// What a sandbox app finds.
#[derive(Debug)]
pub struct SandboxLookup {
    /// As a registry would say it.
    pub lookup: Lookup,
    /// Windows that stand for this line instead of the agreement's: the published sample is disclosed
    /// however long ago its dates lie.
    pub windows: Option<Windows>,
}

impl SandboxWorlds {
    /// Worlds whose days begin in `zone`.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    /// The line of `msisdn` as `_app` sees it at `now`. The sandbox knows everything up to now.
    pub fn look_up(&self, _app: AppId, msisdn: Msisdn, now: Timestamp) -> SandboxLookup {
        let persona = Persona::of(msisdn);
        let state = persona.map(|persona| persona.state(msisdn, now, &self.zone)).unwrap_or_default();
        let horizon = Horizon { as_of: Some(now), history_since: Timestamp::MIN };
        SandboxLookup { lookup: Lookup { state, horizon }, windows: persona.and_then(Persona::windows) }
    }
}
