use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use laini_core::disclosure::{FactSet, UnknownReason};
use laini_core::partner::{AppStatus, AppView, Product};
use laini_core::store::{
    AcceptedCheck, AnswerWriter, AskedAs, DeliveryDraft, DeliveryId, DeliveryKind, Draft, LedgerError, Recorded,
    RegistryError, Submission, Submitted,
};
use laini_wire::checks::ChecksAnswer;
use laini_wire::delivery::{RESULT, ResultDetails};
use tokio::time::Instant;

use super::admit::{Admitted, may_ask, may_call, price};
use super::answer::{Answer, Endpoint};
use super::check::{Examined, Finding, Question};
use super::checks::{Words, charged};
use super::limits::Ask;
use super::{Gateway, age, header, imsi, ledger_failed, registry_failed, swap};
use crate::Settings;
use crate::http::{ApiError, TokenProblem, to_json};

/// For so long after it was accepted, a check is tried again where registry or ledger were out of reach;
/// then its caller is told so.
const TRIED_FOR: SignedDuration = SignedDuration::from_mins(2);
/// For so long a delivered answer may be relied on (contract §6).
const VALID_FOR: SignedDuration = SignedDuration::from_mins(15);

/// What became of an accepted check.
pub(crate) enum Decided {
    /// It is recorded, and its delivery with it.
    Recorded,
    /// There is nothing to record; this says why, and is still to be put into the outbox.
    Refused(DeliveryDraft),
    /// It could not be decided; another try may end otherwise.
    NotYet,
}

/// Why an accepted check has no answer.
enum Undecided {
    Refused(ApiError),
    Registry(RegistryError),
    Ledger(LedgerError),
}

impl Undecided {
    /// Whether another try may end otherwise.
    fn may_pass(&self) -> bool {
        match self {
            Self::Refused(error) => matches!(error, ApiError::Unreachable | ApiError::UnreachableAt(_)),
            Self::Registry(RegistryError::Bad(_) | RegistryError::Empty) => false,
            Self::Registry(RegistryError::Unavailable(_) | RegistryError::Busy | RegistryError::TooSlow)
            | Self::Ledger(_) => true,
        }
    }

    fn told(&self) -> ApiError {
        match self {
            Self::Refused(error) => error.clone(),
            Self::Registry(error) => registry_failed(error),
            Self::Ledger(error) => ledger_failed(error),
        }
    }
}

impl Gateway {
    /// Decides an accepted check through the heart of every check; its record and its delivery commit
    /// together.
    pub(crate) async fn decide(&self, check: &AcceptedCheck, at: Timestamp) -> Decided {
        let settings = self.settings.current();
        let undecided = match self.try_to_decide(check, at, &settings).await {
            Ok(()) => return Decided::Recorded,
            Err(undecided) => undecided,
        };
        if undecided.may_pass() && at.duration_since(check.at) < TRIED_FOR {
            return Decided::NotYet;
        }
        let environment = self.accounts.current().app(check.app).map_or("", |app| app.app.environment.word());
        let write = refusal(check, &undecided.told(), at, environment);
        Decided::Refused(draft(check, at, write))
    }

    async fn try_to_decide(&self, check: &AcceptedCheck, at: Timestamp, settings: &Settings) -> Result<(), Undecided> {
        // Authorised anew: what was suspended or revoked meanwhile learns nothing more.
        let admitted = self.still_admitted(check, at).map_err(Undecided::Refused)?;
        let app = &*admitted.app;
        let question = Question {
            facts: facts(check),
            expect: expected(check),
            purpose: check.purpose,
            reference: check.reference.as_deref(),
            ..Question::published(
                (check.id, at, Instant::now() + Duration::from_millis(settings.limits.request_timeout_ms)),
                (app, admitted.price, check.product),
                check.msisdn,
                None,
                settings,
            )
        };
        let ask = Ask { app, product: check.product, unit: admitted.price.list, at };
        let mut permit = self.limits.resume(&ask, &settings.zone).await.map_err(Undecided::Refused)?;
        let mut examined = self.examine(&question).await.map_err(Undecided::Registry)?;
        examined.draft.repeat = check.repeat;
        let (drafts, write) = payload(check, examined, &admitted, at, settings);
        let submission = Submission { drafts, delivery: Some(draft(check, at, write)), ..Submission::default() };
        let submitted = self.submit(submission, question.deadline).await.map_err(Undecided::Ledger)?;
        if let Submitted::Recorded(recorded, _) = submitted {
            for recorded in recorded {
                permit.note(recorded);
            }
        }
        Ok(())
    }

    fn still_admitted(&self, check: &AcceptedCheck, at: Timestamp) -> Result<Admitted, ApiError> {
        let app = self.accounts.current().app(check.app).cloned();
        let app: Arc<AppView> =
            app.filter(|app| app.app.status != AppStatus::Revoked).ok_or(ApiError::Token(TokenProblem::Revoked))?;
        may_call(&app)?;
        may_ask(&app, at)?;
        let price = price(&app, check.product, at)?;
        Ok(Admitted { app, price })
    }
}

fn draft(check: &AcceptedCheck, at: Timestamp, write: AnswerWriter) -> DeliveryDraft {
    let (id, kind) = (DeliveryId(check.id), DeliveryKind::Result);
    DeliveryDraft { id, kind, app: check.app, address: check.address, at, write }
}

fn facts(check: &AcceptedCheck) -> FactSet {
    match &check.asked {
        AskedAs::Published => FactSet::of(check.product),
        AskedAs::Explicit { facts, .. } => *facts,
    }
}

fn expected(check: &AcceptedCheck) -> Option<&str> {
    match &check.asked {
        AskedAs::Published => None,
        AskedAs::Explicit { expect, .. } => expect.as_deref(),
    }
}

/// The record of an examined check, and what writes its delivery.
fn payload(
    check: &AcceptedCheck,
    examined: Examined,
    admitted: &Admitted,
    at: Timestamp,
    settings: &Settings,
) -> (Vec<Draft>, AnswerWriter) {
    match &check.asked {
        AskedAs::Published => published(check, examined, admitted, at, settings),
        AskedAs::Explicit { .. } => explicit(check, examined, admitted, at, settings),
    }
}

/// What a published path answers, or its error.
fn published(
    check: &AcceptedCheck,
    examined: Examined,
    admitted: &Admitted,
    at: Timestamp,
    settings: &Settings,
) -> (Vec<Draft>, AnswerWriter) {
    let finding = examined.finding();
    let Examined { draft, told, as_of } = examined;
    let environment = admitted.app.app.environment.word();
    let error = match finding {
        Finding::Facts(facts) => {
            let imsi = told.sim.map(|sim| sim.pseudonym);
            let about = (check.id, check.msisdn, admitted.app.app.profile);
            let answer = Answer::new(about, (facts, imsi), (told.windows, as_of), &settings.zone);
            let (endpoint, price) = (endpoint(check.product), admitted.price);
            let write = move |recorded: &[Recorded]| {
                let charge = recorded.first().map(|recorded| header::charge(recorded.charge, price));
                let charge = charge.as_ref().and_then(|charge| charge.to_str().ok()).unwrap_or_default();
                let swap = answer.swap_word(endpoint.product);
                let details = ResultDetails { swap, as_of: as_of.map(written), ..details(at, environment) };
                with_details((endpoint.render)(&answer), &ResultDetails { charge: Some(charge.into()), ..details })
            };
            return (vec![draft], Arc::new(write));
        }
        Finding::NotServed => ApiError::NotServed,
        Finding::Withheld => ApiError::Withheld,
        Finding::Unknown(UnknownReason::StaleFeed) => ApiError::RegistryStale,
        Finding::Unknown(UnknownReason::NoHistory | UnknownReason::SourceRejected) => ApiError::RegistryIncomplete,
    };
    (vec![draft], refusal(check, &error, at, environment))
}

/// What `/v1/checks` answers, which has words for everything.
fn explicit(
    check: &AcceptedCheck,
    examined: Examined,
    admitted: &Admitted,
    at: Timestamp,
    settings: &Settings,
) -> (Vec<Draft>, AnswerWriter) {
    let Examined { draft, told, as_of } = examined;
    let words = Words::new(&admitted.app, at, &settings.zone);
    let (id, msisdn, price) = (check.id, check.msisdn, admitted.price);
    let environment = admitted.app.app.environment.word();
    let write = move |recorded: &[Recorded]| {
        let item = recorded.iter().map(|one| words.item(id, msisdn, &told, as_of, charged(one.charge, price)));
        with_details(to_json(&ChecksAnswer { checks: item.collect() }), &details(at, environment))
    };
    (vec![draft], Arc::new(write))
}

fn endpoint(product: Product) -> Endpoint {
    match product {
        Product::Imsi => imsi::ENDPOINT,
        Product::Swap => swap::ENDPOINT,
        Product::Age => age::ENDPOINT,
    }
}

/// Writes the delivery of a check without an answer.
fn refusal(check: &AcceptedCheck, error: &ApiError, at: Timestamp, environment: &'static str) -> AnswerWriter {
    let (body, charge) = error.in_delivery(check.id);
    let details = ResultDetails { charge: Some(charge.into()), ..details(at, environment) };
    let body = with_details(body, &details);
    Arc::new(move |_| body.clone())
}

/// What every result says of itself.
fn details(at: Timestamp, environment: &'static str) -> ResultDetails<'static> {
    let valid_until = at.checked_add(VALID_FOR).unwrap_or(Timestamp::MAX);
    ResultDetails {
        r#type: RESULT,
        answered_at: written(at),
        valid_until: written(valid_until),
        charge: None,
        environment,
        swap: None,
        as_of: None,
    }
}

fn written(at: Timestamp) -> Cow<'static, str> {
    header::instant(at).into()
}

/// The fields of `details` after those of the JSON object `body`.
fn with_details(mut body: Vec<u8>, details: &ResultDetails<'_>) -> Vec<u8> {
    let details = to_json(details);
    body.pop();
    body.push(b',');
    body.extend_from_slice(details.get(1..).unwrap_or_default());
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_follow_the_fields_of_the_answer() {
        let at = Timestamp::constant(1_795_000_000, 999_999_999);
        let charge = Some("none; reason=refused".into());
        let details = ResultDetails { charge, ..details(at, "sandbox") };
        let body = String::from_utf8(with_details(br#"{"a":"1"}"#.to_vec(), &details)).unwrap();
        let expected = concat!(
            r#"{"a":"1","type":"result","answeredAt":"2026-11-18T11:06:40Z","validUntil":"2026-11-18T11:21:40Z","#,
            r#""charge":"none; reason=refused","environment":"sandbox"}"#
        );
        assert_eq!(body, expected);
    }
}
