use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::http::response::Parts;
use laini_office::desk::{AboutCheck, Told};
use laini_office::{Office, Problem};
use laini_wire::checks::{CHECKS_PATH, ChecksAnswer};
use laini_wire::error::ErrorBody;
use serde_json::json;

use super::told;
use crate::http::{Asker, Inside};

/// After a refusal that does not say for how long.
const PAUSE_S: u64 = 2;

/// Asks about one number for somebody at a desk, as the app would in whose name it is asked; `key` = under this
/// idempotency key. What the API refuses is a [`Problem`] in the API's own words.
pub async fn ask(
    inside: &Inside,
    office: &Office,
    asker: Asker,
    about: &AboutCheck,
    key: Option<&str>,
) -> Result<Told, Problem> {
    let number = about.number.digits();
    let mut body = json!({"number": number, "purpose": about.purpose.word(), "reference": about.reference});
    if let Some(expect) = &about.expect {
        body["expect"] = expect.as_str().into();
    }
    let asked = inside.ask_as((office, &about.app), asker, (CHECKS_PATH, key), &body).await;
    let (parts, body) = asked.map_err(Problem::Store)?;
    if parts.status != StatusCode::OK {
        return Err(refused(&parts, &body));
    }
    let answer = serde_json::from_slice::<ChecksAnswer>(&body).ok();
    let told = answer.and_then(|answer| answer.checks.into_iter().next()).and_then(told);
    told.ok_or_else(|| Problem::Store("the API's answer to a check cannot be read".to_owned()))
}

fn refused(parts: &Parts, body: &[u8]) -> Problem {
    if parts.status == StatusCode::TOO_MANY_REQUESTS {
        let retry_after_s = parts.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        return Problem::TooOften { retry_after_s: retry_after_s.unwrap_or(PAUSE_S) };
    }
    Problem::not_now(why(parts, body))
}

/// Why there is no answer, in the API's own words and with its code.
pub(super) fn why(parts: &Parts, body: &[u8]) -> String {
    let error = serde_json::from_slice::<ErrorBody<'_>>(body).ok();
    error.map_or_else(|| parts.status.to_string(), |error| format!("{} ({})", error.error_message, error.error_code))
}
