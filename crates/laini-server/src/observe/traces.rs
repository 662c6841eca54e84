use std::fmt;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use laini_core::billing::CheckId;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanKind, Status, TraceContextExt as _, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, ContextGuard, KeyValue, SpanId};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator, Sampler, SdkTracer, SdkTracerProvider, Span};

use super::span_export::{SpanCounts, SpanExport, SpanQueue, TracesError};
use super::{Endpoint, ErrorCode};
use crate::Entropy;

/// Where spans go, and of how many requests.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// The whole URL of an OTLP/HTTP receiver of traces.
    pub otlp_endpoint: String,
    /// Of 1,000 requests so many are traced.
    pub sampled_per_mille: u16,
    /// The version of laini.
    pub version: &'static str,
}

/// Makes spans of requests and of their steps. An ended span is put into a bounded queue and nobody
/// waits for it.
pub struct Traces {
    tracer: SdkTracer,
}

impl Traces {
    /// Spans with ids from `entropy`, and what sends them, which must be run
    /// ([`crate::Server::export`]).
    pub fn new(
        settings: &TraceSettings,
        entropy: Arc<dyn Entropy>,
        counts: SpanCounts,
    ) -> Result<(Self, SpanExport), TracesError> {
        let version = KeyValue::new("service.version", settings.version);
        let resource = Resource::builder_empty().with_service_name("laini").with_attribute(version).build();
        let (queue, export) = SpanQueue::new(&settings.otlp_endpoint, &resource, counts)?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            // Whoever calls does not decide how much is traced: the parent's own flag counts for nothing.
            .with_sampler(Sampler::TraceIdRatioBased(f64::from(settings.sampled_per_mille) / 1_000.0))
            .with_id_generator(Ids(entropy))
            .with_span_processor(queue)
            .build();
        Ok((Self { tracer: provider.tracer("laini") }, export))
    }

    /// Begins the span of a request, under the caller's span where `headers` name one; `None` = this
    /// request is not traced. Probes never are.
    pub(crate) fn request(&self, headers: &HeaderMap, endpoint: Endpoint, id: CheckId) -> Option<Trace> {
        if endpoint == Endpoint::Probe {
            return None;
        }
        self.begin(endpoint.word(), SpanKind::Server, &caller(headers), id)
    }

    /// Begins the span of work about `id` that no request waits for.
    pub(crate) fn work(&self, name: &'static str, id: CheckId) -> Option<Trace> {
        self.begin(name, SpanKind::Internal, &Context::new(), id)
    }

    fn begin(&self, name: &'static str, kind: SpanKind, parent: &Context, id: CheckId) -> Option<Trace> {
        let span = self.tracer.span_builder(name).with_kind(kind).start_with_context(&self.tracer, parent);
        span.is_recording().then(|| {
            let trace = Trace(Context::new().with_span(span));
            trace.note("laini.request_id", id.request_ref());
            trace
        })
    }

    /// Begins a step of what this thread works on; `None` where that is not traced.
    pub(crate) fn step(&self, name: &'static str) -> Option<Step> {
        let parent = Context::map_current(|current| current.has_active_span().then(|| current.clone()))?;
        Some(Step(Box::new(self.tracer.start_with_context(name, &parent))))
    }
}

/// The span of what is worked on; [`super::of_request`] makes it the parent of steps. Ends when dropped.
pub(crate) struct Trace(Context);

impl Trace {
    /// Makes it what this thread works on.
    pub(super) fn attach(&self) -> ContextGuard {
        self.0.clone().attach()
    }

    /// Notes how a request was answered.
    pub(crate) fn answered(&self, response: &Response) {
        self.note("http.response.status_code", i64::from(response.status().as_u16()));
        if let Some(code) = response.extensions().get::<ErrorCode>() {
            self.note("laini.error_code", code.0);
        }
        if response.status().is_server_error() {
            self.0.span().set_status(Status::error(""));
        }
    }

    /// Notes something: never a number, an IMSI, a token, a secret or any text of a caller.
    pub(crate) fn note(&self, key: &'static str, value: impl Into<opentelemetry::Value>) {
        self.0.span().set_attribute(KeyValue::new(key, value));
    }
}

/// A step of traced work; ends when dropped.
pub(crate) struct Step(Box<Span>);

impl Step {
    /// Notes a word of a closed set.
    pub(crate) fn note(&mut self, key: &'static str, word: &'static str) {
        self.0.set_attribute(KeyValue::new(key, word));
    }

    /// It failed.
    pub(crate) fn failed(&mut self) {
        self.0.set_status(Status::error(""));
    }
}

/// The caller's span by the header `traceparent`. `tracestate` is text of others and goes nowhere.
fn caller(headers: &HeaderMap) -> Context {
    let none = Context::new();
    let told = TraceContextPropagator::new().extract_with_context(&none, &HeaderExtractor(headers));
    let span = told.span();
    let parent = span.span_context();
    if !parent.is_valid() {
        return none;
    }
    let (trace, id, flags) = (parent.trace_id(), parent.span_id(), parent.trace_flags());
    none.with_remote_span_context(SpanContext::new(trace, id, flags, true, TraceState::default()))
}

/// Ids of spans from the server's own randomness.
struct Ids(Arc<dyn Entropy>);

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids(…)")
    }
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        let mut bytes = [0; 16];
        self.0.fill(&mut bytes);
        TraceId::from_bytes(bytes)
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(self.0.next_u64())
    }
}
