use axum::http::Method;
use serde_json::{Value, json};

use super::{Access, Answer, OPENAPI_PATH, Operation, POSTMAN_PATH};

pub(super) fn operations() -> Vec<Operation> {
    let get = |id, path, summary, answer| Operation {
        id,
        method: Method::GET,
        path,
        summary,
        access: Access::Anyone,
        parameters: Vec::new(),
        body: None,
        answer,
        refusals: Vec::new(),
        others: Vec::new(),
    };
    let live = Answer::ok("It does.", &["Probe"], json!({"status": "live"}));
    let ready = Answer::ok("They can.", &["Probe"], json!({"status": "ready"}));
    let document =
        Answer::ok("It.", &["OpenApi"], json!({"openapi": "3.1.0", "info": {"title": "laini"}, "paths": {}}))
            .with_headers(&[("ETag", "Changes with the document"), ("Cache-Control", "public, no-cache")]);
    let collection = Answer::ok("It.", &["PostmanCollection"], json!({"info": {"name": "laini"}, "item": []}))
        .with_headers(&[("ETag", "Changes with the document"), ("Cache-Control", "public, no-cache")]);
    vec![
        get("livez", "/livez", "Whether the process answers", live),
        Operation {
            others: vec![(503, Some("Probe"), "They cannot; the reasons say why.")],
            ..get("readyz", "/readyz", "Whether checks can be answered", ready)
        },
        Operation {
            others: vec![(304, None, "It is as If-None-Match has it.")],
            ..get("show_openapi", OPENAPI_PATH, "This document", document)
        },
        Operation {
            others: vec![(304, None, "It is as If-None-Match has it.")],
            ..get("show_postman", POSTMAN_PATH, "The same operations as a Postman collection", collection)
        },
    ]
}

/// What a probe answers.
pub(super) fn probe() -> Value {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    json!({
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"type": "string"},
            "reasons": {"description": "Why checks cannot be answered.", "allOf": [texts]},
            "warnings": {"description": "What somebody should see to.", "allOf": [texts]},
        },
    })
}
