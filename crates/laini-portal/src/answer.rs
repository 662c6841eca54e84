use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

/// What a page may do in a browser: nothing that does not come from this server, nothing inline, in no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What a browser is sent.
pub(crate) struct Answer {
    status: StatusCode,
    media_type: &'static str,
    body: Body,
    /// What a browser calls it when it is saved.
    file: Option<String>,
    location: Option<String>,
    /// Where the whole page goes on, when a part of it was asked for.
    page_location: Option<String>,
    cookies: Vec<HeaderValue>,
    /// The same for everybody: whatever lies between may keep it for so long.
    shared_for_s: Option<u32>,
}

impl Answer {
    /// A page.
    pub(crate) fn html(body: String) -> Self {
        Self::of(StatusCode::OK, "text/html; charset=utf-8", body.into_bytes())
    }

    /// On to another page of ours.
    pub(crate) fn see_other(path: impl Into<String>) -> Self {
        let location = Some(path.into());
        Self { location, ..Self::of(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Vec::new()) }
    }

    /// The same for a script that asked for a part of a page: the whole of it goes there.
    pub(crate) fn page_elsewhere(path: String) -> Self {
        let page_location = Some(path);
        Self { page_location, ..Self::of(StatusCode::UNAUTHORIZED, "text/plain; charset=utf-8", Vec::new()) }
    }

    /// A file to save, whole or made while it is taken. `name` holds letters, digits, `-` and `.` alone.
    pub(crate) fn file(media_type: &'static str, name: String, body: impl Into<Body>) -> Self {
        Self { body: body.into(), file: Some(name), ..Self::of(StatusCode::OK, media_type, Vec::new()) }
    }

    /// With another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// With a cookie.
    pub(crate) fn with_cookie(mut self, cookie: HeaderValue) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// What is the same for everybody, and may be kept on the way for so many seconds.
    pub(crate) fn shared(media_type: &'static str, body: Vec<u8>, kept_for_s: u32) -> Self {
        Self { shared_for_s: Some(kept_for_s), ..Self::of(StatusCode::OK, media_type, body) }
    }

    fn of(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            media_type,
            body: body.into(),
            file: None,
            location: None,
            page_location: None,
            cookies: Vec::new(),
            shared_for_s: None,
        }
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        let kept = self.shared_for_s.and_then(|s| HeaderValue::from_str(&format!("public, max-age={s}")).ok());
        headers.insert(CACHE_CONTROL, kept.unwrap_or(HeaderValue::from_static("no-store")));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let name = self.file.map(|name| HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")));
        if let Some(Ok(name)) = name {
            headers.insert(CONTENT_DISPOSITION, name);
        }
        if let Some(location) = self.location.and_then(|path| HeaderValue::from_str(&path).ok()) {
            headers.insert(LOCATION, location);
        }
        if let Some(location) = self.page_location.and_then(|path| HeaderValue::from_str(&path).ok()) {
            headers.insert("hx-redirect", location);
        }
        // What others are given as well sets nobody's cookie.
        for cookie in self.cookies.into_iter().filter(|_| self.shared_for_s.is_none()) {
            headers.append(SET_COOKIE, cookie);
        }
        response
    }
}
