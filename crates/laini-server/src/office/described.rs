use axum::http::Method;
use laini_core::partner::{May, MemberRole, StaffRole};
use laini_office::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::http::ApiError;
use crate::openapi::{Access, Answer, Body, Operation, Parameter};

/// Members and staff of any role: they look.
pub(super) const LOOKERS: May = May::ANYBODY;
/// Who acts for a partner's papers.
pub(super) const PAPERS: May = May { members: &[MemberRole::Owner], staff: &[StaffRole::Admin, StaffRole::Onboarding] };
/// Who acts for the operator's side of them.
pub(super) const ONBOARDERS: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Onboarding] };

/// An operation of somebody who signed in, with what its path names. What the frame itself refuses is added by
/// [`Endpoint::new`](super::Endpoint::new).
pub(super) fn operation(
    id: &'static str,
    (method, path): (Method, &'static str),
    summary: &'static str,
    may: May,
    answer: Answer,
) -> Operation {
    let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters = named.map(in_path).collect();
    Operation { parameters, ..Operation::new(id, (method, path), summary, Access::Session(may), answer) }
}

/// The operation, with a body of JSON.
pub(super) fn taking(operation: Operation, schema: &'static str, example: Value) -> Operation {
    Operation { body: Some(Body::json(schema, example)), ..operation }
}

/// The operation, with parameters of the query.
pub(super) fn asking(mut operation: Operation, parameters: impl IntoIterator<Item = Parameter>) -> Operation {
    operation.parameters.extend(parameters);
    operation
}

/// The operation, of which a page is asked for.
pub(super) fn paged(operation: Operation) -> Operation {
    let limit = json!({"type": "integer", "minimum": 1, "maximum": 500, "default": 50});
    let page = [
        in_query("after", "The `next` of the page before.", json!({"type": "string"})),
        in_query("limit", "How many at most.", limit),
    ];
    refusing(asking(operation, page), ApiError::InvalidField("limit", "expected 1 to 500".into()))
}

/// The operation, with an error of its own.
pub(super) fn refusing(mut operation: Operation, error: ApiError) -> Operation {
    operation.refusals.push(error);
    operation
}

/// A parameter of the query.
pub(super) fn in_query(name: &'static str, description: &'static str, schema: Value) -> Parameter {
    Parameter { name, place: "query", required: false, description, schema }
}

/// A parameter of the path: an id, unless it is known to be a number.
fn in_path(name: &'static str) -> Parameter {
    let number = |least: u64| json!({"type": "integer", "minimum": least});
    let id = json!({"type": "string", "pattern": "^[0-9a-f]{16}$"});
    let (description, schema) = match name {
        "partner" => ("The partner's id.", id),
        "app" => ("The app's id.", id),
        "secret" => ("The secret's number among those of its app.", number(0)),
        "address" => ("The result address's id.", id),
        "notice" => ("The notice's id.", id),
        "go_live" | "request" => ("The request's id.", id),
        "delivery" => ("The delivery's id: `webhook-id`.", json!({"type": "string", "maxLength": 40})),
        "call" => ("The id that its answer named.", json!({"type": "string", "maxLength": 40})),
        "run" => ("The scripted run's id.", id),
        "person" => ("Who.", id),
        "session" => ("One of one's own.", id),
        "incident" => ("The incident's id.", id),
        "ticket" => ("The ticket's id.", id),
        "invoice" => ("The invoice's number.", number(1)),
        "credit_note" => ("The credit note's number.", number(1)),
        "row" => ("The row's number in the batch.", number(0)),
        "line" => ("The line's number on the invoice.", number(0)),
        _ => ("An id.", id),
    };
    Parameter { name, place: "path", required: true, description, schema }
}

/// The answer that is a file.
pub(super) fn file(description: &'static str, media_type: &'static str) -> Answer {
    Answer { media_type, ..Answer::ok(description, &["FileBytes"], json!("%PDF-1.7")) }
}

/// The same fields in another type.
pub(super) fn recast<T: DeserializeOwned>(field: &'static str, of: &impl Serialize) -> Result<T, Problem> {
    let value = serde_json::to_value(of).map_err(|error| Problem::Store(error.to_string()))?;
    serde_json::from_value(value)
        .map_err(|_| Problem::invalid(field, "a word, number or date in it is not a known one"))
}
