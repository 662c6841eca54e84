use std::fmt::Write as _;

use serde_json::Value;

use super::shapes::{FieldShown, Kind, prose};

/// An operation of the document.
pub(super) struct OperationShown {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) tag: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    /// Which of the five credentials it takes: a place in the words for them.
    pub(super) credential: usize,
    /// What a key must hold.
    pub(super) scope: Option<String>,
    /// The roles that may, of a partner and of the operator.
    pub(super) may: Option<(String, String)>,
    pub(super) parameters: Vec<FieldShown>,
    pub(super) body: Option<BodyShown>,
    pub(super) answers: Vec<AnswerShown>,
    /// The same as a command.
    pub(super) curl: String,
}

/// What is sent.
pub(super) struct BodyShown {
    pub(super) media_type: String,
    pub(super) kind: Kind,
    pub(super) example: Option<String>,
}

/// What comes back under one status.
pub(super) struct AnswerShown {
    pub(super) status: String,
    /// The colour of its class: `go`, `care` or `stop`.
    pub(super) tone: &'static str,
    pub(super) about: String,
    /// Codes of errors, with what each says.
    pub(super) codes: Vec<(String, String)>,
    pub(super) kind: Kind,
    pub(super) example: Option<String>,
    pub(super) headers: Vec<(String, String)>,
}

impl AnswerShown {
    /// What it is, as it stands on a page.
    pub(super) fn about_html(&self) -> String {
        prose(&self.about)
    }
}

impl OperationShown {
    /// The shapes that it sends and answers.
    pub(super) fn shapes(&self) -> Vec<String> {
        let body = self.body.iter().flat_map(|body| body.kind.links());
        body.chain(self.answers.iter().flat_map(|answer| answer.kind.links())).map(str::to_owned).collect()
    }
}

/// All of them, in the order of their paths.
pub(super) fn operations_of(document: &Value) -> Vec<OperationShown> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let each = paths.flat_map(|(path, methods)| {
        methods.as_object().into_iter().flatten().map(move |(method, operation)| shown(path, method, operation))
    });
    each.collect()
}

fn shown(path: &str, method: &str, operation: &Value) -> OperationShown {
    let id = text(&operation["operationId"]);
    let (credential, scope) = credential(&operation["security"]);
    let may = &operation["x-laini-may"];
    let roles = |side: &str| {
        let roles: Vec<String> = may[side].as_array().into_iter().flatten().map(text).collect();
        roles.join(", ")
    };
    let body = operation["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
    let body = body.map(|(media_type, content)| BodyShown {
        media_type: media_type.clone(),
        kind: Kind::of(&content["schema"]),
        example: example(content),
    });
    let method = method.to_ascii_uppercase();
    let answers = operation["responses"].as_object().into_iter().flatten().map(|(status, told)| answer(status, told));
    OperationShown {
        href: format!("{}/{id}", super::PATH),
        id,
        tag: text(&operation["tags"][0]),
        curl: curl(&method, path, credential, body.as_ref()),
        method,
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        credential,
        scope,
        may: may.is_object().then(|| (roles("members"), roles("staff"))),
        parameters: operation["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
        body,
        answers: answers.collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Which credential, and the scope that is named.
fn credential(security: &Value) -> (usize, Option<String>) {
    let named = security[0].as_object().and_then(|schemes| schemes.iter().next());
    let Some((scheme, scopes)) = named else { return (0, None) };
    let place = match scheme.as_str() {
        "basic" => 1,
        "bearer" => 2,
        "operatorKey" => 3,
        _ => 4,
    };
    (place, scopes[0].as_str().map(str::to_owned))
}

fn parameter(of: &Value) -> FieldShown {
    FieldShown {
        name: text(&of["name"]),
        place: text(&of["in"]),
        kind: Kind::of(&of["schema"]),
        is_required: of["required"] == true,
        about: text(&of["description"]),
    }
}

fn example(content: &Value) -> Option<String> {
    let named = content["examples"].as_object().and_then(|examples| examples.values().next());
    let example = content.get("example").or_else(|| named.map(|named| &named["value"]))?;
    match example {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => serde_json::to_string_pretty(other).ok(),
    }
}

fn answer(status: &str, told: &Value) -> AnswerShown {
    let content = told["content"].as_object().and_then(|content| content.values().next());
    let about = text(&told["description"]);
    let code = |line: &str| {
        // One code stands alone, several are a list.
        let (code, says) = line.strip_prefix("- ").unwrap_or(line).strip_prefix('`')?.split_once("` ")?;
        Some((code.to_owned(), says.to_owned()))
    };
    let codes: Vec<(String, String)> = about.lines().filter_map(code).collect();
    let headers = told["headers"].as_object().into_iter().flatten();
    AnswerShown {
        status: status.to_owned(),
        tone: match status.as_bytes().first() {
            Some(b'2' | b'3') => "go",
            Some(b'4') => "care",
            _ => "stop",
        },
        about: if codes.is_empty() { about } else { String::new() },
        codes,
        kind: content.map(|content| Kind::of(&content["schema"])).unwrap_or_default(),
        // Of errors, a code says what a body would.
        example: content.filter(|_| status.starts_with('2')).and_then(example),
        headers: headers.map(|(name, header)| (name.clone(), text(&header["description"]))).collect(),
    }
}

/// The same as a command; ids in the path stay as they are written.
fn curl(method: &str, path: &str, credential: usize, body: Option<&BodyShown>) -> String {
    let mut command = format!("curl -X {method} \"$LAINI{path}\"");
    command += match credential {
        0 => "",
        1 => " \\\n  -u \"$CONSUMER_KEY:$CONSUMER_SECRET\"",
        3 => " \\\n  -H \"Authorization: Bearer $OPERATOR_KEY\"",
        _ => " \\\n  -H \"Authorization: Bearer $TOKEN\"",
    };
    if let Some(body) = body {
        let _ = write!(command, " \\\n  -H \"Content-Type: {}\"", body.media_type);
        let compact = |example: &String| match serde_json::from_str::<Value>(example) {
            Ok(value) if value.is_object() => value.to_string(),
            _ => example.clone(),
        };
        match body.example.as_ref().map(compact) {
            Some(example) if !example.contains('\'') && example.len() < 2_000 => {
                let _ = write!(command, " \\\n  -d '{example}'");
            }
            _ => command += " \\\n  --data-binary @FILE",
        }
    }
    command
}
