//! The world API: how a sandbox app changes its own lines and its clock.
//!
//! Owns its routes, a file per noun. Must never serve a production app, and must never touch the world of
//! another app than the token's.

mod clock;
mod event;
mod feed;
mod line;
mod lines;
mod world;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::rejection::PathRejection;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::line::Msisdn;
use laini_core::partner::{AppId, Environment};
use laini_core::sandbox::{Moment, World, WorldRefusal};
use laini_core::store::WorldsError;
use laini_wire::world::{
    ADVANCE_PATH, CLOCK_PATH, EVENTS_PATH, FEED_START_PATH, FEED_STOP_PATH, LINE_PATH, LINES_PATH, RESET_PATH,
    WORLD_PATH,
};
use serde::de::DeserializeOwned;

use super::{SandboxWorlds, WordError};
use crate::Capability;
use crate::gateway::{Gateway, wrong_method};
use crate::http::{ApiError, Context, ForbiddenReason, is_object, read_json};

/// Every route of the world API.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route(WORLD_PATH, get(world::show_world).delete(world::delete_world).fallback(wrong_method))
        .route(RESET_PATH, post(world::reset_world).fallback(wrong_method))
        .route(LINES_PATH, get(lines::list_lines).fallback(wrong_method))
        .route(
            LINE_PATH,
            get(line::show_line)
                .put(line::put_line)
                .patch(line::amend_line)
                .delete(line::delete_line)
                .fallback(wrong_method),
        )
        .route(EVENTS_PATH, post(event::add_event).fallback(wrong_method))
        .route(CLOCK_PATH, get(clock::show_clock).fallback(wrong_method))
        .route(ADVANCE_PATH, post(clock::advance_clock).fallback(wrong_method))
        .route(FEED_STOP_PATH, post(feed::stop_feed).fallback(wrong_method))
        .route(FEED_START_PATH, post(feed::start_feed).fallback(wrong_method))
}

/// The number of a line, as the path has it.
type LinePath = Result<axum::extract::Path<String>, PathRejection>;

/// A call of a sandbox app.
struct Call<'a> {
    gateway: &'a Gateway,
    context: Context,
    app: AppId,
    parts: Parts,
}

impl<'a> Call<'a> {
    /// Lets sandbox apps in, and nobody else; the body is still to be read.
    fn admit(gateway: &'a Gateway, context: Context, request: Request) -> Result<(Self, Body), ApiError> {
        let (parts, body) = request.into_parts();
        let app = gateway.caller(&parts.headers, &context)?;
        if app.app.environment != Environment::Sandbox {
            return Err(ApiError::Forbidden(ForbiddenReason::SandboxOnly));
        }
        gateway.live_settings().offers(Capability::Worlds)?;
        Ok((Self { gateway, context, app: app.app.id, parts }, body))
    }

    fn now(&self) -> Timestamp {
        self.context.at
    }

    fn zone(&self) -> TimeZone {
        self.gateway.settings().zone.clone()
    }

    fn worlds(&self) -> &SandboxWorlds {
        self.gateway.worlds()
    }

    fn number(&self, path: LinePath) -> Result<Msisdn, ApiError> {
        let plan = self.gateway.settings().plan;
        let number = path.ok().and_then(|text| plan.parse(&text.0).ok());
        number.ok_or(ApiError::InvalidField("msisdn", "expected a number of this operator".into()))
    }

    /// The world of the app, as it is.
    async fn world(&self) -> Result<World, ApiError> {
        self.worlds().world(self.app).await.map_err(failed)
    }

    /// What `look` sees in the world of the app.
    async fn see<T: Send + 'static>(
        &self,
        world: World,
        look: impl FnOnce(&World, Moment<'_>) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        self.worlds().see(world, self.now(), look).await.map_err(failed)
    }

    /// Changes the world of the app.
    async fn change(
        &self,
        change: impl Fn(&mut World, Moment<'_>) -> Result<(), WorldRefusal> + Send + Sync + 'static,
    ) -> Result<World, ApiError> {
        self.worlds().change(self.app, self.now(), change).await.map_err(failed)
    }

    /// Reads its body; `fields` says what may stand in it.
    async fn read<T: DeserializeOwned>(&self, body: Body, fields: &'static str) -> Result<T, ApiError> {
        let settings = self.gateway.settings();
        let bytes = read_json(&self.parts.headers, body, &self.context, &settings.limits).await?;
        if !is_object(&bytes) {
            return Err(ApiError::InvalidPayload);
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            if error.is_data() { ApiError::InvalidField("body", fields.into()) } else { ApiError::InvalidPayload }
        })
    }
}

/// An answer, or the envelope of what went wrong.
fn answered(context: Context, answer: Result<Response, ApiError>) -> Response {
    answer.unwrap_or_else(|error| context.refuse(error))
}

fn failed(error: WorldsError) -> ApiError {
    match error {
        WorldsError::Refused(WorldRefusal::NoSuchLine) => ApiError::NotServed,
        WorldsError::Refused(refusal) => ApiError::WorldConflict(refusal.to_string()),
        error @ WorldsError::Engine(_) => {
            tracing::error!(%error, "a sandbox world cannot be read or changed");
            ApiError::Unreachable
        }
    }
}

fn unreadable(error: WordError) -> ApiError {
    ApiError::InvalidField(error.field, error.problem)
}
