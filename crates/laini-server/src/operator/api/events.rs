use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use laini_wire::operator::EventCounts;

use super::told::Told;
use super::{OperatorApi, OperatorState, answered, feed_failed};
use crate::http::{ApiError, Context};
use crate::operator::feed::{Applied, ApplyError, EventReader, apply_events, decompressed};

/// `POST /operator/v1/events`: records an event feed as it comes, and answers what became of each line once
/// it has ended. What broke off can be sent again whole: an event is taken once.
pub(super) async fn record_events(
    State(api): OperatorState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    answered(context, record(api, &context, request).await)
}

/// Why the recording stopped.
enum Stopped {
    Failed(ApplyError),
    TooManyLines,
}

impl From<ApplyError> for Stopped {
    fn from(error: ApplyError) -> Self {
        Self::Failed(error)
    }
}

async fn record(api: Arc<OperatorApi>, context: &Context, request: Request) -> Result<Response, ApiError> {
    let (key, place, upload) = api.admit_upload(request, context)?;
    let settings = api.settings.current();
    let instants = OperatorApi::instants(&settings, context.at);
    let told = OperatorApi::blocking(move |runtime| {
        let _place = place;
        let mut told = Told::default();
        let clock = || api.clock.now();
        let note = |applied: Applied| {
            if applied.line > settings.limits.event_lines_max {
                return Err(Stopped::TooManyLines);
            }
            told.note(applied);
            Ok(())
        };
        let applied = decompressed(upload).map_err(|error| ApiError::UploadBroken(error.to_string())).map(|input| {
            let mut reader = EventReader::new(input, settings.plan, instants, clock);
            apply_events(&*api.feed, &mut reader, clock, runtime, note)
        })?;
        let EventCounts { events, accepted, repeated, waiting, refused } = told.counts();
        tracing::info!(%key, events, accepted, repeated, waiting, refused, "an event feed was recorded");
        match applied {
            Ok(()) => Ok(told),
            Err(stopped) => Err(stopped.after(told.lines())),
        }
    });
    let told = told.await?;
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], told.into_body()).into_response())
}

impl Stopped {
    /// What the sender is told: how much of it holds, and how to go on.
    fn after(self, lines: u64) -> ApiError {
        match self {
            Self::Failed(ApplyError::Feed(error)) => feed_failed(&error),
            Self::Failed(ApplyError::Read(error)) => ApiError::UploadBroken(format!(
                "after line {lines} it {error}; the lines up to there were recorded: send it again whole, or what is left"
            )),
            Self::TooManyLines => ApiError::UploadBroken(format!(
                "one upload may have {lines} lines, which were recorded; send the rest in another one"
            )),
        }
    }
}
