use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use axum::response::Response;
use laini_core::billing::{CheckId, CheckIds};
use laini_wire::checks::CHECKS_PATH;
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::Instant;
use tower::Service as _;

use super::context::CallerIds;
use super::origin::{Origin, counted_as};
use super::protection::protect;
use super::{ApiError, Context, Load, Shape};
use crate::observe::{Endpoint, Metrics, Traces, of_request};
use crate::{Clock, Entropy, LiveSettings};

/// The longest path and query; nothing that long is anywhere.
const TARGET_BYTES_MAX: usize = 8 * 1024;

/// Gives every request its identity, has it answered, and sees to it that the answer is one.
#[derive(Clone)]
pub(crate) struct Front {
    router: Router,
    ids: Arc<CheckIds>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Arc<LiveSettings>,
    metrics: Option<Arc<Metrics>>,
    traces: Option<Arc<Traces>>,
    load: Arc<Load>,
}

impl Front {
    pub(crate) fn new(
        router: Router,
        ids: Arc<CheckIds>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: Arc<LiveSettings>,
        (metrics, traces): (Option<Arc<Metrics>>, Option<Arc<Traces>>),
        load: Arc<Load>,
    ) -> Self {
        Self { router, ids, clock, entropy, settings, metrics, traces, load }
    }

    /// For other routes beside these, with identities from the same source. What goes there is neither
    /// traced nor counted among what partners ask.
    pub(crate) fn beside(&self, router: Router) -> Self {
        Self {
            router,
            ids: Arc::clone(&self.ids),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            settings: Arc::clone(&self.settings),
            metrics: None,
            traces: None,
            load: Arc::clone(&self.load),
        }
    }

    /// The same routes, for what is nobody's request: neither traced nor counted.
    pub(crate) fn uncounted(&self) -> Self {
        self.beside(self.router.clone())
    }

    /// With these routes as well, which also answer where neither has a path.
    pub(crate) fn and(self, routes: Router) -> Self {
        Self { router: self.router.reset_fallback().merge(routes), ..self }
    }

    /// Where open connections are counted; nobody reads it where nothing is counted.
    pub(super) fn connections(&self) -> Gauge {
        self.metrics.as_ref().map(|metrics| metrics.connections().clone()).unwrap_or_default()
    }

    /// Whether a trusted proxy is at `address`.
    pub(super) fn is_proxy(&self, address: IpAddr) -> bool {
        self.settings.glance().proxies.networks.contain(address)
    }

    /// A new identity, for what is answered without a request.
    pub(super) fn mint(&self) -> CheckId {
        self.ids.mint(self.clock.now(), self.entropy.next_u64())
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Body>, origin: Origin) -> Response {
        let began = Instant::now();
        let (mut parts, body) = request.into_parts();
        let context = self.context(&parts, origin, began);
        let caller_ids = CallerIds::of(&parts.headers);
        let is_seen = self.metrics.is_some() || self.traces.is_some();
        let endpoint = is_seen.then(|| Endpoint::of_path(parts.uri.path()));
        let trace = self.traces.as_ref().zip(endpoint);
        let trace = trace.and_then(|(traces, endpoint)| traces.request(&parts.headers, endpoint, context.id));
        parts.extensions.insert(context);
        let mut response = if let Some(error) = self.refusal(&parts) {
            context.refuse(error)
        } else {
            let request = Request::from_parts(parts, body);
            of_request(context.id, trace.as_ref(), self.answer_as(context, request, began)).await
        };
        if let (Some(metrics), Some(endpoint)) = (&self.metrics, endpoint) {
            metrics.answered(endpoint, &response, began.elapsed());
        }
        if let Some(trace) = trace {
            trace.answered(&response);
        }
        caller_ids.echo(response.headers_mut());
        protect(response.headers_mut(), origin.is_tls);
        response
    }

    /// Why a request is refused before anything is done for it.
    fn refusal(&self, request: &Parts) -> Option<ApiError> {
        let target_bytes = request.uri.path_and_query().map_or(0, |target| target.as_str().len());
        if target_bytes > TARGET_BYTES_MAX {
            return Some(ApiError::UnknownPath);
        }
        let path = request.uri.path();
        let is_check = Shape::of_path(path) == Shape::Check || (path == CHECKS_PATH && request.method == Method::POST);
        (is_check && self.load.is_full()).then_some(ApiError::Unreachable)
    }

    fn context(&self, request: &Parts, origin: Origin, began: Instant) -> Context {
        let at = self.clock.now();
        let settings = self.settings.glance();
        let address = settings.proxies.client(origin.address, &request.headers);
        Context {
            id: self.ids.mint(at, self.entropy.next_u64()),
            at,
            address,
            peer: counted_as(address),
            environments: settings.hosts.narrow(origin.environments, request),
            certificate: origin.certificate,
            began,
            deadline: began + Duration::from_millis(settings.limits.request_timeout_ms),
            shape: Shape::of_path(request.uri.path()),
        }
    }

    async fn answer_as(&self, context: Context, request: Request<Body>, began: Instant) -> Response {
        let answered: Result<Result<Response, Infallible>, Panicked> =
            catch_panic(self.router.clone().call(request)).await;
        let response = match answered {
            Ok(Ok(response)) => response,
            Err(Panicked) => {
                tracing::error!("a request panicked; answered 500");
                context.refuse(ApiError::Internal)
            }
        };
        tracing::debug!(
            check = context.shape == Shape::Check,
            status = response.status().as_u16(),
            micros = began.elapsed().as_micros(),
            "answered"
        );
        response
    }
}

/// The future panicked; its answer is lost, the process is not.
struct Panicked;

async fn catch_panic<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    // After a panic the future is never polled again, so nothing half-done in it can be seen.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}
