use axum::http::request::Parts;
use bytes::Bytes;
use jiff::Timestamp;
use laini_core::delivery::Reach;
use laini_core::partner::{PartnerId, SessionId, SignOnId};
use laini_core::store::RecordId;
use laini_office::billing::CloseReport;
use laini_office::desk::{AboutCheck, Told};
use laini_office::people::Vouched;
use laini_office::{Actor, Cursor, PageRequest, Problem, Replay, Work};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::assistant::Considered;
use super::{Beside, Endpoint, Reply};
use crate::http::{ApiError, Asker, Context, IdempotencyKey, bearer, is_object};
use crate::openapi::Operation;

/// For so long a write under an idempotency key is answered as it was.
const REPLAYED_S: i64 = 24 * 3_600;

/// A request to the office.
pub(crate) struct Call {
    /// When it came.
    pub(crate) at: Timestamp,
    /// From where.
    pub(crate) address: String,
    /// Whom attempts are counted of: the address, or the /64 that a holder of IPv6 is given.
    pub(crate) peer: String,
    /// SHA-256 of the client's certificate (DER), where it presented one that was verified.
    pub(crate) certificate: Option<[u8; 32]>,
    /// The session whose token came.
    pub(crate) session: Option<SessionId>,
    /// The token itself, where the operation needs none: of a session that this one replaces.
    pub(crate) bearer: Option<Zeroizing<String>>,
    /// How far results may go.
    pub(crate) reach: Reach,
    /// How the challenge of the address ended that the path names, where there was one.
    pub(crate) proof: Option<Result<(), String>>,
    /// What the close of the month came to that the body names, where one was asked for.
    pub(crate) closed: Option<CloseReport>,
    /// Where a sign-on goes that was begun, and what its browser keeps.
    pub(crate) begun_sign_on: Option<(String, Zeroizing<String>)>,
    /// Whom the identity provider vouches for, and the sign-on by which they came back.
    pub(crate) vouched: Option<(SignOnId, Vouched)>,
    /// What the documentation says to the question that the body asks.
    pub(crate) considered: Option<Considered>,
    /// For whom the API is asked from inside, where it is.
    pub(crate) asker: Asker,
    /// What the API told of the number that the body names, and what was asked.
    pub(crate) looked_up: Option<(AboutCheck, Told)>,
    params: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: Bytes,
    idempotency_key: Option<String>,
}

impl Call {
    pub(super) fn new(
        (context, reach): (&Context, Reach),
        params: Vec<(String, String)>,
        parts: &Parts,
        body: Bytes,
    ) -> Result<Self, ApiError> {
        let idempotency_key = match IdempotencyKey::of(&parts.headers) {
            IdempotencyKey::None => None,
            IdempotencyKey::Given(key) => Some(key.to_str().unwrap_or_default().to_owned()),
            IdempotencyKey::Unusable => return Err(ApiError::InvalidHeader("Idempotency-Key")),
        };
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let bearer = bearer(&parts.headers).ok().map(|token| Zeroizing::new(token.to_owned()));
        let (at, address, peer) = (context.at, context.address.to_string(), context.peer.to_string());
        Ok(Self {
            at,
            address,
            peer,
            certificate: context.certificate,
            session: None,
            bearer,
            reach,
            proof: None,
            closed: None,
            begun_sign_on: None,
            vouched: None,
            considered: None,
            asker: Asker::from(context),
            looked_up: None,
            params,
            query,
            body,
            idempotency_key,
        })
    }

    /// A member's own partner is the only one that there is.
    pub(super) fn is_within_reach_of(&self, actor: &Actor) -> Result<(), ApiError> {
        match (actor.partner(), self.param("partner")) {
            (Some(own), Some(named)) if PartnerId::parse(named) != Ok(own) => Err(ApiError::NoSuchThing),
            _ => Ok(()),
        }
    }

    /// The partner that the path names.
    pub(crate) fn partner(&self) -> Result<PartnerId, Problem> {
        self.id("partner", PartnerId::parse)
    }

    /// The id that the path names `name`; a text that is none names nothing.
    pub(crate) fn id<T, E>(&self, name: &'static str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Problem> {
        let text = self.param(name).ok_or(Problem::NotFound(name))?;
        parse(text).map_err(|_| Problem::NotFound(name))
    }

    fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(named, _)| named == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(named, _)| named == name).map(|(_, value)| value.as_str())
    }

    /// Which page of a list is asked for: `after` and `limit`.
    pub(crate) fn page(&self) -> Result<PageRequest, Problem> {
        let after = self.query("after").map(Cursor::parse).transpose()?;
        Ok(PageRequest { after, limit: self.limit()?, ..PageRequest::FIRST })
    }

    /// How long a page of a list may be.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let expected = || Problem::invalid("limit", format!("expected 1 to {}", PageRequest::LIMIT_MAX));
        let Some(text) = self.query("limit") else { return Ok(PageRequest::FIRST.limit) };
        text.parse().ok().filter(|n| (1..=PageRequest::LIMIT_MAX).contains(n)).ok_or_else(expected)
    }

    /// The body, as a JSON object of known fields.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if !is_object(&self.body) {
            return Err(Problem::invalid("body", "expected a JSON object"));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            // What it says of values is the caller's; names of fields are ours or a mistake to show.
            let text = error.to_string();
            let of_fields = ["unknown field", "missing field", "duplicate field"];
            let is_told = of_fields.iter().any(|start| text.starts_with(start));
            let told = text.split(" at line ").next().unwrap_or_default();
            let told =
                if is_told { told } else { "a field is not of the type that the document says, or it is no JSON" };
            Problem::invalid("body", told.chars().take(200).collect::<String>())
        })
    }

    /// The body as it came.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// Does it, or answers as it was answered under the same idempotency key. A question is answered anew each time:
    /// nothing of it is kept, and who asks is known from its token alone.
    pub(super) fn answer_once(&self, endpoint: &Endpoint, work: &mut Work<'_>) -> Result<Reply, Problem> {
        let id = self.replay_id(&endpoint.operation, &work.actor).filter(|_| endpoint.beside != Beside::Ask);
        let Some(id) = id else { return (endpoint.handle)(work, self) };
        let mut hash = Sha256::new();
        for (_, value) in self.params.iter().chain(&self.query) {
            hash.update((value.len() as u64).to_be_bytes());
            hash.update(value);
        }
        hash.update(&self.body);
        // Keyed: a body may hold a password.
        let request = work.office.keys.office_seal().hash(&hash.finalize());
        if let Some(stored) = self.stored(id, work)? {
            if stored.request != request {
                return Err(Problem::not_now("this idempotency key was used with another request; use a new one"));
            }
            return Reply::again(stored);
        }
        let reply = (endpoint.handle)(work, self)?;
        let (status, answer) = reply.kept();
        work.put(&Replay::new(id, request, self.at, status, answer))?;
        Ok(reply)
    }

    /// Whether it was answered before, under the same idempotency key.
    pub(super) fn is_repeat(&self, operation: &Operation, work: &mut Work<'_>) -> Result<bool, Problem> {
        let Some(id) = self.replay_id(operation, &work.actor) else { return Ok(false) };
        Ok(self.stored(id, work)?.is_some())
    }

    /// Under what the answer to a write of this caller is kept; `None` = it carries no idempotency key.
    pub(super) fn replay_id(&self, operation: &Operation, actor: &Actor) -> Option<RecordId> {
        let key = self.idempotency_key.as_deref().filter(|_| !operation.method.is_safe())?;
        Some(Replay::id_of(&actor.in_trail(), operation.id, key))
    }

    fn stored(&self, id: RecordId, work: &mut Work<'_>) -> Result<Option<Replay>, Problem> {
        let stored = work.look::<Replay>(id)?;
        Ok(stored.filter(|stored| stored.at.as_second() + REPLAYED_S > self.at.as_second()))
    }
}
