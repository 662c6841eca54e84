use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use laini_core::store::{FeedError, SnapshotPlan, SnapshotSummary};
use laini_wire::operator::{LoadingAnswer, RejectedRow, SnapshotAnswer};
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::upload::Upload;
use super::{OperatorApi, OperatorState, answered, feed_failed};
use crate::http::{ApiError, Context, json};
use crate::operator::feed::{Instants, LoadError, MaxRejects, RowCounts, SnapshotLoading, SnapshotRules};

/// Refused rows that are told one by one.
const TOLD_MAX: usize = 1_000;

/// The flags of `laini registry import`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnapshotQuery {
    pub(super) as_of: Option<String>,
    pub(super) history_since: Option<String>,
    pub(super) max_rejects: Option<String>,
    pub(super) allow_shrink: Option<bool>,
}

/// `POST /operator/v1/snapshots`: loads an extract as it comes and switches to it, or changes nothing.
pub(super) async fn load_snapshot(
    State(api): OperatorState,
    Extension(context): Extension<Context>,
    query: Result<Query<SnapshotQuery>, QueryRejection>,
    request: Request,
) -> Response {
    answered(context, load(api, &context, query, request).await)
}

/// Shows the loading's progress while there is one.
struct Progress(Arc<Mutex<Option<LoadingAnswer>>>);

impl Progress {
    /// Takes the place; the registry itself lets one load run at a time, also of other processes.
    fn begin(api: &OperatorApi) -> Result<Self, ApiError> {
        let mut loading = api.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if loading.is_some() {
            return Err(feed_failed(&FeedError::Busy));
        }
        *loading = Some(LoadingAnswer { read: 0, rejected: 0, written: 0 });
        Ok(Self(Arc::clone(&api.loading)))
    }

    fn lock(&self) -> MutexGuard<'_, Option<LoadingAnswer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut LoadingAnswer)) {
        if let Some(loading) = &mut *self.lock() {
            change(loading);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        *self.lock() = None;
    }
}

async fn load(
    api: Arc<OperatorApi>,
    context: &Context,
    query: Result<Query<SnapshotQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let (key, place, upload) = api.admit_upload(request, context)?;
    let expected = "expected as_of, history_since, max_rejects and allow_shrink";
    let query = query.map_err(|_| ApiError::InvalidField("query", expected.into()))?.0;
    let answer = load_upload(api, context.at, &query, place, upload).await?;
    tracing::info!(%key, generation = answer.generation, lines = answer.lines, "a snapshot was loaded");
    Ok(json(StatusCode::OK, &answer))
}

/// Loads what an upload brings, in the place that it was given.
pub(super) async fn load_upload(
    api: Arc<OperatorApi>,
    now: Timestamp,
    query: &SnapshotQuery,
    place: OwnedSemaphorePermit,
    upload: Upload,
) -> Result<SnapshotAnswer, ApiError> {
    let settings = api.settings.current();
    let instants = OperatorApi::instants(&settings, now);
    let (plan, max_rejects) = query.plan(&instants, now)?;
    let progress = Progress::begin(&api)?;
    let rules =
        SnapshotRules { plan: settings.plan, instants, workers: available_parallelism().map_or(1, NonZero::get) };
    OperatorApi::blocking(move |runtime| {
        let _place = place;
        load_now(&api, &rules, plan, max_rejects, upload, &progress, runtime).map_err(|error| failed(&error))
    })
    .await
}

fn load_now(
    api: &OperatorApi,
    rules: &SnapshotRules,
    plan: SnapshotPlan,
    max_rejects: MaxRejects,
    upload: Upload,
    progress: &Progress,
    runtime: &Handle,
) -> Result<SnapshotAnswer, LoadError> {
    let mut loading = SnapshotLoading::new(&*api.feed, rules, runtime, plan);
    let mut first_rejected = Vec::new();
    loading.read(upload, |rows, rejected| {
        progress.update(|loading| (loading.read, loading.rejected) = (rows.accepted, rows.rejected));
        let told = rejected.iter().take(TOLD_MAX - first_rejected.len());
        first_rejected.extend(told.map(|row| RejectedRow { line: row.line, reason: row.reason.clone() }));
        Ok(())
    })?;
    let rows = loading.rows();
    let summary = loading.finish(max_rejects, &|lines| progress.update(|loading| loading.written = lines))?;
    Ok(answer(&summary, rows, first_rejected))
}

fn answer(summary: &SnapshotSummary, rows: RowCounts, first_rejected: Vec<RejectedRow>) -> SnapshotAnswer {
    SnapshotAnswer {
        generation: summary.generation,
        as_of: summary.cut.to_string(),
        lines: summary.lines,
        lines_before: summary.lines_before,
        rejected: rows.rejected,
        repeated: summary.repeated,
        contradicted: summary.contradicted,
        events_reapplied: summary.events_reapplied,
        first_rejected,
    }
}

fn failed(error: &LoadError) -> ApiError {
    match error {
        LoadError::Feed(error) => feed_failed(error),
        LoadError::Input(_) => ApiError::UploadBroken(format!("it {error}; nothing was changed")),
        LoadError::Read(error) => ApiError::UploadBroken(format!("it {error}; nothing was changed")),
        LoadError::TooManyRejects { .. } => ApiError::SnapshotRefused(format!("{error} (?max_rejects=…)")),
        LoadError::OtherColumns | LoadError::Listing(_) => ApiError::SnapshotRefused(error.to_string()),
    }
}

impl SnapshotQuery {
    fn plan(&self, instants: &Instants, now: Timestamp) -> Result<(SnapshotPlan, MaxRejects), ApiError> {
        let instant = |text: &Option<String>, field: &'static str| {
            let parsed = text.as_deref().map(|text| instants.parse(text)).transpose();
            parsed.map_err(|error| ApiError::InvalidField(field, error.to_string().into()))
        };
        let max_rejects = match &self.max_rejects {
            Some(text) => text.parse().map_err(|error: String| ApiError::InvalidField("max_rejects", error.into()))?,
            None => MaxRejects::default(),
        };
        let plan = SnapshotPlan {
            cut: instant(&self.as_of, "as_of")?,
            history_since: instant(&self.history_since, "history_since")?,
            has_swaps: true,
            allow_shrink: self.allow_shrink.unwrap_or(false),
            now,
        };
        Ok((plan, max_rejects))
    }
}
