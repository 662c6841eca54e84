use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use laini_wire::check::{AGE_PATH, CheckRequest, IMSI_PATH, SWAP_PATH};
use laini_wire::header;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, sleep, timeout_at};

use crate::attempts::Attempts;
use crate::backoff::Backoff;
use crate::error::{ErrorKind, Failure, Retry};
use crate::reply::{self, Read};
use crate::settings::Builder;
use crate::token::Tokens;
use crate::transport::{Reply, Transport};
use crate::{AgeFacts, Checked, Error, ImsiFacts, Private, Receipt, SwapFacts};

/// A client of one laini server under one pair of credentials. Cheap to clone; clones share the token
/// and the connections. Needs a tokio runtime with its I/O and time drivers.
#[derive(Clone)]
pub struct Laini {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) transport: Transport,
    pub(crate) tokens: Tokens,
    pub(crate) backoff: Backoff,
    pub(crate) deadline: Duration,
}

impl Laini {
    /// Starts with the settings.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Asks for the SIM's pseudonym, its last swap and the registration (product `imsi`).
    pub fn imsi<'a>(&'a self, number: &'a str) -> Check<'a, ImsiFacts> {
        self.check(number, IMSI_PATH, reply::imsi)
    }

    /// Asks for the last swap (product `swap`).
    pub fn swap<'a>(&'a self, number: &'a str) -> Check<'a, SwapFacts> {
        self.check(number, SWAP_PATH, reply::swap)
    }

    /// Asks for the registration (product `age`).
    pub fn age<'a>(&'a self, number: &'a str) -> Check<'a, AgeFacts> {
        self.check(number, AGE_PATH, reply::age)
    }

    fn check<'a, T>(&'a self, number: &'a str, path: &'static str, read: Read<T>) -> Check<'a, T> {
        Check { laini: &self.inner, number, path, read, request_id: None, idempotency_key: None }
    }
}

impl fmt::Debug for Laini {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Laini").field("base_url", &self.inner.transport.base_url).finish_non_exhaustive()
    }
}

/// One check, sent when it is awaited. All its attempts carry one `X-Request-ID` and one
/// `Idempotency-Key`, so that it is charged once at most.
#[must_use = "a check is sent only when it is awaited"]
pub struct Check<'a, T> {
    laini: &'a Inner,
    number: &'a str,
    path: &'static str,
    read: Read<T>,
    request_id: Option<String>,
    idempotency_key: Option<String>,
}

impl<T> Check<'_, T> {
    /// Uses the caller's `X-Request-ID` instead of a random one: 1 to 128 visible ASCII characters.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// Uses the caller's `Idempotency-Key` instead of a random one: 1 to 255 visible ASCII characters.
    /// With a key of the business (a payment's id), a check survives the caller's own crash: repeated
    /// within 10 minutes, it brings the stored answer and is not charged again.
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }

    /// Sends the check; the same as awaiting it.
    pub async fn send(self) -> Result<Checked<T>, Error> {
        let mut attempts = Attempts::new(self.request_id, self.idempotency_key);
        let question = Question { number: self.number, path: self.path, read: self.read };
        let deadline = Instant::now() + self.laini.deadline;
        let ended = timeout_at(deadline, self.laini.ask(&question, &mut attempts, deadline)).await;
        ended
            .unwrap_or_else(|_| {
                Err(Failure::local(ErrorKind::TimedOut, Retry::Never, "the check's deadline has passed"))
            })
            .map_err(|failure| Error::new(failure, attempts))
    }
}

impl<'a, T: Send + 'a> IntoFuture for Check<'a, T> {
    type Output = Result<Checked<T>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

struct Question<'a, T> {
    number: &'a str,
    path: &'static str,
    read: Read<T>,
}

impl Inner {
    /// Attempts until there is an answer, or until another attempt cannot help.
    async fn ask<T>(
        &self,
        question: &Question<'_, T>,
        attempts: &mut Attempts,
        deadline: Instant,
    ) -> Result<Checked<T>, Failure> {
        attempts.check_ids()?;
        let mut retries = 0;
        let mut token_renewed = false;
        loop {
            attempts.made += 1;
            let failure = match self.attempt(question, attempts).await {
                Ok(checked) => return Ok(checked),
                Err(failure) => failure,
            };
            match failure.retry {
                Retry::WithFreshToken if !token_renewed => token_renewed = true,
                Retry::WithFreshToken | Retry::Never => return Err(failure),
                Retry::AfterPause => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    let pause = self.backoff.pause(retries, failure.retry_after, left, fastrand::f64());
                    sleep(pause.ok_or(failure)?).await;
                    retries += 1;
                }
            }
        }
    }

    async fn attempt<T>(&self, question: &Question<'_, T>, attempts: &Attempts) -> Result<Checked<T>, Failure> {
        let token = self.tokens.get(&self.transport).await?;
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, token.header()?);
        for (name, id) in
            [(header::X_REQUEST_ID, &attempts.request_id), (header::IDEMPOTENCY_KEY, &attempts.idempotency_key)]
        {
            let id = HeaderValue::from_str(id);
            let id =
                id.map_err(|_| Failure::local(ErrorKind::InvalidId, Retry::Never, "it cannot stand in a header"))?;
            headers.insert(HeaderName::from_static(name), id);
        }
        let request = CheckRequest { customer_number: question.number.to_owned(), result_url: None };
        let json = serde_json::to_vec(&request)
            .map_err(|_| Failure::local(ErrorKind::Refused, Retry::Never, "it cannot be written as JSON"))?;
        let reply = self.transport.post(question.path, headers, json).await?;
        match reply.answer(question.read, question.number) {
            Ok((answer, request_ref_id)) => Ok(Checked { answer, receipt: receipt(&reply, request_ref_id, attempts) }),
            Err(failure) => {
                if failure.retry == Retry::WithFreshToken {
                    self.tokens.forget(&token).await;
                }
                Err(failure)
            }
        }
    }
}

fn receipt(reply: &Reply, request_ref_id: String, attempts: &Attempts) -> Receipt {
    let text = |name| reply.header(name).map(str::to_owned);
    Receipt {
        request_ref_id,
        charge: text(header::LAINI_CHARGE),
        environment: reply.environment(),
        as_of: text(header::LAINI_AS_OF),
        replayed: reply.header(header::IDEMPOTENT_REPLAYED) == Some("true"),
        request_id: attempts.request_id.clone(),
        idempotency_key: attempts.idempotency_key.clone(),
        attempts: attempts.made,
        body: Private::new(&String::from_utf8_lossy(&reply.body)),
    }
}
