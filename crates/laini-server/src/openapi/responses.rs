use std::collections::BTreeMap;

use laini_core::billing::CheckId;
use serde_json::{Map, Value, json};

use super::{JSON, Operation};
use crate::http::Shape;

/// The check whose id stands in the examples of errors.
const EXAMPLE_POSITION: u64 = 0x019a_4b3c_5d6e << 12;

/// What is said of one status, whatever leads to it.
#[derive(Default)]
struct Response {
    descriptions: Vec<String>,
    schemas: Vec<&'static str>,
    examples: Map<String, Value>,
    headers: Map<String, Value>,
    /// JSON where nothing else is said.
    media_type: Option<&'static str>,
    /// Other forms of it.
    files: &'static [&'static str],
}

/// The answer and every error, one response for each status.
pub(super) fn responses(operation: &Operation) -> Value {
    let mut by_status: BTreeMap<u16, Response> = BTreeMap::new();
    let answer = &operation.answer;
    let succeeded = by_status.entry(answer.status.as_u16()).or_default();
    succeeded.descriptions.push(answer.description.to_owned());
    succeeded.schemas.extend(answer.schemas);
    succeeded.media_type = Some(answer.media_type);
    succeeded.files = answer.files;
    if !answer.schemas.is_empty() {
        succeeded.examples.insert("example".to_owned(), json!({"value": answer.example}));
    }
    for (name, description) in answer.headers {
        succeeded.headers.insert((*name).to_owned(), header(description, false));
    }
    for (status, schema, description) in &operation.others {
        let response = by_status.entry(*status).or_default();
        response.descriptions.push((*description).to_owned());
        response.schemas.extend(schema);
    }
    refuse(operation, &mut by_status);
    by_status.into_iter().map(|(status, response)| (status.to_string(), response.described())).collect()
}

/// Adds every error, each as an example.
fn refuse(operation: &Operation, by_status: &mut BTreeMap<u16, Response>) {
    let shape = Shape::of_path(operation.path);
    let schema = if shape == Shape::Check { "CheckErrorBody" } else { "ErrorBody" };
    let id = CheckId::from_parts(EXAMPLE_POSITION, 1);
    for error in operation.errors() {
        let (code, body) = error.shown(id, shape);
        let response = by_status.entry(error.status().as_u16()).or_default();
        let line = format!("`{code}` {}", body["errorMessage"].as_str().unwrap_or_default());
        if !response.descriptions.contains(&line) {
            response.descriptions.push(line);
        }
        // One for each code; what else its message can say stands in the description.
        response.examples.entry(code).or_insert(json!({"value": body}));
        if !response.schemas.contains(&schema) {
            response.schemas.push(schema);
        }
        match error.status().as_u16() {
            401 => drop(response.headers.insert("WWW-Authenticate".to_owned(), header("How to show who calls", false))),
            429 | 503 | 504 => {
                drop(response.headers.insert("Retry-After".to_owned(), header("Whole seconds to wait", true)));
            }
            _ => {}
        }
    }
}

impl Response {
    fn described(self) -> Value {
        let description = match &*self.descriptions {
            [one] => one.clone(),
            several => format!("- {}", several.join("\n- ")),
        };
        let mut described = json!({"description": description});
        if !self.headers.is_empty() {
            described["headers"] = self.headers.into();
        }
        let schema = match &*self.schemas {
            [] => return described,
            [one] => reference(one),
            several => json!({"anyOf": several.iter().map(|name| reference(name)).collect::<Vec<_>>()}),
        };
        let media_type = self.media_type.unwrap_or(JSON);
        described["content"] = json!({media_type: {"schema": schema, "examples": self.examples}});
        for file in self.files {
            described["content"][*file] = json!({"schema": reference("FileBytes")});
        }
        described
    }
}

fn header(description: &str, required: bool) -> Value {
    json!({"description": description, "required": required, "schema": {"type": "string"}})
}

/// A reference to a schema of the document.
pub(super) fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}
