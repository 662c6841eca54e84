use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use laini_core::partner::OperatorScope;
use laini_core::store::{Reject, RejectCursor, RejectId};
use laini_wire::operator::{RejectAnswer, RejectsAnswer, RetryAnswer};
use serde::Deserialize;

use super::{OperatorApi, OperatorState, answered, feed_failed};
use crate::http::{ApiError, Context, json};
use crate::operator::feed;

/// Rejects of one answer, unless fewer are asked for.
const REJECTS_MAX: usize = 1_000;
/// Lines that one request reads again; the next one goes on.
const RETRIED_MAX: u64 = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /operator/v1/rejects`: what could not be read or applied, newest first.
pub(super) async fn list_rejects(
    State(api): OperatorState,
    Extension(context): Extension<Context>,
    query: Result<Query<ListQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let listing = async {
        api.admit(&headers, &context, OperatorScope::FeedRead)?;
        let query = query.map_err(|_| ApiError::InvalidField("query", "expected after and limit".into()))?.0;
        let limit = query.limit.unwrap_or(REJECTS_MAX);
        Ok(json(StatusCode::OK, &api.rejects_after(query.after.as_deref(), limit).await?))
    };
    answered(context, listing.await)
}

impl OperatorApi {
    /// What could not be read or applied, newest first, after the end of the page before.
    pub(super) async fn rejects_after(&self, after: Option<&str>, limit: usize) -> Result<RejectsAnswer, ApiError> {
        let cursor = match after {
            None => RejectCursor::START,
            Some(text) => RejectCursor::parse(text).ok_or_else(|| {
                ApiError::InvalidField("after", "expected what the page before ended with as next".into())
            })?,
        };
        if !(1..=REJECTS_MAX).contains(&limit) {
            return Err(ApiError::InvalidField("limit", format!("expected 1 to {REJECTS_MAX}").into()));
        }
        let feed = Arc::clone(&self.feed);
        let reading = Self::blocking(move |runtime| {
            runtime.block_on(feed.rejects(cursor, limit)).map_err(|error| feed_failed(&error))
        });
        let page = reading.await?;
        let rejects = page.rejects.into_iter().map(shown).collect();
        Ok(RejectsAnswer { rejects, next: page.next.map(|next| next.to_string()) })
    }

    /// Reads again what could not be read, by the rules of now.
    pub(super) async fn retry_after(&self, after: Option<RejectId>, now: Timestamp) -> Result<RetryAnswer, ApiError> {
        let place = self.begin_upload()?;
        let settings = self.settings.current();
        let feed = Arc::clone(&self.feed);
        let instants = Self::instants(&settings, now);
        let reading = Self::blocking(move |runtime| {
            let _place = place;
            feed::retry_rejects(&*feed, settings.plan, &instants, now, runtime, (after, RETRIED_MAX))
                .map_err(|error| feed_failed(&error))
        });
        let feed::Retried { lines, accepted, waiting, refused, unreadable, more_after } = reading.await?;
        let next = more_after.map(|id| id.0);
        Ok(RetryAnswer { lines, accepted, waiting, refused, unreadable, next })
    }
}

fn shown(reject: Reject) -> RejectAnswer {
    let (event, source) = match reject.key {
        Some(key) => (Some(key.id.as_str().to_owned()), Some(key.source.as_str().to_owned())),
        None => (None, None),
    };
    RejectAnswer {
        place: reject.place,
        event,
        source,
        reason: reject.reason,
        waits: reject.waits,
        can_be_retried: reject.line.is_some(),
        received: reject.received.to_string(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryQuery {
    after: Option<u64>,
}

/// `POST /operator/v1/rejects/retry`: reads again, by the rules of now, what could not be read.
pub(super) async fn retry_rejects(
    State(api): OperatorState,
    Extension(context): Extension<Context>,
    query: Result<Query<RetryQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let retrying = async {
        let key = api.admit(&headers, &context, OperatorScope::FeedWrite)?;
        let invalid = |_| ApiError::InvalidField("after", "expected what the answer before ended with as next".into());
        let after = query.map_err(invalid)?.0.after.map(RejectId);
        let retried = api.retry_after(after, context.at).await?;
        tracing::info!(%key, ?retried, "refused lines were read again");
        Ok(json(StatusCode::OK, &retried))
    };
    answered(context, retrying.await)
}
