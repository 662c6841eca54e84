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

/// An operation with what its path names.
pub(super) fn operation(
    id: &'static str,
    (method, path): (Method, &'static str),
    summary: &'static str,
    may: May,
    answer: Answer,
) -> Operation {
    let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters = named.map(|name| Parameter {
        name,
        place: "path",
        required: true,
        description: "The id.",
        schema: json!({"type": "string", "pattern": "^[0-9a-f]{16}$"}),
    });
    let parameters = parameters.collect();
    let refusals = vec![ApiError::NotNow("it is not such that this can be done now".to_owned())];
    let refusals = if method.is_safe() { Vec::new() } else { refusals };
    Operation { parameters, refusals, ..Operation::new(id, (method, path), summary, Access::Session(may), answer) }
}

/// The operation, with a body of JSON.
pub(super) fn taking(operation: Operation, schema: &'static str, example: Value) -> Operation {
    let mut refusals = operation.refusals;
    refusals.push(ApiError::InvalidField("body", "what is wrong with it".into()));
    Operation { body: Some(Body::json(schema, example)), refusals, ..operation }
}

/// The operation, of which a page is asked for.
pub(super) fn paged(mut operation: Operation) -> Operation {
    let page = [
        ("after", "`next` of the page before.", json!({"type": "string"})),
        ("limit", "At most so many.", json!({"type": "integer", "minimum": 1, "maximum": 500})),
    ];
    operation.parameters.extend(page.map(|(name, description, schema)| in_query(name, description, schema)));
    operation.refusals.push(ApiError::InvalidField("limit", "expected 1 to 500".into()));
    operation
}

/// A parameter of the query.
pub(super) fn in_query(name: &'static str, description: &'static str, schema: Value) -> Parameter {
    Parameter { name, place: "query", required: false, description, schema }
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
