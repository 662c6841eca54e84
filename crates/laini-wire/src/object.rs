use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a field that is an object or null. By itself serde takes a list for the fields of one, in their order.
pub(crate) fn maybe<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Object(PhantomData))
}

/// Reads a field that is an object.
pub(crate) fn required<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    maybe(deserializer)?.ok_or_else(|| D::Error::custom("expected an object"))
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        first: Option<u32>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Outer {
        #[serde(default, deserialize_with = "maybe")]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Needing {
        #[serde(deserialize_with = "required")]
        inner: Inner,
    }

    #[test]
    fn an_object_that_is_needed_is_neither_null_nor_a_list() {
        let read = |text: &str| serde_json::from_str::<Needing>(text).map(|needing| needing.inner);
        assert_eq!(read(r#"{"inner": {}}"#).unwrap(), Inner { first: None });
        for wrong in [r#"{"inner": [null]}"#, r#"{"inner": null}"#, "{}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_list_is_no_object() {
        let read = |text: &str| serde_json::from_str::<Outer>(text).map(|outer| outer.inner);
        assert_eq!(read(r#"{"inner": {"first": 1}}"#).unwrap(), Some(Inner { first: Some(1) }));
        assert_eq!(read(r#"{"inner": null}"#).unwrap(), None);
        assert_eq!(read("{}").unwrap(), None);
        for wrong in [r#"{"inner": [1]}"#, r#"{"inner": []}"#, r#"{"inner": 1}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
