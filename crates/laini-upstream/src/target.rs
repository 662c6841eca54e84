use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Uri};
use http_body_util::Full;
use laini_core::line::Msisdn;

/// What stands for the number in the templates.
const NUMBER: &str = "{msisdn}";

/// Where and how the back end is asked about a number.
#[derive(Clone)]
pub struct Target {
    url: String,
    method: Method,
    body: String,
    credential: Option<Credential>,
}

/// How it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The number stands in the URL.
    Get,
    /// The number stands in the body, or in the URL.
    Post,
}

/// A header that lets laini in.
#[derive(Clone)]
pub struct Credential {
    name: HeaderName,
    value: HeaderValue,
}

/// Why a back end cannot be asked like that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No absolute `http` or `https` URL once a number stands in it.
    #[error("the URL must begin with https:// and be whole, with {{msisdn}} where the number belongs")]
    Url,
    /// User name and password in the URL.
    #[error("the URL must hold no user name or password: they would stand in logs; use a credential file")]
    UrlCredentials,
    /// A number over the network in the clear.
    #[error("the URL begins with http://, so that numbers and answers would travel in the clear")]
    Plain,
    /// The number stands nowhere.
    #[error("{{msisdn}} stands in neither the URL nor the body, so that every question would be the same")]
    NoNumber,
    /// A body with GET.
    #[error("a GET has no body; use POST")]
    BodyWithGet,
    /// A body that is not JSON once a number stands in it.
    #[error("the body is not JSON once a number stands in it")]
    Body,
    /// A header that no request can carry.
    #[error("the credential is no header: its name has letters, digits and dashes, its value visible characters")]
    Credential,
}

impl Credential {
    /// The header `name: value`.
    pub fn new(name: &str, value: &str) -> Result<Self, TargetError> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| TargetError::Credential)?;
        let mut value = HeaderValue::from_str(value).map_err(|_| TargetError::Credential)?;
        value.set_sensitive(true);
        if value.is_empty() {
            return Err(TargetError::Credential);
        }
        Ok(Self { name, value })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

impl Target {
    /// A back end at `url`. `http://` is for one on this machine, or where `plain_http` allows it.
    pub fn new(
        url: &str,
        method: Method,
        body: &str,
        credential: Option<Credential>,
        plain_http: bool,
    ) -> Result<Self, TargetError> {
        let target = Self { url: url.to_owned(), method, body: body.to_owned(), credential };
        let example = target.url.replace(NUMBER, "254722000000");
        let uri: Uri = example.parse().map_err(|_| TargetError::Url)?;
        let authority = uri.authority().ok_or(TargetError::Url)?;
        if authority.as_str().contains('@') {
            return Err(TargetError::UrlCredentials);
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if plain_http || is_this_machine(authority.host()) => {}
            Some("http") => return Err(TargetError::Plain),
            _ => return Err(TargetError::Url),
        }
        if url.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().unwrap_or("").contains('{')) {
            return Err(TargetError::Url);
        }
        if method == Method::Get && !body.is_empty() {
            return Err(TargetError::BodyWithGet);
        }
        if !url.contains(NUMBER) && !body.contains(NUMBER) {
            return Err(TargetError::NoNumber);
        }
        let is_json = |text: &str| crate::json::parse(text.as_bytes()).is_some();
        if !body.is_empty() && !is_json(&body.replace(NUMBER, "254722000000")) {
            return Err(TargetError::Body);
        }
        Ok(target)
    }

    /// Whether certificates matter.
    pub(crate) fn is_tls(&self) -> bool {
        self.url.starts_with("https")
    }

    /// Where connections go: the URL without its path, in which a number may stand.
    pub(crate) fn place(&self) -> Result<Uri, http::Error> {
        let uri: Uri = self.url.replace(NUMBER, "0").parse()?;
        let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        Uri::builder().scheme(uri.scheme_str().unwrap_or_default()).authority(authority).path_and_query("/").build()
    }

    /// The request about one number.
    pub(crate) fn request(&self, msisdn: Msisdn) -> Result<Request<Full<Bytes>>, http::Error> {
        let number = msisdn.digits();
        let mut request = Request::builder().uri(self.url.replace(NUMBER, &number));
        request = request.header(ACCEPT, "application/json");
        if let Some(Credential { name, value }) = &self.credential {
            request = request.header(name, value);
        }
        match self.method {
            Method::Get => request.method(http::Method::GET).body(Full::default()),
            Method::Post => {
                let request = request.method(http::Method::POST).header(CONTENT_TYPE, "application/json");
                request.body(Full::from(self.body.replace(NUMBER, &number)))
            }
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("url", &self.url).field("method", &self.method).finish_non_exhaustive()
    }
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use laini_core::line::NumberPlan;

    fn target(url: &str, method: Method, body: &str) -> Result<Target, TargetError> {
        Target::new(url, method, body, None, false)
    }

    #[test]
    fn the_number_stands_where_the_template_says() {
        let number = NumberPlan::KENYA.parse("254722000000").unwrap();
        let get = target("https://hlr.example/lines/{msisdn}?full=1", Method::Get, "").unwrap();
        assert_eq!(get.request(number).unwrap().uri(), "https://hlr.example/lines/254722000000?full=1");
        let post = target("https://hlr.example/ask", Method::Post, r#"{"number":"{msisdn}"}"#).unwrap();
        let request = post.request(number).unwrap();
        assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(request.method(), http::Method::POST);
    }

    #[test]
    fn what_cannot_be_asked_is_refused_at_the_start() {
        let table = [
            ("hlr.example/{msisdn}", Method::Get, "", TargetError::Url),
            ("ftp://hlr.example/{msisdn}", Method::Get, "", TargetError::Url),
            ("https://{msisdn}.hlr.example/", Method::Get, "", TargetError::Url),
            ("https://hlr.example/ {msisdn}", Method::Get, "", TargetError::Url),
            ("https://me:secret@hlr.example/{msisdn}", Method::Get, "", TargetError::UrlCredentials),
            ("http://hlr.example/{msisdn}", Method::Get, "", TargetError::Plain),
            ("https://hlr.example/", Method::Get, "", TargetError::NoNumber),
            ("https://hlr.example/", Method::Post, "{}", TargetError::NoNumber),
            ("https://hlr.example/{msisdn}", Method::Get, "{}", TargetError::BodyWithGet),
            ("https://hlr.example/", Method::Post, "number={msisdn}", TargetError::Body),
        ];
        for (url, method, body, error) in table {
            assert_eq!(target(url, method, body).err(), Some(error), "{url} {body}");
        }
        for fine in ["http://127.0.0.1:9/{msisdn}", "http://[::1]:9/{msisdn}", "http://localhost/{msisdn}"] {
            assert!(target(fine, Method::Get, "").is_ok(), "{fine}");
        }
        assert!(Target::new("http://hlr.example/{msisdn}", Method::Get, "", None, true).is_ok());
    }

    #[test]
    fn a_credential_is_a_header_and_is_never_shown() {
        let credential = Credential::new("Authorization", "Bearer s3cret").unwrap();
        assert!(!format!("{credential:?}").contains("s3cret"));
        for (name, value) in [("Authorization", ""), ("Author ization", "x"), ("X-Key", "a\nb")] {
            assert_eq!(Credential::new(name, value).err(), Some(TargetError::Credential));
        }
    }
}
