use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;

/// Why somebody outside, an identity provider or a model, did not say what was asked: for the log. It holds no URL.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum Broken {
    /// There was none: why.
    #[error("no answer: {0}")]
    NoAnswer(&'static str),
    /// Another status than 200.
    #[error("it answered {0}")]
    Status(u16),
    /// One that makes no sense: why.
    #[error("its answer is not what was asked for: {0}")]
    Answer(&'static str),
}

/// The way to one that the operator's configuration names by `url`. No redirect is followed, no proxy asked, no cookie
/// kept, nothing tried twice. `None` where nothing can be asked from this machine: the log says why.
pub(super) fn client_for(url: &str, connect_ms: u64, in_all_ms: u64) -> Option<Client> {
    let client = Client::builder()
        .https_only(!url.starts_with("http://"))
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(Duration::from_millis(connect_ms))
        .timeout(Duration::from_millis(in_all_ms))
        .build();
    client.inspect_err(|error| tracing::error!(%error, "nothing can be asked outside")).ok()
}

/// Asks, and reads the JSON that is answered, `bytes_max` of it at most.
pub(super) async fn ask<T: DeserializeOwned>(request: RequestBuilder, bytes_max: usize) -> Result<T, Broken> {
    let answer = ask_bytes(request, bytes_max).await?;
    serde_json::from_slice(&answer).map_err(|_| Broken::Answer("no such JSON"))
}

/// Asks, and reads the bytes that are answered, `bytes_max` at most.
pub(super) async fn ask_bytes(request: RequestBuilder, bytes_max: usize) -> Result<Vec<u8>, Broken> {
    let mut response = request.header(ACCEPT, "application/json").send().await?;
    if response.status() != StatusCode::OK {
        return Err(Broken::Status(response.status().as_u16()));
    }
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if answer.len() + chunk.len() > bytes_max {
            return Err(Broken::Answer("it is too long"));
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(answer)
}

impl From<reqwest::Error> for Broken {
    fn from(error: reqwest::Error) -> Self {
        // What a library says may hold the URL; the kind is enough.
        Self::NoAnswer(if error.is_timeout() {
            "not in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "it broke off"
        })
    }
}
