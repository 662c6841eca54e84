//! The gateway: what partners call.
//!
//! Owns the token doors, the checks and the probes, a file each. Must never answer a fact before its
//! ledger row is durable, name an engine, or put a number, an IMSI, a token or a secret into a log or
//! an error.

mod accept;
mod admit;
mod age;
mod answer;
mod call_times;
mod check;
mod checks;
mod credentials;
mod dates;
mod decide;
mod deliveries;
mod fault;
mod generate;
mod header;
mod imsi;
mod keyed;
mod ledger_health;
mod limits;
mod oauth2;
mod probes;
mod refusals;
mod retell;
mod secret_uses;
mod swap;
mod tokens_given;

use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use laini_core::access::TokenKey;
use laini_core::billing::{CheckId, CheckIds, Outcome};
use laini_core::partner::{AppView, Environment, Observed};
use laini_core::store::{
    AccountStore, AnswerMemory, AuditEntry, Ledger, LedgerError, Recorded, Registry, RegistryError, Stage,
    SubjectHasher,
};
use laini_wire::check::{AGE_PATH, IMSI_PATH, SWAP_PATH};
use laini_wire::checks::CHECKS_PATH;
use laini_wire::delivery::{ACKNOWLEDGE_PATH, DELIVERIES_PATH};
use laini_wire::token::{GENERATE_PATH, OAUTH2_PATH};

use crate::delivery::Deliveries;
use crate::http::{AccountsPicture, ApiError, Context, Load, Throttle};
use crate::observe::{Metrics, Step, Traces};
use crate::openapi::{OPENAPI_PATH, POSTMAN_PATH, show_openapi, show_postman};
use crate::sandbox::{self, RunWatch, SandboxWorlds};
use crate::{Clock, Deps, Entropy, LiveSettings, Settings};
use call_times::NotedTimes;
pub(crate) use decide::Decided;
use ledger_health::LedgerHealth;
use limits::{Limiter, Notice};
use refusals::{Called, Refusals};
pub(crate) use retell::Retell;
use secret_uses::SecretUses;
pub use tokens_given::TokensGiven;

/// How many addresses, and how many pairs of address and key, the throttles remember.
const THROTTLED_MAX: usize = 65_536;

/// What every endpoint works with.
pub(crate) struct Gateway {
    registry: Arc<dyn Registry>,
    ledger: Arc<dyn Ledger>,
    load: Arc<Load>,
    ledger_health: LedgerHealth,
    answers: Arc<dyn AnswerMemory>,
    accounts: Arc<AccountsPicture>,
    limits: Limiter,
    deliveries: Arc<Deliveries>,
    worlds: Arc<SandboxWorlds>,
    tokens: TokenKey,
    subjects: SubjectHasher,
    ids: Arc<CheckIds>,
    entropy: Arc<dyn Entropy>,
    settings: Arc<LiveSettings>,
    metrics: Option<Arc<Metrics>>,
    traces: Option<Arc<Traces>>,
    token_requests: Throttle<IpAddr>,
    token_failures: Throttle<(IpAddr, u64)>,
    /// Consumer keys are remembered as hashes: whatever is presented takes eight bytes.
    key_hasher: RandomState,
    secret_uses: SecretUses,
    tokens_given: Arc<TokensGiven>,
    call_times: NotedTimes,
    runs: Arc<RunWatch>,
    refusals: Refusals,
}

impl Gateway {
    pub(crate) fn new(
        deps: Deps,
        accounts: Arc<AccountsPicture>,
        ids: Arc<CheckIds>,
        deliveries: Arc<Deliveries>,
        settings: Arc<LiveSettings>,
        load: Arc<Load>,
        runs: Arc<RunWatch>,
    ) -> Self {
        let at_start = settings.current();
        let limits = &at_start.limits;
        let lost = deps.metrics.as_ref().map(|metrics| metrics.refused_calls_lost().clone()).unwrap_or_default();
        let refusals = Refusals::new(Arc::clone(&deps.office.refusals), lost);
        let each = |period_s: u64, count: u32| Duration::from_secs(period_s) / count.max(1);
        Self {
            registry: deps.registry,
            answers: deps.answers,
            load,
            ledger_health: LedgerHealth::default(),
            limits: Limiter::new(
                notices(deps.accounts, Arc::clone(&deliveries)),
                deps.shares,
                Arc::clone(&deps.ledger),
                Arc::clone(&accounts),
            ),
            ledger: deps.ledger,
            deliveries,
            accounts,
            worlds: Arc::new(SandboxWorlds::new(deps.worlds, deps.clock, Arc::clone(&settings))),
            tokens: deps.keys.token(),
            subjects: deps.keys.subject(),
            ids,
            entropy: deps.entropy,
            metrics: deps.metrics,
            traces: deps.traces,
            token_requests: Throttle::new(
                limits.token_requests_burst,
                each(1, limits.token_requests_per_second),
                THROTTLED_MAX,
            ),
            token_failures: Throttle::new(
                limits.token_failures_per_minute,
                each(60, limits.token_failures_per_minute),
                THROTTLED_MAX,
            ),
            key_hasher: RandomState::new(),
            secret_uses: SecretUses::default(),
            tokens_given: Arc::default(),
            call_times: NotedTimes::new(deps.office),
            runs,
            refusals,
            settings,
        }
    }

    /// The identity of a further check of a request.
    fn mint(&self, at: Timestamp) -> CheckId {
        self.ids.mint(at, self.entropy.next_u64())
    }

    /// Takes over what was counted before this server started.
    pub(crate) async fn recall_usage(&self, now: Timestamp) -> Result<(), LedgerError> {
        let zone = &self.settings.current().zone;
        let usage = self.ledger.usage(Limiter::remembers_from(now, zone), now).await?;
        let accounts = self.accounts.current();
        self.limits.learn(&usage, |app| accounts.app(app).map(|view| view.partner.id), now, zone);
        Ok(())
    }

    /// Writes down now and then, for ever, when secrets were last used.
    pub(crate) async fn keep_secret_uses(&self) {
        self.secret_uses.keep(self.accounts.store()).await;
    }

    /// Writes down what is not written down yet of the last uses of secrets.
    pub(crate) async fn note_secret_uses(&self) {
        self.secret_uses.write(self.accounts.store()).await;
    }

    /// The tokens that it gave, for pages.
    pub(crate) fn tokens_given(&self) -> &Arc<TokensGiven> {
        &self.tokens_given
    }

    /// Writes down now and then, for ever, how long calls took.
    pub(crate) async fn keep_call_times(&self, clock: &dyn Clock) {
        self.call_times.keep(clock).await;
    }

    /// Writes down what is not written down yet of how long calls took.
    pub(crate) async fn write_call_times(&self, at: Timestamp) {
        self.call_times.write(at).await;
    }

    /// Shares limits with other nodes for ever, where there are any.
    pub(crate) async fn share_limits(&self) {
        self.limits.share(&self.accounts).await;
    }

    /// Gives the other nodes what this one reserved of shared limits and does not need any more.
    pub(crate) async fn give_limits_back(&self) {
        self.limits.give_back(&self.accounts).await;
    }

    /// What is in force now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.current()
    }

    /// What is in force, as it changes.
    pub(crate) fn live_settings(&self) -> &LiveSettings {
        &self.settings
    }

    /// The sandbox apps' own lines and clocks.
    pub(crate) fn worlds(&self) -> &Arc<SandboxWorlds> {
        &self.worlds
    }

    /// Notes how long a call took, once its records are durable, where one of them tells facts.
    fn note_time(&self, app: &AppView, context: &Context, recorded: &[Recorded]) {
        if recorded.iter().any(|one| matches!(one.outcome, Outcome::Answered | Outcome::Repeated)) {
            self.call_times.note(app.app.id, context.at, context.began.elapsed());
        }
    }

    /// Lets the watch of scripted runs see how a sandbox app was answered.
    fn seen(&self, app: &AppView, context: &Context, response: &Response) {
        if app.app.environment != Environment::Sandbox {
            return;
        }
        self.runs.answered(app.app.id, context.at, || {
            let headers = response.headers();
            let retry_after_s = || headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok();
            match response.status() {
                StatusCode::TOO_MANY_REQUESTS => Observed::TooMany { retry_after_s: retry_after_s().unwrap_or(1) },
                _ if headers.contains_key(header::REPLAYED) => Observed::Replayed,
                _ => Observed::Answered,
            }
        });
    }

    /// Begins a step of the request that this thread works on, where that is traced.
    fn step(&self, name: &'static str) -> Option<Step> {
        self.traces.as_ref()?.step(name)
    }

    /// Every route there is.
    pub(crate) fn routes(self: Arc<Self>) -> axum::Router {
        axum::Router::new()
            .route(IMSI_PATH, post(imsi::check_imsi).fallback(wrong_method))
            .route(SWAP_PATH, post(swap::check_swap).fallback(wrong_method))
            .route(AGE_PATH, post(age::check_age).fallback(wrong_method))
            .route(CHECKS_PATH, post(checks::create_checks).fallback(wrong_method))
            .route("/v1/checks/{id}", get(checks::read_check).fallback(wrong_method))
            .route(DELIVERIES_PATH, get(deliveries::take_deliveries).fallback(wrong_method))
            .route(ACKNOWLEDGE_PATH, post(deliveries::acknowledge_delivery).fallback(wrong_method))
            // Not for HEAD: a token that nobody sees would still revoke others.
            .route(GENERATE_PATH, get(generate::generate_token).head(only_get).fallback(only_get))
            .route(OAUTH2_PATH, post(oauth2::issue_token).fallback(wrong_method))
            .route("/livez", get(probes::livez).fallback(wrong_method))
            .route("/readyz", get(probes::readyz).fallback(wrong_method))
            .route(OPENAPI_PATH, get(show_openapi).fallback(wrong_method))
            .route(POSTMAN_PATH, get(show_postman).fallback(wrong_method))
            .merge(sandbox::routes())
            .fallback(unknown_path)
            .with_state(self)
    }
}

/// What the caller is told when the registry gave no answer; the log is told why.
fn registry_failed(error: &RegistryError) -> ApiError {
    // As with the ledger: shedding load is no failure of ours.
    if !matches!(error, RegistryError::Busy) {
        tracing::error!(%error, "a check failed");
    }
    match error {
        RegistryError::Empty => ApiError::RegistryIncomplete,
        RegistryError::Bad(_) => ApiError::RegistryBad,
        RegistryError::Unavailable(_) | RegistryError::Busy => ApiError::Unreachable,
        RegistryError::TooSlow => ApiError::RegistryTooSlow,
    }
}

/// What the caller is told when the ledger did not confirm; the log is told why.
fn ledger_failed(error: &LedgerError) -> ApiError {
    // Shedding load is no failure of ours, and under overload there would be a line for each check.
    if !matches!(error, LedgerError::Busy) {
        tracing::error!(%error, "a check failed");
    }
    match error {
        LedgerError::Busy => ApiError::UnreachableAt(Stage::Charge),
        LedgerError::NotRecorded(_) => ApiError::NotRecorded,
        LedgerError::Unknown(_) | LedgerError::Unreadable(_) => ApiError::NotConfirmed,
    }
}

/// Tells people of what the limits noticed: the log at once, the audit trail beside the check.
fn notices(accounts: Arc<dyn AccountStore>, deliveries: Arc<Deliveries>) -> limits::Notify {
    Arc::new(move |view, notice, at| {
        let app = view.app.id;
        let (action, reason, warning) = match notice {
            Notice::Probing(suspicion) => ("app.flagged", suspicion.reason().to_owned(), None),
            Notice::Budget(percent) => {
                let reason = format!("{percent} % of the month's budget are spent");
                ("app.budget_warned", reason, view.app.limits.budget.as_ref().map(|budget| (percent, budget.month)))
            }
        };
        tracing::warn!(%app, reason, "{action}");
        let actor = "laini".to_owned();
        let audit = AuditEntry { at, actor, action: action.to_owned(), target: app.to_string(), reason, partner: None };
        let (accounts, deliveries) = (Arc::clone(&accounts), Arc::clone(&deliveries));
        let warnings = warning.map(|(percent, month)| deliveries.warnings(view, percent, month, at));
        tokio::spawn(async move {
            if let Err(error) = accounts.audit(audit).await {
                tracing::warn!(%error, "a notice could not be written into the audit trail");
            }
            if let Err(error) = deliveries.put(warnings.unwrap_or_default()).await {
                tracing::error!(%error, "a budget warning could not be put into the outbox");
            }
        });
    })
}

/// What axum hands to every handler.
pub(crate) type GatewayState = State<Arc<Gateway>>;

async fn unknown_path(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
) -> Response {
    let response = context.refuse(ApiError::UnknownPath);
    let called = Called { context: &context, path: "", product: None, msisdn: None };
    gateway.note_turned_away(&headers, called, &response);
    response
}

async fn only_get(Extension(context): Extension<Context>, method: Method) -> Response {
    let mut response = context.refuse(ApiError::WrongMethod(method));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    response
}

/// axum adds the `Allow` header.
pub(crate) async fn wrong_method(Extension(context): Extension<Context>, method: Method) -> Response {
    context.refuse(ApiError::WrongMethod(method))
}
