use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use crate::error::{ErrorKind, Failure, Retry};

/// Larger answers are refused: none of laini's comes near.
pub(crate) const ANSWER_MAX_BYTES: usize = 64 * 1024;

const CAUSES_SHOWN_MAX: usize = 5;

/// Sends requests to one base URL, each bounded in time and size. Follows no redirect, so that
/// credentials go nowhere else.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    /// Without a slash at its end.
    pub(crate) base_url: String,
    pub(crate) attempt_timeout: Duration,
}

/// An answer, read to its end.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Transport {
    /// `GET` with an `Authorization`.
    pub(crate) async fn get(&self, path_and_query: &str, authorization: HeaderValue) -> Result<Reply, Failure> {
        let request = self.http.get(self.url(path_and_query)).header("authorization", authorization);
        self.send(request).await
    }

    /// `POST` of JSON.
    pub(crate) async fn post(&self, path: &str, headers: HeaderMap, json: Vec<u8>) -> Result<Reply, Failure> {
        let request = self.http.post(self.url(path)).headers(headers).header("content-type", "application/json");
        self.send(request.body(json)).await
    }

    fn url(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.base_url)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Reply, Failure> {
        // Reqwest's own timeout covers the body too, and is told apart from a broken connection.
        let mut response = request.timeout(self.attempt_timeout).send().await.map_err(broken)?;
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > ANSWER_MAX_BYTES {
                return Err(Failure::bad_answer("it is larger than 64 KiB"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status: response.status().as_u16(), headers: std::mem::take(response.headers_mut()), body })
    }
}

/// A request without a whole answer. Its causes speak of sockets and certificates only, once the URL
/// is left out.
fn broken(error: reqwest::Error) -> Failure {
    let kind = if error.is_timeout() { ErrorKind::TimedOut } else { ErrorKind::Unreachable };
    let error = error.without_url();
    let mut message = error.to_string();
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    for cause in causes.take(CAUSES_SHOWN_MAX) {
        let _ = write!(message, ": {cause}");
    }
    Failure::local(kind, Retry::AfterPause, message)
}
