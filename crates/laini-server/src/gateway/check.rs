use std::time::Duration;

use jiff::Timestamp;
use laini_core::billing::{Charge, CheckId, Outcome, PriceStamp};
use laini_core::disclosure::{Decision, Facts, Freshness, POLICY_VERSION, UnknownReason, Windows, disclose};
use laini_core::line::{Line, Msisdn};
use laini_core::partner::{AppView, Environment, Product};
use laini_core::store::{Draft, LedgerError, Lookup, Recorded, RegistryError, Subject};
use tokio::time::{Instant, timeout_at};

use super::Gateway;
use crate::Settings;

/// One question about one line, by somebody who may ask it.
pub(super) struct Question<'a> {
    pub(super) id: CheckId,
    pub(super) at: Timestamp,
    pub(super) app: &'a AppView,
    pub(super) price: PriceStamp,
    pub(super) product: Product,
    pub(super) msisdn: Msisdn,
    /// The caller's own id of the request.
    pub(super) request_id: Option<&'a [u8]>,
    pub(super) deadline: Instant,
    /// In force since it was asked.
    pub(super) settings: &'a Settings,
}

/// A check whose record is durable.
pub(super) struct Checked {
    pub(super) finding: Finding,
    pub(super) charge: Charge,
    pub(super) as_of: Option<Timestamp>,
    pub(super) windows: Windows,
}

/// What may be answered.
pub(super) enum Finding {
    /// Facts, and for [`Product::Imsi`] the pseudonym.
    Facts(Facts, Option<String>),
    /// The number is not served here.
    NotServed,
    /// The holder's data is restricted.
    Withheld,
    /// The registry cannot say.
    Unknown(UnknownReason),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckFailure {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Gateway {
    /// The heart of the server: look-up, disclosure, pseudonym, charge, durable record. What it
    /// returns may be answered; without a record nothing is.
    pub(super) async fn check(&self, question: Question<'_>) -> Result<Checked, CheckFailure> {
        let found = self.look_up(&question).await?;
        let Lookup { state, horizon } = &found.lookup;
        let decision = disclose(state, *horizon, found.windows, found.freshness, found.now, &question.settings.zone);
        let finding = match decision {
            _ if let Some(reason) = decision.unknown_for(question.product) => Finding::Unknown(reason),
            Decision::Unknown(reason) => Finding::Unknown(reason),
            Decision::NotServed => Finding::NotServed,
            Decision::Withheld => Finding::Withheld,
            Decision::Facts(facts) => Finding::Facts(facts, state.line.as_ref().and_then(|line| imsi(&question, line))),
        };
        let draft = self.draft(&question, &finding, &decision, horizon.as_of);
        let recorded = self.record(draft, &question).await?;
        Ok(Checked { finding, charge: recorded.charge, as_of: horizon.as_of, windows: found.windows })
    }

    async fn look_up(&self, question: &Question<'_>) -> Result<Found, RegistryError> {
        let windows = question.app.windows;
        match question.app.app.environment {
            Environment::Sandbox => {
                let found = self.worlds.look_up(question.app.app.id, question.msisdn, question.at);
                let windows = found.windows.unwrap_or(windows);
                Ok(Found { lookup: found.lookup, now: found.now, windows, freshness: found.freshness })
            }
            Environment::Production => {
                let deadline = within(question.settings.limits.look_up_timeout_ms, question.deadline);
                let looking_up = self.registry.look_up(question.msisdn);
                let lookup = timeout_at(deadline, looking_up).await.map_err(|_| RegistryError::TooSlow)??;
                Ok(Found { lookup, now: question.at, windows, freshness: question.settings.freshness })
            }
        }
    }

    fn draft(
        &self,
        question: &Question<'_>,
        finding: &Finding,
        decision: &Decision,
        as_of: Option<Timestamp>,
    ) -> Draft {
        let Question { app, product, msisdn, request_id, .. } = *question;
        Draft {
            id: question.id,
            at: question.at,
            partner: app.partner.id,
            app: app.app.id,
            agreement: app.agreement.as_ref().map(|agreement| agreement.id),
            product,
            environment: app.app.environment,
            purpose: app.app.purpose,
            outcome: match finding {
                Finding::Facts(..) => Outcome::Answered,
                Finding::NotServed => Outcome::NotServed,
                Finding::Withheld => Outcome::Withheld,
                Finding::Unknown(_) => Outcome::Unknown,
            },
            price: question.price,
            as_of,
            policy_version: POLICY_VERSION,
            repeat: self.subjects.repeat(app.app.id, product, msisdn, request_id),
            subject: Subject {
                msisdn,
                facts: Subject::describe(decision),
                reference: None,
                hash: self.subjects.number(msisdn),
            },
        }
    }

    async fn record(&self, draft: Draft, question: &Question<'_>) -> Result<Recorded, LedgerError> {
        let deadline = within(question.settings.limits.record_timeout_ms, question.deadline);
        let unconfirmed = |_| LedgerError::Unknown("no answer in time".to_owned());
        let recorded = timeout_at(deadline, self.ledger.record(draft)).await.map_err(unconfirmed).flatten();
        // Shedding load is no failure: a node that was taken out for it would burden the others.
        if !matches!(recorded, Err(LedgerError::Busy)) {
            self.ledger_health.note(recorded.is_ok());
        }
        if let (Some(metrics), Ok(recorded)) = (&self.metrics, &recorded) {
            metrics.checked(question.product, question.app.app.environment, recorded.outcome);
        }
        recorded
    }
}

/// What was found, and by which measure it is disclosed.
struct Found {
    lookup: Lookup,
    /// When it is, by the clock that the line lives by.
    now: Timestamp,
    windows: Windows,
    freshness: Freshness,
}

fn within(timeout_ms: u64, deadline: Instant) -> Instant {
    deadline.min(Instant::now() + Duration::from_millis(timeout_ms))
}

/// The hashed IMSI as the asking partner sees it: the operator's own where its agreement passes that
/// through (in the sandbox: where the line has one), else the pseudonym.
fn imsi(question: &Question<'_>, line: &Line) -> Option<String> {
    if question.product != Product::Imsi {
        return None;
    }
    let app = question.app;
    let passes = app.app.environment == Environment::Sandbox
        || app.agreement.as_ref().is_some_and(|agreement| agreement.pass_hashed_imsi);
    let hashed = line.operator_hash().filter(|_| passes).map(|hashed| hashed.as_str().to_owned());
    Some(hashed.unwrap_or_else(|| app.pseudonym.of_sim(&line.sim).digits()))
}
