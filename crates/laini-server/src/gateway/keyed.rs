use std::sync::Arc;

use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use laini_core::line::Msisdn;
use laini_core::partner::AppView;
use laini_core::store::{AnswerWriter, Claim, Claimed, KeyedAnswer, Recorded, Submission, Submitted};
use laini_wire::checks::ChecksAnswer;
use laini_wire::header::IDEMPOTENCY_KEY;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::checks::withhold;
use super::{Gateway, header, ledger_failed};
use crate::http::{ApiError, Context, IdempotencyKey, json_bytes, to_json};

/// How a request may go on, seen from its idempotency key (contract §5).
pub(super) enum Begun {
    /// It has none.
    Unkeyed,
    /// It holds its key until this is dropped.
    Held(Held),
    /// It was answered before.
    Answered(Kept),
}

/// A key that is held for a request under way.
pub(super) struct Held {
    claim: Claim,
    /// Gives the key back when dropped.
    _guard: Box<dyn Send + Sync>,
}

impl Gateway {
    /// Takes the request's key, where it has one. `canonical` gives the request in its one form.
    pub(super) async fn begin(
        &self,
        context: &Context,
        app: &AppView,
        path: &str,
        headers: &HeaderMap,
        canonical: impl FnOnce() -> Vec<u8>,
    ) -> Result<Begun, ApiError> {
        let key = match IdempotencyKey::of(headers) {
            IdempotencyKey::None => return Ok(Begun::Unkeyed),
            IdempotencyKey::Given(key) => key,
            IdempotencyKey::Unusable => return Err(ApiError::InvalidHeader(IDEMPOTENCY_KEY)),
        };
        let claim = Claim {
            app: app.app.id,
            key: self.subjects.answer_key(app.app.id, path, key.as_bytes()),
            request: self.subjects.request(&canonical()),
            at: context.at,
        };
        let claimed = self.answers.claim(claim).await.map_err(|error| ledger_failed(&error))?;
        match claimed {
            Claimed::Mine(guard) => Ok(Begun::Held(Held { claim, _guard: guard })),
            claimed => settled(claimed).map(Begun::Answered),
        }
    }
}

impl Gateway {
    /// Makes `submission` durable together with the answer that `write` makes of its records, stored under
    /// the held key; tells it, and how they were recorded. `None` = another request of the key was answered
    /// meanwhile, and nothing was written.
    pub(super) async fn submit_keyed(
        &self,
        submission: Submission,
        held: Held,
        deadline: Instant,
        write: impl Fn(&[Recorded]) -> Kept + Send + Sync + 'static,
    ) -> Result<(Option<Vec<Recorded>>, Response), ApiError> {
        let write: AnswerWriter = Arc::new(move |recorded| write(recorded).to_bytes());
        let answer = Some(KeyedAnswer { claim: held.claim, write });
        let submitted = self.submit(Submission { answer, ..submission }, deadline).await;
        match submitted.map_err(|error| ledger_failed(&error))? {
            Submitted::Recorded(recorded, kept) => {
                Ok((Some(recorded), Kept::from_bytes(&kept.unwrap_or_default())?.answer()))
            }
            Submitted::Answered(_, stored) => {
                let claimed = stored.found_by(&held.claim).unwrap_or(Claimed::Running);
                Ok((None, settled(claimed).map(Kept::replay)?))
            }
        }
    }
}

/// What a claim that was not granted means.
fn settled(claimed: Claimed) -> Result<Kept, ApiError> {
    match claimed {
        Claimed::Stored(bytes) => Kept::from_bytes(&bytes),
        // Mine is the caller's to hold; without it, the request is one that runs.
        Claimed::Running | Claimed::Mine(_) => Err(ApiError::KeyRunning),
        Claimed::OtherRequest => Err(ApiError::KeyOfOtherRequest),
        Claimed::TooLate => Err(ApiError::KeyTooOld),
    }
}

/// An answer as it is kept: its body byte for byte, and the headers that belong to it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    headers: Vec<(String, String)>,
    body: String,
}

impl Kept {
    pub(super) fn new(headers: &HeaderMap, body: Vec<u8>) -> Self {
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        // Bodies are JSON, so they are UTF-8.
        Self { headers, body: String::from_utf8(body).unwrap_or_default() }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Texts always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(bytes).map_err(|error| {
            tracing::error!(%error, "a stored answer cannot be read");
            ApiError::Internal
        })
    }

    /// The answer of `/v1/checks` without what it told of some numbers. One that was accepted told nothing.
    pub(super) fn withholding(mut self, numbers: &[Msisdn]) -> Self {
        let Ok(mut answer) = serde_json::from_str::<ChecksAnswer>(&self.body) else { return self };
        for item in &mut answer.checks {
            if numbers.iter().any(|number| number.digits() == item.number) {
                withhold(item);
            }
        }
        self.body = String::from_utf8(to_json(&answer)).unwrap_or_default();
        self
    }

    /// The answer, told for the first time.
    pub(super) fn answer(self) -> Response {
        let mut response = json_bytes(self.body.into_bytes());
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// The answer, told again: free, and it says so.
    pub(super) fn replay(self) -> Response {
        let mut response = self.answer();
        let headers = response.headers_mut();
        headers.insert(header::REPLAYED, HeaderValue::from_static("true"));
        headers.insert(header::CHARGE, HeaderValue::from_static("none; reason=replay"));
        response
    }
}
