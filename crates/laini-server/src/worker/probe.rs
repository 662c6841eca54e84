use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Limited};
use jiff::{SignedDuration, Timestamp};
use laini_core::access::{ConsumerKey, ConsumerSecret};
use laini_core::disclosure::Freshness;
use laini_core::sandbox::ready_number;
use laini_core::store::{Backlog, Outbox, Registry, RegistryError};
use laini_core::support::{Component, Health};
use laini_office::status::{Probed, record};
use laini_office::{Actor, Chore, Office, Problem};
use laini_wire::check::IMSI_PATH;
use laini_wire::token::GENERATE_PATH;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

use crate::http::Inside;
use crate::{Clock, LiveSettings};

/// A probe waits so long; then what it looks at is down.
const PATIENCE: Duration = Duration::from_secs(2);
/// What takes longer works, and not as it should.
const SLOW: Duration = Duration::from_millis(500);
/// A delivery that is due has left after so long, where the worker keeps up.
const LATE_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// After so long nothing leaves any more.
const STUCK_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// What is late is looked at so often before it counts, for an address has nothing under way between two attempts,
const LOOKS: u32 = 3;
/// so long apart: all of it well within what a probe may take.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The page by which the pages are probed: it reads nothing of anybody.
const PAGE: &str = "/sign-in";

/// What the service is probed by.
pub struct Probing {
    /// The credentials of the probes' own sandbox app.
    pub app: (ConsumerKey, ConsumerSecret),
    /// How often.
    pub every: SignedDuration,
}

/// Probes the service as a client meets it.
pub(crate) struct Prober {
    pub(crate) probing: Probing,
    /// Whether there are pages.
    pub(crate) has_pages: bool,
    /// Whether production is answered here: without it nobody asks how fresh the registry is.
    pub(crate) has_production: bool,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) settings: Arc<LiveSettings>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Prober {
    /// A round of all probes at the doors of this server, as a chore: of several nodes, the one that does the chores
    /// probes itself.
    pub(crate) fn chore(self, doors: Inside) -> Chore {
        let every = self.probing.every;
        Chore::new("probe the service", every, move |office, at| self.round(&doors, office, at))
    }

    fn round(&self, doors: &Inside, office: &Office, at: Timestamp) -> Result<usize, Problem> {
        let probed = Handle::current().block_on(self.probe(doors, at));
        office.run(&Actor::System, self.clock.now(), |work| record(work, self.probing.every, &probed))?;
        Ok(probed.len())
    }

    async fn probe(&self, doors: &Inside, at: Timestamp) -> Vec<Probed> {
        let (token, tokens) = timed(Component::Tokens, self.token(doors)).await;
        let ((), checks) = timed(Component::Checks, self.check(doors, token)).await;
        let ((), deliveries) = timed(Component::Deliveries, self.deliveries(at)).await;
        let mut probed = vec![tokens, checks, deliveries];
        if self.has_production {
            probed.push(timed(Component::Feed, self.feed(at)).await.1);
        }
        if self.has_pages {
            probed.push(timed(Component::Portal, page(doors)).await.1);
        }
        probed
    }

    /// Gets a token.
    async fn token(&self, doors: &Inside) -> (Option<String>, Health) {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        let (key, secret) = &self.probing.app;
        let basic = STANDARD.encode(format!("{}:{}", key.as_str(), secret.reveal()));
        let request = Request::get(format!("{GENERATE_PATH}?grant_type=client_credentials"));
        let request = request.header(AUTHORIZATION, format!("Basic {basic}"));
        let answered = ask(doors, request.body(Body::empty()).ok(), StatusCode::OK).await;
        let token = answered.and_then(|body| serde_json::from_slice::<Token>(&body).ok());
        match token {
            Some(token) => (Some(token.access_token), Health::Ok),
            None => (None, Health::Down),
        }
    }

    /// Asks about a persona of the sandbox: recorded and charged nothing, like any check there.
    async fn check(&self, doors: &Inside, token: Option<String>) -> ((), Health) {
        let number = ready_number(0, self.settings.current().plan);
        let (Some(token), Some(number)) = (token, number) else { return ((), Health::Down) };
        let body = serde_json::json!({"customerNumber": number.digits()}).to_string();
        let request = Request::post(IMSI_PATH)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body));
        let answered = ask(doors, request.ok(), StatusCode::OK).await;
        ((), if answered.is_some() { Health::Ok } else { Health::Down })
    }

    /// Looks whether what is due leaves.
    async fn deliveries(&self, at: Timestamp) -> ((), Health) {
        let mut found = Health::Down;
        for look in 1..=LOOKS {
            let Ok(backlogs) = self.outbox.backlogs(at).await else { return ((), Health::Down) };
            found = found.min(leaving(&backlogs, at));
            if found == Health::Ok || look == LOOKS {
                break;
            }
            sleep(LOOK_AGAIN_AFTER).await;
        }
        ((), found)
    }

    /// Looks how far the registry's knowledge reaches.
    async fn feed(&self, at: Timestamp) -> ((), Health) {
        let Freshness { swap_stale_after, registration_stale_after } = self.settings.current().freshness;
        let health = match self.registry.health().await {
            Ok(None) => Health::Ok,
            Ok(Some(horizon)) => {
                let is_stale =
                    |limit: SignedDuration| horizon.as_of.is_none_or(|as_of| at.duration_since(as_of) > limit);
                let is_stale = swap_stale_after.into_iter().chain(registration_stale_after).any(is_stale);
                if is_stale { Health::Degraded } else { Health::Ok }
            }
            Err(RegistryError::TooSlow | RegistryError::Busy) => Health::Degraded,
            Err(RegistryError::Empty | RegistryError::Bad(_) | RegistryError::Unavailable(_)) => Health::Down,
        };
        ((), health)
    }
}

/// How well deliveries leave. What waits for an address while others are under way to it waits for its receiver, and says
/// nothing of this service: one that takes its time is nobody else's incident.
fn leaving(backlogs: &[Backlog], at: Timestamp) -> Health {
    let waits_for_us = backlogs.iter().filter(|backlog| backlog.under_way == 0);
    match waits_for_us.map(|backlog| at.duration_since(backlog.since)).max() {
        Some(longest) if longest > STUCK_AFTER => Health::Down,
        Some(longest) if longest > LATE_AFTER => Health::Degraded,
        Some(_) | None => Health::Ok,
    }
}

async fn page(doors: &Inside) -> ((), Health) {
    let answered = ask(doors, Request::get(PAGE).body(Body::empty()).ok(), StatusCode::OK).await;
    ((), if answered.is_some() { Health::Ok } else { Health::Down })
}

/// The body of an answer of this status.
async fn ask(doors: &Inside, request: Option<Request<Body>>, expected: StatusCode) -> Option<bytes::Bytes> {
    let (parts, body) = doors.probe(request?).await.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.ok()?.to_bytes();
    (parts.status == expected).then_some(body)
}

/// What a probe found, and what it came to: what takes too long is degraded, what does not end is down.
async fn timed<T: Default>(component: Component, probe: impl Future<Output = (T, Health)>) -> (T, Probed) {
    let began = Instant::now();
    let (found, health) = timeout(PATIENCE, probe).await.unwrap_or_else(|_| (T::default(), Health::Down));
    let took = began.elapsed();
    let health = if took > SLOW { health.max(Health::Degraded) } else { health };
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    (found, Probed { component, health, micros })
}

#[cfg(test)]
mod tests {
    use laini_core::partner::ResultAddressId;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

    fn backlog(address: u64, waited_s: i64, under_way: u64) -> Backlog {
        let since = NOW - SignedDuration::from_secs(waited_s);
        Backlog { address: ResultAddressId::from_stored(address), since, under_way }
    }

    #[test]
    fn what_does_not_leave_is_told_and_a_slow_receiver_is_not() {
        let table: &[(&[Backlog], Health)] = &[
            (&[], Health::Ok),
            (&[backlog(1, 60, 0)], Health::Ok),
            (&[backlog(1, 61, 0)], Health::Degraded),
            (&[backlog(1, 601, 0)], Health::Down),
            (&[backlog(1, 86_400, 8)], Health::Ok),
            (&[backlog(1, 86_400, 1), backlog(2, 30, 0)], Health::Ok),
            (&[backlog(1, 86_400, 8), backlog(2, 61, 0), backlog(3, 1, 0)], Health::Degraded),
            (&[backlog(1, 61, 0), backlog(2, 601, 0)], Health::Down),
        ];
        for (backlogs, health) in table {
            assert_eq!(leaving(backlogs, NOW), *health, "{backlogs:?}");
        }
    }
}
