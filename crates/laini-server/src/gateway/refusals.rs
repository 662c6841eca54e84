use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use laini_core::line::Msisdn;
use laini_core::partner::{AppView, Product};
use laini_core::store::{MaskedNumber, REFUSED_CALLS_PER_APP, RefusalLog, RefusedCall};
use prometheus_client::metrics::counter::Counter;
use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Gateway;
use crate::http::{Context, Refused, bearer};

/// Refused calls are written down so often: so old is what people see at most.
const WRITE_EVERY_MS: u64 = 1_000;
/// Calls that wait for that at most; what comes beyond is lost, and counted.
const WAITING_MAX: usize = 1_024;
/// Writing them may take so long; what was not written by then is lost.
const WRITE_TIMEOUT_MS: u64 = 5_000;

/// Calls that were answered with an error, until they are written down. Nobody who calls waits for that, and a call that
/// is answered with facts does not come here at all.
pub(super) struct Refusals {
    log: Arc<dyn RefusalLog>,
    waiting: Mutex<Vec<RefusedCall>>,
    lost: Counter,
}

impl Refusals {
    pub(super) fn new(log: Arc<dyn RefusalLog>, lost: Counter) -> Self {
        Self { log, waiting: Mutex::default(), lost }
    }

    /// Puts a call to those that wait; `make` is not asked where there is no place for it.
    fn note(&self, make: impl FnOnce() -> RefusedCall) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX {
            waiting.push(make());
        } else {
            self.lost.inc();
        }
    }

    /// Writes them down for ever, now and then.
    pub(super) async fn keep(&self) {
        let mut ticks = interval(Duration::from_millis(WRITE_EVERY_MS));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.write().await;
        }
    }

    /// Writes down what waits.
    pub(super) async fn write(&self) {
        let calls = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if calls.is_empty() {
            return;
        }
        let (log, count) = (Arc::clone(&self.log), calls.len() as u64);
        let runtime = Handle::current();
        // An engine may do the work on the thread that asks: not on one that answers checks.
        let writing = tokio::task::spawn_blocking(move || runtime.block_on(log.keep(calls, REFUSED_CALLS_PER_APP)));
        let why = match timeout(Duration::from_millis(WRITE_TIMEOUT_MS), writing).await {
            Ok(Ok(Ok(()))) => return,
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.lost.inc_by(count);
        tracing::warn!(why, count, "refused calls could not be written down; their log has a gap");
    }
}

/// What was called, and about whom.
#[derive(Clone, Copy)]
pub(super) struct Called<'a> {
    pub(super) context: &'a Context,
    /// One of our own paths; empty where there is no such path.
    pub(super) path: &'static str,
    pub(super) product: Option<Product>,
    /// The one number, where it could be read.
    pub(super) msisdn: Option<Msisdn>,
}

impl Gateway {
    /// Notes how a call of a known app was answered, where that is with an error.
    pub(super) fn note_answer(&self, app: &AppView, called: Called<'_>, response: &Response) {
        let status = response.status();
        if status < StatusCode::BAD_REQUEST {
            return;
        }
        let Some(refused) = response.extensions().get::<Refused>() else { return };
        let context = called.context;
        self.refusals.note(|| RefusedCall {
            id: context.id,
            at: context.at,
            partner: app.partner.id,
            app: app.app.id,
            environment: app.app.environment,
            path: called.path.to_owned(),
            product: called.product,
            status: status.as_u16(),
            code: refused.code.to_owned(),
            stage: refused.stage,
            reason: refused.reason.clone().into_owned(),
            micros: u64::try_from(context.began.elapsed().as_micros()).unwrap_or(u64::MAX),
            about: called.msisdn.map(|msisdn| MaskedNumber::of(msisdn, self.subjects.number(msisdn))),
        });
    }

    /// The same, of a call that was not let in: its app is known where it has a token that was made here, be it expired
    /// or revoked.
    pub(super) fn note_turned_away(&self, headers: &HeaderMap, called: Called<'_>, response: &Response) {
        let claims = bearer(headers).ok().and_then(|token| self.tokens.read(token).ok());
        if let Some(app) = claims.and_then(|claims| self.accounts.current().app(claims.app).map(Arc::clone)) {
            self.note_answer(&app, called, response);
        }
    }

    /// The same, of a request for a token under a consumer key that is known.
    pub(super) fn note_no_token(&self, key: Option<&str>, called: Called<'_>, response: &Response) {
        let app = key.and_then(|key| self.accounts.current().by_consumer_key(key).map(Arc::clone));
        if let Some(app) = app {
            self.note_answer(&app, called, response);
        }
    }

    /// Writes down refused calls for ever, now and then.
    pub(crate) async fn keep_refusals(&self) {
        self.refusals.keep().await;
    }

    /// Writes down what is not written down yet of refused calls.
    pub(crate) async fn write_refusals(&self) {
        self.refusals.write().await;
    }
}
