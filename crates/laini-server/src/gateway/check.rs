use std::time::Duration;

use jiff::Timestamp;
use laini_core::billing::{CheckId, Outcome, PriceStamp};
use laini_core::disclosure::{
    Compared, Decision, FactSet, Facts, Freshness, POLICY_VERSION, PartnerSim, Told, UnknownReason, Windows, disclose,
};
use laini_core::line::{Line, LineState, Msisdn};
use laini_core::partner::{AppView, Environment, Product, Purpose};
use laini_core::store::{
    Draft, LedgerError, Lookup, Recorded, RegistryError, Subject, SubjectHash, Submission, Submitted,
};
use tokio::time::{Instant, timeout_at};

use super::Gateway;
use crate::Settings;
use crate::observe::Step;

/// One question about one line, by somebody who may ask it.
pub(crate) struct Question<'a> {
    pub(crate) id: CheckId,
    pub(crate) at: Timestamp,
    pub(crate) app: &'a AppView,
    pub(crate) price: PriceStamp,
    pub(crate) product: Product,
    /// What is asked of the product's facts.
    pub(crate) facts: FactSet,
    pub(crate) msisdn: Msisdn,
    pub(crate) purpose: Purpose,
    /// The caller's own reference, kept with the row.
    pub(crate) reference: Option<&'a str>,
    /// A pseudonym that the caller holds, to be compared.
    pub(crate) expect: Option<&'a str>,
    /// What tells the caller's repeats of one question from a new one.
    pub(crate) repeat_id: Option<&'a [u8]>,
    pub(crate) deadline: Instant,
    /// As they were when the request came: one check is decided by one set.
    pub(crate) settings: &'a Settings,
}

impl<'a> Question<'a> {
    /// The question that a published path asks: all facts of its product, for the app's own purpose.
    pub(crate) fn published(
        (id, at, deadline): (CheckId, Timestamp, Instant),
        (app, price, product): (&'a AppView, PriceStamp, Product),
        msisdn: Msisdn,
        repeat_id: Option<&'a [u8]>,
        settings: &'a Settings,
    ) -> Self {
        Self {
            id,
            at,
            app,
            price,
            product,
            facts: FactSet::of(product),
            msisdn,
            purpose: app.app.purpose,
            reference: None,
            expect: None,
            repeat_id,
            deadline,
            settings,
        }
    }
}

/// What a check found. Nothing of it may be answered before [`Examined::draft`] is durable.
pub(crate) struct Examined {
    pub(crate) draft: Draft,
    pub(crate) told: Told,
    pub(crate) as_of: Option<Timestamp>,
}

/// What a published path may answer.
pub(crate) enum Finding {
    /// Facts.
    Facts(Facts),
    /// The number is not served here.
    NotServed,
    /// The holder's data is restricted.
    Withheld,
    /// The registry cannot say.
    Unknown(UnknownReason),
}

impl Examined {
    /// What a published path, which has no words for unknown facts, makes of it.
    pub(crate) fn finding(&self) -> Finding {
        match self.told.decision {
            decision if let Some(reason) = decision.unknown_for(self.told.facts) => Finding::Unknown(reason),
            Decision::Unknown(reason) => Finding::Unknown(reason),
            Decision::NotServed => Finding::NotServed,
            Decision::Withheld => Finding::Withheld,
            Decision::Facts(facts) => Finding::Facts(facts),
        }
    }
}

impl Gateway {
    /// The heart of the server: look-up, disclosure, pseudonym, and the draft of the record. Only once
    /// that is durable ([`Gateway::record`], [`Gateway::submit`]) may anything be answered.
    pub(crate) async fn examine(&self, question: &Question<'_>) -> Result<Examined, RegistryError> {
        let Found { lookup: Lookup { state, horizon }, now, windows, freshness } = self.look_up(question).await?;
        let number = self.subjects.number(question.msisdn);
        let decision = if self.is_restricted(question, number, &state) {
            Decision::Withheld
        } else {
            disclose(&state, horizon, windows, freshness, now, &question.settings.zone)
        };
        let line = state.line.as_ref().filter(|_| matches!(decision, Decision::Facts(_)));
        let stale = || freshness.withdraws_same_sim(horizon, now);
        let sim = line.filter(|_| question.facts.contains(FactSet::SIM)).map(|line| sim(question, line, stale));
        let told = Told { decision, facts: question.facts, windows, sim };
        let draft = self.draft(question, &told, number, horizon.as_of);
        if question.app.app.environment == Environment::Sandbox {
            let is_unknown = matches!(draft.outcome, Outcome::Unknown | Outcome::NotServed);
            self.runs.asked(question.app.app.id, question.msisdn, is_unknown, question.at);
        }
        Ok(Examined { draft, told, as_of: horizon.as_of })
    }

    /// Whether the operator has restricted the number; the lines of the sandbox are nobody's.
    fn is_restricted(&self, question: &Question<'_>, number: SubjectHash, state: &LineState) -> bool {
        let restrictions = self.accounts.restrictions();
        !restrictions.is_empty()
            && question.app.app.environment == Environment::Production
            && restrictions.withhold(number, state)
    }

    /// Those of the numbers of which nothing is told again that was told before: they are restricted now, and nobody else
    /// holds them since. The registry is asked about numbers that a restriction names, and about no others.
    pub(crate) async fn withheld_since(
        &self,
        environment: Environment,
        numbers: &[Msisdn],
        deadline: Instant,
    ) -> Result<Vec<Msisdn>, RegistryError> {
        let mut withheld = Vec::new();
        if environment == Environment::Sandbox || self.accounts.restrictions().is_empty() {
            return Ok(withheld);
        }
        let deadline = within(self.settings.glance().limits.look_up_timeout_ms, deadline);
        for msisdn in numbers {
            let number = self.subjects.number(*msisdn);
            if !self.accounts.restrictions().names(number) {
                continue;
            }
            let looking_up = self.registry.look_up(*msisdn);
            let found = timeout_at(deadline, looking_up).await.map_err(|_| RegistryError::TooSlow)??;
            if self.accounts.restrictions().withhold(number, &found.state) {
                withheld.push(*msisdn);
            }
        }
        Ok(withheld)
    }

    async fn look_up(&self, question: &Question<'_>) -> Result<Found, RegistryError> {
        let step = self.step("look_up");
        let found = self.found(question).await;
        if let (Some(mut step), Err(_)) = (step, &found) {
            step.failed();
        }
        found
    }

    async fn found(&self, question: &Question<'_>) -> Result<Found, RegistryError> {
        let windows = question.app.windows(question.at);
        match question.app.app.environment {
            Environment::Sandbox => {
                let found = self.worlds.look_up(question.app.app.id, question.msisdn, question.at).await?;
                let windows = found.windows.unwrap_or(windows);
                Ok(Found { lookup: found.lookup, now: found.now, windows, freshness: found.freshness })
            }
            Environment::Production => {
                let deadline = within(question.settings.limits.look_up_timeout_ms, question.deadline);
                let looking = self.load.look();
                let looking_up = self.registry.look_up(question.msisdn);
                let lookup = timeout_at(deadline, looking_up).await.map_err(|_| RegistryError::TooSlow)??;
                looking.found();
                Ok(Found { lookup, now: question.at, windows, freshness: question.settings.freshness })
            }
        }
    }

    fn draft(&self, question: &Question<'_>, told: &Told, number: SubjectHash, as_of: Option<Timestamp>) -> Draft {
        let Question { app, product, msisdn, .. } = *question;
        Draft {
            id: question.id,
            at: question.at,
            partner: app.partner.id,
            app: app.app.id,
            agreement: app.agreement(question.at).ok().map(|agreement| agreement.id),
            product,
            environment: app.app.environment,
            purpose: question.purpose,
            outcome: outcome(told),
            price: question.price,
            as_of,
            policy_version: POLICY_VERSION,
            repeat: self.subjects.repeat(app.app.id, product, msisdn, question.repeat_id),
            subject: Subject {
                msisdn,
                facts: told.to_text(),
                reference: question.reference.map(str::to_owned),
                hash: number,
            },
        }
    }

    /// Makes one record durable.
    pub(crate) async fn record(&self, draft: Draft, deadline: Instant) -> Result<Recorded, LedgerError> {
        let (product, environment) = (draft.product, draft.environment);
        let deadline = within(self.settings.glance().limits.record_timeout_ms, deadline);
        let waiting = self.load.enter().ok_or(LedgerError::Busy)?;
        let step = self.step("record");
        let recorded = timeout_at(deadline, self.ledger.record(draft)).await.map_err(unconfirmed).flatten();
        waiting.ended();
        trace_record(step, &[(product, environment)], recorded.as_ref().map(std::slice::from_ref));
        self.note_health(recorded.as_ref().err());
        if let (Some(metrics), Ok(recorded)) = (&self.metrics, &recorded) {
            metrics.checked(product, environment, recorded.outcome);
        }
        recorded
    }

    /// Makes several records, and what goes with them, durable together.
    pub(crate) async fn submit(&self, submission: Submission, deadline: Instant) -> Result<Submitted, LedgerError> {
        let deadline = within(self.settings.glance().limits.record_timeout_ms, deadline);
        let asked: Vec<_> = submission.drafts.iter().map(|draft| (draft.product, draft.environment)).collect();
        let waiting = self.load.enter().ok_or(LedgerError::Busy)?;
        let step = self.step("record");
        let submitted = timeout_at(deadline, self.ledger.submit(submission)).await.map_err(unconfirmed).flatten();
        waiting.ended();
        let recorded = submitted.as_ref().map(|submitted| match submitted {
            Submitted::Recorded(recorded, _) => recorded.as_slice(),
            Submitted::Answered(..) => &[],
        });
        trace_record(step, &asked, recorded);
        self.note_health(submitted.as_ref().err());
        if let (Some(metrics), Ok(Submitted::Recorded(recorded, _))) = (&self.metrics, &submitted) {
            for ((product, environment), recorded) in asked.into_iter().zip(recorded) {
                metrics.checked(product, environment, recorded.outcome);
            }
        }
        submitted
    }

    fn note_health(&self, error: Option<&LedgerError>) {
        // Shedding load is no failure: a node that was taken out for it would burden the others.
        if !matches!(error, Some(LedgerError::Busy)) {
            self.ledger_health.note(error.is_none());
        }
    }
}

/// Ends the span of a commit; what was recorded is told where it was one check.
fn trace_record(step: Option<Step>, asked: &[(Product, Environment)], recorded: Result<&[Recorded], &LedgerError>) {
    let Some(mut step) = step else { return };
    if let [(product, environment)] = asked {
        step.note("laini.product", product.word());
        step.note("laini.environment", environment.word());
    }
    match recorded {
        Ok([recorded]) => step.note("laini.outcome", recorded.outcome.word()),
        Ok(_) => {}
        Err(_) => step.failed(),
    }
}

fn unconfirmed(_: tokio::time::error::Elapsed) -> LedgerError {
    LedgerError::Unknown("no answer in time".to_owned())
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

fn outcome(told: &Told) -> Outcome {
    match told.decision {
        decision if decision.unknown_for(told.facts).is_some() => Outcome::Unknown,
        Decision::Facts(_) if told.sim.as_ref().is_some_and(|sim| sim.compared == Some(Compared::Unknown)) => {
            Outcome::Unknown
        }
        Decision::Facts(_) => Outcome::Answered,
        Decision::NotServed => Outcome::NotServed,
        Decision::Withheld => Outcome::Withheld,
        Decision::Unknown(_) => Outcome::Unknown,
    }
}

/// The SIM as the asking partner sees it: the operator's own hash where its agreement passes that
/// through (in the sandbox: where the line has one), else the pseudonym. What the caller holds from
/// before may be either.
fn sim(question: &Question<'_>, line: &Line, stale: impl FnOnce() -> bool) -> PartnerSim {
    let app = question.app;
    let passes = app.app.environment == Environment::Sandbox
        || app.agreement(question.at).is_ok_and(|agreement| agreement.pass_hashed_imsi);
    let hashed = line.operator_hash().filter(|_| passes).map(|hashed| hashed.as_str().to_owned());
    let ours = || app.pseudonym.of_sim(&line.sim).digits();
    let pseudonym = hashed.clone().unwrap_or_else(ours);
    let compared = question.expect.map(|expected| {
        let is_same = expected == pseudonym || (hashed.is_some() && expected == ours());
        match is_same {
            false => Compared::Changed,
            true if stale() => Compared::Unknown,
            true => Compared::Same,
        }
    });
    PartnerSim { pseudonym, compared }
}
