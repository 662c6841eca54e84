use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::Timestamp;
use laini_core::store::{Outbox, RegistryFeed};
use tokio::time::timeout;

use super::Metrics;
use crate::Clock;
use crate::http::{AccountsPicture, ApiError, Context};

/// How long a scrape may wait for what is asked only then; it is then answered with what is known.
const SCRAPE_TIMEOUT_MS: u64 = 2_000;
/// Feeds that are shown; beyond, an operator names feeds at random.
const FEEDS_SHOWN_MAX: usize = 64;
/// The text format of `prometheus_client`.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is asked when somebody scrapes.
pub struct Gauged {
    /// Whose lag is shown.
    pub feed: Arc<dyn RegistryFeed>,
    /// Whose depth is shown, where there is one.
    pub outbox: Option<Arc<dyn Outbox>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// `GET /metrics`.
pub(crate) struct Exporter {
    metrics: Arc<Metrics>,
    gauged: Gauged,
    accounts: Arc<AccountsPicture>,
}

impl Exporter {
    pub(crate) fn routes(metrics: Arc<Metrics>, gauged: Gauged, accounts: Arc<AccountsPicture>) -> Router {
        let exporter = Arc::new(Self { metrics, gauged, accounts });
        Router::new().route("/metrics", get(scrape)).fallback(unknown_path).with_state(exporter)
    }

    /// Asks for what changes without anybody counting it.
    async fn gauge(&self) {
        self.metrics.set_accounts_age(self.accounts.age());
        let feed = Arc::clone(&self.gauged.feed);
        let runtime = tokio::runtime::Handle::current();
        // The feed's side may block its thread.
        let status = tokio::task::spawn_blocking(move || runtime.block_on(feed.status())).await;
        match status {
            Ok(Ok(status)) => {
                let now = self.gauged.clock.now();
                let lag_s = |until: Timestamp| now.duration_since(until).as_secs();
                let feeds = status.feeds.iter().take(FEEDS_SHOWN_MAX);
                let feeds = feeds.map(|feed| (feed.source.as_str().to_owned(), lag_s(feed.complete_until)));
                self.metrics.set_lags(status.as_of.map(lag_s), feeds);
            }
            Ok(Err(error)) => tracing::warn!(%error, "the feed's lag cannot be measured"),
            Err(error) => tracing::warn!(%error, "the feed's lag cannot be measured"),
        }
        if let Some(outbox) = &self.gauged.outbox {
            match outbox.depth().await {
                Ok(depth) => self.metrics.set_outbox(depth),
                Err(error) => tracing::warn!(%error, "the outbox cannot be measured"),
            }
        }
    }
}

async fn scrape(State(exporter): State<Arc<Exporter>>) -> Response {
    if timeout(Duration::from_millis(SCRAPE_TIMEOUT_MS), exporter.gauge()).await.is_err() {
        tracing::warn!("a scrape was answered without fresh gauges: they took too long");
    }
    ([(CONTENT_TYPE, OPEN_METRICS)], exporter.metrics.text()).into_response()
}

async fn unknown_path(Extension(context): Extension<Context>) -> Response {
    context.refuse(ApiError::UnknownPath)
}
