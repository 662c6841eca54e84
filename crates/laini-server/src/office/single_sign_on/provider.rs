use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use laini_office::Problem;
use laini_office::people::{Begun, Vouched};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use super::SingleSignOn;
use super::id_token::{Expected, Flaw, Key, read_keys, verify};

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

/// The identity provider, asked over HTTPS. No redirect is followed, no proxy asked, no cookie kept.
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

/// Why the provider did not say what was asked: for the log.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Broken {
    #[error("no answer: {0}")]
    NoAnswer(&'static str),
    #[error("it answered {0}")]
    Status(u16),
    #[error("its answer is not what was asked for: {0}")]
    Answer(&'static str),
}

impl Provider {
    /// The provider of these settings; `None` where nothing can be asked from this machine.
    pub(crate) fn new(settings: SingleSignOn) -> Option<Self> {
        let client = Client::builder()
            .https_only(!settings.issuer.starts_with("http://"))
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
            .timeout(Duration::from_millis(REQUEST_TIMEOUT_MS))
            .build();
        let client = client.inspect_err(|error| tracing::error!(%error, "no identity provider can be asked")).ok()?;
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
        let described: Described = read(self.client.get(about)).await?;
        if described.issuer != self.settings.issuer {
            return Err(Broken::Answer("it is another issuer"));
        }
        // What laini asks is held by the client; where browsers go is held here.
        let scheme = described.authorization_endpoint.scheme();
        if scheme != "https" && !(scheme == "http" && self.settings.issuer.starts_with("http://")) {
            return Err(Broken::Answer("its page is not under TLS"));
        }
        let keys = read_bytes(self.client.get(described.jwks_uri.clone())).await?;
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
        read(request.body(form.finish())).await
    }
}

async fn read<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Broken> {
    let bytes = read_bytes(request).await?;
    serde_json::from_slice(&bytes).map_err(|_| Broken::Answer("no such JSON"))
}

async fn read_bytes(request: RequestBuilder) -> Result<Vec<u8>, Broken> {
    let no_answer = |error: reqwest::Error| {
        // What a library says may hold the URL; the kind is enough.
        Broken::NoAnswer(if error.is_timeout() {
            "not in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "it broke off"
        })
    };
    let mut response = request.header(ACCEPT, "application/json").send().await.map_err(no_answer)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(Broken::Status(response.status().as_u16()));
    }
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        if answer.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Broken::Answer("it is too long"));
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(answer)
}

fn cannot_be_asked(broken: Broken) -> Problem {
    tracing::warn!(reason = %broken, "the identity provider cannot be asked");
    Problem::not_now("the identity provider cannot be asked now; try again later, or sign in by password")
}

fn refused(why: &str) -> Problem {
    Problem::invalid("code", format!("{why}; begin anew"))
}
