use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;
use tokio::time::{Instant, timeout_at};

use super::{ApiError, Context};
use crate::Limits;

/// Reads a body that claims to be JSON, or claims nothing.
pub async fn read_json(headers: &HeaderMap, body: Body, context: &Context, limits: &Limits) -> Result<Bytes, ApiError> {
    if content_type(headers).is_some_and(|named| !is_json(named)) {
        return Err(ApiError::NotJson);
    }
    read(body, context, limits).await
}

/// Whether a body that was read is an object, if it is JSON at all: serde takes an array for a list of fields.
pub fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// Reads the fields of a form body; `None` where the body does not claim to be a form.
pub async fn read_form(
    headers: &HeaderMap,
    body: Body,
    context: &Context,
    limits: &Limits,
) -> Result<Option<Vec<(String, String)>>, ApiError> {
    if !content_type(headers).is_some_and(|named| named.eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
        return Ok(None);
    }
    let bytes = read(body, context, limits).await?;
    Ok(Some(form_urlencoded::parse(&bytes).into_owned().collect()))
}

/// Reads a body as it comes.
pub async fn read_bytes(body: Body, context: &Context, limits: &Limits) -> Result<Bytes, ApiError> {
    read(body, context, limits).await
}

async fn read(body: Body, context: &Context, limits: &Limits) -> Result<Bytes, ApiError> {
    let announced = body.size_hint().lower();
    if usize::try_from(announced).map_or(true, |announced| announced > limits.body_bytes) {
        return Err(ApiError::BodyTooLarge);
    }
    let deadline = context.deadline.min(Instant::now() + Duration::from_millis(limits.body_timeout_ms));
    match timeout_at(deadline, Limited::new(body, limits.body_bytes).collect()).await {
        Err(_) => Err(ApiError::BodyTooSlow),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::BodyTooLarge),
        // The connection broke, or the chunks were no chunks.
        Ok(Err(_)) => Err(ApiError::InvalidPayload),
    }
}

/// The media type without its parameters.
fn content_type(headers: &HeaderMap) -> Option<&str> {
    // What is not even text is some other type.
    let text = headers.get(CONTENT_TYPE)?.to_str().unwrap_or("?");
    Some(text.split(';').next().unwrap_or(text).trim())
}

fn is_json(media_type: &str) -> bool {
    let (_, subtype) = media_type.split_once('/').unwrap_or(("", media_type));
    let suffix = subtype.rsplit('+').next().unwrap_or(subtype);
    media_type.contains('/') && suffix.eq_ignore_ascii_case("json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_types_are_told_from_others() {
        for json in ["application/json", "Application/JSON", "text/json", "application/problem+json"] {
            assert!(is_json(json), "{json}");
        }
        for other in ["", "json", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "a/json+xml"]
        {
            assert!(!is_json(other), "{other}");
        }
    }
}
