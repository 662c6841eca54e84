use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use jiff::tz::TimeZone;
use laini_core::disclosure::Freshness;
use laini_core::line::NumberPlan;

use crate::http::{ApiError, HostNames, TrustedProxies};
use crate::{Capability, SwitchedOff};

/// What an operator decides about the server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The operator's time zone: in it days begin and dates are written.
    pub zone: TimeZone,
    /// How numbers look at this operator.
    pub plan: NumberPlan,
    /// How old the registry's knowledge may be before reassuring answers are withdrawn.
    pub freshness: Freshness,
    /// Host names that are bound to an environment.
    pub hosts: HostNames,
    /// The proxies in front of the server.
    pub proxies: TrustedProxies,
    /// What is not offered.
    pub switched_off: SwitchedOff,
    /// A directory on the disk that records are written to; `None` = nobody watches how full it is.
    pub disk: Option<PathBuf>,
    /// How much of everything is allowed.
    pub limits: Limits,
}

impl Settings {
    /// The defaults, in this time zone: Kenya's number plan, no freshness limit, no proxies.
    pub fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            plan: NumberPlan::KENYA,
            freshness: Freshness::default(),
            hosts: HostNames::default(),
            proxies: TrustedProxies::default(),
            switched_off: SwitchedOff::default(),
            disk: None,
            limits: Limits::default(),
        }
    }
}

/// The settings in force, replaced whole when they change. A request is decided on those of its beginning.
#[derive(Debug)]
pub struct LiveSettings(ArcSwap<Settings>);

impl LiveSettings {
    /// Begins with `settings`.
    pub fn new(settings: Settings) -> Self {
        Self(ArcSwap::new(Arc::new(settings)))
    }

    /// What is in force now, for a whole request.
    pub fn current(&self) -> Arc<Settings> {
        self.0.load_full()
    }

    /// The same for a moment: cheaper, and not to be held across an await.
    pub fn glance(&self) -> Guard<Arc<Settings>> {
        self.0.load()
    }

    /// Refuses what is switched off.
    pub(crate) fn offers(&self, capability: Capability) -> Result<(), ApiError> {
        if self.glance().switched_off.contains(capability) { Err(ApiError::NotImplemented) } else { Ok(()) }
    }

    /// Puts `settings` in force for every request that begins from now on. What a running server
    /// stands on stays as it was at its start: [`Settings::zone`], [`Settings::plan`], and the [`Limits`]
    /// of connections and of the token doors.
    pub fn replace(&self, settings: Settings) {
        let mut settings = settings;
        let old = self.glance();
        settings.zone = old.zone.clone();
        settings.plan = old.plan;
        self.0.store(Arc::new(settings));
    }
}

/// How much of everything is allowed, with the defaults that are promised.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the first byte of a request (or from the connection's start) to the end of its header.
    pub header_timeout_ms: u64,
    /// From the end of the header to the end of the body.
    pub body_timeout_ms: u64,
    /// The largest body.
    pub body_bytes: usize,
    /// How long accounts may go unread before production checks are refused: a revocation must hold by
    /// then.
    pub accounts_age_ms_max: u64,
    /// The whole request, from the end of its header to the answer.
    pub request_timeout_ms: u64,
    /// How long the registry may take for one look-up.
    pub look_up_timeout_ms: u64,
    /// Checks that may wait for their records; fewer where waits are long.
    pub checks_waiting_max: usize,
    /// How long the ledger may take to confirm one record.
    pub record_timeout_ms: u64,
    /// How long answers may wait for their reader, without once being taken whole.
    pub answer_timeout_ms: u64,
    /// How long a connection may lie idle between requests.
    pub idle_timeout_ms: u64,
    /// How long a shutdown waits for requests under way.
    pub drain_timeout_ms: u64,
    /// Concurrent requests on one HTTP/2 connection.
    pub http2_streams: u32,
    /// Connections in all.
    pub connections_max: usize,
    /// Connections of one client address.
    pub connections_per_address_max: usize,
    /// Token requests per second of one address, in the long run.
    pub token_requests_per_second: u32,
    /// Token requests of one address at once.
    pub token_requests_burst: u32,
    /// Days after which a sandbox world that nobody uses is forgotten.
    pub sandbox_idle_days: u16,
    /// Wrong credentials per minute of one (address, consumer key) before that pair must wait;
    /// operator keys likewise.
    pub token_failures_per_minute: u32,
    /// Uploads of the operator's at once.
    pub uploads_max: usize,
    /// The largest upload, as it comes over the network.
    pub upload_bytes: u64,
    /// Lines of one upload of events.
    pub event_lines_max: u64,
    /// How long an upload may fall silent.
    pub upload_silence_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout_ms: 10_000,
            body_timeout_ms: 5_000,
            body_bytes: 16 * 1024,
            accounts_age_ms_max: 5_000,
            request_timeout_ms: 8_000,
            look_up_timeout_ms: 2_500,
            checks_waiting_max: 8_192,
            record_timeout_ms: 4_000,
            answer_timeout_ms: 10_000,
            idle_timeout_ms: 75_000,
            drain_timeout_ms: 20_000,
            http2_streams: 100,
            connections_max: 8_192,
            connections_per_address_max: 4_096,
            token_requests_per_second: 200,
            token_requests_burst: 400,
            sandbox_idle_days: 30,
            token_failures_per_minute: 20,
            uploads_max: 8,
            upload_bytes: 64 << 30,
            event_lines_max: 10_000_000,
            upload_silence_ms: 30_000,
        }
    }
}
