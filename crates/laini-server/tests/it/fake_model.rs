//! A model behind an endpoint on this machine, which says what a test has it say and remembers what it was sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use laini_server::Assistant;
use serde_json::json;
use zeroize::Zeroizing;

pub(crate) const KEY: &str = "a key of the model";
/// How long laini waits for it.
const TIMEOUT_MS: u64 = 400;

/// What it does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It says so.
    Says(&'static str),
    /// It answers too late.
    Slow,
    /// It answers 500.
    Broken,
    /// It answers what is no completion.
    Nonsense,
    /// It answers far too much.
    Endless,
    /// It sends whoever asks elsewhere.
    Elsewhere,
}

struct Kept {
    mood: Mood,
    /// Each body that came, with the key beside it.
    sent: Vec<(String, String)>,
}

#[derive(Clone)]
pub(crate) struct FakeModel {
    kept: Arc<Mutex<Kept>>,
    url: String,
}

impl FakeModel {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let model = Self { kept: Arc::new(Mutex::new(Kept { mood: Mood::Broken, sent: Vec::new() })), url };
        let routes = Router::new()
            .route("/v1/chat/completions", post(complete))
            .route("/elsewhere", post(complete))
            .with_state(model.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        model
    }

    pub(crate) fn settings(&self) -> Assistant {
        let key = Some(Zeroizing::new(KEY.to_owned()));
        Assistant { url: self.url.clone(), model: "some-model".to_owned(), key, timeout_ms: TIMEOUT_MS }
    }

    pub(crate) fn be(&self, mood: Mood) {
        self.kept.lock().unwrap().mood = mood;
    }

    /// What it was sent since the last time.
    pub(crate) fn sent(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.kept.lock().unwrap().sent)
    }
}

async fn complete(State(model): State<FakeModel>, headers: HeaderMap, body: String) -> Response {
    let key = headers.get("authorization").map_or_else(String::new, |key| key.to_str().unwrap().to_owned());
    let mood = {
        let mut kept = model.kept.lock().unwrap();
        kept.sent.push((key, body));
        kept.mood
    };
    let said = |text: String| json!({"choices": [{"message": {"role": "assistant", "content": text}}]}).to_string();
    match mood {
        Mood::Says(text) => said(text.to_owned()).into_response(),
        Mood::Slow => {
            tokio::time::sleep(Duration::from_millis(TIMEOUT_MS * 20)).await;
            said("too late".to_owned()).into_response()
        }
        Mood::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Mood::Nonsense => "<html>".into_response(),
        Mood::Endless => said("x".repeat(1_000_000)).into_response(),
        Mood::Elsewhere => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response(),
    }
}
