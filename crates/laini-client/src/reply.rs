//! What a reply means.
//!
//! Owns the way from status, headers and body to facts, to an unknown, or to a failure. Must never
//! take a reassuring reading where two parts of a reply disagree: that is a failure.

use std::time::Duration;

use laini_wire::check::{self, AgeAnswer, ImsiAnswer, SwapAnswer};
use laini_wire::error::{ErrorBody, code, message};
use laini_wire::header;
use reqwest::header::HeaderValue;
use serde::Deserialize;

use crate::error::{ErrorKind, Failure, Retry};
use crate::transport::Reply;
use crate::{
    AgeFacts, Answer, Date, Environment, ImsiFacts, Private, Registration, SwapFacts, SwapStatus, TimeOfDay, Unknown,
    UnknownReason, Window,
};

const MESSAGE_MAX_CHARS: usize = 300;
/// A run of letters and digits this long may be a phone number (with a digit in it) or a token.
const NUMBER_MIN_CHARS: usize = 9;
const TOKEN_MIN_CHARS: usize = 24;
const PSEUDONYM_MAX_BYTES: usize = 64;
const ID_MAX_BYTES: usize = 128;

/// How a product's body becomes its facts and `requestRefID`. The text is the number asked about.
pub(crate) type Read<T> = fn(&Reply, &str) -> Result<(T, String), Failure>;

impl Reply {
    /// The text of a header, if it is visible ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn environment(&self) -> Option<Environment> {
        match self.header(header::LAINI_ENVIRONMENT)? {
            "sandbox" => Some(Environment::Sandbox),
            "production" => Some(Environment::Production),
            _ => None,
        }
    }

    /// `Retry-After` in whole seconds, the only form that laini sends.
    fn retry_after(&self) -> Option<Duration> {
        self.header(header::RETRY_AFTER)?.trim().parse().ok().map(Duration::from_secs)
    }

    fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|_| Failure::bad_answer("its body has another shape than published"))
    }

    /// What the operator said, and its id of the check.
    pub(crate) fn answer<T>(&self, read: Read<T>, number: &str) -> Result<(Answer<T>, String), Failure> {
        let (answer, id) = if self.status == 200 {
            read(self, number).map(|(facts, id)| (Answer::Known(facts), id))?
        } else {
            self.answer_without_facts().ok_or_else(|| self.failure())?
        };
        if is_id(&id) { Ok((answer, id)) } else { Err(Failure::bad_answer("its requestRefID cannot be read")) }
    }

    fn answer_without_facts<T>(&self) -> Option<(Answer<T>, String)> {
        let body = self.json::<ErrorBody<'_>>().ok()?;
        let unknown = |reason| Answer::Unknown(Unknown { reason, retry_after: self.retry_after() });
        let answer = match (self.status, &*body.error_code) {
            (404, code::NOT_SERVED) => Answer::NotServed,
            (403, code::WITHHELD) => unknown(UnknownReason::Withheld),
            (503, code::REGISTRY_UNKNOWN) if body.error_message == message::REGISTRY_STALE => {
                unknown(UnknownReason::Stale)
            }
            (503, code::REGISTRY_UNKNOWN) => unknown(UnknownReason::Incomplete),
            _ => return None,
        };
        Some((answer, body.request_id.into_owned()))
    }

    /// A reply that is no answer.
    pub(crate) fn failure(&self) -> Failure {
        let body = self.json::<ErrorBody<'_>>().ok();
        let (code, words) = body.as_ref().map_or(("", ""), |body| (&*body.error_code, &*body.error_message));
        let (kind, retry) = match (self.status, code) {
            (400, code::INVALID_AUTHENTICATION) => (ErrorKind::Credentials, Retry::Never),
            (400, code::INVALID_CUSTOMER_NUMBER) => {
                (ErrorKind::InvalidNumber { suggestion: suggestion(words) }, Retry::Never)
            }
            (401, _) if words.contains(message::NO_PRODUCT) => (ErrorKind::ProductNotAllowed, Retry::Never),
            (401, _) => (ErrorKind::TokenRefused, Retry::WithFreshToken),
            (403, _) => (ErrorKind::Forbidden, Retry::Never),
            (409, code::KEY_IN_USE) => (ErrorKind::IdempotencyKey, Retry::AfterPause),
            (409 | 422, code::KEY_TOO_OLD | code::KEY_REUSED) => (ErrorKind::IdempotencyKey, Retry::Never),
            (429, code::QUOTA_USED_UP) => (ErrorKind::QuotaUsedUp, Retry::AfterPause),
            (429, _) => (ErrorKind::RateLimited, Retry::AfterPause),
            (408 | 500 | 502 | 503 | 504, _) => (ErrorKind::Unavailable, Retry::AfterPause),
            _ => (ErrorKind::Refused, Retry::Never),
        };
        Failure {
            kind,
            retry,
            status: Some(self.status),
            code: (!code.is_empty()).then(|| fit_for_anybody(code)),
            message: fit_for_anybody(words),
            request_ref_id: body.map(|body| body.request_id.into_owned()).filter(|id| is_id(id)),
            retry_after: self.retry_after(),
        }
    }

    /// One entry of `Laini-Window`; what is published if the server does not say.
    fn window(&self, fact: &str, published: Window) -> Result<Window, Failure> {
        let Some(windows) = self.header(header::LAINI_WINDOW) else {
            return Ok(published);
        };
        let mut entries = windows.split(',').filter_map(|entry| entry.trim().split_once('='));
        let length = entries.find(|(name, _)| *name == fact).and_then(|(_, length)| Window::parse(length));
        length.ok_or(Failure::bad_answer("its Laini-Window header cannot be read"))
    }

    fn swap(&self, last_swap_date: &str) -> Result<SwapStatus, Failure> {
        let status = if [check::NO_SWAP_DATE, check::NO_SWAP_DATE_TIME].contains(&last_swap_date) {
            SwapStatus::NotSwapped { within: self.window("swap", Window::PUBLISHED_SWAP)? }
        } else {
            let (date, time) = last_swap_date.split_once(' ').map_or((last_swap_date, None), |(d, t)| (d, Some(t)));
            let date_and_time = Date::parse(date).zip(time.map_or(Some(None), |text| TimeOfDay::parse(text).map(Some)));
            let (on, at) = date_and_time.ok_or(Failure::bad_answer("its lastSwapDate cannot be read"))?;
            SwapStatus::Swapped { on, at }
        };
        match (self.headers.get(header::LAINI_SWAP).map(HeaderValue::as_bytes), status) {
            (None, _) => Ok(status),
            (Some(word), SwapStatus::Swapped { .. }) if word == header::SWAPPED.as_bytes() => Ok(status),
            (Some(word), SwapStatus::NotSwapped { .. }) if word == header::NOT_SWAPPED.as_bytes() => Ok(status),
            (Some(_), _) => Err(Failure::bad_answer("its Laini-Swap header and its lastSwapDate disagree")),
        }
    }

    fn registration(&self, text: &str) -> Result<Registration, Failure> {
        if text.starts_with(check::OLDER_TEXT_START) && text.ends_with(check::OLDER_TEXT_END) {
            return Ok(Registration::Older { than: self.window("registration", Window::PUBLISHED_REGISTRATION)? });
        }
        let date = Date::parse(text).ok_or(Failure::bad_answer("its msisdnRegistrationDate cannot be read"))?;
        Ok(Registration::Within(date))
    }
}

/// Reads the answer of product `imsi`.
pub(crate) fn imsi(reply: &Reply, number: &str) -> Result<(ImsiFacts, String), Failure> {
    let answer: ImsiAnswer<'_> = reply.json()?;
    check_code(&answer.response_code)?;
    check_number(&answer.customer_number, number)?;
    let fits = (1..=PSEUDONYM_MAX_BYTES).contains(&answer.imsi.len())
        && answer.imsi.bytes().all(|b| b.is_ascii_alphanumeric());
    if !fits {
        return Err(Failure::bad_answer("its imsi cannot be read"));
    }
    let facts = ImsiFacts {
        imsi: Private::new(&answer.imsi),
        swap: reply.swap(&answer.last_swap_date)?,
        registration: reply.registration(&answer.msisdn_registration_date)?,
    };
    Ok((facts, answer.request_ref_id.into_owned()))
}

/// Reads the answer of product `swap`.
pub(crate) fn swap(reply: &Reply, _number: &str) -> Result<(SwapFacts, String), Failure> {
    let answer: SwapAnswer<'_> = reply.json()?;
    check_code(&answer.response_code)?;
    Ok((SwapFacts { swap: reply.swap(&answer.last_swap_date)? }, answer.request_ref_id.into_owned()))
}

/// Reads the answer of product `age`.
pub(crate) fn age(reply: &Reply, number: &str) -> Result<(AgeFacts, String), Failure> {
    let answer: AgeAnswer<'_> = reply.json()?;
    check_code(&answer.response_code)?;
    check_number(&answer.customer_number, number)?;
    let registration = reply.registration(&answer.msisdn_registration_date)?;
    Ok((AgeFacts { registration }, answer.request_ref_id.into_owned()))
}

fn check_code(response_code: &str) -> Result<(), Failure> {
    let fits = response_code == check::RESPONSE_CODE_OK;
    fits.then_some(()).ok_or(Failure::bad_answer("its responseCode is not 200"))
}

/// The answer has to be about the number asked about, whichever of its forms was sent: a cache or a
/// proxy on the way may have mixed up two.
fn check_number(answered: &str, asked: &str) -> Result<(), Failure> {
    let asked = asked.trim();
    let asked = asked.strip_prefix('+').or_else(|| asked.strip_prefix('0')).unwrap_or(asked);
    let same = !asked.is_empty() && answered.ends_with(asked);
    same.then_some(()).ok_or(Failure::bad_answer("it is about another number"))
}

/// The number in `… - did you mean 254…?`.
fn suggestion(words: &str) -> Option<Private> {
    let (_, rest) = words.split_once("did you mean ")?;
    let digits = rest.split('?').next()?;
    let fits = (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| Private::new(digits))
}

fn is_id(text: &str) -> bool {
    (1..=ID_MAX_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// The server's words on one line, without anything that may be a phone number or a token.
fn fit_for_anybody(words: &str) -> String {
    let shown: String = words.chars().take(MESSAGE_MAX_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut fit = String::with_capacity(shown.len());
    for part in shown.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let run = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        let length = run.chars().count();
        let secret =
            length >= TOKEN_MIN_CHARS || (length >= NUMBER_MIN_CHARS && run.contains(|c: char| c.is_numeric()));
        fit.push_str(if secret { "…" } else { run });
        fit.push_str(&part[run.len()..]);
    }
    fit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_of_the_server_lose_numbers_and_tokens() {
        for (words, fit) in [
            ("Error Occurred: Spike Arrest Violation", "Error Occurred: Spike Arrest Violation"),
            ("Invalid customerNumber - did you mean 254722000000?", "Invalid customerNumber - did you mean …?"),
            ("Bearer c9SQxWWhmdVRlyh0zh8gZDTkubVF, sorry\r\n", "Bearer …, sorry  "),
            ("500.003.1001", "500.003.1001"),
            ("٢٥٤٧٢٢٠٠٠٠٠٠", "…"),
        ] {
            assert_eq!(fit_for_anybody(words), fit);
        }
        assert!(fit_for_anybody(&"a ".repeat(10_000)).len() <= MESSAGE_MAX_CHARS);
    }

    #[test]
    fn an_answer_is_about_the_number_in_any_of_its_forms() {
        for asked in ["254722000000", "+254722000000", "0722000000", "722000000", " 254722000000\n"] {
            assert!(check_number("254722000000", asked).is_ok(), "{asked}");
        }
        for asked in ["254722000001", "", "0", "+"] {
            assert!(check_number("254722000000", asked).is_err(), "{asked}");
        }
    }

    fn reply(swap_header: Option<&'static str>, windows: Option<&'static str>) -> Reply {
        let mut reply = Reply { status: 200, headers: reqwest::header::HeaderMap::new(), body: Vec::new().into() };
        for (name, value) in [(header::LAINI_SWAP, swap_header), (header::LAINI_WINDOW, windows)] {
            if let Some(value) = value {
                reply.headers.insert(name, HeaderValue::from_static(value));
            }
        }
        reply
    }

    #[test]
    fn a_swap_is_read_only_where_header_and_body_agree() {
        let none = |months| Some(SwapStatus::NotSwapped { within: Window { months } });
        let on = Date { year: 2022, month: 5, day: 1 };
        let at = Some(TimeOfDay { hour: 9, minute: 5 });
        for (word, date, expected) in [
            (None, "01-01-1900", none(3)),
            (Some("not-swapped"), "01-01-1900 00:00", none(3)),
            (Some("swapped"), "01-05-2022", Some(SwapStatus::Swapped { on, at: None })),
            (None, "01-05-2022 09:05", Some(SwapStatus::Swapped { on, at })),
            (Some("swapped"), "01-01-1900", None),
            (Some("not-swapped"), "01-05-2022", None),
            (Some("unknown"), "01-01-1900", None),
            (Some("unknown"), "01-05-2022", None),
            (Some("Not swapped"), "01-01-1900", None),
            (None, "", None),
            (None, "01-01-1900 00:01", None),
            (None, "01-05-2022 ", None),
            (None, "01-05-2022 25:00", None),
        ] {
            assert_eq!(reply(word, None).swap(date).ok(), expected, "{word:?} {date:?}");
        }
    }

    #[test]
    fn the_window_is_the_servers() {
        let within = |windows| reply(None, windows).swap("01-01-1900").ok();
        let months = |months| Some(SwapStatus::NotSwapped { within: Window { months } });
        assert_eq!(within(Some("swap=P1M, registration=P1Y")), months(1));
        assert_eq!(within(Some("registration=P6M,swap=P1Y")), months(12));
        for unreadable in ["", "swap", "swap=", "registration=P1Y", "swap=3 months", "swap=P0M"] {
            assert_eq!(within(Some(unreadable)), None, "{unreadable}");
        }
        let older = reply(None, Some("registration=P6M")).registration("MSISDN registration is more than 6 months old");
        assert_eq!(older.ok(), Some(Registration::Older { than: Window { months: 6 } }));
        for text in ["", "old", "01-01-1900", "registered long ago", "MSISDN registration is unknown"] {
            assert!(reply(None, None).registration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn any_body_is_an_answer_or_a_failure(
            status in proptest::sample::select(vec![200u16, 400, 401, 403, 404, 429, 500, 503, 302]),
            body in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..64),
                "\\{\"requestId\":\"\\PC{0,8}\",\"errorCode\":\"40[0-9].00[0-9].0[0-9]\",\"errorMessage\":\"\\PC{0,40}\"\\}".prop_map(String::into_bytes),
                "\\{\"requestRefID\":\"x\",\"responseCode\":\"200\",\"responseDesc\":\"\",\"lastSwapDate\":\"[0-9 :-]{0,16}\"\\}".prop_map(String::into_bytes),
            ],
        ) {
            let reply = Reply { status, headers: reqwest::header::HeaderMap::new(), body: body.into() };
            prop_assert!(reply.answer(imsi, "254722000000").is_err() || status != 200);
            prop_assert!(reply.answer(age, "254722000000").is_err() || status != 200);
            match reply.answer(swap, "254722000000") {
                Ok((Answer::Known(_), _)) => prop_assert_eq!(status, 200),
                Ok((Answer::NotServed, _)) => prop_assert_eq!(status, 404),
                Ok((Answer::Unknown(_), _)) => prop_assert!(status == 403 || status == 503),
                Err(failure) => prop_assert!(failure.message.chars().count() <= MESSAGE_MAX_CHARS),
            }
        }
    }
}
