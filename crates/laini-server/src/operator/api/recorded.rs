use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use laini_core::line::EventText;
use laini_core::partner::OperatorScope;
use laini_core::store::{RecordedEvent, RecordedQuery};
use laini_wire::operator::{RecordedEventAnswer, RecordedEventsAnswer};
use serde::Deserialize;

use super::{OperatorApi, OperatorState, answered, feed_failed};
use crate::http::{ApiError, Context, json};

/// Events of one answer, unless fewer are asked for.
const EVENTS_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    source: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /operator/v1/events`: what feeds told, those that came last first.
pub(super) async fn list_events(
    State(api): OperatorState,
    Extension(context): Extension<Context>,
    query: Result<Query<ListQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let listing = async {
        api.admit(&headers, &context, OperatorScope::FeedRead)?;
        let query = query.map_err(|_| ApiError::InvalidField("query", "expected source, after and limit".into()))?.0;
        let (source, after) = (query.source.as_deref(), query.after.as_deref());
        let limit = query.limit.unwrap_or(EVENTS_MAX);
        Ok(json(StatusCode::OK, &api.recorded_after(source, after, limit).await?))
    };
    answered(context, listing.await)
}

impl OperatorApi {
    /// What feeds told, or one of them, after the end of the page before.
    pub(super) async fn recorded_after(
        &self,
        source: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordedEventsAnswer, ApiError> {
        let source = source.map(EventText::parse).transpose();
        let source = source.map_err(|error| ApiError::InvalidField("source", error.to_string().into()))?;
        let before = after
            .map(str::parse::<u64>)
            .transpose()
            .map_err(|_| ApiError::InvalidField("after", "expected what the page before ended with as next".into()))?;
        if !(1..=EVENTS_MAX).contains(&limit) {
            return Err(ApiError::InvalidField("limit", format!("expected 1 to {EVENTS_MAX}").into()));
        }
        let feed = Arc::clone(&self.feed);
        let reading = Self::blocking(move |runtime| {
            let query = RecordedQuery { source, before, limit };
            runtime.block_on(feed.recorded(query)).map_err(|error| feed_failed(&error))
        });
        let page = reading.await?;
        let events = page.events.into_iter().map(shown).collect();
        Ok(RecordedEventsAnswer { events, next: page.next.map(|next| next.to_string()) })
    }
}

fn shown(recorded: RecordedEvent) -> RecordedEventAnswer {
    let event = recorded.event;
    RecordedEventAnswer {
        source: event.key.source.as_str().to_owned(),
        event: event.key.id.as_str().to_owned(),
        kind: event.happening.kind().word().to_owned(),
        number: event.msisdn.map(laini_core::line::Msisdn::masked),
        amends: event.happening.amends().map(|of| of.as_str().to_owned()),
        at: event.at.to_string(),
        recorded: event.recorded.to_string(),
        received: recorded.received.to_string(),
    }
}
