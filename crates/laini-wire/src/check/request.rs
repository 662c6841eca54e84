use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The body of every check: `{"customerNumber": "2547XXXXXXXX"}`, with a `resultURL` where the result is
/// to be delivered.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CheckRequest {
    /// The number as it was sent, in whatever form; a JSON integer becomes its decimal digits.
    pub customer_number: String,
    /// Where the result goes; without it, into the answer.
    #[serde(rename = "resultURL", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub result_url: Option<String>,
}

/// Why a body is no check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckRequestError {
    /// Not one JSON object in UTF-8, or one that says `customerNumber` or `resultURL` twice.
    NotAnObject,
    /// No `customerNumber` and nothing that looks like it.
    Missing,
    /// No `customerNumber`, but a name that is often sent in its place.
    WrongName {
        /// The name that was sent.
        found: &'static str,
    },
    /// `customerNumber` is neither a string nor an integer.
    WrongType,
    /// `resultURL` is no string.
    ResultUrlWrongType,
}

/// Names that are often sent instead of `customerNumber`. Errors name one of these, never the
/// caller's own text.
const WRONG_NAMES: [&str; 24] = [
    "msisdn",
    "MSISDN",
    "Msisdn",
    "phoneNumber",
    "PhoneNumber",
    "phone_number",
    "phonenumber",
    "CustomerNumber",
    "customernumber",
    "customer_number",
    "customerMsisdn",
    "customerMSISDN",
    "customerPhone",
    "customerPhoneNumber",
    "number",
    "Number",
    "phone",
    "Phone",
    "mobile",
    "Mobile",
    "mobileNumber",
    "MobileNumber",
    "mobile_number",
    "subscriberNumber",
];

impl CheckRequest {
    /// Reads a body. Unknown fields are ignored. The caller bounds its size.
    pub fn parse(body: &[u8]) -> Result<Self, CheckRequestError> {
        let not_an_object = CheckRequestError::NotAnObject;
        // Checked as a whole, because the parser does not look into the strings that it skips.
        let text = std::str::from_utf8(body).map_err(|_| not_an_object)?;
        let fields: Fields = serde_json::from_str(text).map_err(|_| not_an_object)?;
        match fields {
            Fields { ambiguous: true, .. } => Err(not_an_object),
            Fields { number: Some(Number::Given(customer_number)), result_url, .. } => match result_url {
                None => Ok(Self { customer_number, result_url: None }),
                Some(Number::Given(url)) => Ok(Self { customer_number, result_url: Some(url) }),
                Some(Number::OfWrongType) => Err(CheckRequestError::ResultUrlWrongType),
            },
            Fields { number: Some(Number::OfWrongType), .. } => Err(CheckRequestError::WrongType),
            Fields { wrong_name: Some(found), .. } => Err(CheckRequestError::WrongName { found }),
            _ => Err(CheckRequestError::Missing),
        }
    }
}

impl fmt::Debug for CheckRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckRequest(redacted)")
    }
}

/// What an object said; always read to its end, so that broken JSON is found before anything else.
#[derive(Default)]
struct Fields {
    number: Option<Number>,
    result_url: Option<Number>,
    ambiguous: bool,
    wrong_name: Option<&'static str>,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key()? {
            match name {
                Name::CustomerNumber => {
                    fields.ambiguous |= fields.number.is_some();
                    fields.number = Some(map.next_value()?);
                }
                Name::ResultUrl => {
                    fields.ambiguous |= fields.result_url.is_some();
                    fields.result_url = Some(map.next_value()?);
                }
                Name::Wrong(found) => {
                    fields.wrong_name.get_or_insert(found);
                    map.next_value::<IgnoredAny>()?;
                }
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(fields)
    }
}

enum Name {
    CustomerNumber,
    ResultUrl,
    Wrong(&'static str),
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        if name == "customerNumber" {
            return Ok(Name::CustomerNumber);
        }
        if name == "resultURL" {
            return Ok(Name::ResultUrl);
        }
        Ok(WRONG_NAMES.into_iter().find(|wrong| *wrong == name).map_or(Name::Other, Name::Wrong))
    }
}

/// The value of `customerNumber` or `resultURL`. Any JSON value can be read into it.
enum Number {
    Given(String),
    OfWrongType,
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an integer")
    }

    fn visit_str<E>(self, text: &str) -> Result<Number, E> {
        Ok(Number::Given(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number::Given(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
        Ok(Number::Given(number.to_string()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Number, E> {
        Ok(Number::OfWrongType)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
        Ok(Number::OfWrongType)
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number::OfWrongType)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Number, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Number::OfWrongType)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Number, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Number::OfWrongType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(body: &str) -> Result<String, CheckRequestError> {
        CheckRequest::parse(body.as_bytes()).map(|request| request.customer_number)
    }

    #[test]
    fn a_string_or_an_integer_is_the_number() {
        for (body, expected) in [
            (r#"{"customerNumber": "254722000000"}"#, "254722000000"),
            (r#"{"customerNumber":254722000000}"#, "254722000000"),
            (r#"{"customerNumber":-7}"#, "-7"),
            (r#"{"customerNumber":" +254 722 "}"#, " +254 722 "),
            (r#"{"customerNumber":"\u0032\n\u0000"}"#, "2\n\0"),
            (r#"{"x":{"customerNumber":1},"customerNumber":"2","msisdn":"3","y":[[{}]]}"#, "2"),
            (" \r\n{\"customerNumber\":\"1\"}\t\n", "1"),
        ] {
            assert_eq!(number(body).as_deref(), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for body in [
            "",
            " ",
            "null",
            "1",
            "\"customerNumber\"",
            "[]",
            "[[\"customerNumber\",\"1\"]]",
            "{",
            "{}{}",
            "{} x",
            "{\"customerNumber\":}",
            "{\"customerNumber\":\"1\",}",
            "{\"customerNumber\":0722000000}",
            "{\"customerNumber\":\"\\ud800\"}",
            "{\"customerNumber\":\"1\",\"customerNumber\":\"1\"}",
            "{\"customerNumber\":\"1\",\"customerNumber\":null}",
            "{\"customerNumber\":\"1\n\"}",
            "{'customerNumber':'1'}",
            "\u{feff}{\"customerNumber\":\"1\"}",
        ] {
            assert_eq!(number(body), Err(CheckRequestError::NotAnObject), "{body:?}");
        }
        for body in [&b"{\"customerNumber\":\"\xff\"}"[..], b"{\"x\":\"\xff\",\"customerNumber\":\"1\"}", b"\0"] {
            assert_eq!(CheckRequest::parse(body), Err(CheckRequestError::NotAnObject), "{body:?}");
        }
    }

    #[test]
    fn the_wrong_type_is_told_from_a_wrong_name_and_from_none() {
        for value in ["null", "true", "1.5", "254722000000.0", "1e3", "1e308", "36893488147419103232", "[1,[2]]", "{}"]
        {
            let body = format!("{{\"customerNumber\":{value}}}");
            assert_eq!(number(&body), Err(CheckRequestError::WrongType), "{body}");
        }
        for found in WRONG_NAMES {
            let body = format!("{{\"x\":1,{found:?}:\"254722000000\",\"mobile\":2}}");
            assert_eq!(number(&body), Err(CheckRequestError::WrongName { found }), "{body}");
        }
        for body in ["{}", r#"{"costumerNumber":"1"}"#, r#"{"":""}"#] {
            assert_eq!(number(body), Err(CheckRequestError::Missing), "{body}");
        }
    }

    #[test]
    fn a_result_url_is_a_string_said_once() {
        let result_url = |value: &str| {
            let body = format!(r#"{{"customerNumber":"1","resultURL":{value}}}"#);
            CheckRequest::parse(body.as_bytes()).map(|request| request.result_url)
        };
        assert_eq!(result_url(r#""https://bank.example/""#), Ok(Some("https://bank.example/".to_owned())));
        assert_eq!(result_url(r#""""#), Ok(Some(String::new())), "sent, so never answered inline");
        for wrong in ["null", "true", "1.5", "{}", r#"["https://bank.example/"]"#] {
            assert_eq!(result_url(wrong), Err(CheckRequestError::ResultUrlWrongType), "{wrong}");
        }
        assert_eq!(result_url(r#""a","resultURL":"a""#), Err(CheckRequestError::NotAnObject));
    }

    #[test]
    fn deep_nesting_neither_overflows_nor_passes() {
        let deep = "[".repeat(100_000);
        assert_eq!(number(&deep), Err(CheckRequestError::NotAnObject));
        assert_eq!(number(&format!("{{\"customerNumber\":{deep}")), Err(CheckRequestError::NotAnObject));
        let closed = format!("{{\"customerNumber\":{deep}{}}}", "]".repeat(100_000));
        assert_eq!(number(&closed), Err(CheckRequestError::WrongType));
    }

    #[test]
    fn a_request_never_shows_its_number() {
        let request = CheckRequest { customer_number: "254722000000".to_owned(), result_url: None };
        assert_eq!(format!("{request:?}"), "CheckRequest(redacted)");
    }

    /// Bodies that are nearly right, and bytes that are not.
    fn bodies() -> impl Strategy<Value = Vec<u8>> {
        let pieces = proptest::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\\",
            "\"customerNumber\"",
            "\"msisdn\"",
            "\"x\"",
            "254722000000",
            "\"254722000000\"",
            "-1",
            "1e999",
            "0.5",
            "99999999999999999999",
            "null",
            "true",
            "\\u0000",
            "\\ud83d",
            " ",
            "\u{feff}",
            "\0",
            "é",
        ]);
        let nearly = proptest::collection::vec(pieces, 0..16).prop_map(|pieces| pieces.concat().into_bytes());
        let mutated = (0usize..32, any::<u8>()).prop_map(|(at, byte)| {
            let mut body = br#"{"customerNumber":"254722000000"}"#.to_vec();
            body[at] = byte;
            body
        });
        prop_oneof![nearly, mutated, proptest::collection::vec(any::<u8>(), 0..64)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn any_bytes_are_a_request_or_an_error(body in bodies()) {
            if let Ok(request) = CheckRequest::parse(&body) {
                let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
                let sent = &value["customerNumber"];
                let same = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
                prop_assert_eq!(request.customer_number, same);
            }
        }

        #[test]
        fn what_is_written_is_read_back(customer_number in any::<String>(), result_url in any::<Option<String>>()) {
            let request = CheckRequest { customer_number, result_url };
            let body = serde_json::to_vec(&request).unwrap();
            prop_assert_eq!(CheckRequest::parse(&body), Ok(request));
        }
    }
}
