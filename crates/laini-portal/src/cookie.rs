use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

/// The session of whoever signed in. `__Host-` has browsers refuse it where it is not this host's own, sent by TLS
/// (or from the machine itself), and for every path.
pub(crate) const SESSION: &str = "__Host-laini_session";
/// A browser that nobody has signed in with yet: its forms are tied to it.
pub(crate) const BROWSER: &str = "__Host-laini_browser";
/// A sign-on at the identity provider that this browser began.
pub(crate) const SIGN_ON: &str = "__Host-laini_sign_on";
/// The page that was asked for before, as a query would hold it.
pub(crate) const NEXT: &str = "__Host-laini_next";
/// A code of the second factor that goes along with it.
pub(crate) const FACTOR_CODE: &str = "__Host-laini_code";
/// The language that was chosen.
pub(crate) const LANGUAGE: &str = "laini_language";
/// Light or dark, where that was chosen.
pub(crate) const THEME: &str = "laini_theme";

/// The language in which examples are shown first, where that was chosen.
pub(crate) const CODE: &str = "laini_code_language";

/// A chosen language or theme is kept for a year.
const CHOICE_KEPT_S: u32 = 365 * 24 * 3_600;
/// The longest value that is taken.
const VALUE_BYTES_MAX: usize = 1_024;

/// The value of a cookie that a browser sent; the first of its name.
pub(crate) fn sent(headers: &HeaderMap, name: &str) -> Option<Zeroizing<String>> {
    let lists = headers.get_all(COOKIE).into_iter().filter_map(|list| list.to_str().ok());
    let mut pairs = lists.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.find(|(named, _)| *named == name).map(|(_, value)| value)?;
    (value.len() <= VALUE_BYTES_MAX).then(|| Zeroizing::new(value.to_owned()))
}

/// Sets a cookie that no script reads and no other site's form carries, until the browser is closed.
pub(crate) fn secret(name: &str, value: &str) -> HeaderValue {
    header(&format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax"))
}

/// Takes a cookie back.
pub(crate) fn forget(name: &str) -> HeaderValue {
    header(&format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
}

/// Sets a choice that is no secret.
pub(crate) fn choice(name: &str, value: &str) -> HeaderValue {
    header(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={CHOICE_KEPT_S}"))
}

/// Values are ours: letters, digits, `_` and `-`. Anything else sets nothing.
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("laini="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_too_long_ones_are_not() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; laini_theme=dark;b=2"));
        headers.append(COOKIE, HeaderValue::from_static("__Host-laini_session=x_y"));
        assert_eq!(sent(&headers, THEME).unwrap().as_str(), "dark");
        assert_eq!(sent(&headers, SESSION).unwrap().as_str(), "x_y");
        assert_eq!(sent(&headers, "b").unwrap().as_str(), "2");
        assert_eq!(sent(&headers, "laini"), None);
        let long = format!("long={}", "x".repeat(1_025));
        headers.append(COOKIE, HeaderValue::from_str(&long).unwrap());
        assert_eq!(sent(&headers, "long"), None);
    }
}
