use axum::http::Method;
use serde_json::json;

use super::{Access, Answer, Operation};

pub(super) fn operations() -> Vec<Operation> {
    let probe = |id, path, summary, description, schemas, example| Operation {
        id,
        method: Method::GET,
        path,
        tag: "probes",
        summary,
        access: Access::Anyone,
        parameters: Vec::new(),
        body: None,
        answer: Answer { description, schemas, example, headers: &[] },
        errors: Vec::new(),
        others: if id == "readyz" { vec![(503, "Probe", "They cannot; the reasons say why.")] } else { Vec::new() },
    };
    vec![
        probe("livez", "/livez", "Whether the process answers", "It does.", &["Probe"], json!({"status": "live"})),
        probe(
            "readyz",
            "/readyz",
            "Whether checks can be answered",
            "They can.",
            &["Probe"],
            json!({"status": "ready"}),
        ),
    ]
}
