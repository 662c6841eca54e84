use std::collections::BTreeMap;

use crate::office::NOUNS;
use laini_wire::check::{AgeAnswer, CheckRequest, ImsiAnswer, SwapAnswer};
use laini_wire::checks::{CheckItem, ChecksAnswer, ChecksQuote, ChecksRequest};
use laini_wire::delivery::{Accepted, Acknowledgement, HandedPage};
use laini_wire::error::{CheckErrorBody, ErrorBody};
use laini_wire::operator::{
    EventResult, EventsSummary, FeedAnswer as RegistryFeedAnswer, HeartbeatAnswer, HeartbeatRequest,
    RecordedEventsAnswer, RejectsAnswer, RetryAnswer, SnapshotAnswer,
};
use laini_wire::token::{OAuthError, PublishedToken, StandardToken};
use laini_wire::world::{
    AdvanceRequest, ClockAnswer, EventRequest, FeedAnswer, LineAnswer, LineRequest, LinesAnswer, WorldAnswer,
};
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

pub(crate) type Schemas = Vec<(String, RefOr<Schema>)>;

/// The shapes of all bodies, from the types that are read and sent.
pub(super) fn schemas() -> Value {
    let mut schemas: BTreeMap<String, Value> = collected().into_iter().collect();
    for (name, field) in [("CheckRequest", "customerNumber"), ("ChecksRequest", "number")] {
        accept_integers(&mut schemas, name, |schema| &mut schema["properties"][field]);
    }
    accept_integers(&mut schemas, "ChecksRequest", |schema| &mut schema["properties"]["numbers"]["items"]);
    schemas.insert("FeedEvent".to_owned(), super::operator::feed_event());
    schemas.insert("Snapshot".to_owned(), super::operator::snapshot());
    schemas.insert("OpenApi".to_owned(), json!({"type": "object", "required": ["openapi", "info", "paths"]}));
    schemas.insert("PostmanCollection".to_owned(), json!({"type": "object", "required": ["info", "item"]}));
    schemas.insert("FileBytes".to_owned(), json!({"type": "string", "format": "binary"}));
    schemas.insert("Probe".to_owned(), super::probes::probe());
    schemas.insert("TokenRequest".to_owned(), super::tokens::token_request());
    json!(schemas)
}

/// Every schema that a type gives, by name; what several types hold comes several times.
pub(super) fn collected() -> Vec<(String, Value)> {
    let to_value = |(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default());
    let partners = of_answers().into_iter().map(to_value).map(|(name, schema)| (name, never_null(schema)));
    let office = NOUNS.iter().flat_map(|noun| (noun.schemas)());
    of_requests().into_iter().chain(of_operator_answers()).chain(office).map(to_value).chain(partners).collect()
}

fn of_requests() -> Schemas {
    let mut collected = Vec::new();
    collect::<CheckRequest>(&mut collected);
    collect::<ChecksRequest>(&mut collected);
    collect::<Acknowledgement>(&mut collected);
    collect::<LineRequest>(&mut collected);
    collect::<EventRequest>(&mut collected);
    collect::<AdvanceRequest>(&mut collected);
    collect::<HeartbeatRequest>(&mut collected);
    collected
}

/// A number can come as a JSON integer, and never as null.
fn accept_integers(schemas: &mut BTreeMap<String, Value>, name: &str, field: impl Fn(&mut Value) -> &mut Value) {
    if let Some(schema) = schemas.get_mut(name) {
        field(schema)["type"] = json!(["string", "integer"]);
    }
}

/// What partners are answered.
fn of_answers() -> Schemas {
    let mut collected = Vec::new();
    collect::<ImsiAnswer<'_>>(&mut collected);
    collect::<SwapAnswer<'_>>(&mut collected);
    collect::<AgeAnswer<'_>>(&mut collected);
    collect::<Accepted<'_>>(&mut collected);
    collect::<ChecksAnswer>(&mut collected);
    collect::<ChecksQuote>(&mut collected);
    collect::<CheckItem>(&mut collected);
    collect::<HandedPage>(&mut collected);
    collect::<WorldAnswer>(&mut collected);
    collect::<ClockAnswer>(&mut collected);
    collect::<FeedAnswer>(&mut collected);
    collect::<LineAnswer>(&mut collected);
    collect::<LinesAnswer>(&mut collected);
    collect::<PublishedToken<'_>>(&mut collected);
    collect::<StandardToken<'_>>(&mut collected);
    collect::<OAuthError<'_>>(&mut collected);
    collect::<ErrorBody<'_>>(&mut collected);
    collect::<CheckErrorBody<'_>>(&mut collected);
    collected
}

/// What the operator is answered; here a field without a value is null.
fn of_operator_answers() -> Schemas {
    let mut collected = Vec::new();
    collect::<EventResult>(&mut collected);
    collect::<EventsSummary>(&mut collected);
    collect::<SnapshotAnswer>(&mut collected);
    collect::<HeartbeatAnswer>(&mut collected);
    collect::<RegistryFeedAnswer>(&mut collected);
    collect::<RecordedEventsAnswer>(&mut collected);
    collect::<RejectsAnswer>(&mut collected);
    collect::<RetryAnswer>(&mut collected);
    collected
}

pub(crate) fn collect<T: ToSchema + PartialSchema>(schemas: &mut Schemas) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// What an answer leaves out is not there; it is never null.
fn never_null(mut schema: Value) -> Value {
    let Some(properties) = schema["properties"].as_object_mut() else { return schema };
    for property in properties.values_mut() {
        let is_null = |value: &Value| value == "null" || value["type"] == "null";
        for key in ["type", "oneOf"] {
            let Some(choices) = property[key].as_array_mut() else { continue };
            choices.retain(|choice| !is_null(choice));
            if let [only] = &**choices {
                property[key] = only.clone();
            }
        }
        if property["oneOf"].is_object() {
            let only = property["oneOf"].take();
            property["allOf"] = json!([only]);
        }
        if let Some(property) = property.as_object_mut() {
            property.retain(|_, value| !value.is_null());
        }
    }
    schema
}
