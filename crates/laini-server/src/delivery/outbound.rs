use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use laini_core::delivery::{Network, Reach, ResultUrl};
use laini_core::store::BoxFuture;
use laini_wire::delivery::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response};

use super::SignedMessage;

/// How long a connection to a receiver may take, TLS included.
const CONNECT_TIMEOUT_MS: u64 = 4_000;
/// How long one attempt may take in all.
pub(super) const ATTEMPT_TIMEOUT_MS: u64 = 8_000;
/// How long a connection is kept for the next delivery to the same host.
const IDLE_TIMEOUT_MS: u64 = 10_000;
/// Connections kept per host.
const IDLE_PER_HOST_MAX: usize = 4;
/// How much of an answer is read where it matters (a challenge); else nothing of it.
const ANSWER_BYTES_MAX: usize = 4 * 1_024;
/// How much of a library's reason is told.
const REASON_BYTES_MAX: usize = 160;

/// Finds the IP addresses of a name.
pub trait Resolver: Send + Sync + 'static {
    /// All of them; none is an error too.
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()) })
    }
}

/// The only way out of this server to an address that a partner chose. A name is resolved once per
/// connection; every address found must lie within reach, and only those are connected to, so that a
/// name which moves in between leads nowhere. No redirect is followed, no proxy asked, no cookie kept.
pub struct Outbound {
    client: Client,
    reach: Reach,
}

/// Why a message did not get an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Its address, or an address that its name stands for, is out of reach. Nothing was connected to.
    #[error("refused before connecting: its host has a {0} address")]
    OutOfReach(Network),
    /// Its name has no address.
    #[error("its name cannot be resolved")]
    Unresolved,
    /// No answer in time.
    #[error("no answer within {ATTEMPT_TIMEOUT_MS} ms")]
    TooSlow,
    /// No connection, or none that its certificate allows.
    #[error("no connection: {0}")]
    NoConnection(String),
    /// The connection broke, or what came was no HTTP.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

impl Outbound {
    /// A way out that reaches as far as `reach`. `more_roots` are trusted beside the system's.
    pub fn new(reach: Reach, resolver: Arc<dyn Resolver>, more_roots: Vec<Certificate>) -> Result<Self, OutboundError> {
        let client = Client::builder()
            .dns_resolver(Guarded { resolver, reach })
            .tls_certs_merge(more_roots)
            .https_only(reach == Reach::Public)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
            .timeout(Duration::from_millis(ATTEMPT_TIMEOUT_MS))
            .pool_idle_timeout(Duration::from_millis(IDLE_TIMEOUT_MS))
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .build()
            .map_err(|error| OutboundError(deepest_reason(&error)))?;
        Ok(Self { client, reach })
    }

    /// How far it reaches.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Sends a message; its receiver's status, whatever that is. The rest of the answer is not read.
    pub async fn send(&self, to: &ResultUrl, message: &SignedMessage) -> Result<u16, SendError> {
        Ok(self.post(to, message).await?.status().as_u16())
    }

    /// Sends a message; its receiver's status and the beginning of its answer.
    pub async fn ask(&self, to: &ResultUrl, message: &SignedMessage) -> Result<(u16, Vec<u8>), SendError> {
        let mut response = self.post(to, message).await?;
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| send_error(&error))? {
            let room = ANSWER_BYTES_MAX - answer.len();
            answer.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if answer.len() == ANSWER_BYTES_MAX {
                break;
            }
        }
        Ok((response.status().as_u16(), answer))
    }

    async fn post(&self, to: &ResultUrl, message: &SignedMessage) -> Result<Response, SendError> {
        // An IP address in place of a name is never resolved, so it is judged here.
        if let Some(ip) = to.ip().filter(|ip| !self.reach.includes(*ip)) {
            return Err(SendError::OutOfReach(Network::of(ip)));
        }
        let request = self
            .client
            .post(to.as_str())
            .header(CONTENT_TYPE, "application/json;charset=UTF-8")
            .header(USER_AGENT, concat!("laini/", env!("CARGO_PKG_VERSION")))
            .header(WEBHOOK_ID, &message.id)
            .header(WEBHOOK_TIMESTAMP, message.timestamp())
            .header(WEBHOOK_SIGNATURE, &message.signature)
            .body(message.body.clone());
        request.send().await.map_err(|error| send_error(&error))
    }
}

/// Why there is no way out at all.
#[derive(Debug, thiserror::Error)]
#[error("outbound HTTPS cannot be set up: {0}")]
pub struct OutboundError(String);

/// Resolves names, and lets through only what is wholly within reach.
struct Guarded {
    resolver: Arc<dyn Resolver>,
    reach: Reach,
}

/// An address that must not be connected to.
#[derive(Debug)]
struct OutOfReach(Network);

impl fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} address", self.0)
    }
}

impl StdError for OutOfReach {}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolving, reach) = (self.resolver.resolve(name.as_str()), self.reach);
        Box::pin(async move {
            let found = resolving.await?;
            if let Some(ip) = found.iter().find(|ip| !reach.includes(**ip)) {
                return Err(OutOfReach(Network::of(*ip)).into());
            }
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            // Port 0 stands for the port of the request.
            let addresses: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

fn send_error(error: &reqwest::Error) -> SendError {
    let refused = causes(error).find_map(|cause| cause.downcast_ref::<OutOfReach>());
    match refused {
        Some(OutOfReach(network)) => SendError::OutOfReach(*network),
        None if error.is_timeout() => SendError::TooSlow,
        None if error.is_dns() => SendError::Unresolved,
        None if error.is_connect() => SendError::NoConnection(deepest_reason(error)),
        None => SendError::NoAnswer(deepest_reason(error)),
    }
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source())
}

/// What lies at the bottom of an error, short. The layers above name the URL, whose path can be secret.
fn deepest_reason(error: &reqwest::Error) -> String {
    let deepest = causes(error).skip(1).last().map_or_else(|| "no reason given".to_owned(), ToString::to_string);
    deepest.chars().filter(|c| !c.is_control()).take(REASON_BYTES_MAX).collect()
}
