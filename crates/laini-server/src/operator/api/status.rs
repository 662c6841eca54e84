use std::sync::{Arc, PoisonError};

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use laini_core::disclosure::Freshness;
use laini_core::partner::OperatorScope;
use laini_core::store::{RegistryStatus, SourceStatus};
use laini_wire::operator::{FactsAnswer, FeedAnswer, FreshnessAnswer, LoadingAnswer, SourceAnswer};

use super::{OperatorApi, OperatorState, answered, feed_failed};
use crate::http::{ApiError, Context, json};

/// `GET /operator/v1/feed`: how fresh the registry is, by source and by fact.
pub(super) async fn show_feed(
    State(api): OperatorState,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
) -> Response {
    let showing = async {
        api.admit(&headers, &context, OperatorScope::FeedRead)?;
        Ok(json(StatusCode::OK, &api.feed_now(context.at).await?))
    };
    answered(context, showing.await)
}

impl OperatorApi {
    /// How fresh the registry is at an instant, and how far the snapshot is that is being loaded here.
    pub(super) async fn feed_now(&self, now: Timestamp) -> Result<FeedAnswer, ApiError> {
        let feed = Arc::clone(&self.feed);
        let reading =
            Self::blocking(move |runtime| runtime.block_on(feed.status()).map_err(|error| feed_failed(&error)));
        let status = reading.await?;
        let loading = *self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(shown(&status, self.settings.current().freshness, loading, now))
    }
}

fn shown(status: &RegistryStatus, freshness: Freshness, loading: Option<LoadingAnswer>, now: Timestamp) -> FeedAnswer {
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let lag_s = |at: Option<Timestamp>| at.map(|at| now.duration_since(at).as_secs());
    let fact = |stale_after: Option<SignedDuration>| FreshnessAnswer {
        stale_after_s: stale_after.map(|limit| limit.as_secs()),
        is_stale: Freshness::is_stale(stale_after, status.as_of, now),
    };
    let source = |source: SourceStatus| SourceAnswer {
        source: source.source.as_str().to_owned(),
        required: source.is_required,
        heartbeat: text(source.heartbeat),
        complete_until: text(source.complete_until),
        lag_s: lag_s(source.complete_until),
    };
    FeedAnswer {
        generation: status.generation,
        lines: status.lines,
        snapshot_cut: text(status.cut),
        as_of: text(status.as_of),
        lag_s: lag_s(status.as_of),
        history_since: status
            .history_since
            .map(|at| if at == Timestamp::MIN { "always".to_owned() } else { at.to_string() }),
        events: status.events,
        waiting: status.waiting,
        rejects: status.rejects,
        sources: status.sources().into_iter().map(source).collect(),
        facts: FactsAnswer {
            swap: fact(freshness.swap_stale_after),
            registration: fact(freshness.registration_stale_after),
        },
        loading,
    }
}
