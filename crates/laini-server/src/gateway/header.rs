use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use laini_core::billing::{Charge, PriceStamp};
use laini_core::disclosure::Windows;
use laini_core::partner::Environment;
use laini_wire::header;

pub(super) const SWAP: HeaderName = HeaderName::from_static(header::LAINI_SWAP);
pub(super) const WINDOW: HeaderName = HeaderName::from_static(header::LAINI_WINDOW);
pub(super) const AS_OF: HeaderName = HeaderName::from_static(header::LAINI_AS_OF);
pub(super) const ENVIRONMENT: HeaderName = HeaderName::from_static(header::LAINI_ENVIRONMENT);
pub(super) const CHARGE: HeaderName = HeaderName::from_static(header::LAINI_CHARGE);
pub(super) const REPLAYED: HeaderName = HeaderName::from_static(header::IDEMPOTENT_REPLAYED);
pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static(header::RATE_LIMIT);
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static(header::RATE_LIMIT_POLICY);

/// Says what the published shape has no words for: the swap in one word, the windows, the as-of.
pub(super) fn describe(
    headers: &mut HeaderMap,
    swap: Option<&'static str>,
    windows: Windows,
    as_of: Option<Timestamp>,
) {
    if let Some(swap) = swap {
        headers.insert(SWAP, HeaderValue::from_static(swap));
    }
    headers.insert(WINDOW, window(windows));
    if let Some(as_of) = as_of {
        headers.insert(AS_OF, value(instant(as_of)));
    }
}

/// An instant in whole seconds, rounded down: never newer than it is.
pub(super) fn instant(at: Timestamp) -> String {
    format!("{at:.0}")
}

pub(super) fn charge(charge: Charge, price: PriceStamp) -> HeaderValue {
    match charge {
        Charge::Charged(money) if price.exact => value(money.to_string()),
        Charge::Charged(money) => value(format!("{money}; estimate")),
        Charge::Free(reason) => value(format!("none; reason={}", reason.word())),
    }
}

pub(super) fn environment(environment: Environment) -> HeaderValue {
    HeaderValue::from_static(environment.word())
}

fn window(windows: Windows) -> HeaderValue {
    if windows == Windows::default() {
        return HeaderValue::from_static("swap=P3M, registration=P1Y");
    }
    value(format!("swap={}, registration={}", windows.swap, windows.registration))
}

/// Texts of our own making are always visible ASCII.
pub(super) fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
