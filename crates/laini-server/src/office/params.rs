use axum::http::Method;
use laini_core::partner::May;
use serde_json::{Value, json};

use crate::openapi::{Access, Answer, Body, Operation, Parameter};

/// An id in the path.
pub(super) fn in_path(name: &'static str, description: &'static str) -> Parameter {
    let schema = json!({"type": "string", "pattern": "^[0-9a-f]{16}$"});
    Parameter { name, place: "path", required: true, description, schema }
}

/// A parameter of the query.
pub(super) fn in_query(name: &'static str, description: &'static str, schema: Value) -> Parameter {
    Parameter { name, place: "query", required: false, description, schema }
}

/// Which page of a list.
pub(super) fn page() -> Vec<Parameter> {
    vec![
        in_query("after", "`next` of the page before.", json!({"type": "string"})),
        in_query("limit", "At most so many.", json!({"type": "integer", "minimum": 1, "maximum": 500})),
    ]
}

/// An operation of somebody who signed in.
pub(super) fn operation(
    id: &'static str,
    (method, path): (Method, &'static str),
    summary: &'static str,
    may: May,
    answer: Answer,
) -> Operation {
    let parameters = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(described);
    let parameters = parameters.collect();
    Operation { parameters, ..Operation::new(id, (method, path), summary, Access::Session(may), answer) }
}

/// An operation that takes a body.
pub(super) fn taking(operation: Operation, schema: &'static str, example: Value) -> Operation {
    Operation { body: Some(Body::json(schema, example)), ..operation }
}

fn number(name: &'static str, description: &'static str) -> Parameter {
    Parameter { schema: json!({"type": "integer", "minimum": 0}), ..in_path(name, description) }
}

fn described(name: &'static str) -> Parameter {
    match name {
        "partner" => in_path(name, "The partner's id."),
        "app" => in_path(name, "The app's id."),
        "secret" => number(name, "The secret's number among those of its app."),
        "address" => in_path(name, "The result address's id."),
        "invoice" => number(name, "The invoice's number."),
        "line" => number(name, "The line's number on the invoice."),
        "notice" => in_path(name, "The notice's id."),
        "go_live" => in_path(name, "The request's id."),
        "run" => in_path(name, "The scripted run's id."),
        _ => in_path(name, "An id."),
    }
}
