use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use laini_core::billing::CheckIds;
use laini_core::delivery::Reach;
use laini_core::partner::Environment;
use laini_core::store::{AccountsError, LedgerError};
use laini_office::Chore;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::delivery::{Deliveries, Hosts, Outbound, SystemResolver, Worker};
use crate::desk::BatchRunner;
use crate::gateway::Gateway;
use crate::http::{AccountsPicture, Front, Inside, Listening, Load, OwnApi, Tls, listen};
use crate::observe::{Exporter, Gauged, Metrics, SpanExport};
use crate::office::{BesideWork, OfficeApi};
use crate::operator::{OperatorApi, Sources};
use crate::sandbox::{RunWatch, SandboxWorlds};
use crate::worker::{ChoreWorker, Prober, Probing, send_incident_news};
use crate::{Deps, Environments, Limits, Listener, LiveSettings, Pages, Running};

/// A server that listens and is ready to run.
pub struct Server {
    places: Vec<Listening>,
    addresses: Vec<SocketAddr>,
    operator_address: Option<SocketAddr>,
    front: Arc<Front>,
    exporting: Option<Listening>,
    spans: Option<SpanExport>,
    /// Each once, however many listeners share it.
    tls: Vec<Arc<Tls>>,
    accounts: Arc<AccountsPicture>,
    worlds: Arc<SandboxWorlds>,
    runs: Arc<RunWatch>,
    worker: Arc<Worker>,
    chores: Arc<ChoreWorker>,
    batches: BatchRunner,
    limits: Limits,
}

/// Why a server could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The accounts cannot be read.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Server {
    /// Listens everywhere and loads what checks are decided on. From here on clients can connect;
    /// they are answered once [`Server::run`] runs. `operator` is the listener of the operator's own API;
    /// without one it is answered wherever partners are.
    pub async fn bind(
        listeners: &[Listener],
        operator: Option<&Listener>,
        mut deps: Deps,
        settings: Arc<LiveSettings>,
    ) -> Result<Self, BindError> {
        let bound = listen_on_all(listeners).await?;
        let addresses = bound.iter().map(|(_, address)| *address).collect();
        let operator = listen_apart(operator).await?;
        let limits = settings.current().limits.clone();
        let (store, keys) = (Arc::clone(&deps.accounts), Arc::clone(&deps.keys));
        let accounts = Arc::new(AccountsPicture::load(store, Arc::clone(&keys), limits.accounts_age_ms_max).await?);
        let ids = Arc::new(CheckIds::after(deps.ledger.newest().await?));
        let (clock, entropy) = (Arc::clone(&deps.clock), Arc::clone(&deps.entropy));
        let (traces, metrics) = (deps.traces.clone(), deps.metrics.clone());
        let observers = (metrics.clone(), traces.clone());
        let reach = reach_of(&bound, &settings);
        let deliveries = deliveries(&deps, reach, &ids);
        let load = Arc::new(Load::new(limits.checks_waiting_max));
        let operator_api = operator_api(&deps, &accounts, &settings);
        let runs = Arc::new(RunWatch::new(Arc::clone(&deps.office)));
        let own_api = Arc::new(OwnApi::default());
        let office = office_routes(&deps, &settings, (&deliveries, reach), (&runs, &own_api));
        let (pages, probing) = (deps.pages.take(), deps.probing.take());
        let prober = probing.map(|probing| prober(probing, &deps, (listeners, pages.is_some()), &settings));
        let (itself, mut chores) = (Arc::clone(&deps.office), chores(&deps, &deliveries, &accounts));
        let gateway = Arc::new(Gateway::new(
            deps,
            Arc::clone(&accounts),
            Arc::clone(&ids),
            Arc::clone(&deliveries),
            Arc::clone(&settings),
            Arc::clone(&load),
            Arc::clone(&runs),
        ));
        gateway.recall_usage(clock.now()).await?;
        let worker = Worker {
            deliveries,
            gateway: Arc::clone(&gateway),
            outbound: way_out(reach),
            accounts: Arc::clone(&accounts),
            keys,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            hosts: Hosts::default(),
            traces,
        };
        let routes = Arc::clone(&gateway).routes().merge(office);
        let routes = if operator.is_some() { routes } else { routes.merge(Arc::clone(&operator_api).routes()) };
        let holder = entropy.next_u64();
        let front = Front::new(routes, ids, Arc::clone(&clock), entropy, settings, observers, load);
        let batches = BatchRunner::new(Arc::clone(&itself), Arc::clone(&clock), Inside::new(front.clone()));
        let front = with_pages(front, pages, running(&operator_api, metrics, &gateway), &own_api);
        chores.extend(prober.map(|prober| prober.chore(Inside::new(front.uncounted()))));
        let chores = Arc::new(ChoreWorker::new(itself, clock, chores, holder));
        let shared = listeners.iter().chain(operator.iter().map(|(_, listener)| *listener));
        let tls = each_once(shared.filter_map(|listener| listener.tls.clone()));
        let operator_address = operator.as_ref().map(|((_, address), _)| *address);
        Ok(Self {
            places: places((bound, listeners), operator, &operator_api, &front),
            addresses,
            operator_address,
            front,
            exporting: None,
            spans: None,
            tls,
            accounts,
            worlds: Arc::clone(gateway.worlds()),
            runs,
            worker: Arc::new(worker),
            chores,
            batches,
            limits,
        })
    }

    /// Listens on `address` for whoever collects `metrics` as well; returns where.
    pub async fn expose(
        &mut self,
        address: SocketAddr,
        metrics: Arc<Metrics>,
        gauged: Gauged,
    ) -> Result<SocketAddr, BindError> {
        let (listener, address) = listen_on(address).await?;
        let routes = Exporter::routes(metrics, gauged, Arc::clone(&self.accounts));
        let front = Arc::new(self.front.beside(routes));
        self.exporting = Some(Listening { listener, environments: Environments::Neither, tls: None, front });
        Ok(address)
    }

    /// Sends spans for as long as it runs, to the very end.
    pub fn export(&mut self, spans: SpanExport) {
        self.spans = Some(spans);
    }

    /// The addresses that clients connect to, in the order of the listeners.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The address of the operator's own listener, where there is one.
    pub fn operator_address(&self) -> Option<SocketAddr> {
        self.operator_address
    }

    /// Serves until `shutdown` resolves; then stops accepting, finishes what it accepted within
    /// [`Limits::drain_timeout_ms`], and returns. Metrics can be collected to the very end.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let exporting = async {
            if let Some(place) = self.exporting {
                listen(vec![place], &self.limits, pending()).await;
            }
            pending::<()>().await;
        };
        let mut watchers = JoinSet::new();
        for tls in &self.tls {
            watchers.spawn(Arc::clone(tls).watch());
        }
        let (stop, stopping) = watch::channel(false);
        let (gateway, clock) = (Arc::clone(&self.worker.gateway), Arc::clone(&self.worker.clock));
        let chores = tokio::spawn(self.chores.run(stopping.clone()));
        let batches = tokio::spawn(self.batches.run(stopping.clone()));
        let worker = tokio::spawn(self.worker.run(stopping));
        let (end, ending) = watch::channel(false);
        let spans = self.spans.map(|spans| tokio::spawn(spans.run(ending)));
        tokio::select! {
            () = listen(self.places, &self.limits, shutdown) => {}
            () = exporting => {}
            () = self.accounts.keep_fresh() => {}
            () = self.worlds.keep() => {}
            () = gateway.share_limits() => {}
            () = gateway.keep_secret_uses() => {}
            () = gateway.keep_refusals() => {}
            () = gateway.keep_call_times(&*clock) => {}
            () = self.runs.keep(&clock) => {}
        }
        stop.send_replace(true);
        if worker.await.is_err() {
            tracing::error!("the delivery worker panicked; what it left is delivered by the next server");
        }
        if chores.await.is_err() {
            tracing::error!("the worker of the office's chores panicked; they are done by the next server");
        }
        if batches.await.is_err() {
            tracing::error!("the worker of the desk's batches panicked; the next server goes on with them");
        }
        gateway.give_limits_back().await;
        gateway.note_secret_uses().await;
        gateway.write_refusals().await;
        gateway.write_call_times(clock.now()).await;
        end.send_replace(true);
        if let Some(spans) = spans
            && spans.await.is_err()
        {
            tracing::error!("the sender of spans panicked; the last ones are lost");
        }
    }
}

/// What the office does by itself at its times, and what it has this server send.
fn chores(deps: &Deps, deliveries: &Arc<Deliveries>, accounts: &Arc<AccountsPicture>) -> Vec<Chore> {
    let mut chores = laini_office::chores(Arc::clone(&deps.mail));
    chores.push(send_incident_news(Arc::clone(deliveries), Arc::clone(accounts)));
    chores
}

/// How this server runs, for the pages.
fn running(operator_api: &Arc<OperatorApi>, metrics: Option<Arc<Metrics>>, gateway: &Gateway) -> Running {
    let (sources, tokens) = (Sources::new(Arc::clone(operator_api)), Arc::clone(gateway.tokens_given()));
    Running { sources, metrics, tokens }
}

/// What probes this server.
fn prober(
    probing: Probing,
    deps: &Deps,
    (listeners, has_pages): (&[Listener], bool),
    settings: &Arc<LiveSettings>,
) -> Prober {
    Prober {
        probing,
        has_pages,
        has_production: listeners.iter().any(|listener| listener.environments.include(Environment::Production)),
        registry: Arc::clone(&deps.registry),
        outbox: Arc::clone(&deps.outbox),
        settings: Arc::clone(settings),
        clock: Arc::clone(&deps.clock),
    }
}

/// The office, with what its endpoints do beside their work.
fn office_routes(
    deps: &Deps,
    settings: &Arc<LiveSettings>,
    (deliveries, reach): (&Arc<Deliveries>, Reach),
    (runs, own_api): (&Arc<RunWatch>, &Arc<OwnApi>),
) -> axum::Router {
    let secrets = (Arc::clone(&deps.keys), Arc::clone(&deps.entropy));
    let elsewhere = (deps.single_sign_on.clone(), deps.assistant.as_ref());
    let inside = (Arc::clone(runs), Arc::clone(own_api));
    let beside = BesideWork::new(Arc::clone(deliveries), way_out(reach), secrets, inside, elsewhere);
    Arc::new(OfficeApi::new(Arc::clone(&deps.office), Arc::clone(settings), beside)).routes()
}

/// What answers everywhere, and is asked by its own parts: the API, and where there are any, the pages that stand on it.
fn with_pages(api: Front, pages: Option<Pages>, running: Running, own_api: &OwnApi) -> Arc<Front> {
    let front = Arc::new(match pages {
        Some(pages) => {
            let routes = pages(Inside::new(api.clone()), running);
            api.and(routes)
        }
        None => api,
    });
    own_api.set(&front);
    front
}

fn place(listener: TcpListener, settings: &Listener, front: &Arc<Front>) -> Listening {
    let (environments, tls) = (settings.environments, settings.tls.clone());
    Listening { listener, environments, tls, front: Arc::clone(front) }
}

/// Who is answered where: partners by `front`, and the operator's own API beside it, where it has a listener apart.
fn places(
    (bound, listeners): (Vec<(TcpListener, SocketAddr)>, &[Listener]),
    operator: Option<((TcpListener, SocketAddr), &Listener)>,
    operator_api: &Arc<OperatorApi>,
    front: &Arc<Front>,
) -> Vec<Listening> {
    let places = bound.into_iter().zip(listeners).map(|((bound, _), listener)| place(bound, listener, front));
    let alone = operator.map(|((bound, _), listener)| {
        place(bound, listener, &Arc::new(front.beside(Arc::clone(operator_api).routes_alone())))
    });
    places.chain(alone).collect()
}

/// Which addresses results may be sent to.
fn reach_of(bound: &[(TcpListener, SocketAddr)], settings: &LiveSettings) -> Reach {
    let is_proxied = !settings.current().proxies.networks.is_empty();
    Reach::of_server(bound.iter().map(|(_, address)| address.ip()), is_proxied)
}

fn deliveries(deps: &Deps, reach: Reach, ids: &Arc<CheckIds>) -> Arc<Deliveries> {
    let (outbox, entropy) = (Arc::clone(&deps.outbox), Arc::clone(&deps.entropy));
    Arc::new(Deliveries::new(outbox, reach, Arc::clone(ids), entropy))
}

async fn listen_on_all(listeners: &[Listener]) -> Result<Vec<(TcpListener, SocketAddr)>, BindError> {
    let mut bound = Vec::with_capacity(listeners.len());
    for listener in listeners {
        bound.push(listen_on(listener.address).await?);
    }
    Ok(bound)
}

fn operator_api(deps: &Deps, accounts: &Arc<AccountsPicture>, settings: &Arc<LiveSettings>) -> Arc<OperatorApi> {
    let (feed, clock) = (Arc::clone(&deps.feed), Arc::clone(&deps.clock));
    Arc::new(OperatorApi::new(feed, Arc::clone(accounts), Arc::clone(settings), clock))
}

/// What several listeners share.
fn each_once(tls: impl Iterator<Item = Arc<Tls>>) -> Vec<Arc<Tls>> {
    let mut tls: Vec<_> = tls.collect();
    tls.dedup_by(|one, other| Arc::ptr_eq(one, other));
    tls
}

/// Listens for the operator alone, where that is wanted.
async fn listen_apart(
    operator: Option<&Listener>,
) -> Result<Option<((TcpListener, SocketAddr), &Listener)>, BindError> {
    Ok(match operator {
        Some(listener) => Some((listen_on(listener.address).await?, listener)),
        None => None,
    })
}

async fn listen_on(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let failed = |source| BindError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// A machine without certificates to trust still serves; its deliveries wait.
fn way_out(reach: Reach) -> Option<Outbound> {
    let outbound = Outbound::new(reach, Arc::new(SystemResolver), Vec::new());
    outbound.inspect_err(|error| tracing::error!(%error, "nothing can be delivered from this machine")).ok()
}
