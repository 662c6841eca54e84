use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
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
        let cursor = match query.after.as_deref() {
            None => RejectCursor::START,
            Some(text) => RejectCursor::parse(text).ok_or_else(|| {
                ApiError::InvalidField("after", "expected what the page before ended with as next".into())
            })?,
        };
        let limit = query.limit.unwrap_or(REJECTS_MAX);
        if !(1..=REJECTS_MAX).contains(&limit) {
            return Err(ApiError::InvalidField("limit", format!("expected 1 to {REJECTS_MAX}").into()));
        }
        let feed = Arc::clone(&api.feed);
        let page = OperatorApi::blocking(move |runtime| {
            runtime.block_on(feed.rejects(cursor, limit)).map_err(|error| feed_failed(&error))
        })
        .await?;
        let rejects = page.rejects.into_iter().map(shown).collect();
        Ok(json(StatusCode::OK, &RejectsAnswer { rejects, next: page.next.map(|next| next.to_string()) }))
    };
    answered(context, listing.await)
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
        let place = api.begin_upload()?;
        let settings = api.settings.current();
        let (feed, now) = (Arc::clone(&api.feed), context.at);
        let instants = OperatorApi::instants(&settings, now);
        let retried = OperatorApi::blocking(move |runtime| {
            let _place = place;
            feed::retry_rejects(&*feed, settings.plan, &instants, now, runtime, (after, RETRIED_MAX))
                .map_err(|error| feed_failed(&error))
        })
        .await?;
        tracing::info!(%key, ?retried, "refused lines were read again");
        let feed::Retried { lines, accepted, waiting, refused, unreadable, more_after } = retried;
        let next = more_after.map(|id| id.0);
        Ok(json(StatusCode::OK, &RetryAnswer { lines, accepted, waiting, refused, unreadable, next }))
    };
    answered(context, retrying.await)
}
