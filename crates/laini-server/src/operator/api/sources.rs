use std::sync::{Arc, PoisonError};

use axum::body::Body;
use jiff::Timestamp;
use laini_core::store::{FeedError, RejectId};
use laini_office::Problem;
use laini_wire::operator::{FeedAnswer, RecordedEventsAnswer, RejectsAnswer, RetryAnswer, SnapshotAnswer};

use super::snapshots::{SnapshotQuery, load_upload};
use super::upload::{Upload, drain};
use super::{OperatorApi, feed_failed};
use crate::http::ApiError;

/// The operator's data sources, for pages of staff: what `/operator/v1` does, without a key. Whoever holds it says who
/// may.
#[derive(Clone)]
pub struct Sources(Arc<OperatorApi>);

/// How the last snapshot that was brought here ended.
#[derive(Debug, Clone)]
pub struct LastLoad {
    /// When it was brought.
    pub at: Timestamp,
    /// What it changed, or why it changed nothing.
    pub ended: Result<SnapshotAnswer, String>,
}

/// How a snapshot is to be loaded: the parameters of `POST /operator/v1/snapshots`, empty where nothing is said.
#[derive(Debug, Clone, Default)]
pub struct LoadWish {
    /// When it was cut.
    pub as_of: String,
    /// How many rows may be refused.
    pub max_rejects: String,
    /// Whether it may have far fewer lines than before.
    pub allow_shrink: bool,
}

impl Sources {
    pub(crate) fn new(api: Arc<OperatorApi>) -> Self {
        Self(api)
    }

    /// How fresh the registry is.
    pub async fn feed(&self, now: Timestamp) -> Result<FeedAnswer, String> {
        self.0.feed_now(now).await.map_err(told)
    }

    /// What feeds told, or one of them, those that came last first.
    pub async fn recorded(
        &self,
        source: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordedEventsAnswer, Problem> {
        self.0.recorded_after(source, after, limit).await.map_err(problem)
    }

    /// What could not be read or applied, newest first.
    pub async fn rejects(&self, after: Option<&str>, limit: usize) -> Result<RejectsAnswer, Problem> {
        self.0.rejects_after(after, limit).await.map_err(problem)
    }

    /// Reads lines again that could not be read.
    pub async fn retry(&self, after: Option<u64>, now: Timestamp) -> Result<RetryAnswer, String> {
        self.0.retry_after(after.map(RejectId), now).await.map_err(told)
    }

    /// How the last snapshot ended that was brought to this node by a page.
    pub fn last_load(&self) -> Option<LastLoad> {
        self.0.last_load.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins to load a snapshot as it comes and goes on by itself; how far it is stands in the feed, how it ended in
    /// the last load. `content` is let go of as soon as all of it is read, or the load has failed.
    pub fn begin_load(&self, content: Body, wish: LoadWish, now: Timestamp) -> Result<(), String> {
        let is_busy = self.0.loading.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let place = if is_busy { Err(feed_failed(&FeedError::Busy)) } else { self.0.begin_upload() };
        let place = match place {
            Ok(place) => place,
            Err(refused) => {
                tokio::spawn(drain(content));
                return Err(told(refused));
            }
        };
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        let query = SnapshotQuery {
            as_of: said(wish.as_of),
            max_rejects: said(wish.max_rejects),
            allow_shrink: Some(wish.allow_shrink),
            ..SnapshotQuery::default()
        };
        let api = Arc::clone(&self.0);
        tokio::spawn(async move {
            let upload = Upload::begin(content, &api.settings.current().limits);
            let ended = load_upload(Arc::clone(&api), now, &query, place, upload).await.map_err(told);
            if let Ok(answer) = &ended {
                tracing::info!(generation = answer.generation, lines = answer.lines, "a snapshot was loaded");
            }
            *api.last_load.lock().unwrap_or_else(PoisonError::into_inner) = Some(LastLoad { at: now, ended });
        });
        Ok(())
    }
}

/// An error of the API as the pages tell it.
fn problem(error: ApiError) -> Problem {
    match error {
        ApiError::InvalidField(field, why) => Problem::invalid(field, why),
        other => Problem::Store(other.message()),
    }
}

/// An error of the API, for people.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over")]
fn told(error: ApiError) -> String {
    error.message()
}
