use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::{ExporterBuildError, Protocol, RetryPolicy, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter as _, SpanProcessor};
use prometheus_client::metrics::counter::Counter;
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

/// Ended spans that wait to be sent; beyond, they are lost, and counted.
const QUEUE_SPANS_MAX: usize = 8_192;
/// Spans of one request to the collector.
const BATCH_SPANS_MAX: usize = 512;
/// How long the first span of a batch waits for company.
const GATHER_MS: u64 = 1_000;
/// How long the collector may take for one batch.
const EXPORT_TIMEOUT_MS: u64 = 5_000;
/// At the end of the server, what is under way may take so long, and then what still waits.
const FLUSH_TIMEOUT_MS: u64 = 2_000;

/// What became of spans.
#[derive(Debug, Clone, Default)]
pub struct SpanCounts {
    pub(super) sent: Counter,
    pub(super) lost: Counter,
}

/// Why nothing can be traced.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The exporter refuses its settings.
    #[error("traces cannot be sent: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// No HTTP client can be made.
    #[error("traces cannot be sent from this machine: {0}")]
    Client(#[from] reqwest::Error),
}

/// Where ended spans go; it never waits.
#[derive(Debug)]
pub(super) struct SpanQueue {
    spans: mpsc::Sender<SpanData>,
    lost: Counter,
}

impl SpanQueue {
    pub(super) fn new(
        endpoint: &str,
        resource: &Resource,
        counts: SpanCounts,
    ) -> Result<(Self, SpanExport), TracesError> {
        let allowed = Duration::from_millis(EXPORT_TIMEOUT_MS);
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(allowed).build()?;
        let mut exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(allowed)
            // Its pauses would block a thread of the server; the next batch is the next try.
            .with_retry_policy(RetryPolicy::disabled())
            .build()?;
        exporter.set_resource(resource);
        let (spans, ended) = mpsc::channel(QUEUE_SPANS_MAX);
        let lost = counts.lost.clone();
        Ok((Self { spans, lost }, SpanExport { ended, exporter, counts, is_failing: false }))
    }
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.spans.try_send(span).is_err() {
            self.lost.inc();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Sends ended spans to the collector, batch by batch.
pub struct SpanExport {
    ended: mpsc::Receiver<SpanData>,
    exporter: opentelemetry_otlp::SpanExporter,
    counts: SpanCounts,
    is_failing: bool,
}

impl SpanExport {
    /// Sends until `stop` says so, and then what still waits.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut batch = Vec::new();
        while !*stop.borrow() {
            tokio::select! {
                () = gather(&mut self.ended, &mut batch) => {}
                _ = stop.changed() => break,
            }
            self.send(std::mem::take(&mut batch), &mut stop).await;
        }
        let flushing = async {
            while !batch.is_empty() || !self.ended.is_empty() {
                let room = BATCH_SPANS_MAX - batch.len();
                if room > 0 && !self.ended.is_empty() {
                    self.ended.recv_many(&mut batch, room).await;
                }
                self.send(std::mem::take(&mut batch), &mut stop).await;
            }
        };
        if timeout(Duration::from_millis(FLUSH_TIMEOUT_MS), flushing).await.is_err() {
            tracing::warn!("the last spans were lost: the collector is too slow");
        }
    }

    async fn send(&mut self, batch: Vec<SpanData>, stop: &mut watch::Receiver<bool>) {
        let count = batch.len() as u64;
        let problem = tokio::select! {
            sent = self.exporter.export(batch) => sent.err().map(|error| error.to_string()),
            () = out_of_patience(stop) => Some("no answer in time".to_owned()),
        };
        let Some(problem) = problem else {
            self.counts.sent.inc_by(count);
            self.is_failing = false;
            return;
        };
        self.counts.lost.inc_by(count);
        // Once, and again only after it went well in between.
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!(problem, "spans cannot be sent to traces.otlp_endpoint; they are lost meanwhile");
        }
    }
}

/// Waits for as long as a collector may take, which is less once the server has ended.
async fn out_of_patience(stop: &mut watch::Receiver<bool>) {
    let has_ended = async {
        let _ = stop.wait_for(|has_ended| *has_ended).await.is_ok();
        sleep(Duration::from_millis(FLUSH_TIMEOUT_MS)).await;
    };
    let _ = timeout(Duration::from_millis(EXPORT_TIMEOUT_MS), has_ended).await;
}

/// Waits for a span, then for more until the batch is full or old enough. May be dropped at any point:
/// what it took lies in `batch`.
async fn gather(ended: &mut mpsc::Receiver<SpanData>, batch: &mut Vec<SpanData>) {
    let missing = |batch: &Vec<SpanData>| BATCH_SPANS_MAX - batch.len();
    if batch.is_empty() && ended.recv_many(batch, BATCH_SPANS_MAX).await == 0 {
        return std::future::pending().await;
    }
    let more = async { while missing(batch) > 0 && ended.recv_many(batch, missing(batch)).await > 0 {} };
    tokio::select! {
        () = more => {}
        () = sleep(Duration::from_millis(GATHER_MS)) => {}
    }
}
