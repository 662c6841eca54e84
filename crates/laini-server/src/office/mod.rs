//! The office over HTTP, `/office/v1`: what people do, for their partner or for the operator.
//!
//! Owns who is let in (a session's token), who may do what (each endpoint says it), bodies, pages and idempotency keys,
//! in one place for all of them; a file for each noun lists its endpoints. Must never decide anything that laini-office
//! decides, let a member see another partner's things (404), or answer a check.

mod agreements;
mod apps;
mod assistant;
mod audit;
mod beside;
mod call;
mod credential;
mod deliveries;
mod described;
mod desk;
mod documents;
mod endpoint;
mod going_live;
mod incidents;
mod invoices;
mod ledger;
mod look_ups;
mod member;
mod onboarding;
mod organisation;
mod outside;
mod payments;
mod person;
mod prepaid;
mod privacy;
mod privacy_orders;
mod registration;
mod reply;
mod requests;
mod second_factor;
mod session;
mod single_sign_on;
mod staff;
mod statements;
mod tickets;
mod traffic;
mod usage;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawPathParams, Request};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, RequestExt as _};
use laini_office::{Actor, Office, Problem, Unproven};
use tokio::sync::Semaphore;

pub use assistant::Assistant;
pub(crate) use beside::{Beside, BesideWork};
pub(crate) use call::Call;
pub(crate) use endpoint::{Endpoint, Noun, one_path};
pub use incidents::incident_answer;
pub(crate) use reply::Reply;
pub use single_sign_on::SingleSignOn;

use crate::LiveSettings;
use crate::gateway::wrong_method;
use crate::http::{
    ApiError, Context, ForbiddenReason, SignInProblem, Throttle, TokenProblem, bearer, read_bytes, read_json,
};
use crate::openapi::{Access, JSON};

/// Every noun; a new one is added here and nowhere else.
pub(crate) const NOUNS: &[Noun] = &[
    session::NOUN,
    registration::NOUN,
    single_sign_on::NOUN,
    credential::NOUN,
    second_factor::NOUN,
    member::NOUN,
    staff::NOUN,
    organisation::NOUN,
    documents::NOUN,
    onboarding::NOUN,
    agreements::NOUN,
    payments::NOUN,
    statements::NOUN,
    prepaid::NOUN,
    apps::NOUN,
    going_live::NOUN,
    invoices::NOUN,
    ledger::NOUN,
    requests::NOUN,
    deliveries::NOUN,
    usage::NOUN,
    traffic::NOUN,
    desk::NOUN,
    privacy::NOUN,
    incidents::NOUN,
    tickets::NOUN,
    look_ups::NOUN,
    audit::NOUN,
    assistant::NOUN,
];

/// Work that may go on at once; each piece blocks a thread.
const CALLS_MAX: usize = 16;
/// Of these, of callers who have not signed in: hashing their passwords must not keep the others waiting. More than wait
/// for the identity provider and for a model together, so that a slow one keeps nobody from their password.
const STRANGERS_MAX: usize = 6;

/// Knocks of one client address at the doors that need no session, at once,
const KNOCKS_BURST: u32 = 60;
/// and how long until there is one more.
const KNOCK_EVERY_MS: u64 = 1_000;
/// Addresses whose knocks are counted; beyond, some are forgotten.
const KNOCKERS_MAX: usize = 65_536;

/// What staff may do who must set up a second factor first.
const BEFORE_FACTOR: [&str; 4] = ["show_me", "begin_second_factor", "confirm_second_factor", "close_session"];

/// What every endpoint works with.
pub(crate) struct OfficeApi {
    office: Arc<Office>,
    settings: Arc<LiveSettings>,
    beside: BesideWork,
    places: Semaphore,
    strangers: Semaphore,
    knocks: Throttle<IpAddr>,
}

impl OfficeApi {
    pub(crate) fn new(office: Arc<Office>, settings: Arc<LiveSettings>, beside: BesideWork) -> Self {
        let (places, strangers) = (Semaphore::new(CALLS_MAX), Semaphore::new(STRANGERS_MAX));
        let knocks = Throttle::new(KNOCKS_BURST, Duration::from_millis(KNOCK_EVERY_MS), KNOCKERS_MAX);
        Self { office, settings, beside, places, strangers, knocks }
    }

    /// Every route of it.
    pub(crate) fn routes(self: Arc<Self>) -> Router {
        let mut router = Router::new();
        for endpoints in one_path(NOUNS) {
            let path = endpoints[0].operation.path;
            let mut methods = MethodRouter::new();
            for endpoint in endpoints {
                methods = methods.merge(self.method_of(endpoint));
            }
            router = router.route_service(path, methods.fallback(wrong_method));
        }
        router
    }

    fn method_of(self: &Arc<Self>, endpoint: Endpoint) -> MethodRouter {
        let (api, endpoint) = (Arc::clone(self), Arc::new(endpoint));
        let method = endpoint.operation.method.clone();
        // Each method that is listed is one that axum knows.
        let filter = MethodFilter::try_from(method).unwrap_or(MethodFilter::GET);
        on(filter, move |Extension(context): Extension<Context>, request: Request| {
            let (api, endpoint) = (Arc::clone(&api), Arc::clone(&endpoint));
            async move {
                let answered = api.answer(&context, endpoint, request).await;
                answered.unwrap_or_else(|error| context.refuse(error))
            }
        })
    }

    async fn answer(
        self: Arc<Self>,
        context: &Context,
        endpoint: Arc<Endpoint>,
        mut request: Request,
    ) -> Result<Response, ApiError> {
        let params = request.extract_parts::<RawPathParams>().await.map_err(|_| ApiError::UnknownPath)?;
        let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (parts, body) = request.into_parts();
        let token = Self::token(&endpoint, &parts.headers)?;
        if token.is_none() {
            let wait = |wait: Duration| ApiError::SpikeArrest { retry_after_s: wait.as_secs() + 1 };
            self.knocks.take(context.peer).map_err(wait)?;
        }
        let limits = self.settings.current().limits.clone();
        let limits = crate::Limits { body_bytes: endpoint.body_bytes, ..limits };
        let body = match &endpoint.operation.body {
            None => bytes::Bytes::new(),
            Some(expected) if expected.media_type == JSON => read_json(&parts.headers, body, context, &limits).await?,
            Some(_) => read_bytes(body, context, &limits).await?,
        };
        let is_stranger = token.is_none();
        let _turn =
            if is_stranger { Some(self.strangers.acquire().await.map_err(|_| ApiError::Unreachable)?) } else { None };
        let _place = self.places.acquire().await.map_err(|_| ApiError::Unreachable)?;
        let mut call = Call::new((context, self.beside.reach()), params, &parts, body)?;
        call.session = token.as_deref().and_then(laini_office::people::session_of);
        let api = Arc::clone(&self);
        let done = tokio::task::spawn_blocking(move || api.work(&endpoint, token.as_deref(), &mut call));
        done.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the office failed");
            Err(ApiError::Internal)
        })
    }

    /// The token that a caller shows, where one is needed.
    fn token(endpoint: &Endpoint, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
        match endpoint.operation.access {
            Access::Session(_) => Ok(Some(bearer(headers).map_err(ApiError::Token)?.to_owned())),
            _ => Ok(None),
        }
    }

    fn work(&self, endpoint: &Endpoint, token: Option<&str>, call: &mut Call) -> Result<Response, ApiError> {
        let actor = match token {
            None => Actor::Stranger,
            Some(token) => laini_office::people::authenticate(&self.office, token, call.at).map_err(refused)?,
        };
        if let Access::Session(may) = &endpoint.operation.access {
            // Whose it is comes first: that there is another partner is nobody's business.
            call.is_within_reach_of(&actor)?;
            if !actor.is_allowed(may) {
                return Err(ApiError::Forbidden(ForbiddenReason::NotOfThatRole));
            }
            self.has_what_it_needs(&actor, endpoint, call)?;
        }
        let done = self.do_it(endpoint, &actor, call);
        done.map(Reply::into_response).map_err(|problem| api_error(&problem))
    }

    fn do_it(&self, endpoint: &Endpoint, actor: &Actor, call: &mut Call) -> Result<Reply, Problem> {
        // Only whoever may ask takes a place.
        let _long = endpoint.is_long.then(|| self.office.jobs.long_read()).transpose()?;
        // A check is charged: what was asked already is not asked again.
        let is_repeat = endpoint.beside == Beside::Check
            && self.office.run(actor, call.at, |work| call.is_repeat(&endpoint.operation, work))?;
        if !is_repeat {
            self.beside.before(endpoint, &self.office, actor, call)?;
        }
        let reply = self.office.run(actor, call.at, |work| call.answer_once(endpoint, work))?;
        self.beside.after(endpoint.beside, &self.office, call)?;
        Ok(reply)
    }

    /// Staff of whom a second factor is wanted do nothing before they have one.
    fn has_what_it_needs(&self, actor: &Actor, endpoint: &Endpoint, call: &Call) -> Result<(), ApiError> {
        let must = laini_office::people::must_set_up_factor(&self.office, actor, call.session, call.at);
        if must.map_err(|problem| api_error(&problem))? && !BEFORE_FACTOR.contains(&endpoint.operation.id) {
            return Err(ApiError::Forbidden(ForbiddenReason::NoSecondFactor));
        }
        Ok(())
    }
}

fn refused(problem: laini_office::people::SessionProblem) -> ApiError {
    use laini_office::people::SessionProblem;
    match problem {
        SessionProblem::Unknown => ApiError::Token(TokenProblem::Unknown),
        SessionProblem::Expired => ApiError::Token(TokenProblem::Expired),
        SessionProblem::Store(error) => {
            tracing::error!(error, "sessions cannot be read");
            ApiError::Unreachable
        }
    }
}

/// What callers are told of a problem.
pub(crate) fn api_error(problem: &Problem) -> ApiError {
    match problem {
        Problem::NotFound(_) => ApiError::NoSuchThing,
        Problem::Invalid { field, reason } => ApiError::InvalidField(field, reason.clone()),
        Problem::NotNow(why) => ApiError::NotNow(why.to_string()),
        Problem::Taken(why) => ApiError::Taken(why.to_string()),
        Problem::Forbidden(why) => ApiError::Refused(why.to_string()),
        Problem::Unproven(Unproven::CodeNeeded) => ApiError::SignIn(SignInProblem::CodeNeeded),
        Problem::Unproven(Unproven::Wrong) => ApiError::SignIn(SignInProblem::Wrong),
        Problem::Unproven(Unproven::CodeWrong) => ApiError::SignIn(SignInProblem::CodeWrong),
        Problem::TooOften { retry_after_s } => ApiError::SpikeArrest { retry_after_s: *retry_after_s },
        Problem::TooLarge { .. } => ApiError::BodyTooLarge,
        Problem::Contended => ApiError::NotNow(problem.to_string()),
        Problem::Store(error) => {
            tracing::error!(error, "the office's store failed");
            ApiError::Unreachable
        }
    }
}
