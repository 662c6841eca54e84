use std::fmt;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT;

use super::TokenProblem;

/// The longest `Authorization` value that is read.
const AUTHORIZATION_BYTES_MAX: usize = 1_024;

/// Consumer key and secret as somebody presented them.
pub struct BasicCredentials {
    /// The consumer key.
    pub key: String,
    /// The consumer secret.
    pub secret: String,
}

impl fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicCredentials(…)")
    }
}

/// Reads `Authorization: Basic …` as leniently as it is safe (contract §2): the scheme in any case,
/// several spaces, standard or URL-safe base64, padded or not. `None` for anything else, a second
/// `Authorization` header included.
pub fn basic(headers: &HeaderMap) -> Option<BasicCredentials> {
    let encoded = credentials(headers, "basic").ok()??;
    let standard: Vec<u8> = encoded
        .bytes()
        .map(|b| {
            if b == b'-' {
                b'+'
            } else if b == b'_' {
                b'/'
            } else {
                b
            }
        })
        .collect();
    let decoded = String::from_utf8(STANDARD_PAD_INDIFFERENT.decode(standard).ok()?).ok()?;
    let (key, secret) = decoded.split_once(':')?;
    Some(BasicCredentials { key: key.to_owned(), secret: secret.to_owned() })
}

/// Reads the token of `Authorization: Bearer …`.
pub fn bearer(headers: &HeaderMap) -> Result<&str, TokenProblem> {
    credentials(headers, "bearer")?.ok_or(TokenProblem::Missing)
}

/// What follows `scheme` in the only `Authorization` header; `None` without a header or behind
/// another scheme.
fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Result<Option<&'a str>, TokenProblem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(TokenProblem::Ambiguous);
    }
    let text = value.to_str().map_err(|_| TokenProblem::Unknown)?;
    if text.len() > AUTHORIZATION_BYTES_MAX {
        return Err(TokenProblem::Unknown);
    }
    let Some((named, rest)) = text.trim_start().split_once([' ', '\t']) else { return Ok(None) };
    let rest = rest.trim();
    Ok((named.eq_ignore_ascii_case(scheme) && !rest.is_empty()).then_some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn headers(value: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(AUTHORIZATION, value);
        }
        headers
    }

    fn read(value: &str) -> Option<(String, String)> {
        basic(&headers(value.as_bytes())).map(|found| (found.key, found.secret))
    }

    #[test]
    fn every_common_way_to_write_basic_is_read() {
        // key?>:secret~? needs both characters in which the two alphabets differ.
        let expected = Some(("key?>".to_owned(), "secret~?".to_owned()));
        for value in [
            "Basic a2V5Pz46c2VjcmV0fj8=",
            "Basic a2V5Pz46c2VjcmV0fj8",
            "basic a2V5Pz46c2VjcmV0fj8=",
            "BASIC    a2V5Pz46c2VjcmV0fj8=  ",
            "Basic\ta2V5Pz46c2VjcmV0fj8",
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
        assert_eq!(read("Basic Pz8_Og"), read("Basic Pz8/Og=="));
        assert_eq!(read("Basic Pz8_Og"), Some(("???".to_owned(), String::new())));
        assert_eq!(read("Basic YTpiOmM="), Some(("a".to_owned(), "b:c".to_owned())));
    }

    #[test]
    fn anything_else_is_no_basic() {
        for value in
            ["", "Basic", "Basic ", "Bearer abc", "Basic !!!!", "Basic YWJj", "Basic /w==", "YTpi", "BasicYTpi"]
        {
            assert_eq!(read(value), None, "{value}");
        }
        assert_eq!(read(&format!("Basic {}", "YTpi".repeat(1_000))), None);
        let mut twice = headers(b"Basic YTpi");
        twice.append(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
        assert!(basic(&twice).is_none());
    }

    #[test]
    fn a_bearer_token_is_found_or_its_absence_named() {
        assert_eq!(bearer(&headers(b"bearer   abc ")), Ok("abc"));
        assert_eq!(bearer(&HeaderMap::new()), Err(TokenProblem::Missing));
        assert_eq!(bearer(&headers(b"Basic YTpi")), Err(TokenProblem::Missing));
        assert_eq!(bearer(&headers(b"Bearer \xff")), Err(TokenProblem::Unknown));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn any_header_is_credentials_or_not(
            scheme in "[Bb]asic|Bearer|\\PC{0,8}",
            gap in "[ \t]{0,3}",
            rest in prop_oneof!["[A-Za-z0-9+/_=-]{0,80}", "\\PC{0,60}"],
        ) {
            let value = format!("{scheme}{gap}{rest}");
            let headers = headers(value.as_bytes());
            if let Some(found) = basic(&headers) {
                prop_assert!(!found.key.contains(':'));
            }
            if let Ok(token) = bearer(&headers) {
                prop_assert!(!token.is_empty() && value.contains(token));
            }
        }
    }
}
