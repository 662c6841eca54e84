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
pub(crate) use schemas::{Schemas, collect};
pub(crate) use serve::{show_openapi, show_postman};

use axum::http::{Method, StatusCode};
use laini_core::partner::{May, OperatorScope};
use serde_json::{Value, json};

use crate::http::{ApiError, ForbiddenReason, TokenProblem};
use crate::office::NOUNS;

/// `GET`: the document itself.
pub(crate) const OPENAPI_PATH: &str = "/openapi.json";
/// `GET`: a Postman collection made of it.
pub(crate) const POSTMAN_PATH: &str = "/postman.json";

pub(crate) const JSON: &str = "application/json";
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

/// Every operation with its group's tag, those of the office included.
fn operations() -> Vec<(&'static str, Operation)> {
    let own = GROUPS.iter().flat_map(|group| (group.operations)().into_iter().map(|operation| (group.tag, operation)));
    let office =
        NOUNS.iter().flat_map(|noun| (noun.endpoints)().into_iter().map(|endpoint| (noun.tag, endpoint.operation)));
    own.chain(office).collect()
}

/// One operation, as the document describes it. What follows from its access and its body, and what any
/// request can be answered, is not repeated here: see [`Operation::errors`].
pub(crate) struct Operation {
    /// The handler's name; also the operation's id.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) access: Access,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) answer: Answer,
    /// Errors of its own.
    pub(crate) refusals: Vec<ApiError>,
    /// Further answers: status, schema where there is a body, description.
    pub(crate) others: Vec<(u16, Option<&'static str>, &'static str)>,
}

/// What a caller must show.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Anyone,
    /// Consumer key and secret.
    Basic,
    /// A token of an app.
    Bearer,
    /// A key of the operator's that holds this scope.
    OperatorKey(OperatorScope),
    /// The token of a session of somebody who may.
    Session(May),
}

/// A parameter of a request.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// `query`, `path` or `header`.
    pub(crate) place: &'static str,
    pub(crate) required: bool,
    pub(crate) description: &'static str,
    pub(crate) schema: Value,
}

/// A request's body.
pub(crate) struct Body {
    pub(crate) media_type: &'static str,
    /// The name of a schema; of NDJSON, that of a line.
    pub(crate) schema: &'static str,
    pub(crate) example: Value,
    pub(crate) required: bool,
}

/// The answer of an operation that succeeds.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) description: &'static str,
    pub(crate) media_type: &'static str,
    /// The names of the schemas of which the body is one (of NDJSON, a line); none where there is no body.
    pub(crate) schemas: &'static [&'static str],
    pub(crate) example: Value,
    /// What its headers say.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// Further media types, which it can be asked for as a file.
    pub(crate) files: &'static [&'static str],
}

impl Body {
    pub(crate) fn json(schema: &'static str, example: Value) -> Self {
        Self { media_type: JSON, schema, example, required: true }
    }
}

impl Answer {
    /// A 200 with a body of one of these shapes.
    pub(crate) fn ok(description: &'static str, schemas: &'static [&'static str], example: Value) -> Self {
        Self { status: StatusCode::OK, description, media_type: JSON, schemas, example, headers: &[], files: &[] }
    }

    /// A 204.
    pub(crate) fn no_content(description: &'static str) -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::ok(description, &[], json!(null)) }
    }

    pub(crate) fn with_headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }
}

impl Operation {
    /// An operation without parameters, body or errors of its own; the rest is set by name.
    pub(crate) fn new(
        id: &'static str,
        (method, path): (Method, &'static str),
        summary: &'static str,
        access: Access,
        answer: Answer,
    ) -> Self {
        let (parameters, refusals, others) = (Vec::new(), Vec::new(), Vec::new());
        Self { id, method, path, summary, access, parameters, body: None, answer, refusals, others }
    }

    /// Every error that it can answer: of the door, of whoever calls, of its body, its own.
    fn errors(&self) -> Vec<ApiError> {
        // A path and query that are too long; a panic; a server that sheds load or cannot reach its accounts.
        let mut errors = vec![ApiError::UnknownPath, ApiError::Internal, ApiError::Unreachable];
        match self.access {
            Access::Anyone | Access::Basic | Access::Session(_) => {}
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
        if let Access::Session(may) = &self.access {
            errors.extend(SESSIONS.map(ApiError::Token));
            errors.push(ApiError::Forbidden(ForbiddenReason::NoSecondFactor));
            if *may != May::ANYBODY {
                errors.push(ApiError::Forbidden(ForbiddenReason::NotOfThatRole));
            }
            if self.path.contains('{') {
                errors.push(ApiError::NoSuchThing);
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

/// What can be wrong with a session's token.
const SESSIONS: [TokenProblem; 4] =
    [TokenProblem::Missing, TokenProblem::Ambiguous, TokenProblem::Unknown, TokenProblem::Expired];

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
