//! Serving: what `serve`, `sandbox` and `demo` have in common.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use laini_core::store::{AccountStore, CommitObserver, RefusalLog, RegistryFeed};
use laini_office::Office;
use laini_office::apps::{probes_app, visitors_app};
use laini_portal::{Papers, Portal, PortalSettings};
use laini_server::http::Tls;
use laini_server::observe::{Gauged, Metrics, SpanExport, Traces};
use laini_server::worker::{Probing, RetentionPolicy, keep_forgetting};

use laini_server::{Clock, Deps, Limits, Listener, LiveSettings, Pages, Server, Settings};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::compose::{House, LedgerHandle, RegistryHandle, SystemClock, SystemEntropy};
use crate::config::Config;
use crate::data_dir::write_private;
use crate::failure::WithHint as _;
use crate::reload::Reload;
use crate::signals::{Asked, Signals, notify};

/// Once a server has ended, what its threads still do has so long.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(1);

/// A pair of credentials for whoever started the server.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Credentials {
    pub(crate) consumer_key: String,
    pub(crate) consumer_secret: String,
}

/// What `--ready-file` tells, once connections are accepted.
#[derive(Serialize)]
struct Ready<'a> {
    base_url: &'a str,
    /// Where the operator's own API is, where it has a listener of its own.
    operator_url: Option<&'a str>,
    pid: u32,
    sandbox: Option<&'a Credentials>,
    production: Option<&'a Credentials>,
}

/// A server that listens, with everything it stands on.
pub(crate) struct Standing {
    server: Server,
    /// Where clients reach it.
    pub(crate) base_url: String,
    /// The same for every listener.
    urls: Vec<String>,
    operator_url: Option<String>,
    tls: Vec<Arc<Tls>>,
    settings: Arc<LiveSettings>,
    ledger: LedgerHandle,
    refusals: Arc<dyn RefusalLog>,
    feed: Arc<dyn RegistryFeed>,
    retention: RetentionPolicy,
    disk: PathBuf,
    signals: Signals,
}

/// What a server answers.
pub(crate) struct Offer {
    /// The operator's lines.
    pub(crate) registry: RegistryHandle,
    /// Partners and apps.
    pub(crate) accounts: Arc<dyn AccountStore>,
    /// Where it answers, and whom; at least one.
    pub(crate) listeners: Vec<Listener>,
    /// Where the operator's own API answers, if not there.
    pub(crate) operator: Option<Listener>,
    /// Whether SIGHUP reloads the settings; otherwise it ends the process.
    pub(crate) is_reloadable: bool,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// File descriptors that are no connections: databases, logs, keys.
pub(crate) const DESCRIPTORS_KEPT: u64 = 128;

/// Raises the soft limit of file descriptors to the hard one, and says where even that is too low.
fn raise_descriptor_limit(connections_max: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let result = setrlimit(Resource::Nofile, raised);
    let allowed = if result.is_ok() { limit.maximum } else { limit.current };
    let needed = connections_max as u64 + DESCRIPTORS_KEPT;
    if let Some(allowed) = allowed.filter(|allowed| *allowed < needed) {
        tracing::warn!(
            allowed,
            needed,
            "too few file descriptors for server.connections_max; raise the limit (LimitNOFILE, ulimit -n) or lower the setting"
        );
    }
}

/// For so many connections there are file descriptors: whoever comes beyond is told, not left waiting.
fn affordable_connections() -> usize {
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(allowed.saturating_sub(DESCRIPTORS_KEPT).max(1)).unwrap_or(usize::MAX)
}

/// A runtime with as many threads as the settings say.
pub(crate) fn runtime(config: &Config) -> anyhow::Result<tokio::runtime::Runtime> {
    raise_descriptor_limit(config.server.connections_max);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if config.server.worker_threads > 0 {
        builder.worker_threads(config.server.worker_threads);
    }
    Ok(builder.enable_all().build()?)
}

/// Runs to its end what serves. What threads still read then for somebody's page, a month of the ledger perhaps, is left
/// behind: nobody waits for it any more.
pub(crate) fn run_to_end<T>(config: &Config, serving: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = runtime(config)?;
    let served = runtime.block_on(serving);
    runtime.shutdown_timeout(LEFT_BEHIND_AFTER);
    served
}

/// Takes the ledger and listens. From here on clients can connect.
pub(crate) async fn stand(house: &House, config: &Config, offer: Offer) -> anyhow::Result<Standing> {
    let metrics_address = config.metrics_address()?;
    // Pages of the operator's staff show them as well.
    let is_counted = metrics_address.is_some() || config.portal.pages;
    let metrics = is_counted.then(|| Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))));
    let (traces, spans) = traces(config, metrics.as_deref())?.unzip();
    let observer = metrics.clone().map(|metrics| metrics as Arc<dyn CommitObserver>);
    let ledger = house.ledger_writer(config, observer)?;
    let office = house.office_of(config, &ledger, Some(&offer.registry))?;
    let feed = offer.registry.feed;
    let settings = Arc::new(LiveSettings::new(settings(config, house.data.path())?));
    let deps = Deps {
        registry: offer.registry.reader,
        feed: Arc::clone(&feed),
        ledger: Arc::clone(&ledger.ledger),
        answers: Arc::clone(&ledger.answers),
        outbox: Arc::clone(&ledger.outbox),
        accounts: offer.accounts,
        pages: pages(config, &office, &settings)?,
        probing: probing(&office)?,
        office,
        mail: config.mail.carrier(house.data.path())?,
        single_sign_on: config.single_sign_on.provider()?,
        assistant: config.assistant.model()?,
        shares: house.limit_shares(config)?,
        worlds: house.worlds()?,
        keys: Arc::clone(&house.keys),
        clock: offer.clock,
        entropy: Arc::new(SystemEntropy),
        metrics: metrics.clone(),
        traces: traces.map(Arc::new),
    };
    // Before anyone is told that it is ready: from then on a signal ends it gracefully.
    let signals = Signals::listen(offer.is_reloadable)?;
    let mut server = Server::bind(&offer.listeners, offer.operator.as_ref(), deps, Arc::clone(&settings))
        .await
        .hint("choose another address with --listen; port 0 takes a free one")?;
    if let (Some(address), Some(metrics)) = (metrics_address, metrics) {
        let outbox = Some(Arc::clone(&ledger.outbox));
        let gauged = Gauged { feed: Arc::clone(&feed), outbox, clock: Arc::new(SystemClock) };
        let exposed = server.expose(address, metrics, gauged).await.hint("choose another metrics.listen")?;
        tracing::info!(address = %exposed, "metrics can be collected");
    }
    if let Some(spans) = spans {
        server.export(spans);
    }
    let addresses = server.addresses().iter().zip(&offer.listeners);
    let urls: Vec<String> = addresses.map(|(address, listener)| url(*address, listener)).collect();
    let base_url = urls.first().cloned().unwrap_or_default();
    let operator_url = server.operator_address().zip(offer.operator.as_ref()).map(|(at, listener)| url(at, listener));
    if let Some(operator_url) = &operator_url {
        tracing::info!(operator_url, "the operator's API answers on a listener of its own");
    }
    let listeners = offer.listeners.into_iter().chain(offer.operator);
    let mut tls: Vec<Arc<Tls>> = listeners.filter_map(|listener| listener.tls).collect();
    tls.dedup_by(|one, other| Arc::ptr_eq(one, other));
    let (refusals, retention, disk) = (house.refusals()?, config.retention.policy(), house.data.path().to_owned());
    Ok(Standing {
        server,
        base_url,
        urls,
        operator_url,
        tls,
        settings,
        ledger,
        refusals,
        feed,
        retention,
        disk,
        signals,
    })
}

/// The pages for people, where they are wanted.
fn pages(config: &Config, office: &Arc<Office>, live: &Arc<LiveSettings>) -> anyhow::Result<Option<Pages>> {
    if !config.portal.pages {
        return Ok(None);
    }
    let visitors = config.portal.visitors.then(|| visitors_app(office, SystemClock.now())).transpose();
    let visitors = visitors.hint("set portal.visitors = false to do without it")?;
    let papers = Papers { terms: own_words(&config.portal.terms)?, privacy: own_words(&config.portal.privacy_notice)? };
    let (office, live) = (Arc::clone(office), Arc::clone(live));
    let has_single_sign_on = config.single_sign_on.provider()?.is_some();
    let settings = PortalSettings { visitors, has_single_sign_on, papers };
    Ok(Some(Box::new(move |inside, running| Portal::routes(office, live, settings, (inside, running)))))
}

/// What an operator wrote in a file; `None` where none is named.
fn own_words(file: &str) -> anyhow::Result<Option<String>> {
    let read = |file| std::fs::read_to_string(file).with_context(|| format!("{file} cannot be read"));
    (!file.is_empty()).then_some(file).map(read).transpose().hint("see portal.terms and portal.privacy_notice")
}

/// How the service probes itself, where that is wanted.
fn probing(office: &Office) -> anyhow::Result<Option<Probing>> {
    let every = office.settings.probe_every;
    if every.is_zero() {
        return Ok(None);
    }
    let app = probes_app(office, SystemClock.now()).hint("set status.probe_every_s = 0 to do without probes")?;
    Ok(Some(Probing { app, every }))
}

/// What makes spans and what sends them, where the settings say where to.
fn traces(config: &Config, metrics: Option<&Metrics>) -> anyhow::Result<Option<(Traces, SpanExport)>> {
    let Some(settings) = config.traces.settings() else { return Ok(None) };
    let counts = metrics.map(Metrics::spans).unwrap_or_default();
    let traces = Traces::new(&settings, Arc::new(SystemEntropy), counts);
    traces.map(Some).hint("see traces.otlp_endpoint; an empty one switches traces off")
}

fn url(address: SocketAddr, listener: &Listener) -> String {
    let scheme = if listener.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{address}")
}

/// The server's settings as the configuration has them.
pub(crate) fn settings(config: &Config, disk: &Path) -> anyhow::Result<Settings> {
    Ok(Settings {
        zone: config.zone()?,
        plan: config.plan()?,
        freshness: config.freshness(),
        hosts: config.hosts(),
        proxies: config.proxies()?,
        switched_off: config.switched_off()?,
        disk: Some(disk.to_owned()),
        limits: limits(config),
    })
}

fn limits(config: &Config) -> Limits {
    let server = &config.server;
    Limits {
        header_timeout_ms: server.header_timeout_ms,
        body_timeout_ms: server.body_timeout_ms,
        request_timeout_ms: server.request_timeout_ms,
        answer_timeout_ms: server.answer_timeout_ms,
        idle_timeout_ms: server.idle_timeout_ms,
        drain_timeout_ms: server.drain_timeout_ms,
        body_bytes: server.body_bytes_max,
        connections_max: server.connections_max.min(affordable_connections()),
        connections_per_address_max: server.connections_per_address_max,
        checks_waiting_max: config.ledger.queue_checks_max,
        sandbox_idle_days: config.sandbox.idle_days_max,
        ..Limits::default()
    }
}

impl Standing {
    /// Writes the ready file, for whoever started this.
    pub(crate) fn tell(
        &self,
        path: Option<&Path>,
        sandbox: Option<&Credentials>,
        production: Option<&Credentials>,
    ) -> anyhow::Result<()> {
        let Some(path) = path else { return Ok(()) };
        let (base_url, operator_url) = (self.base_url.as_str(), self.operator_url.as_deref());
        let ready = Ready { base_url, operator_url, pid: std::process::id(), sandbox, production };
        let text = serde_json::to_vec(&ready)?;
        write_private(path, &text).with_context(|| format!("the ready file {} cannot be written", path.display()))
    }

    /// Serves until a signal (or `ended`), then finishes what was accepted and closes the ledger. A
    /// second signal ends it at once.
    pub(crate) async fn run(
        self,
        mut reload: Option<Reload<'_>>,
        ended: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        tracing::info!(base_url = self.urls.join(" "), pid = std::process::id(), "serving");
        notify("READY=1");
        let Self { server, settings: live, tls, ledger, refusals, feed, retention, disk, signals, .. } = self;
        let on_reload = || {
            if let Some(reload) = &mut reload {
                reload.run(&live, &*feed, |config| settings(config, &disk));
                for tls in &tls {
                    if let Err(error) = tls.reload() {
                        tracing::error!(%error, "the TLS files cannot be reloaded; those in force stay");
                    }
                }
            }
        };
        let result = tokio::select! {
            result = attend(server, signals, on_reload, ended) => result,
            never = keep_forgetting((&*ledger.retention, &*refusals), retention, &SystemClock) => match never {},
        };
        // The last owner closes it: its thread flushes, writes the head and joins.
        drop(ledger);
        tracing::info!("stopped");
        result
    }
}

/// Runs the server and does what signals ask for, until it has ended.
async fn attend(
    server: Server,
    mut signals: Signals,
    mut on_reload: impl FnMut(),
    ended: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (stop, stopped) = oneshot::channel::<()>();
    let mut stop = Some(stop);
    let mut serving = pin!(server.run(async { drop(stopped.await) }));
    let mut ended = pin!(ended);
    loop {
        let asked = tokio::select! {
            () = &mut serving => return Ok(()),
            asked = signals.next() => asked,
            () = &mut ended, if stop.is_some() => Asked::Stop,
        };
        match asked {
            Asked::Reload => on_reload(),
            Asked::Stop => {
                let Some(stop) = stop.take() else {
                    bail!("a second signal: ended before every accepted request was answered");
                };
                tracing::info!("stopping: finishing what was accepted");
                notify("STOPPING=1");
                drop(stop);
            }
        }
    }
}
