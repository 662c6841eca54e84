use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{collection, document};
use crate::http::{json_bytes, to_json};

/// The document as it is sent, the same as long as the process runs.
static SENT: LazyLock<Sent> = LazyLock::new(|| Sent::new(&document()));
/// The collection made of it.
static COLLECTION: LazyLock<Sent> = LazyLock::new(|| Sent::new(&collection()));

struct Sent {
    body: Bytes,
    etag: HeaderValue,
}

impl Sent {
    fn new(document: &Value) -> Self {
        let body = to_json(document);
        // Base64 in quotes is always a header's value.
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
        let etag = HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("\"0\""));
        Self { body: body.into(), etag }
    }
}

/// `GET /openapi.json`: this document.
pub(crate) async fn show_openapi(headers: HeaderMap) -> Response {
    SENT.answer(&headers)
}

/// `GET /postman.json`: the same operations as a Postman collection, to save.
pub(crate) async fn show_postman(headers: HeaderMap) -> Response {
    let mut response = COLLECTION.answer(&headers);
    let name = HeaderValue::from_static("attachment; filename=\"laini.postman.json\"");
    response.headers_mut().insert(CONTENT_DISPOSITION, name);
    response
}

impl Sent {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|known| names(known, &self.etag));
        let mut response = if is_known { Response::default() } else { json_bytes(self.body.clone()) };
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(ETAG, self.etag.clone());
        // It changes with the server's release: caches may keep it, and ask whether it is still the same.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
        response
    }
}

/// Whether a list of entity tags names this one; a proxy that compresses marks it as weak.
fn names(list: &HeaderValue, etag: &HeaderValue) -> bool {
    let list = list.to_str().unwrap_or_default();
    list.split(',').any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag.to_str().unwrap_or_default()
    })
}
