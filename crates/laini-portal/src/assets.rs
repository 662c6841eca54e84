use std::io::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// A file of the portal's look, compiled in.
pub(crate) struct Asset {
    /// Where it is; the name holds its hash, so a browser may keep it for ever.
    pub(crate) path: String,
    media_type: &'static str,
    plain: &'static [u8],
    packed: Bytes,
}

/// The style sheet.
pub(crate) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("portal.css", "text/css; charset=utf-8", include_bytes!("../assets/portal.css")));
/// What makes pages livelier where scripts run; nothing needs it.
pub(crate) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("portal.js", "text/javascript; charset=utf-8", include_bytes!("../assets/portal.js")));
/// htmx 2.0.8, 0BSD, as published.
pub(crate) static HTMX: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/vendor/htmx-2.0.8.min.js");
    Asset::new("htmx.js", "text/javascript; charset=utf-8", bytes)
});
/// The mark in a browser's tab.
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_bytes!("../assets/icon.svg")));

impl Asset {
    fn new(name: &str, media_type: &'static str, plain: &'static [u8]) -> Self {
        let [.., a, b, c, d] = Sha256::digest(plain).0;
        let hash = u32::from_be_bytes([a, b, c, d]);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail; if it did, the plain bytes would be sent.
        let packed = encoder.write_all(plain).and_then(|()| encoder.finish()).unwrap_or_default();
        Self { path: format!("/assets/{hash:08x}/{name}"), media_type, plain, packed: packed.into() }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_packed = accepted.contains("gzip") && !self.packed.is_empty();
        let body = if is_packed { self.packed.clone() } else { Bytes::from_static(self.plain) };
        let mut response = Response::new(Body::from(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if is_packed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// The routes of all of them.
pub(crate) fn routes() -> Router {
    let all: [&'static Asset; 4] = [&STYLE, &SCRIPT, &HTMX, &ICON];
    all.into_iter().fold(Router::new(), |router, asset: &'static Asset| {
        let answer = move |headers: HeaderMap| async move { asset.answer(&headers) };
        router.route(&asset.path, get(answer))
    })
}
