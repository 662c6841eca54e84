use serde_json::{Value, json};

use super::document;

/// A Postman collection (format 2.1) of every operation, made from the document. Addresses and
/// credentials are variables without a value: it holds no secret.
pub fn collection() -> Value {
    let document = document();
    let mut folders: Vec<Value> = Vec::new();
    for tag in list(&document["tags"]) {
        let operations = document["paths"].as_object().into_iter().flatten().flat_map(|(path, methods)| {
            methods.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
        });
        let of_tag = operations.filter(|(_, _, operation)| operation["tags"][0] == tag["name"]);
        let items: Vec<Value> = of_tag.map(|(path, method, operation)| item(path, method, operation)).collect();
        folders.push(json!({"name": tag["name"], "description": tag["description"], "item": items}));
    }
    json!({
        "info": {
            "name": document["info"]["title"],
            "description": document["info"]["description"],
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "item": folders,
        "variable": [
            {"key": "base_url", "value": "http://127.0.0.1:8080"},
            {"key": "consumer_key", "value": ""},
            {"key": "consumer_secret", "value": ""},
            {"key": "token", "value": ""},
            {"key": "operator_key", "value": ""},
        ],
    })
}

fn item(path: &str, method: &str, operation: &Value) -> Value {
    let query: Vec<Value> = list(&operation["parameters"])
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| json!({"key": parameter["name"], "value": parameter["schema"]["enum"][0]}))
        .collect();
    // A path's variables are written with a colon.
    let segments: Vec<String> = path
        .trim_start_matches('/')
        .split('/')
        .map(|segment| {
            segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
                .map_or_else(|| segment.to_owned(), |name| format!(":{name}"))
        })
        .collect();
    let mut request = json!({
        "method": method.to_ascii_uppercase(),
        "description": operation["summary"],
        "url": {"raw": format!("{{{{base_url}}}}/{}", segments.join("/")), "host": ["{{base_url}}"], "path": segments, "query": query},
        "auth": authorization(operation),
    });
    for (media_type, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        request["header"] = json!([{"key": "Content-Type", "value": media_type}]);
        request["body"] = if media_type.ends_with("json") {
            json!({"mode": "raw", "raw": content["example"].to_string(), "options": {"raw": {"language": "json"}}})
        } else if let Some(text) = content["example"].as_str() {
            json!({"mode": "raw", "raw": text})
        } else {
            let pairs = content["example"].as_object().into_iter().flatten();
            json!({"mode": "urlencoded", "urlencoded": pairs.map(|(key, value)| json!({"key": key, "value": value})).collect::<Vec<_>>()})
        };
    }
    json!({"name": operation["operationId"], "request": request})
}

fn authorization(operation: &Value) -> Value {
    let needed = operation["security"][0].as_object().and_then(|schemes| schemes.keys().next());
    match needed.map(String::as_str) {
        Some("basic") => json!({"type": "basic", "basic": [
            {"key": "username", "value": "{{consumer_key}}"},
            {"key": "password", "value": "{{consumer_secret}}"},
        ]}),
        Some("operatorKey") => json!({"type": "bearer", "bearer": [{"key": "token", "value": "{{operator_key}}"}]}),
        Some(_) => json!({"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]}),
        None => json!({"type": "noauth"}),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
