use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use laini_office::{Problem, Replay};
use serde::Serialize;

const JSON: &str = "application/json;charset=UTF-8";

/// What an endpoint of the office answers.
pub(crate) struct Reply {
    status: StatusCode,
    media_type: &'static str,
    body: ReplyBody,
    /// What a browser calls it when it is saved.
    file: Option<String>,
    /// Whether it shows something that is never shown again.
    is_secret: bool,
    is_replayed: bool,
}

/// What is sent.
enum ReplyBody {
    /// All of it is here.
    Whole(Vec<u8>),
    /// It is made while it is taken.
    Streamed(Body),
}

impl Reply {
    /// 200 with JSON.
    pub(crate) fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with JSON.
    pub(crate) fn created(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::CREATED, body)
    }

    /// 201 with JSON that shows a secret, once: it is not kept for repeats.
    pub(crate) fn created_once(body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self { is_secret: true, ..Self::created(body)? })
    }

    /// 202 with JSON: it goes on in the background.
    pub(crate) fn begun(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::ACCEPTED, body)
    }

    /// The same, which is not kept for repeats.
    pub(crate) fn once(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// 202: what becomes of it is told by letter.
    pub(crate) fn accepted() -> Self {
        Self::bytes(StatusCode::ACCEPTED, "", Vec::new())
    }

    /// 204.
    pub(crate) fn no_content() -> Self {
        Self::bytes(StatusCode::NO_CONTENT, "", Vec::new())
    }

    /// A file to save. `name` holds letters, digits, `-` and `.` alone.
    pub(crate) fn file(media_type: &'static str, name: String, bytes: Vec<u8>) -> Self {
        Self { file: Some(name), ..Self::bytes(StatusCode::OK, media_type, bytes) }
    }

    /// A file to save that is made while it is taken; only of operations that change nothing.
    pub(crate) fn streamed(media_type: &'static str, name: String, body: Body) -> Self {
        Self { body: ReplyBody::Streamed(body), ..Self::file(media_type, name, Vec::new()) }
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let bytes = serde_json::to_vec(body).map_err(|error| Problem::Store(error.to_string()))?;
        Ok(Self::bytes(status, JSON, bytes))
    }

    fn bytes(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, media_type, body: ReplyBody::Whole(body), file: None, is_secret: false, is_replayed: false }
    }

    /// What is kept of it for repeats.
    pub(super) fn kept(&self) -> (u16, Option<String>) {
        let text = match &self.body {
            ReplyBody::Whole(bytes) => String::from_utf8(bytes.clone()).ok().filter(|_| !self.is_secret),
            ReplyBody::Streamed(_) => None,
        };
        (self.status.as_u16(), text)
    }

    /// The answer of a repeat.
    pub(super) fn again(stored: Replay) -> Result<Self, Problem> {
        let Some(answer) = stored.answer else {
            return Err(Problem::not_now("this was done already; what it showed is shown once"));
        };
        let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
        let media_type = if answer.is_empty() { "" } else { JSON };
        Ok(Self { is_replayed: true, ..Self::bytes(status, media_type, answer.into_bytes()) })
    }

    pub(super) fn into_response(self) -> Response {
        let body = match self.body {
            ReplyBody::Whole(bytes) => Body::from(bytes),
            ReplyBody::Streamed(body) => body,
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if !self.media_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        }
        if let Some(name) =
            self.file.and_then(|name| HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).ok())
        {
            headers.insert(CONTENT_DISPOSITION, name);
        }
        if self.is_replayed {
            headers.insert(laini_wire::header::IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
