use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use laini_client::{Builder, Laini};
use laini_wire::token::GENERATE_PATH;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, SemaphorePermit};

const TOKEN_DOOR_PERMITS: usize = 100;

pub(crate) const KEY: &str = "testKey";
pub(crate) const SECRET: &str = "s3cretS3cretS3cretS3cret";
pub(crate) const NUMBER: &str = "254722000000";
pub(crate) const REF: &str = "971f-4359-b611-6845a1be45ef280786";

/// A laini server that answers as told. Tokens are `token1`, `token2`… unless told otherwise.
#[derive(Clone)]
pub(crate) struct Fake {
    state: Arc<Mutex<Script>>,
    /// Each token request takes one permit.
    token_door: Arc<Semaphore>,
    pub(crate) base_url: String,
}

#[derive(Default)]
struct Script {
    tokens: VecDeque<Say>,
    checks: VecDeque<Say>,
    token_requests: Vec<Seen>,
    check_requests: Vec<Seen>,
}

/// One scripted reply.
#[derive(Clone)]
pub(crate) struct Say {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) never: bool,
}

/// One request as it came.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible ASCII"))
    }
}

impl Say {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), never: false }
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = laini_wire::error::CheckErrorBody::new(REF, status, code, message);
        Self::new(status, serde_json::to_string(&body).expect("it can be written"))
    }

    pub(crate) fn token(access_token: &str, expires_in: &str) -> Self {
        Self::new(200, format!("{{\"access_token\":{access_token:?},\"expires_in\":{expires_in:?}}}"))
    }

    /// One of the published examples.
    pub(crate) fn example(name: &str) -> Self {
        let path = format!("{}/../../api/examples/{name}", env!("CARGO_MANIFEST_DIR"));
        Self::new(200, std::fs::read_to_string(path).expect("the example is there"))
    }

    /// Takes the request and never answers.
    pub(crate) fn nothing() -> Self {
        Self { never: true, ..Self::new(200, "") }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let fake = Self {
            state: Arc::default(),
            token_door: Arc::new(Semaphore::new(TOKEN_DOOR_PERMITS)),
            base_url: format!("http://{}", listener.local_addr().expect("its address")),
        };
        let app = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    /// A client with short pauses.
    pub(crate) fn builder(&self) -> Builder {
        Laini::builder().base_url(&self.base_url).credentials(KEY, SECRET).backoff_first_ms(1).backoff_max_ms(2)
    }

    pub(crate) fn client(&self) -> Laini {
        self.builder().build().expect("good settings")
    }

    /// Token requests get no reply until the permit is dropped.
    pub(crate) async fn close_token_door(&self) -> SemaphorePermit<'_> {
        let all = u32::try_from(TOKEN_DOOR_PERMITS).expect("a small number");
        self.token_door.acquire_many(all).await.expect("the door stays")
    }

    pub(crate) fn checks_say(&self, replies: impl IntoIterator<Item = Say>) {
        self.script().checks.extend(replies);
    }

    pub(crate) fn tokens_say(&self, replies: impl IntoIterator<Item = Say>) {
        self.script().tokens.extend(replies);
    }

    pub(crate) fn token_requests(&self) -> Vec<Seen> {
        self.script().token_requests.clone()
    }

    pub(crate) fn check_requests(&self) -> Vec<Seen> {
        self.script().check_requests.clone()
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.state.lock().expect("no test panicked with it")
    }

    fn next(&self, seen: Seen) -> Say {
        let mut script = self.script();
        if seen.path_and_query.starts_with(GENERATE_PATH) {
            script.token_requests.push(seen);
            let standard = Say::token(&format!("token{}", script.token_requests.len()), "3599");
            script.tokens.pop_front().unwrap_or(standard)
        } else {
            script.check_requests.push(seen);
            script.checks.pop_front().unwrap_or_else(|| Say::example("imsi.answer.json"))
        }
    }
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 16 * 1024).await.expect("a small body").to_vec();
    let path_and_query = parts.uri.to_string();
    let is_token = path_and_query.starts_with(GENERATE_PATH);
    let say = fake.next(Seen { method: parts.method, path_and_query, headers: parts.headers, body });
    if is_token {
        let _passed = fake.token_door.acquire().await.expect("the door stays");
    }
    if say.never {
        std::future::pending::<()>().await;
    }
    let response = Response::builder().status(say.status).header("content-type", "application/json");
    let response = say.headers.into_iter().fold(response, |response, (name, value)| response.header(name, value));
    response.body(Body::from(say.body)).expect("a good reply")
}
