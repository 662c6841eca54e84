use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// How many numbers one request may ask about.
pub const NUMBERS_MAX: usize = 100;

/// The body of `POST /v1/checks`. Unknown fields are ignored.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChecksRequest {
    /// One number, in any of the accepted forms. Either this or `numbers`.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// 1 to 100 numbers.
    #[serde(default, deserialize_with = "numbers", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, min_items = 1, max_items = 100))]
    pub numbers: Option<Vec<String>>,
    /// Which facts: `swap`, `registration`, `sim`; without it, all that the app may ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Vec<String>>,
    /// What for: `fraud_prevention`, `onboarding`, `cheque_confirmation`; without it, the app's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The caller's own reference; stands in every export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A pseudonym that the caller holds from before: is it still the SIM that was enrolled?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// Only say what it would cost; the registry is not asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Deliver the result to this address of the app instead of answering it; for one `number`.
    #[serde(default, rename = "resultURL", skip_serializing_if = "Option::is_none")]
    pub result_url: Option<String>,
    /// Set where a name came that is often sent in the place of `number`.
    #[serde(default, rename = "customerNumber", alias = "msisdn", alias = "phoneNumber", skip_serializing)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    wrong_name: Misnamed,
}

/// Why a body is no request for checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksRequestError {
    /// Not one JSON object in UTF-8 with fields of the right types.
    NotAnObject,
    /// Neither `number` nor `numbers`.
    Missing,
    /// Neither, but a name that is often sent in their place.
    WrongName,
    /// Both.
    Both,
    /// `numbers` is empty or longer than [`NUMBERS_MAX`].
    Count,
}

impl ChecksRequest {
    /// Reads a body. The caller bounds its size.
    pub fn parse(body: &[u8]) -> Result<Self, ChecksRequestError> {
        let text = std::str::from_utf8(body).map_err(|_| ChecksRequestError::NotAnObject)?;
        // Serde would take an array for a struct as well.
        if !text.trim_start().starts_with('{') {
            return Err(ChecksRequestError::NotAnObject);
        }
        let request: Self = serde_json::from_str(text).map_err(|_| ChecksRequestError::NotAnObject)?;
        match (&request.number, &request.numbers) {
            (None, None) if request.wrong_name.0 => Err(ChecksRequestError::WrongName),
            (None, None) => Err(ChecksRequestError::Missing),
            (Some(_), Some(_)) => Err(ChecksRequestError::Both),
            (None, Some(numbers)) if !(1..=NUMBERS_MAX).contains(&numbers.len()) => Err(ChecksRequestError::Count),
            (Some(_), None) | (None, Some(_)) => Ok(request),
        }
    }

    /// The numbers asked about, in order.
    pub fn all_numbers(&self) -> &[String] {
        match (&self.number, &self.numbers) {
            (Some(number), _) => std::slice::from_ref(number),
            (None, Some(numbers)) => numbers,
            (None, None) => &[],
        }
    }
}

impl fmt::Debug for ChecksRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChecksRequest(redacted)")
    }
}

/// Whether a field was there, whatever it held.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Misnamed(bool);

impl<'de> Deserialize<'de> for Misnamed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        de::IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

/// A number as text, or as a JSON integer.
struct NumberText;

impl Visitor<'_> for NumberText {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number as text or as an integer")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

struct Number(String);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberText).map(Self)
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Number::deserialize(deserializer).map(|number| Some(number.0))
}

fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let numbers = Vec::<Number>::deserialize(deserializer)?;
    Ok(Some(numbers.into_iter().map(|number| number.0).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_what_is_none_is_named() {
        let numbers = |body: &str| ChecksRequest::parse(body.as_bytes()).map(|request| request.all_numbers().to_vec());
        let many = format!(r#"{{"numbers":[{}]}}"#, vec!["1"; 101].join(","));
        let table: [(&str, Result<Vec<String>, ChecksRequestError>); 15] = [
            (r#"{"number":"0722000000"}"#, Ok(vec!["0722000000".into()])),
            (r#"{"number":254722000000,"extra":null}"#, Ok(vec!["254722000000".into()])),
            (r#"{"numbers":["1",2]}"#, Ok(vec!["1".into(), "2".into()])),
            (r#"{"numbers":[]}"#, Err(ChecksRequestError::Count)),
            (&many, Err(ChecksRequestError::Count)),
            ("{}", Err(ChecksRequestError::Missing)),
            (r#"{"customerNumber":"1"}"#, Err(ChecksRequestError::WrongName)),
            (r#"{"msisdn":null}"#, Err(ChecksRequestError::WrongName)),
            (r#"{"number":"1","numbers":["1"]}"#, Err(ChecksRequestError::Both)),
            (r#"{"number":null}"#, Err(ChecksRequestError::NotAnObject)),
            (r#"{"number":1.5}"#, Err(ChecksRequestError::NotAnObject)),
            (r#"{"number":"1","number":"2"}"#, Err(ChecksRequestError::NotAnObject)),
            (r#"{"number":"1","dry_run":"yes"}"#, Err(ChecksRequestError::NotAnObject)),
            (r#"["1"]"#, Err(ChecksRequestError::NotAnObject)),
            ("", Err(ChecksRequestError::NotAnObject)),
        ];
        for (body, expected) in table {
            assert_eq!(numbers(body), expected, "{body}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_request() {
        let request = ChecksRequest::parse(br#"{"number":"254722000000"}"#).unwrap();
        assert!(!format!("{request:?}").contains("254722"));
    }
}
