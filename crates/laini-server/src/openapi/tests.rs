use std::collections::BTreeSet;

use super::{collection, document};

/// Every reference inside a value.
fn references(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match value.as_str() {
                Some(target) if name == "$ref" => vec![target.to_owned()],
                _ => references(value),
            })
            .collect(),
        serde_json::Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let used: BTreeSet<String> = references(&document).into_iter().collect();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let there: BTreeSet<String> = schemas.keys().map(|name| format!("#/components/schemas/{name}")).collect();
    assert_eq!(used, there);
}

#[test]
fn ids_are_unique_and_examples_are_there() {
    let document = document();
    let operations: Vec<_> =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values()).collect();
    let ids: BTreeSet<_> = operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len());
    for operation in operations {
        let responses = &operation["responses"];
        let told = if responses["201"].is_object() { &responses["201"] } else { &responses["200"] };
        // One of the forms that it may have is shown; a 204 has none.
        let told = told["content"].as_object();
        let is_shown = |content: &serde_json::Value| !content["examples"]["example"]["value"].is_null();
        let has_example = told.is_none_or(|content| content.values().any(is_shown));
        let succeeds = ["201", "202", "204"].iter().any(|status| responses[status].is_object());
        assert!(responses["200"].is_object() && has_example || succeeds, "{operation}");
    }
}

#[test]
fn the_collection_holds_every_operation_and_no_secret() {
    let collection = collection().to_string();
    for path in document()["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            assert!(collection.contains(operation["operationId"].as_str().unwrap()));
        }
    }
    assert!(!collection.contains("Basic ") && !collection.contains("laini_op_"));
}

#[test]
fn what_partners_are_answered_is_never_null_and_numbers_may_be_integers() {
    let schemas = &document()["components"]["schemas"];
    for name in ["ImsiAnswer", "CheckItem", "SwapItem", "SimItem", "ChargeItem", "LineAnswer", "ErrorBody"] {
        assert!(!schemas[name].to_string().contains("\"null\""), "{name}: {}", schemas[name]);
    }
    let either = serde_json::json!(["string", "integer"]);
    assert_eq!(schemas["CheckRequest"]["properties"]["customerNumber"]["type"], either);
    assert_eq!(schemas["ChecksRequest"]["properties"]["number"]["type"], either);
    assert_eq!(schemas["ChecksRequest"]["properties"]["numbers"]["items"]["type"], either);
}

#[test]
fn descriptions_are_for_people_who_do_not_read_rust() {
    let document = document().to_string();
    for foreign in ["[`", "::", "`None`", "`Some"] {
        assert!(!document.contains(foreign), "a description has {foreign}");
    }
}

#[test]
fn no_two_types_share_a_name() {
    let mut by_name = std::collections::BTreeMap::new();
    for (name, schema) in super::schemas::collected() {
        let first = by_name.entry(name.clone()).or_insert_with(|| schema.clone());
        assert_eq!(*first, schema, "two types are {name}: name one with #[schema(as = …)]");
    }
}
