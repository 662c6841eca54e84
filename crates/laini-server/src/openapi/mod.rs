//! The OpenAPI document: the token doors, the checks and the probes so far.
//!
//! Owns what is said of each operation ([`Operation`]); the shapes of bodies come from laini-wire's own
//! types, statuses and codes from the table of errors, examples from `api/examples`. Must never
//! describe what the server does not do.

mod checks;
mod document;
mod postman;
mod probes;
mod tokens;

pub use document::document;
pub use postman::collection;

use axum::http::Method;
use serde_json::Value;

use crate::http::ApiError;

/// One operation, as the document describes it.
struct Operation {
    /// The handler's name; also the operation's id.
    id: &'static str,
    method: Method,
    path: &'static str,
    tag: &'static str,
    summary: &'static str,
    access: Access,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answer: Answer,
    errors: Vec<ApiError>,
    /// Further answers with bodies of their own: status, schema, description.
    others: Vec<(u16, &'static str, &'static str)>,
}

/// What a caller must show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Nothing.
    Anyone,
    /// Consumer key and secret.
    Basic,
    /// A token of an app.
    Bearer,
}

/// A parameter of a request.
struct Parameter {
    name: &'static str,
    /// `query`, `path` or `header`.
    place: &'static str,
    required: bool,
    description: &'static str,
    schema: Value,
}

/// A request's body.
struct Body {
    media_type: &'static str,
    /// The name of a schema.
    schema: &'static str,
    example: Value,
}

/// The answer of an operation that succeeds.
struct Answer {
    description: &'static str,
    /// The names of the schemas of which the body is one.
    schemas: &'static [&'static str],
    example: Value,
    headers: &'static [(&'static str, &'static str)],
}

/// Every operation there is.
fn operations() -> Vec<Operation> {
    [tokens::operations(), checks::operations(), probes::operations()].into_iter().flatten().collect()
}

/// An example of the contract.
fn example(text: &str) -> Value {
    // The examples are files of this repository, and a test reads each of them.
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
