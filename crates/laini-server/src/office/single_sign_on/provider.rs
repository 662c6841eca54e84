use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use laini_office::Problem;
use laini_office::people::{Begun, Vouched};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Url};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::SingleSignOn;
use super::id_token::{Expected, Flaw, Key, read_keys, verify};
use crate::office::outside::{Broken, ask, ask_bytes, client_for};

/// How long a connection to the identity provider may take, TLS included,
const CONNECT_TIMEOUT_MS: u64 = 4_000;
/// and a request in all.
const REQUEST_TIMEOUT_MS: u64 = 8_000;
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// What the provider says of itself is good for so long.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Where no key fits, its keys are asked for anew, so often at most.
const RENEWED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// The longest code.
const CODE_BYTES_MAX: usize = 4 * 1024;

/// The identity provider, asked over HTTPS.
pub(crate) struct Provider {
    settings: SingleSignOn,
    client: Client,
    known: Mutex<Option<Arc<Known>>>,
}

/// What it says of itself, when it said so.
struct Known {
    described: Described,
    keys: Vec<Key>,
    at: Timestamp,
}

/// OpenID Connect Discovery 1.0, as far as it matters here.
#[derive(Deserialize)]
struct Described {
    issuer: String,
    #[serde(deserialize_with = "url")]
    authorization_endpoint: Url,
    #[serde(deserialize_with = "url")]
    token_endpoint: Url,
    #[serde(deserialize_with = "url")]
    jwks_uri: Url,
}

fn url<'de, D: Deserializer<'de>>(text: D) -> Result<Url, D::Error> {
    Url::parse(&String::deserialize(text)?).map_err(D::Error::custom)
}

#[derive(Deserialize)]
struct Redeemed {
    id_token: String,
}

impl Provider {
    /// The provider of these settings; `None` where nothing can be asked from this machine.
    pub(crate) fn new(settings: SingleSignOn) -> Option<Self> {
        let client = client_for(&settings.issuer, CONNECT_TIMEOUT_MS, REQUEST_TIMEOUT_MS)?;
        Some(Self { settings, client, known: Mutex::new(None) })
    }

    /// Where the browser goes to sign in.
    pub(crate) async fn url_of(&self, begun: &Begun, at: Timestamp) -> Result<String, Problem> {
        let known = self.known(at, KEPT).await.map_err(cannot_be_asked)?;
        let mut url = known.described.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_url)
            .append_pair("scope", "openid email")
            .append_pair("state", &begun.state)
            .append_pair("nonce", &begun.nonce)
            .append_pair("code_challenge", &begun.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Redeems the code that came back: whom the provider vouches for.
    pub(crate) async fn redeem(&self, code: &str, begun: &Begun, at: Timestamp) -> Result<Vouched, Problem> {
        if code.is_empty() || code.len() > CODE_BYTES_MAX {
            return Err(refused("it is no code"));
        }
        let known = self.known(at, KEPT).await.map_err(cannot_be_asked)?;
        let token = match self.exchange(&known.described.token_endpoint, code, begun).await {
            Ok(redeemed) => redeemed.id_token,
            // RFC 6749, 5.2: the code is over, or not of this sign-on. A 401 is about laini itself.
            Err(Broken::Status(400)) => return Err(refused("the identity provider does not take it")),
            Err(broken) => return Err(cannot_be_asked(broken)),
        };
        let expected = Expected { settings: &self.settings, nonce: &begun.nonce, at };
        let mut verified = verify(&token, &known.keys, &expected);
        if matches!(verified, Err(Flaw::Signature)) {
            let renewed = self.known(at, RENEWED_EVERY).await.map_err(cannot_be_asked)?;
            verified = verify(&token, &renewed.keys, &expected);
        }
        verified.map_err(|flaw| {
            tracing::warn!(%flaw, "a token of the identity provider is not believed");
            refused(&format!("the identity provider's token is not believed: {flaw}"))
        })
    }

    /// What is known of the provider, asked for anew where it is older than `age`.
    async fn known(&self, at: Timestamp, age: SignedDuration) -> Result<Arc<Known>, Broken> {
        let kept = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = kept.filter(|known| at < known.at + age) {
            return Ok(known);
        }
        let about = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        let described: Described = ask(self.client.get(about), ANSWER_BYTES_MAX).await?;
        if described.issuer != self.settings.issuer {
            return Err(Broken::Answer("it is another issuer"));
        }
        // What laini asks is held by the client; where browsers go is held here.
        let scheme = described.authorization_endpoint.scheme();
        if scheme != "https" && !(scheme == "http" && self.settings.issuer.starts_with("http://")) {
            return Err(Broken::Answer("its page is not under TLS"));
        }
        let keys = ask_bytes(self.client.get(described.jwks_uri.clone()), ANSWER_BYTES_MAX).await?;
        let keys = read_keys(&keys).ok_or(Broken::Answer("no keys"))?;
        let known = Arc::new(Known { described, keys, at });
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }

    async fn exchange(&self, endpoint: &Url, code: &str, begun: &Begun) -> Result<Redeemed, Broken> {
        let settings = &self.settings;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &settings.redirect_url)
            .append_pair("client_id", &settings.client_id)
            .append_pair("code_verifier", &begun.verifier);
        let mut request = self.client.post(endpoint.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(secret) = &settings.client_secret {
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = STANDARD.encode(format!("{}:{}", encoded(&settings.client_id), encoded(secret)));
            request = request.header(AUTHORIZATION, format!("Basic {pair}"));
        }
        ask(request.body(form.finish()), ANSWER_BYTES_MAX).await
    }
}

fn cannot_be_asked(broken: Broken) -> Problem {
    tracing::warn!(reason = %broken, "the identity provider cannot be asked");
    Problem::not_now("the identity provider cannot be asked now; try again later, or sign in by password")
}

fn refused(why: &str) -> Problem {
    Problem::invalid("code", format!("{why}; begin anew"))
}
