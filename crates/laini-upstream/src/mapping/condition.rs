use serde_json::Value;

use super::settings::{MappingError, pointer};

/// Something that an answer says, in the words of the settings: `status 404`, `/state = "GONE"` or
/// `/lastSwap missing`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// The answer has this HTTP status.
    Status(u16),
    /// This value stands there.
    Equals(String, Value),
    /// Nothing stands there.
    Missing(String),
}

impl Condition {
    pub(super) fn parse(text: &str) -> Result<Self, MappingError> {
        let malformed = || MappingError::Condition(text.to_owned());
        if let Some(status) = text.strip_prefix("status ") {
            // 429 and 5xx mean that the back end did not answer, whatever else they say.
            let status = status.trim().parse().ok().filter(|status| (200..500).contains(status) && *status != 429);
            return status.map(Self::Status).ok_or_else(malformed);
        }
        if let Some(place) = text.strip_suffix(" missing") {
            return Ok(Self::Missing(pointer(place.trim())?));
        }
        let (place, value) = text.split_once('=').ok_or_else(malformed)?;
        let value: Value = serde_json::from_str(value.trim()).map_err(|_| malformed())?;
        if value.is_array() || value.is_object() {
            return Err(malformed());
        }
        Ok(Self::Equals(pointer(place.trim())?, value))
    }

    pub(super) fn holds(&self, status: u16, body: Option<&Value>) -> bool {
        match self {
            Self::Status(expected) => *expected == status,
            Self::Equals(place, value) => body.and_then(|body| body.pointer(place)) == Some(value),
            Self::Missing(place) => body.is_some_and(|body| body.pointer(place).is_none()),
        }
    }

    /// Whether it is about the value at `place`.
    pub(super) fn is_about(&self, place: &str) -> bool {
        match self {
            Self::Status(_) => false,
            Self::Equals(other, _) | Self::Missing(other) => other == place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_say_what_they_mean() {
        let body = json!({ "state": "GONE", "swap": { "date": null, "never": true }, "code": 7 });
        let table = [
            (r#"/state = "GONE""#, true),
            (r#"/state="ACTIVE""#, false),
            ("/swap/date = null", true),
            ("/swap/never = true", true),
            ("/swap/never = \"true\"", false),
            ("/code = 7", true),
            ("/swap/when = null", false),
            ("/swap/when missing", true),
            ("/swap/date missing", false),
            ("status 200", true),
            ("status 404", false),
        ];
        for (text, holds) in table {
            assert_eq!(Condition::parse(text).unwrap().holds(200, Some(&body)), holds, "{text}");
        }
        assert!(!Condition::parse("/swap missing").unwrap().holds(404, None), "no body says nothing");
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in ["", "status", "status 503", "status 429", "status ok", "state = 1", "/state", "/a = b", "/a = {}"]
        {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
    }
}
