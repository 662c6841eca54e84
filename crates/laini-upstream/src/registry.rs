use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use laini_core::disclosure::Horizon;
use laini_core::line::Msisdn;
use laini_core::store::{BoxFuture, Lookup, Registry, RegistryError};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::breaker::Breaker;
use crate::exchange::{Broken, Exchange, Over, Reply};
use crate::mapping::Mapping;
use crate::target::Target;
use crate::tls::{TlsError, TlsFiles};

/// Tells the present instant: an answer counts as of then, and later instants in it are refused.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How much the back end may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamLimits {
    /// One look-up in all, its retry too.
    pub timeout_ms: u64,
    /// The making of one connection.
    pub connect_timeout_ms: u64,
    /// A second attempt is made while so much of the time is left.
    pub retry_needs_ms: u64,
    /// Look-ups at once, and so connections; beyond, they are refused at once.
    pub in_flight_max: usize,
    /// Connections that are kept for later.
    pub idle_connections_max: usize,
    /// How long they are kept.
    pub idle_timeout_ms: u64,
    /// The body of an answer.
    pub response_bytes_max: usize,
    /// The head of an answer; at least 8,192.
    pub response_header_bytes_max: usize,
    /// Failures in a row after which the back end is left alone.
    pub breaker_failures_max: u32,
    /// For how long it is left alone; then one look-up tries.
    pub breaker_open_ms: u64,
}

impl Default for UpstreamLimits {
    fn default() -> Self {
        Self {
            timeout_ms: 2_400,
            connect_timeout_ms: 1_000,
            retry_needs_ms: 500,
            in_flight_max: 256,
            idle_connections_max: 64,
            idle_timeout_ms: 30_000,
            response_bytes_max: 64 * 1024,
            response_header_bytes_max: 16 * 1024,
            breaker_failures_max: 10,
            breaker_open_ms: 5_000,
        }
    }
}

/// The operator's back end as a registry.
pub struct HttpRegistry {
    target: Target,
    mapping: Mapping,
    exchange: Exchange,
    breaker: Breaker,
    slots: Semaphore,
    limits: UpstreamLimits,
    clock: Clock,
}

impl HttpRegistry {
    /// A back end at `target` whose answers `mapping` reads. Connects when it is first asked.
    pub fn new(
        target: Target,
        mapping: Mapping,
        tls: &TlsFiles,
        limits: UpstreamLimits,
        clock: Clock,
    ) -> Result<Self, TlsError> {
        let config = if target.is_tls() { tls.client_config()? } else { TlsFiles::unused()? };
        Ok(Self {
            exchange: Exchange::new(config, &limits),
            breaker: Breaker::new(limits.breaker_failures_max, Duration::from_millis(limits.breaker_open_ms)),
            slots: Semaphore::new(limits.in_flight_max),
            target,
            mapping,
            limits,
            clock,
        })
    }

    /// Whether the back end can be connected to, by its certificate too. Nobody's number is asked about.
    pub async fn reach(&self) -> Result<(), RegistryError> {
        let to = self.target.place().map_err(|error| RegistryError::Unavailable(error.to_string()))?;
        let connecting = timeout(Duration::from_millis(self.limits.timeout_ms), self.exchange.connect(to));
        connecting.await.map_err(|_| RegistryError::TooSlow)?.map_err(RegistryError::Unavailable)
    }

    async fn ask(&self, msisdn: Msisdn) -> Result<Lookup, RegistryError> {
        let began = Instant::now();
        let Ok(_slot) = self.slots.try_acquire() else {
            return Err(RegistryError::Unavailable("upstream.in_flight_max look-ups are under way".to_owned()));
        };
        let Some(pass) = self.breaker.admit(began) else { return Err(resting()) };
        let deadline = began + Duration::from_millis(self.limits.timeout_ms);
        let answered = timeout_at(deadline, self.attempts(msisdn, deadline)).await;
        match &answered {
            Ok(Ok(_) | Err(Broken::Answer(_))) => pass.succeeded(),
            Ok(Err(_)) | Err(_) => pass.failed(Instant::now()),
        }
        let reply = answered.map_err(|_| RegistryError::TooSlow)?.map_err(|broken| match broken {
            Broken::Connection(why) => RegistryError::Unavailable(why),
            Broken::Shedding(status) => RegistryError::Unavailable(format!("the back end answered {status}")),
            Broken::Failing(status) => RegistryError::Bad(format!("the back end answered {status}")),
            Broken::Answer(why) => RegistryError::Bad(why.to_owned()),
        })?;
        self.mapping.read(&reply, msisdn, (self.clock)()).map_err(|why| RegistryError::Bad(why.to_string()))
    }

    /// One attempt, and one more where another connection may do better.
    async fn attempts(&self, msisdn: Msisdn, deadline: Instant) -> Result<Reply, Broken> {
        let needs = Duration::from_millis(self.limits.retry_needs_ms);
        let request = || self.target.request(msisdn).map_err(|_| Broken::Answer("the URL cannot be asked"));
        match self.exchange.send(request()?, Over::Any).await {
            Err(Broken::Connection(_) | Broken::Failing(_)) if Instant::now() + needs <= deadline => {
                self.exchange.send(request()?, Over::Fresh).await
            }
            settled => settled,
        }
    }
}

impl Registry for HttpRegistry {
    fn look_up(&self, msisdn: Msisdn) -> BoxFuture<'_, Result<Lookup, RegistryError>> {
        Box::pin(self.ask(msisdn))
    }

    /// Tells from how the last look-ups went: nobody's number is asked about.
    fn health(&self) -> BoxFuture<'_, Result<Option<Horizon>, RegistryError>> {
        let health = if self.breaker.is_open(Instant::now()) { Err(resting()) } else { Ok(None) };
        Box::pin(std::future::ready(health))
    }
}

fn resting() -> RegistryError {
    RegistryError::Unavailable("it failed again and again and is left alone for now".to_owned())
}
