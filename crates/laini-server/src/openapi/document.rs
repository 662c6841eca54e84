use serde_json::{Map, Value, json};

use super::responses::{reference, responses};
use super::schemas::schemas;
use super::{Access, GROUPS, Operation, operations};
use crate::office::NOUNS;

/// The whole document, OpenAPI 3.1.
pub fn document() -> Value {
    let mut paths = Map::new();
    for (tag, operation) in operations() {
        let method = operation.method.as_str().to_ascii_lowercase();
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[method] = describe(tag, &operation);
    }
    let told = GROUPS.iter().map(|group| (group.tag, group.description));
    let tags = told.chain(NOUNS.iter().map(|noun| (noun.tag, noun.description)));
    let tags = tags.map(|(tag, description)| json!({"name": tag, "description": description}));
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
        "tags": tags.collect::<Vec<_>>(),
        "paths": paths,
        "components": {"schemas": schemas(), "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic", "description": "Consumer key and consumer secret of an app."},
            "bearer": {"type": "http", "scheme": "bearer", "description": "A token of the token doors; good for an hour."},
            "session": {"type": "http", "scheme": "bearer", "description": "The token of a session of the office; x-laini-may of an operation names the roles that may."},
            "operatorKey": {"type": "http", "scheme": "bearer", "description": "A key of `laini operator key add`, with the scope that is named."},
        }},
    })
}

fn describe(tag: &str, operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [tag],
        "summary": operation.summary,
        "responses": responses(operation),
        "security": match operation.access {
            Access::Anyone => json!([]),
            Access::Basic => json!([{"basic": []}]),
            Access::Bearer => json!([{"bearer": []}]),
            Access::OperatorKey(scope) => json!([{"operatorKey": [scope.word()]}]),
            Access::Session(_) => json!([{"session": []}]),
        },
    });
    if let Access::Session(may) = &operation.access {
        described["x-laini-may"] = json!({
            "members": may.members.iter().map(|role| role.word()).collect::<Vec<_>>(),
            "staff": may.staff.iter().map(|role| role.word()).collect::<Vec<_>>(),
        });
    }
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
        described["requestBody"] = json!({"required": body.required, "content": {body.media_type: content}});
    }
    described
}
