use std::collections::BTreeMap;

use axum::http::StatusCode;
use laini_core::billing::CheckId;
use laini_wire::check::{AgeAnswer, CheckRequest, ImsiAnswer, SwapAnswer};
use laini_wire::checks::{CheckItem, ChecksAnswer, ChecksQuote, ChecksRequest};
use laini_wire::error::{CheckErrorBody, ErrorBody};
use laini_wire::token::{OAuthError, PublishedToken, StandardToken};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Access, Operation, operations};
use crate::http::{ApiError, Shape};

/// The check whose id stands in the examples of errors.
const EXAMPLE_POSITION: u64 = 0x019a_4b3c_5d6e << 12;

/// The whole document, OpenAPI 3.1.
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        let method = operation.method.as_str().to_ascii_lowercase();
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[method] = describe(&operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "laini",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Can this phone number still be trusted?",
            "description": "SIM swap, registration date and hashed IMSI of a phone number. Times are of the operator's zone where only a day is shown, UTC otherwise.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "tokens", "description": "Where consumer key and secret become a token."},
            {"name": "checks", "description": "The published checks, and the answer that cannot be misread."},
            {"name": "probes", "description": "For whoever keeps the server running."},
        ],
        "paths": paths,
        "components": {"schemas": schemas(), "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic", "description": "Consumer key and consumer secret of an app."},
            "bearer": {"type": "http", "scheme": "bearer", "description": "A token of the token doors; good for an hour."},
        }},
    })
}

fn describe(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": responses(operation),
        "security": match operation.access {
            Access::Anyone => json!([]),
            Access::Basic => json!([{"basic": []}]),
            Access::Bearer => json!([{"bearer": []}]),
        },
    });
    if !operation.parameters.is_empty() {
        let parameters = operation.parameters.iter().map(|parameter| {
            json!({
                "name": parameter.name,
                "in": parameter.place,
                "required": parameter.required,
                "description": parameter.description,
                "schema": parameter.schema,
            })
        });
        described["parameters"] = parameters.collect();
    }
    if let Some(body) = &operation.body {
        let content = json!({"schema": reference(body.schema), "example": body.example});
        described["requestBody"] = json!({"required": true, "content": {body.media_type: content}});
    }
    described
}

/// The answer and every error, one response for each status.
fn responses(operation: &Operation) -> Value {
    let answer = &operation.answer;
    let schema = match answer.schemas {
        [one] => reference(one),
        several => json!({"oneOf": several.iter().map(|name| reference(name)).collect::<Vec<_>>()}),
    };
    let headers = answer.headers.iter().map(|(name, description)| {
        ((*name).to_owned(), json!({"description": description, "schema": {"type": "string"}}))
    });
    let mut responses = Map::new();
    responses.insert(
        "200".to_owned(),
        json!({
            "description": answer.description,
            "headers": headers.collect::<Map<_, _>>(),
            "content": {"application/json": {"schema": schema, "example": answer.example}},
        }),
    );
    let mut by_status: BTreeMap<StatusCode, Vec<&ApiError>> = BTreeMap::new();
    for error in &operation.errors {
        by_status.entry(error.status()).or_default().push(error);
    }
    for (status, errors) in by_status {
        responses.insert(status.as_str().to_owned(), refusal(operation, &errors));
    }
    for (status, schema, description) in &operation.others {
        let other = json!({"description": description, "content": {"application/json": {"schema": reference(schema)}}});
        responses.entry(status.to_string()).or_insert(other);
    }
    Value::Object(responses)
}

/// One status with the errors behind it, each as an example.
fn refusal(operation: &Operation, errors: &[&ApiError]) -> Value {
    let shape = Shape::of_path(operation.path);
    let schema = if shape == Shape::Check { "CheckErrorBody" } else { "ErrorBody" };
    let id = CheckId::from_parts(EXAMPLE_POSITION, 1);
    let mut examples = Map::new();
    let mut codes: Vec<String> = Vec::new();
    for error in errors {
        let (code, body) = error.shown(id, shape);
        let line = format!("`{code}` {}", body["errorMessage"].as_str().unwrap_or_default());
        let name = format!("{code} {}", examples.len() + 1);
        examples.insert(name, json!({"value": body}));
        codes.push(line);
    }
    json!({
        "description": codes.join("; "),
        "content": {"application/json": {"schema": reference(schema), "examples": examples}},
    })
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// The shapes of all bodies, from the types that are sent.
fn schemas() -> Value {
    let mut collected = Vec::new();
    collect::<CheckRequest>(&mut collected);
    collect::<ImsiAnswer<'_>>(&mut collected);
    collect::<SwapAnswer<'_>>(&mut collected);
    collect::<AgeAnswer<'_>>(&mut collected);
    collect::<ChecksRequest>(&mut collected);
    collect::<ChecksAnswer>(&mut collected);
    collect::<ChecksQuote>(&mut collected);
    collect::<CheckItem>(&mut collected);
    collect::<PublishedToken<'_>>(&mut collected);
    collect::<StandardToken<'_>>(&mut collected);
    collect::<OAuthError<'_>>(&mut collected);
    collect::<ErrorBody<'_>>(&mut collected);
    collect::<CheckErrorBody<'_>>(&mut collected);
    let mut schemas: BTreeMap<String, Value> = collected
        .into_iter()
        // Schemas always serialise.
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect();
    schemas.insert(
        "Probe".to_owned(),
        json!({
            "type": "object",
            "required": ["status"],
            "properties": {"status": {"type": "string"}, "reasons": {"type": "array", "items": {"type": "string"}}},
        }),
    );
    schemas.insert("TokenRequest".to_owned(), super::tokens::token_request());
    json!(schemas)
}

fn collect<T: ToSchema + PartialSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}
