use std::time::Duration;

use axum::response::Response;
use laini_core::billing::Outcome;
use laini_core::partner::{Environment, Product};
use laini_core::store::{CommitObserver, OutboxDepth};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::SpanCounts;
use super::distribution::Distribution;
use super::labels::{
    Endpoint, ErrorCode, OfBuild, OfCheck, OfEndpoint, OfFeed, OfOutbox, OfRefusal, OfRequest, StatusClass, Waiting,
};

const ENVIRONMENTS: [Environment; 2] = [Environment::Sandbox, Environment::Production];

/// What is counted while the server runs. Every series of the hot path is resolved at the start, so
/// that an observation is a few atomic additions.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// By endpoint, then by class of status.
    requests: Vec<[Counter; StatusClass::COUNT]>,
    /// By endpoint.
    latencies: Vec<Distribution>,
    /// By product, environment, outcome.
    checks: Vec<Counter>,
    refusals: Family<OfRefusal, Counter>,
    refused_calls_lost: Counter,
    commit_time: Distribution,
    commit_size: Distribution,
    connections: Gauge,
    feed_lag: Family<OfFeed, Gauge>,
    registry_lag: Gauge,
    outbox: Family<OfOutbox, Gauge>,
    accounts_age: Gauge,
    spans: SpanCounts,
}

impl Metrics {
    /// Nothing counted yet, by this version of laini.
    pub fn new(version: &'static str) -> Self {
        let mut registry = Registry::with_prefix("laini");
        registry.register("build", "The version that runs", Info::new(OfBuild { version }));
        let requests = request_counters(&mut registry);
        let latencies = latency_histograms(&mut registry);
        let checks = check_counters(&mut registry);
        let commit_time = Distribution::of_latencies();
        let commit_size = Distribution::of_counts();
        let help = "From the beginning of a ledger transaction until it was durable";
        registry.register_with_unit("ledger_commit", help, Unit::Seconds, commit_time.clone());
        registry.register("ledger_commit_checks", "Checks that shared one commit", commit_size.clone());
        let mut metrics = Self {
            registry,
            requests,
            latencies,
            checks,
            commit_time,
            commit_size,
            refusals: Family::default(),
            refused_calls_lost: Counter::default(),
            connections: Gauge::default(),
            feed_lag: Family::default(),
            registry_lag: Gauge::default(),
            outbox: Family::default(),
            accounts_age: Gauge::default(),
            spans: SpanCounts::default(),
        };
        metrics.register_the_rest();
        metrics
    }

    fn register_the_rest(&mut self) {
        let registry = &mut self.registry;
        registry.register("refusals", "Requests refused, by code of the error table", self.refusals.clone());
        let help = "Refused calls that are missing in their log: too many at once, or it could not be written";
        registry.register("refused_calls_lost", help, self.refused_calls_lost.clone());
        registry.register("connections", "Open connections of callers", self.connections.clone());
        let help = "How long ago each feed was last known to be complete";
        registry.register_with_unit("feed_lag", help, Unit::Seconds, self.feed_lag.clone());
        let help = "How long ago the registry's as-of instant was";
        registry.register_with_unit("registry_lag", help, Unit::Seconds, self.registry_lag.clone());
        registry.register("outbox", "What waits to be decided or delivered, or was given up", self.outbox.clone());
        registry.register("trace_spans_sent", "Spans that the collector took", self.spans.sent.clone());
        let help = "Spans that were lost: the queue was full, or the collector did not take them";
        registry.register("trace_spans_lost", help, self.spans.lost.clone());
        let help = "How long ago partners and apps were last read";
        registry.register_with_unit("accounts_age", help, Unit::Seconds, self.accounts_age.clone());
    }

    /// A request was answered.
    pub(crate) fn answered(&self, endpoint: Endpoint, response: &Response, took: Duration) {
        self.requests[endpoint as usize][StatusClass::place(response.status())].inc();
        self.latencies[endpoint as usize].took(took);
        if let Some(code) = response.extensions().get::<ErrorCode>() {
            self.refusals.get_or_create(&OfRefusal { code: *code }).inc();
        }
    }

    /// A check was recorded.
    pub(crate) fn checked(&self, product: Product, environment: Environment, outcome: Outcome) {
        let place = (product as usize * ENVIRONMENTS.len() + environment as usize) * Outcome::ALL.len();
        self.checks[place + outcome as usize].inc();
    }

    /// The counters of what became of spans.
    pub fn spans(&self) -> SpanCounts {
        self.spans.clone()
    }

    /// The counter of refused calls that could not be kept.
    pub(crate) fn refused_calls_lost(&self) -> &Counter {
        &self.refused_calls_lost
    }

    /// The gauge of open connections.
    pub(crate) fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// How far each feed and the registry lag behind.
    pub(super) fn set_lags(&self, registry_lag_s: Option<i64>, feeds: impl Iterator<Item = (String, i64)>) {
        // Less than nothing: no instant is known.
        self.registry_lag.set(registry_lag_s.unwrap_or(-1));
        for (source, lag_s) in feeds {
            self.feed_lag.get_or_create(&OfFeed { source }).set(lag_s);
        }
    }

    /// How much waits in the outbox.
    pub(super) fn set_outbox(&self, depth: OutboxDepth) {
        let set = |what, count: u64| self.outbox.get_or_create(&OfOutbox { what }).set(count.cast_signed());
        set(Waiting::Checks, depth.checks);
        set(Waiting::Deliveries, depth.deliveries);
        set(Waiting::Dead, depth.dead);
    }

    /// How long ago accounts were last read.
    pub(super) fn set_accounts_age(&self, age: Duration) {
        self.accounts_age.set(age.as_secs().cast_signed());
    }

    /// Answers of a group of paths by class of status.
    pub(super) fn requests_of(&self, endpoint: Endpoint) -> [u64; StatusClass::COUNT] {
        let mut counts = [0; StatusClass::COUNT];
        for (count, counter) in counts.iter_mut().zip(&self.requests[endpoint as usize]) {
            *count = counter.get();
        }
        counts
    }

    /// In how many microseconds so many of a hundred answers of a group of paths were given.
    pub(super) fn latency_of(&self, endpoint: Endpoint, percent: u64) -> Option<u64> {
        self.latencies[endpoint as usize].within(percent)
    }

    /// Everything as OpenMetrics text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl CommitObserver for Metrics {
    fn committed(&self, checks: usize, took: Duration) {
        self.commit_time.took(took);
        self.commit_size.observe(checks as u64);
    }
}

fn request_counters(registry: &mut Registry) -> Vec<[Counter; StatusClass::COUNT]> {
    let family = Family::<OfRequest, Counter>::default();
    registry.register("requests", "Requests answered, by what they went to and class of status", family.clone());
    let of = |endpoint| StatusClass::ALL.map(|status| family.get_or_create_owned(&OfRequest { endpoint, status }));
    Endpoint::ALL.map(of).into()
}

fn latency_histograms(registry: &mut Registry) -> Vec<Distribution> {
    let family: Family<OfEndpoint, Distribution, fn() -> Distribution> =
        Family::new_with_constructor(Distribution::of_latencies);
    let help = "From the end of a request's header until its answer was made";
    registry.register_with_unit("request", help, Unit::Seconds, family.clone());
    Endpoint::ALL.map(|endpoint| family.get_or_create_owned(&OfEndpoint { endpoint })).into()
}

fn check_counters(registry: &mut Registry) -> Vec<Counter> {
    let family = Family::<OfCheck, Counter>::default();
    registry.register("checks", "Checks recorded in the ledger", family.clone());
    let mut counters = Vec::new();
    for product in Product::ALL {
        for environment in ENVIRONMENTS {
            let of = |outcome| family.get_or_create_owned(&OfCheck { product, environment, outcome });
            counters.extend(Outcome::ALL.map(of));
        }
    }
    counters
}
