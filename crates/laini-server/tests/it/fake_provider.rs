//! An identity provider on this machine, which signs what a test has it say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use laini_server::SingleSignOn;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub(crate) const CLIENT: &str = "laini office";
const SECRET: &str = "a secret: of the client";
pub(crate) const BACK: &str = "https://portal.mobile.example/back";

/// A key that tokens are signed with.
#[derive(Clone)]
pub(crate) struct SigningKey {
    pub(crate) id: &'static str,
    pub(crate) algorithm: Algorithm,
    key: EncodingKey,
}

impl SigningKey {
    pub(crate) fn of_curve(id: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self { id, algorithm: Algorithm::ES256, key: EncodingKey::from_ec_der(&pair.serialize_der()) }
    }

    pub(crate) fn of_rsa(id: &'static str) -> Self {
        /// What PKCS#8 puts before an RSA key of 2048 bits.
        const WRAPPING_BYTES: usize = 26;
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let key = EncodingKey::from_rsa_der(&pair.serialize_der()[WRAPPING_BYTES..]);
        Self { id, algorithm: Algorithm::RS256, key }
    }

    /// The public half.
    pub(crate) fn public(&self) -> Value {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()).unwrap();
        (jwk["kid"], jwk["use"]) = (json!(self.id), json!("sig"));
        jwk
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

/// What a code is good for.
struct Grant {
    challenge: String,
    token: String,
    is_kept: bool,
}

#[derive(Default)]
struct Said {
    issuer: String,
    keys: Vec<Value>,
    grants: HashMap<String, Grant>,
    /// How often its keys were asked for.
    asked: usize,
    is_down: bool,
}

#[derive(Clone)]
pub(crate) struct FakeProvider(Arc<Mutex<Said>>);

impl FakeProvider {
    pub(crate) async fn start(keys: &[&SigningKey]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/realm", listener.local_addr().unwrap());
        let provider = Self(Arc::new(Mutex::new(Said { issuer, ..Said::default() })));
        provider.publish(keys);
        let routes = Router::new()
            .route("/realm/.well-known/openid-configuration", get(describe))
            .route("/realm/keys", get(keys_of))
            .route("/realm/token", post(redeem))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    pub(crate) fn issuer(&self) -> String {
        self.0.lock().unwrap().issuer.clone()
    }

    /// Which keys it says are its own from now on.
    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        self.0.lock().unwrap().keys = keys.iter().map(|key| key.public()).collect();
    }

    pub(crate) fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }

    pub(crate) fn go_down(&self) {
        self.0.lock().unwrap().is_down = true;
    }

    /// Somebody signs in there: the code that they bring back, for `token`. `is_kept`: it forgets that it was used.
    pub(crate) fn grant(&self, challenge: &str, token: String, is_kept: bool) -> String {
        let mut said = self.0.lock().unwrap();
        let code = format!("code-{}", said.grants.len());
        said.grants.insert(code.clone(), Grant { challenge: challenge.to_owned(), token, is_kept });
        code
    }

    /// How laini knows it.
    pub(crate) fn settings(&self) -> SingleSignOn {
        SingleSignOn {
            issuer: self.issuer(),
            client_id: CLIENT.to_owned(),
            client_secret: Some(Zeroizing::new(SECRET.to_owned())),
            audience: CLIENT.to_owned(),
            redirect_url: BACK.to_owned(),
            email_domains: vec!["bank.example".to_owned(), "Mobile.example".to_owned()],
        }
    }
}

async fn describe(State(provider): State<FakeProvider>) -> Result<String, StatusCode> {
    let said = provider.0.lock().unwrap();
    let issuer = &said.issuer;
    let described = json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize?tenant=1"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
    });
    if said.is_down { Err(StatusCode::BAD_GATEWAY) } else { Ok(described.to_string()) }
}

async fn keys_of(State(provider): State<FakeProvider>) -> String {
    let mut said = provider.0.lock().unwrap();
    said.asked += 1;
    // One of a kind that nobody here knows must not take the others along.
    let mut keys = said.keys.clone();
    keys.insert(0, json!({"kty": "new", "kid": "unknown"}));
    json!({"keys": keys}).to_string()
}

async fn redeem(State(provider): State<FakeProvider>, headers: HeaderMap, body: String) -> Result<String, StatusCode> {
    let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let is_client = headers["authorization"] == format!("Basic {}", STANDARD.encode(ENCODED_CREDENTIALS));
    let is_whole = form["grant_type"] == "authorization_code" && form["redirect_uri"] == BACK;
    let mut said = provider.0.lock().unwrap();
    let grant = said.grants.remove(&form["code"]).ok_or(StatusCode::BAD_REQUEST)?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    if !is_client {
        return Err(StatusCode::UNAUTHORIZED);
    }
    if !is_whole || challenge != grant.challenge {
        return Err(StatusCode::BAD_REQUEST);
    }
    let answer = json!({"access_token": "unused", "token_type": "Bearer", "id_token": grant.token}).to_string();
    if grant.is_kept {
        said.grants.insert(form["code"].clone(), grant);
    }
    Ok(answer)
}

/// RFC 6749, 2.3.1: each is form-encoded first.
const ENCODED_CREDENTIALS: &str = "laini+office:a+secret%3A+of+the+client";
