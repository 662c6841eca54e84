use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use zeroize::Zeroizing;

use crate::backoff::Backoff;
use crate::client::Laini;
use crate::token::{Credentials, Tokens};
use crate::transport::Transport;

const CREDENTIAL_MAX_BYTES: usize = 512;
const IDLE_CONNECTIONS_MAX: usize = 32;
/// Below the 75 s after which a server closes an idle connection, so that none is used while it closes.
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_mins(1);

/// The settings of a [`Laini`]: a base URL and credentials are needed, the rest has defaults.
#[must_use]
pub struct Builder {
    base_url: String,
    consumer_key: String,
    consumer_secret: Zeroizing<String>,
    allow_plain_http: bool,
    connect_timeout_ms: u64,
    attempt_timeout_ms: u64,
    deadline_ms: u64,
    max_retries: u32,
    backoff_first_ms: u64,
    backoff_max_ms: u64,
    retry_after_max_ms: u64,
}

/// Why no client can be made of these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Not the URL of a server.
    #[error("base_url is not a server's URL: give it as https://host, without a user, a query or a fragment")]
    BaseUrl,
    /// Credentials would travel in the clear.
    #[error(
        "base_url is http:// to another machine, so that credentials would travel in the clear: \
         use https://, or allow_plain_http(true) on a network that you trust"
    )]
    PlainHttp,
    /// No usable consumer key and secret.
    #[error("credentials need a consumer key and a secret of 1 to 512 visible characters, without a colon in the key")]
    Credentials,
    /// A number outside its range.
    #[error("{setting} must be {min} to {max}")]
    OutOfRange {
        /// The setting's name.
        setting: &'static str,
        /// The smallest value it takes.
        min: u64,
        /// The largest value it takes.
        max: u64,
    },
    /// The machine offers no way to verify a server's certificate.
    #[error("TLS cannot be set up ({reason}): install the system's CA certificates")]
    Tls {
        /// What failed.
        reason: String,
    },
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            base_url: String::new(),
            consumer_key: String::new(),
            consumer_secret: Zeroizing::default(),
            allow_plain_http: false,
            connect_timeout_ms: 3_000,
            attempt_timeout_ms: 10_000,
            deadline_ms: 20_000,
            max_retries: 3,
            backoff_first_ms: 200,
            backoff_max_ms: 3_000,
            retry_after_max_ms: 10_000,
        }
    }

    /// Where the server is, e.g. `https://api.operator.example`; may end in a path.
    pub fn base_url(mut self, base_url: &str) -> Self {
        base_url.clone_into(&mut self.base_url);
        self
    }

    /// The app's consumer key and secret. They decide between sandbox and production.
    pub fn credentials(mut self, consumer_key: &str, consumer_secret: &str) -> Self {
        consumer_key.clone_into(&mut self.consumer_key);
        self.consumer_secret = Zeroizing::new(consumer_secret.to_owned());
        self
    }

    /// Whether `http://` may be used beyond this machine. Default: no.
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.allow_plain_http = allow;
        self
    }

    /// How long a connection may take to open: 1 to 60,000. Default: 3,000.
    pub fn connect_timeout_ms(mut self, milliseconds: u64) -> Self {
        self.connect_timeout_ms = milliseconds;
        self
    }

    /// How long one request may take, from connecting to the last byte: 1 to 60,000. Default: 10,000.
    pub fn attempt_timeout_ms(mut self, milliseconds: u64) -> Self {
        self.attempt_timeout_ms = milliseconds;
        self
    }

    /// How long a check may take with its token, attempts and pauses: 1 to 300,000. Default: 20,000.
    pub fn deadline_ms(mut self, milliseconds: u64) -> Self {
        self.deadline_ms = milliseconds;
        self
    }

    /// How many attempts may follow the first: 0 to 10. Default: 3.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// The first pause between attempts; it doubles each time, and half of it is random: 1 to 60,000.
    /// Default: 200.
    pub fn backoff_first_ms(mut self, milliseconds: u64) -> Self {
        self.backoff_first_ms = milliseconds;
        self
    }

    /// The longest such pause: 1 to 60,000. Default: 3,000.
    pub fn backoff_max_ms(mut self, milliseconds: u64) -> Self {
        self.backoff_max_ms = milliseconds;
        self
    }

    /// The longest `Retry-After` that is waited for; a longer one ends the check: 0 to 300,000.
    /// Default: 10,000.
    pub fn retry_after_max_ms(mut self, milliseconds: u64) -> Self {
        self.retry_after_max_ms = milliseconds;
        self
    }

    /// Makes the client. Connects to nothing yet.
    pub fn build(self) -> Result<Laini, BuildError> {
        self.check_limits()?;
        let (base_url, on_this_machine) = self.checked_base_url()?;
        let visible =
            |text: &str| (1..=CREDENTIAL_MAX_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if !visible(&self.consumer_key) || self.consumer_key.contains(':') || !visible(&self.consumer_secret) {
            return Err(BuildError::Credentials);
        }
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("laini-client/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_millis(self.connect_timeout_ms))
            .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX);
        if on_this_machine {
            // A proxy would look for this address on its own machine.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| BuildError::Tls { reason: error.to_string() })?;
        let attempt_timeout = Duration::from_millis(self.attempt_timeout_ms);
        let credentials = Credentials { consumer_key: self.consumer_key, consumer_secret: self.consumer_secret };
        Ok(Laini {
            inner: Arc::new(crate::client::Inner {
                transport: Transport { http, base_url, attempt_timeout },
                tokens: Tokens::new(credentials),
                backoff: Backoff {
                    max_retries: self.max_retries,
                    first: Duration::from_millis(self.backoff_first_ms),
                    max: Duration::from_millis(self.backoff_max_ms),
                    retry_after_max: Duration::from_millis(self.retry_after_max_ms),
                },
                deadline: Duration::from_millis(self.deadline_ms),
            }),
        })
    }

    fn check_limits(&self) -> Result<(), BuildError> {
        let limits: [(&'static str, u64, RangeInclusive<u64>); 7] = [
            ("connect_timeout_ms", self.connect_timeout_ms, 1..=60_000),
            ("attempt_timeout_ms", self.attempt_timeout_ms, 1..=60_000),
            ("deadline_ms", self.deadline_ms, 1..=300_000),
            ("max_retries", self.max_retries.into(), 0..=10),
            ("backoff_first_ms", self.backoff_first_ms, 1..=60_000),
            ("backoff_max_ms", self.backoff_max_ms, 1..=60_000),
            ("retry_after_max_ms", self.retry_after_max_ms, 0..=300_000),
        ];
        match limits.into_iter().find(|(_, value, range)| !range.contains(value)) {
            None => Ok(()),
            Some((setting, _, range)) => {
                Err(BuildError::OutOfRange { setting, min: *range.start(), max: *range.end() })
            }
        }
    }

    /// The base URL without a slash at its end, and whether it is a server on this machine.
    fn checked_base_url(&self) -> Result<(String, bool), BuildError> {
        let url = Url::parse(&self.base_url).map_err(|_| BuildError::BaseUrl)?;
        let plain = match url.scheme() {
            "http" => true,
            "https" => false,
            _ => return Err(BuildError::BaseUrl),
        };
        let bare =
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        let host = url.host_str().filter(|_| bare).ok_or(BuildError::BaseUrl)?;
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        let on_this_machine = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        if plain && !on_this_machine && !self.allow_plain_http {
            return Err(BuildError::PlainHttp);
        }
        Ok((url.as_str().trim_end_matches('/').to_owned(), on_this_machine))
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base_url: &str) -> Builder {
        Builder::new().base_url(base_url).credentials("key", "secret")
    }

    fn refusal(builder: Builder) -> Option<BuildError> {
        builder.build().err()
    }

    #[test]
    fn a_base_url_is_a_server_and_no_more() {
        for good in [
            "https://api.operator.example",
            "https://gateway.bank.example/laini/",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/",
            "http://localhost",
        ] {
            assert_eq!(refusal(at(good)), None, "{good}");
        }
        for bad in [
            "",
            "api.operator.example",
            "ftp://x",
            "https://",
            "https://u:p@x",
            "https://x?a=b",
            "https://x#a",
            "data:x",
        ] {
            assert_eq!(refusal(at(bad)), Some(BuildError::BaseUrl), "{bad}");
        }
        for plain in ["http://api.operator.example", "http://10.0.0.1", "http://localhost.evil.example"] {
            assert_eq!(refusal(at(plain)), Some(BuildError::PlainHttp), "{plain}");
            assert_eq!(refusal(at(plain).allow_plain_http(true)), None, "{plain}");
        }
    }

    #[test]
    fn credentials_and_limits_are_checked() {
        for (key, secret) in [("", "s"), ("k", ""), ("k:k", "s"), ("k", "s\r\nX: y"), ("k", "ß")] {
            assert_eq!(refusal(at("https://x").credentials(key, secret)), Some(BuildError::Credentials), "{key}");
        }
        let out_of_range = |setting, min, max| Some(BuildError::OutOfRange { setting, min, max });
        assert_eq!(refusal(at("https://x").deadline_ms(0)), out_of_range("deadline_ms", 1, 300_000));
        assert_eq!(refusal(at("https://x").max_retries(11)), out_of_range("max_retries", 0, 10));
        assert_eq!(refusal(at("https://x").backoff_first_ms(u64::MAX)), out_of_range("backoff_first_ms", 1, 60_000));
    }

    #[test]
    fn nothing_shows_the_secret() {
        let builder = at("https://x").credentials("key", "hush-hush");
        assert!(!format!("{builder:?}").contains("hush"));
        assert!(!format!("{:?}", builder.build()).contains("hush"));
    }
}
