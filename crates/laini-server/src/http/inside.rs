use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock, Weak};

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::response::Parts;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use jiff::{SignedDuration, Timestamp};
use laini_core::access::{Token, TokenClaims};
use laini_core::partner::App;
use laini_office::Office;
use laini_wire::header::IDEMPOTENCY_KEY;
use serde_json::Value;

use super::origin::Origin;
use super::{Context, Front};
use crate::Environments;

/// A token that is minted for one question is good for so long.
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The API of this server, asked from inside: by pages, for whoever looks at them, and by batches of the desk. What is
/// asked takes the way that it takes from outside, with a token of its own; only the connection is missing.
#[derive(Clone)]
pub struct Inside(Arc<Front>);

/// The same for a part of the API itself, which is there before the whole is. It does not keep the server alive.
#[derive(Default)]
pub(crate) struct OwnApi(OnceLock<Weak<Front>>);

impl OwnApi {
    /// The whole, once it is there.
    pub(crate) fn set(&self, front: &Arc<Front>) {
        self.0.get_or_init(|| Arc::downgrade(front));
    }

    /// `None` = the server is not there yet, or not any more.
    pub(crate) fn get(&self) -> Option<Inside> {
        self.0.get()?.upgrade().map(Inside)
    }
}

/// For whom the API is asked: it counts as theirs, from their address.
#[derive(Debug, Clone, Copy)]
pub struct Asker {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub address: IpAddr,
    /// Whose credentials are answered there.
    pub environments: Environments,
    /// SHA-256 of the client's certificate (DER), where it presented one that was verified.
    pub certificate: Option<[u8; 32]>,
}

impl From<&Context> for Asker {
    fn from(context: &Context) -> Self {
        let Context { at, address, environments, certificate, .. } = *context;
        Self { at, address, environments, certificate }
    }
}

impl Inside {
    pub(crate) fn new(front: Front) -> Self {
        Self(Arc::new(front))
    }

    /// Asks in the name of an app, as the app itself would, with JSON; `key` = under this idempotency key. The answer
    /// is read to its end; an error says why it could not be.
    pub async fn ask_as(
        &self,
        (office, app): (&Office, &App),
        asker: Asker,
        (path, key): (&str, Option<&str>),
        body: &Value,
    ) -> Result<(Parts, Bytes), String> {
        let token = Self::token(office, app, asker.at);
        let request = Request::post(path)
            .header(AUTHORIZATION, format!("Bearer {}", token.reveal()))
            .header(CONTENT_TYPE, "application/json");
        let request = key.into_iter().fold(request, |request, key| request.header(IDEMPOTENCY_KEY, key));
        let request = request.body(Bytes::from(body.to_string())).map_err(|error| error.to_string())?;
        let (parts, body) = self.ask(asker, request).await.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| format!("the API's answer broke off: {error}"))?;
        Ok((parts, body.to_bytes()))
    }

    /// A token for one question in the name of an app.
    pub fn token(office: &Office, app: &App, at: Timestamp) -> Token {
        office.keys.token().sign(&TokenClaims {
            app: app.id,
            environment: app.environment,
            epoch: app.token_epoch,
            expires: at + TOKEN_LIFETIME,
            nonce: office.entropy.next_u64(),
        })
    }

    /// Asks for somebody: it counts as theirs, from their address.
    pub async fn ask(&self, asker: impl Into<Asker>, request: Request<Bytes>) -> Response {
        let Asker { address, environments, certificate, .. } = asker.into();
        let origin = Origin { address, environments, certificate, is_tls: false };
        self.0.answer(request.map(Body::from), origin).await
    }

    /// Asks as a client of this machine does, for nobody: what the server's own probes come by.
    pub(crate) async fn probe(&self, request: Request<Body>) -> Response {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let origin = Origin { address, environments: Environments::Both, certificate: None, is_tls: false };
        self.0.answer(request, origin).await
    }
}
