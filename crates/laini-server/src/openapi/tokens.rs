use axum::http::Method;
use laini_wire::token::{GENERATE_PATH, OAUTH2_PATH};
use serde_json::{Value, json};

use super::{Access, Answer, Body, FORM, Operation, Parameter, example};
use crate::http::ApiError;

/// Tokens are for whoever asked.
const NO_STORE: &[(&str, &str)] = &[("Cache-Control", "no-store")];

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
            summary: "A token, through the published door",
            access: Access::Basic,
            parameters: vec![grant_type],
            body: None,
            answer: Answer::ok(
                "A token; expires_in is a text, as published.",
                &["PublishedToken"],
                example(include_str!("../../../../api/examples/generate.answer.json")),
            )
            .with_headers(NO_STORE),
            refusals: vec![
                ApiError::InvalidCredentials,
                ApiError::InvalidGrantType,
                ApiError::SpikeArrest { retry_after_s: 1 },
            ],
            others: Vec::new(),
        },
        Operation {
            id: "issue_token",
            method: Method::POST,
            path: OAUTH2_PATH,
            summary: "A token, through the standard door (RFC 6749); its errors are RFC 6749's own",
            access: Access::Basic,
            parameters: Vec::new(),
            body: Some(Body {
                media_type: FORM,
                schema: "TokenRequest",
                required: true,
                example: json!({"grant_type": "client_credentials"}),
            }),
            answer: Answer::ok(
                "A token.",
                &["StandardToken"],
                example(include_str!("../../../../api/examples/oauth2-token.answer.json")),
            )
            .with_headers(NO_STORE),
            refusals: Vec::new(),
            others: vec![
                (400, Some("OAuthError"), "invalid_request or unsupported_grant_type"),
                (401, Some("OAuthError"), "invalid_client"),
                (429, Some("OAuthError"), "temporarily_unavailable: too many requests from one address"),
                (503, Some("OAuthError"), "temporarily_unavailable"),
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
