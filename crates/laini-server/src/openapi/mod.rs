//! The OpenAPI document: every path that is called over HTTP, and the Postman collection made of it.
//!
//! Owns what is said of each operation ([`Operation`]), a file for each group; the shapes of bodies come
//! from laini-wire's own types, statuses and codes from the table of errors, examples from
//! `api/examples`. Must never describe what the server does not do.

mod checks;
mod deliveries;
mod document;
mod operator;
mod postman;
mod probes;
mod responses;
mod sandbox;
mod schemas;
mod serve;
mod tokens;

pub use document::document;
pub use postman::collection;
pub(crate) use serve::show_openapi;

use axum::http::{Method, StatusCode};
use laini_core::partner::OperatorScope;
use serde_json::{Value, json};

use crate::http::{ApiError, ForbiddenReason, TokenProblem};

/// `GET`: the document itself.
pub(crate) const OPENAPI_PATH: &str = "/openapi.json";

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Operations that belong together.
struct Group {
    tag: &'static str,
    description: &'static str,
    operations: fn() -> Vec<Operation>,
}

/// Every group there is. A new operation goes into the file of its group.
const GROUPS: &[Group] = &[
    Group {
        tag: "tokens",
        description: "Where consumer key and secret become a token.",
        operations: tokens::operations,
    },
    Group {
        tag: "checks",
        description: "The published checks, and the answer that cannot be misread.",
        operations: checks::operations,
    },
    Group {
        tag: "deliveries",
        description: "What is delivered instead of answered, for a developer's machine that listens.",
        operations: deliveries::operations,
    },
    Group {
        tag: "sandbox",
        description: "A sandbox app's own lines, what happens to them, and their clock.",
        operations: sandbox::operations,
    },
    Group {
        tag: "operator",
        description: "How the operator's truth comes in; perhaps on a listener of its own.",
        operations: operator::operations,
    },
    Group { tag: "probes", description: "For whoever keeps the server running.", operations: probes::operations },
];

/// One operation, as the document describes it. What follows from its access and its body, and what any
/// request can be answered, is not repeated here: see [`Operation::errors`].
struct Operation {
    /// The handler's name; also the operation's id.
    id: &'static str,
    method: Method,
    path: &'static str,
    summary: &'static str,
    access: Access,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answer: Answer,
    /// Errors of its own.
    refusals: Vec<ApiError>,
    /// Further answers: status, schema where there is a body, description.
    others: Vec<(u16, Option<&'static str>, &'static str)>,
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
    /// A key of the operator's that holds this scope.
    OperatorKey(OperatorScope),
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
    /// The name of a schema; of NDJSON, that of a line.
    schema: &'static str,
    example: Value,
    required: bool,
}

/// The answer of an operation that succeeds.
struct Answer {
    status: StatusCode,
    description: &'static str,
    media_type: &'static str,
    /// The names of the schemas of which the body is one (of NDJSON, a line); none where there is no body.
    schemas: &'static [&'static str],
    example: Value,
    /// What its headers say.
    headers: &'static [(&'static str, &'static str)],
}

impl Body {
    fn json(schema: &'static str, example: Value) -> Self {
        Self { media_type: JSON, schema, example, required: true }
    }
}

impl Answer {
    /// A 200 with a body of one of these shapes.
    fn ok(description: &'static str, schemas: &'static [&'static str], example: Value) -> Self {
        Self { status: StatusCode::OK, description, media_type: JSON, schemas, example, headers: &[] }
    }

    /// A 204.
    fn no_content(description: &'static str) -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::ok(description, &[], json!(null)) }
    }

    fn with_headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }
}

impl Operation {
    /// Every error that it can answer: of the door, of whoever calls, of its body, its own.
    fn errors(&self) -> Vec<ApiError> {
        // A path and query that are too long; a panic; a server that sheds load or cannot reach its accounts.
        let mut errors = vec![ApiError::UnknownPath, ApiError::Internal, ApiError::Unreachable];
        match self.access {
            Access::Anyone | Access::Basic => {}
            Access::Bearer => {
                errors.extend(TOKENS.map(ApiError::Token));
                errors.extend(APPS.map(ApiError::Forbidden));
            }
            Access::OperatorKey(scope) => {
                errors.extend(TOKENS.map(ApiError::Token));
                // Whoever guesses keys is slowed down.
                errors.push(ApiError::SpikeArrest { retry_after_s: 1 });
                errors.push(ApiError::Forbidden(ForbiddenReason::MissingScope(scope)));
            }
        }
        match self.body.as_ref().map(|body| body.media_type) {
            Some(JSON) => errors.extend([
                ApiError::BodyTooSlow,
                ApiError::BodyTooLarge,
                ApiError::InvalidPayload,
                ApiError::NotJson,
            ]),
            Some(FORM) => errors.extend([ApiError::BodyTooSlow, ApiError::BodyTooLarge]),
            _ => {}
        }
        errors.extend_from_slice(&self.refusals);
        errors
    }
}

/// What can be wrong with a token or a key.
const TOKENS: [TokenProblem; 5] = [
    TokenProblem::Missing,
    TokenProblem::Ambiguous,
    TokenProblem::Unknown,
    TokenProblem::Expired,
    TokenProblem::Revoked,
];

/// Why an app may not call, whatever it asks for.
const APPS: [ForbiddenReason; 5] = [
    ForbiddenReason::WrongEnvironment,
    ForbiddenReason::PartnerSuspended,
    ForbiddenReason::AppSuspended,
    ForbiddenReason::WrongAddress,
    ForbiddenReason::WrongCertificate,
];

/// An example of the contract.
fn example(text: &str) -> Value {
    // The examples are files of this repository, and a test reads each of them.
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
