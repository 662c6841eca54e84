use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use laini_wire::token::{GENERATE_PATH, GRANT_TYPE, PublishedToken};
use reqwest::header::HeaderValue;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::error::{ErrorKind, Failure, Retry};
use crate::transport::{Reply, Transport};

/// A token is renewed this long before its end, or at half its life if that is later.
const RENEWAL_MARGIN: Duration = Duration::from_mins(1);
/// A longer life is not believed.
const LIFETIME_MAX: Duration = Duration::from_hours(24);

/// A consumer key and its secret.
pub(crate) struct Credentials {
    pub(crate) consumer_key: String,
    pub(crate) consumer_secret: Zeroizing<String>,
}

/// The token that all callers share: fetched once, by the first who finds none.
pub(crate) struct Tokens {
    credentials: Credentials,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// The last fetch that failed, for those who waited for it.
    failed: Option<(Instant, Failure)>,
}

/// A token in use.
#[derive(Clone)]
pub(crate) struct Token {
    text: Arc<Zeroizing<String>>,
    renew_at: Instant,
}

impl Token {
    /// As it stands in `Authorization`.
    pub(crate) fn header(&self) -> Result<HeaderValue, Failure> {
        sensitive(&Zeroizing::new(format!("Bearer {}", **self.text)))
    }
}

impl Tokens {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials, state: Mutex::default() }
    }

    /// The token, fetched if there is none or the one there is ends soon. Whoever waits for somebody
    /// else's fetch shares its outcome, a failure too.
    pub(crate) async fn get(&self, transport: &Transport) -> Result<Token, Failure> {
        let asked_at = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(token) = state.token.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.clone());
        }
        if let Some((failed_at, failure)) = &state.failed
            && *failed_at > asked_at
        {
            return Err(failure.clone());
        }
        match self.fetch(transport).await {
            Ok(token) => {
                *state = State { token: Some(token.clone()), failed: None };
                Ok(token)
            }
            Err(failure) => {
                state.failed = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Drops a token that the server refused, unless another one has taken its place.
    pub(crate) async fn forget(&self, refused: &Token) {
        let mut state = self.state.lock().await;
        if state.token.as_ref().is_some_and(|token| Arc::ptr_eq(&token.text, &refused.text)) {
            state.token = None;
        }
    }

    async fn fetch(&self, transport: &Transport) -> Result<Token, Failure> {
        let started = Instant::now();
        let Credentials { consumer_key, consumer_secret } = &self.credentials;
        let pair = Zeroizing::new(format!("{consumer_key}:{}", **consumer_secret));
        let basic = Zeroizing::new(format!("Basic {}", *Zeroizing::new(STANDARD.encode(pair.as_bytes()))));
        let path_and_query = format!("{GENERATE_PATH}?grant_type={GRANT_TYPE}");
        let reply = transport.get(&path_and_query, sensitive(&basic)?).await?;
        if reply.status == 200 {
            return read(&reply, started);
        }
        let failure = reply.failure();
        // At this door a 401 means the credentials; there is no token yet that a fresh one could replace.
        Err(match failure.kind {
            ErrorKind::TokenRefused => Failure { kind: ErrorKind::Credentials, retry: Retry::Never, ..failure },
            _ => failure,
        })
    }
}

fn read(reply: &Reply, fetched_at: Instant) -> Result<Token, Failure> {
    let bad = || Failure::bad_answer("it holds no token as published");
    let token: PublishedToken<'_> = serde_json::from_slice(&reply.body).map_err(|_| bad())?;
    let visible = !token.access_token.is_empty() && token.access_token.bytes().all(|b| b.is_ascii_graphic());
    let seconds: u64 = token.expires_in.parse().ok().filter(|_| visible).ok_or_else(bad)?;
    let lifetime = Duration::from_secs(seconds).min(LIFETIME_MAX);
    let renew_at = fetched_at + lifetime.saturating_sub(RENEWAL_MARGIN).max(lifetime / 2);
    Ok(Token { text: Arc::new(Zeroizing::new(token.access_token.into_owned())), renew_at })
}

/// A header value that no log of the HTTP stack shows.
fn sensitive(text: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Failure::local(ErrorKind::Credentials, Retry::Never, "they cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(body: impl Into<Vec<u8>>, fetched_at: Instant) -> Option<Token> {
        let reply =
            Reply { status: 200, headers: reqwest::header::HeaderMap::new(), body: Zeroizing::new(body.into()) };
        read(&reply, fetched_at).ok()
    }

    #[test]
    fn a_token_is_renewed_before_its_end() {
        let now = Instant::now();
        for (expires_in, renewed_after_ms) in
            [("3599", 3_539_000), ("60", 30_000), ("1", 500), ("0", 0), ("999999999999", 86_340_000)]
        {
            let token = token(format!("{{\"access_token\":\"abc\",\"expires_in\":\"{expires_in}\"}}"), now).unwrap();
            assert_eq!((token.renew_at - now).as_millis(), renewed_after_ms, "{expires_in}");
        }
    }

    #[tokio::test]
    async fn a_token_that_was_replaced_is_not_forgotten_again() {
        let credentials = Credentials { consumer_key: String::new(), consumer_secret: Zeroizing::default() };
        let tokens = Tokens::new(credentials);
        let body = "{\"access_token\":\"abc\",\"expires_in\":\"3599\"}";
        let (first, second) = (token(body, Instant::now()).unwrap(), token(body, Instant::now()).unwrap());
        tokens.state.lock().await.token = Some(second.clone());
        tokens.forget(&first).await;
        assert!(tokens.state.lock().await.token.is_some());
        tokens.forget(&second).await;
        assert!(tokens.state.lock().await.token.is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn any_body_is_a_token_that_a_header_can_carry_or_none(
            body in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..64),
                "\\{\"access_token\":\"\\PC{0,16}\",\"expires_in\":\"[0-9]{0,24}\"\\}".prop_map(String::into_bytes),
            ],
        ) {
            if let Some(token) = token(body, Instant::now()) {
                prop_assert!(token.header().is_ok_and(|header| header.is_sensitive()));
            }
        }
    }
}
