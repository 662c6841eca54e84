use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use laini_core::access::OfficeSeal;
use subtle::ConstantTimeEq as _;

/// The name of the field that every form carries.
pub(crate) const FIELD: &str = "csrf";

/// What a form shows to prove that it is of a page which this browser was given: a keyed hash of the browser's own
/// cookie. Whoever signs in gets another.
pub(crate) fn token(seal: &OfficeSeal, cookie: &str) -> String {
    let mut of = b"csrf\0".to_vec();
    of.extend_from_slice(cookie.as_bytes());
    URL_SAFE_NO_PAD.encode(&seal.hash(&of)[..16])
}

/// Whether a form comes from a page of ours: the browser does not say that another site sent it, and it shows `expected`.
pub(crate) fn is_ours(headers: &HeaderMap, shown: Option<&str>, expected: &str) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_same = site.is_none_or(|site| site == b"same-origin" || site == b"none");
    is_same && bool::from(shown.unwrap_or_default().as_bytes().ct_eq(expected.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_site_and_another_token_are_not_ours() {
        let seal = OfficeSeal::new(&[7; 32]);
        let expected = token(&seal, "one");
        assert_ne!(expected, token(&seal, "other"));
        let mut headers = HeaderMap::new();
        assert!(is_ours(&headers, Some(&expected), &expected));
        assert!(!is_ours(&headers, Some(&token(&seal, "other")), &expected));
        assert!(!is_ours(&headers, None, &expected));
        for (site, ours) in [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)] {
            headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            assert_eq!(is_ours(&headers, Some(&expected), &expected), ours, "{site}");
        }
    }
}
