use axum::http::Method;
use laini_wire::token::{GENERATE_PATH, OAUTH2_PATH};
use serde_json::{Value, json};

use super::{Access, Answer, Body, Operation, Parameter, example};
use crate::http::ApiError;

pub(super) fn operations() -> Vec<Operation> {
    let grant_type = Parameter {
        name: "grant_type",
        place: "query",
        required: true,
        description: "The one grant there is.",
        schema: json!({"type": "string", "enum": ["client_credentials"]}),
    };
    vec![
        Operation {
            id: "generate_token",
            method: Method::GET,
            path: GENERATE_PATH,
            tag: "tokens",
            summary: "A token, through the published door",
            access: Access::Basic,
            parameters: vec![grant_type],
            body: None,
            answer: Answer {
                description: "A token; expires_in is a text, as published.",
                schemas: &["PublishedToken"],
                example: example(include_str!("../../../../api/examples/generate.answer.json")),
                headers: &[("Cache-Control", "no-store")],
            },
            errors: vec![
                ApiError::InvalidCredentials,
                ApiError::InvalidGrantType,
                ApiError::SpikeArrest { retry_after_s: 1 },
                ApiError::Internal,
                ApiError::Unreachable,
            ],
            others: Vec::new(),
        },
        Operation {
            id: "issue_token",
            method: Method::POST,
            path: OAUTH2_PATH,
            tag: "tokens",
            summary: "A token, through the standard door (RFC 6749); its errors are RFC 6749's own",
            access: Access::Basic,
            parameters: Vec::new(),
            body: Some(Body {
                media_type: "application/x-www-form-urlencoded",
                schema: "TokenRequest",
                example: json!({"grant_type": "client_credentials"}),
            }),
            answer: Answer {
                description: "A token.",
                schemas: &["StandardToken"],
                example: example(include_str!("../../../../api/examples/oauth2-token.answer.json")),
                headers: &[("Cache-Control", "no-store")],
            },
            errors: vec![ApiError::BodyTooSlow, ApiError::BodyTooLarge],
            others: vec![
                (400, "OAuthError", "invalid_request or unsupported_grant_type"),
                (401, "OAuthError", "invalid_client"),
                (429, "OAuthError", "temporarily_unavailable: too many requests from one address"),
                (503, "OAuthError", "temporarily_unavailable"),
            ],
        },
    ]
}

/// The form of the standard door.
pub(super) fn token_request() -> Value {
    json!({
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": {"type": "string", "enum": ["client_credentials"]},
            "client_id": {"type": "string", "description": "The consumer key, where no Authorization header is sent."},
            "client_secret": {"type": "string", "description": "The consumer secret, where no Authorization header is sent."},
        },
    })
}
