//! The operator's own API, `/operator/v1`.
//!
//! Owns its routes, a file per noun, and who may call them: operator keys. Must never let a partner's token
//! in, answer anything about a single line, or log what a feed says.

mod events;
mod heartbeats;
mod recorded;
mod rejects;
mod snapshots;
mod sources;
mod status;
mod told;
mod upload;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use laini_core::access::OperatorCredential;
use laini_core::partner::{OperatorKeyId, OperatorScope};
use laini_core::store::{FeedError, RegistryFeed};
use laini_wire::operator::{
    EVENTS_PATH, FEED_PATH, HEARTBEATS_PATH, LoadingAnswer, REJECTS_PATH, RETRY_PATH, SNAPSHOTS_PATH,
};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use self::sources::{LastLoad, LoadWish, Sources};
use self::upload::Upload;
use super::feed::Instants;
use crate::gateway::wrong_method;
use crate::http::{AccountsPicture, ApiError, Context, ForbiddenReason, Throttle, TokenProblem, bearer};
use crate::{Clock, LiveSettings, Settings};

/// How many pairs of address and wrongly claimed key are remembered.
const THROTTLED_MAX: usize = 4_096;

/// What every endpoint works with.
pub(crate) struct OperatorApi {
    feed: Arc<dyn RegistryFeed>,
    accounts: Arc<AccountsPicture>,
    settings: Arc<LiveSettings>,
    clock: Arc<dyn Clock>,
    uploads: Arc<Semaphore>,
    failures: Throttle<(IpAddr, OperatorKeyId)>,
    /// The snapshot that is being loaded here.
    loading: Arc<Mutex<Option<LoadingAnswer>>>,
    /// How the last one ended that a page brought.
    last_load: Mutex<Option<LastLoad>>,
}

/// What axum hands to every handler.
type OperatorState = State<Arc<OperatorApi>>;

impl OperatorApi {
    pub(crate) fn new(
        feed: Arc<dyn RegistryFeed>,
        accounts: Arc<AccountsPicture>,
        settings: Arc<LiveSettings>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let limits = settings.current().limits.clone();
        let failures = limits.token_failures_per_minute;
        let failures = Throttle::new(failures, Duration::from_mins(1) / failures.max(1), THROTTLED_MAX);
        let uploads = Arc::new(Semaphore::new(limits.uploads_max));
        Self {
            feed,
            accounts,
            settings,
            clock,
            uploads,
            failures,
            loading: Arc::default(),
            last_load: Mutex::default(),
        }
    }

    /// Every route of it.
    pub(crate) fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route(EVENTS_PATH, post(events::record_events).get(recorded::list_events).fallback(wrong_method))
            .route(SNAPSHOTS_PATH, post(snapshots::load_snapshot).fallback(wrong_method))
            .route(HEARTBEATS_PATH, post(heartbeats::record_heartbeat).fallback(wrong_method))
            .route(FEED_PATH, get(status::show_feed).fallback(wrong_method))
            .route(REJECTS_PATH, get(rejects::list_rejects).fallback(wrong_method))
            .route(RETRY_PATH, post(rejects::retry_rejects).fallback(wrong_method))
            .with_state(self)
    }

    /// The same on a listener of its own: anything else is not there.
    pub(crate) fn routes_alone(self: Arc<Self>) -> Router {
        self.routes().fallback(unknown_path)
    }

    /// Lets operator keys in that hold `scope`, and nobody else.
    fn admit(&self, headers: &HeaderMap, context: &Context, scope: OperatorScope) -> Result<OperatorKeyId, ApiError> {
        if self.accounts.is_outdated() {
            return Err(ApiError::Unreachable);
        }
        let credential = OperatorCredential::parse(bearer(headers).map_err(ApiError::Token)?)
            .map_err(|_| ApiError::Token(TokenProblem::Unknown))?;
        // Never by the key alone: knowing its id must not lock the operator out.
        let guesser = (context.peer, credential.key);
        if let Err(wait) = self.failures.check(&guesser) {
            return Err(ApiError::SpikeArrest { retry_after_s: wait.as_secs().max(1) });
        }
        let accounts = self.accounts.current();
        // Of a key that is not there nothing can be guessed; it may have been made a moment ago.
        let key = accounts.operator_key(credential.key).ok_or(ApiError::Token(TokenProblem::Unknown))?;
        if !credential.proves(key) {
            self.failures.spend(guesser);
            return Err(ApiError::Token(TokenProblem::Unknown));
        }
        if key.is_revoked {
            return Err(ApiError::Token(TokenProblem::Revoked));
        }
        if !key.is_good(context.at) {
            return Err(ApiError::Token(TokenProblem::Expired));
        }
        if key.scopes.contains(scope) {
            Ok(key.id)
        } else {
            Err(ApiError::Forbidden(ForbiddenReason::MissingScope(scope)))
        }
    }

    /// A place among the uploads that may run at once.
    fn begin_upload(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.uploads).try_acquire_owned().map_err(|_| ApiError::Unreachable)
    }

    /// Lets an upload begin: who sends it, its place, and what it brings.
    fn admit_upload(
        &self,
        request: Request,
        context: &Context,
    ) -> Result<(OperatorKeyId, OwnedSemaphorePermit, Upload), ApiError> {
        let (parts, body) = request.into_parts();
        let admitted = self.admit(&parts.headers, context, OperatorScope::FeedWrite).and_then(|key| {
            upload::readable(&parts.headers)?;
            Ok((key, self.begin_upload()?))
        });
        match admitted {
            Ok((key, place)) => Ok((key, place, Upload::begin(body, &self.settings.current().limits))),
            Err(error) => {
                tokio::spawn(upload::drain(body));
                Err(error)
            }
        }
    }

    /// How instants are read, for a request of `now`.
    fn instants(settings: &Settings, now: Timestamp) -> Instants {
        Instants::new(settings.zone.clone(), now)
    }

    /// Runs what blocks its thread: the feed's side of a registry may.
    async fn blocking<T: Send + 'static>(
        work: impl FnOnce(&Handle) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let runtime = Handle::current();
        let worked = tokio::task::spawn_blocking(move || work(&runtime)).await;
        worked.unwrap_or_else(|error| {
            tracing::error!(%error, "an operator's request failed");
            Err(ApiError::Internal)
        })
    }
}

/// An answer, or the envelope of what went wrong.
fn answered(context: Context, answer: Result<Response, ApiError>) -> Response {
    answer.unwrap_or_else(|error| context.refuse(error))
}

/// What the operator is told when the registry did not do it.
fn feed_failed(error: &FeedError) -> ApiError {
    match error {
        FeedError::Busy | FeedError::OlderCut { .. } => ApiError::FeedConflict(error.to_string()),
        FeedError::CutNeeded => ApiError::SnapshotRefused(format!("{error} (?as_of=…)")),
        FeedError::Shrunk { .. } => ApiError::SnapshotRefused(format!("{error} (?allow_shrink=true)")),
        FeedError::FutureCut { .. } | FeedError::NoLines => ApiError::SnapshotRefused(error.to_string()),
        FeedError::Engine(_) => {
            tracing::error!(%error, "the registry's feed failed");
            ApiError::Unreachable
        }
    }
}

async fn unknown_path(Extension(context): Extension<Context>) -> Response {
    context.refuse(ApiError::UnknownPath)
}
