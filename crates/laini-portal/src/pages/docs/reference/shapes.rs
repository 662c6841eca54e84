use serde_json::{Map, Value};

use super::super::markdown::escaped;

/// Where a shape is shown.
const SHAPES: &str = "/docs/reference/shapes/";
/// How a reference of the document begins.
const REFERENCE: &str = "#/components/schemas/";

/// A schema with a name.
pub(super) struct ShapeShown {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) kind: Kind,
    pub(super) fields: Vec<FieldShown>,
    /// The operations and shapes that hold it.
    pub(super) used_by: Vec<(String, String)>,
}

/// A field of a body, a parameter or a header.
pub(super) struct FieldShown {
    pub(super) name: String,
    /// `query`, `path` or `header`; empty of a body's.
    pub(super) place: String,
    pub(super) kind: Kind,
    pub(super) is_required: bool,
    pub(super) about: String,
}

/// What a value may be: words, some of which lead to shapes.
#[derive(Default, Clone)]
pub(super) struct Kind {
    pub(super) parts: Vec<KindPart>,
}

#[derive(Clone)]
pub(super) struct KindPart {
    text: String,
    href: Option<String>,
}

impl Kind {
    /// Of a schema.
    pub(super) fn of(schema: &Value) -> Self {
        let mut kind = Self::default();
        kind.read(schema);
        kind
    }

    fn say(&mut self, text: impl Into<String>) {
        self.parts.push(KindPart { text: text.into(), href: None });
    }

    fn read(&mut self, schema: &Value) {
        if let Some(name) = schema["$ref"].as_str().and_then(|to| to.strip_prefix(REFERENCE)) {
            self.parts.push(KindPart { text: name.to_owned(), href: Some(format!("{SHAPES}{name}")) });
            return;
        }
        let several = ["anyOf", "oneOf", "allOf"].iter().find_map(|of| schema[of].as_array());
        if let Some(several) = several {
            for (place, one) in several.iter().enumerate() {
                if place > 0 {
                    self.say(" or ");
                }
                self.read(one);
            }
            return;
        }
        if let Some(values) = schema["enum"].as_array() {
            let values: Vec<String> = values.iter().map(literal).collect();
            self.say(values.join(" · "));
            return;
        }
        if let Some(value) = schema.get("const") {
            self.say(literal(value));
            return;
        }
        match &schema["type"] {
            Value::String(name) if name == "array" => {
                self.say("list of ");
                self.read(&schema["items"]);
                self.limits(schema, &["minItems", "maxItems"]);
            }
            Value::String(name) => {
                self.say(name.clone());
                self.limits(schema, &["format", "pattern", "minLength", "maxLength", "minimum", "maximum", "default"]);
            }
            Value::Array(names) => {
                let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
                self.say(names.join(" or "));
                self.limits(schema, &["format", "pattern", "minLength", "maxLength", "minimum", "maximum"]);
            }
            _ => self.say("any"),
        }
    }

    fn limits(&mut self, schema: &Value, names: &[&str]) {
        let told = names.iter().filter_map(|name| Some(format!("{name} {}", literal(schema.get(*name)?))));
        let told: Vec<String> = told.collect();
        if !told.is_empty() {
            self.say(format!(" ({})", told.join(", ")));
        }
    }

    /// As it stands on a page.
    pub(super) fn html(&self) -> String {
        let part = |part: &KindPart| match &part.href {
            Some(href) => format!("<a href=\"{}\">{}</a>", escaped(href), escaped(&part.text)),
            None => escaped(&part.text),
        };
        self.parts.iter().map(part).collect()
    }

    /// The shapes that it leads to.
    pub(super) fn links(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| part.href.as_deref())
    }
}

fn literal(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A description, its names in back quotes as code.
pub(super) fn prose(text: &str) -> String {
    let escaped = escaped(text);
    let parts = escaped.split('`').enumerate();
    parts.map(|(place, part)| if place % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

impl FieldShown {
    /// What it means, as it stands on a page.
    pub(super) fn about_html(&self) -> String {
        prose(&self.about)
    }
}

impl ShapeShown {
    /// What it is, as it stands on a page.
    pub(super) fn about_html(&self) -> String {
        prose(&self.about)
    }

    #[cfg(test)]
    pub(super) fn links(&self) -> Vec<String> {
        let fields = self.fields.iter().flat_map(|field| field.kind.links());
        self.kind.links().chain(fields).map(str::to_owned).collect()
    }
}

/// The fields of an object's schema, in the order of their names.
fn fields_of(schema: &Value) -> Vec<FieldShown> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let field = |(name, property): (&String, &Value)| FieldShown {
        name: name.clone(),
        place: String::new(),
        kind: Kind::of(property),
        is_required: required.contains(&name.as_str()),
        about: property["description"].as_str().unwrap_or_default().to_owned(),
    };
    properties.map(field).collect()
}

/// Every schema of the document.
pub(super) fn shapes_of(document: &Value) -> Vec<ShapeShown> {
    let nothing = Map::new();
    let schemas = document["components"]["schemas"].as_object().unwrap_or(&nothing);
    let mut shapes: Vec<ShapeShown> = schemas.iter().map(|(name, schema)| shape(name, schema)).collect();
    let mut uses = Vec::new();
    for shape in &shapes {
        let of_fields = shape.fields.iter().flat_map(|field| field.kind.links()).chain(shape.kind.links());
        uses.extend(of_fields.map(|link| (link.to_owned(), (shape.name.clone(), format!("{SHAPES}{}", shape.name)))));
    }
    for operation in super::described::operations_of(document) {
        let user = (format!("{} {}", operation.method, operation.path), operation.href.clone());
        uses.extend(operation.shapes().into_iter().map(|link| (link, user.clone())));
    }
    for shape in &mut shapes {
        let link = format!("{SHAPES}{}", shape.name);
        for (_, user) in uses.iter().filter(|(used, _)| *used == link) {
            // Every operation answers errors; that says nothing.
            if !shape.used_by.contains(user) && shape.name != "ErrorBody" {
                shape.used_by.push(user.clone());
            }
        }
    }
    shapes
}

fn shape(name: &str, schema: &Value) -> ShapeShown {
    ShapeShown {
        name: name.to_owned(),
        about: schema["description"].as_str().unwrap_or_default().to_owned(),
        kind: if schema["properties"].is_object() { Kind::default() } else { Kind::of(schema) },
        fields: fields_of(schema),
        used_by: Vec::new(),
    }
}
