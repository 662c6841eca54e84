use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use laini_core::line::EventText;
use laini_core::partner::OperatorScope;
use laini_core::store::FeedItem;
use laini_wire::operator::{HeartbeatAnswer, HeartbeatRequest};
use std::sync::Arc;

use super::{OperatorApi, OperatorState, answered, feed_failed};
use crate::http::{ApiError, Context, is_object, json, read_json};

/// `POST /operator/v1/heartbeats`: a feed is complete until an instant, now where none is named.
pub(super) async fn record_heartbeat(
    State(api): OperatorState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let recording = async {
        let (parts, body) = request.into_parts();
        api.admit(&parts.headers, &context, OperatorScope::FeedWrite)?;
        let settings = api.settings.current();
        let bytes = read_json(&parts.headers, body, &context, &settings.limits).await?;
        let said: HeartbeatRequest = match bytes.trim_ascii() {
            b"" => HeartbeatRequest::default(),
            text if is_object(text) => serde_json::from_slice(text).map_err(|_| ApiError::InvalidPayload)?,
            _ => return Err(ApiError::InvalidPayload),
        };
        let source = match &said.source {
            Some(name) => EventText::parse(name).map_err(|e| ApiError::InvalidField("source", e.to_string().into()))?,
            None => EventText::default_source(),
        };
        let until = match &said.until {
            Some(text) => OperatorApi::instants(&settings, context.at)
                .parse(text)
                .map_err(|error| ApiError::InvalidField("until", error.to_string().into()))?,
            None => context.at,
        };
        let answer = HeartbeatAnswer { source: source.as_str().to_owned(), complete_until: until.to_string() };
        let feed = Arc::clone(&api.feed);
        OperatorApi::blocking(move |runtime| {
            let items = vec![FeedItem::Heartbeat { source, until }];
            runtime.block_on(feed.record(items, context.at)).map_err(|error| feed_failed(&error))
        })
        .await?;
        Ok(json(StatusCode::OK, &answer))
    };
    answered(context, recording.await)
}
