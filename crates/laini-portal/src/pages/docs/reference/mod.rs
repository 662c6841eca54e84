//! The reference of the API: every operation and shape of the OpenAPI document, as pages.
//!
//! Owns how the document is shown. Must never say what it does not: everything here is read out of it.

mod described;
mod shapes;

use std::sync::{Arc, LazyLock};

use askama::Template;
use laini_guide::Passage;
use laini_office::Problem;
use laini_server::openapi::document;

use self::described::{OperationShown, operations_of};
use self::shapes::{ShapeShown, shapes_of};
use super::framed;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::DocsWords;

/// Where all of it is listed.
pub(super) const PATH: &str = "/docs/reference";

/// The document, read once.
static REFERENCE: LazyLock<Reference> = LazyLock::new(Reference::read);

struct Reference {
    tags: Vec<Tag>,
    shapes: Vec<ShapeShown>,
}

/// Operations that belong together.
struct Tag {
    name: String,
    about: String,
    operations: Vec<OperationShown>,
}

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(PATH, Access::Anyone, show_all),
        Page::get("/docs/reference/{operation}", Access::Anyone, show_operation),
        Page::get("/docs/reference/shapes/{shape}", Access::Anyone, show_shape),
    ]
}

impl Reference {
    fn read() -> Self {
        let document = document();
        let mut operations = operations_of(&document);
        let tags = document["tags"].as_array().into_iter().flatten().map(|tag| {
            let name = tag["name"].as_str().unwrap_or_default().to_owned();
            let about = tag["description"].as_str().unwrap_or_default().to_owned();
            let (own, rest) = std::mem::take(&mut operations).into_iter().partition(|operation| operation.tag == name);
            operations = rest;
            Tag { name, about, operations: own }
        });
        let tags = tags.collect();
        Self { tags, shapes: shapes_of(&document) }
    }

    fn operations(&self) -> impl Iterator<Item = &OperationShown> {
        self.tags.iter().flat_map(|tag| &tag.operations)
    }
}

/// What is searched in of it: a passage for each operation.
pub(super) fn passages(page: &str) -> Vec<Passage> {
    let of = |operation: &OperationShown| {
        let parameters = operation.parameters.iter().map(|field| format!("{}: {}", field.name, field.about));
        Passage {
            href: operation.href.clone(),
            page: page.to_owned(),
            heading: format!("{} {}", operation.method, operation.path),
            blocks: std::iter::once(operation.summary.clone()).chain(parameters).collect(),
        }
    };
    REFERENCE.operations().map(of).collect()
}

#[derive(Template)]
#[template(path = "docs/reference.html")]
struct AllPage {
    frame: Frame,
    words: &'static DocsWords,
    tags: &'static [Tag],
}

#[derive(Template)]
#[template(path = "docs/operation.html")]
struct OperationPage {
    frame: Frame,
    words: &'static DocsWords,
    operation: &'static OperationShown,
}

#[derive(Template)]
#[template(path = "docs/shape.html")]
struct ShapePage {
    frame: Frame,
    words: &'static DocsWords,
    shape: &'static ShapeShown,
}

async fn show_all(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().documentation;
    page(&AllPage { frame: framed(&portal, &visit, words.reference, PATH), words, tags: &REFERENCE.tags })
}

async fn show_operation(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.param("operation").unwrap_or_default();
    let operation = REFERENCE.operations().find(|operation| operation.id == id).ok_or(Problem::NotFound("page"))?;
    let frame = framed(&portal, &visit, &operation.summary, PATH);
    page(&OperationPage { frame, words: &visit.language.words().documentation, operation })
}

async fn show_shape(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let name = visit.param("shape").unwrap_or_default();
    let shape = REFERENCE.shapes.iter().find(|shape| shape.name == name).ok_or(Problem::NotFound("page"))?;
    page(&ShapePage {
        frame: framed(&portal, &visit, &shape.name, PATH),
        words: &visit.language.words().documentation,
        shape,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_shape_of_the_document_has_its_page() {
        let document = document();
        let methods =
            document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let ids: Vec<&str> = methods.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        assert_eq!(REFERENCE.operations().count(), ids.len());
        assert!(ids.iter().all(|id| REFERENCE.operations().any(|operation| operation.id == *id)));
        let shapes = document["components"]["schemas"].as_object().unwrap();
        assert_eq!(REFERENCE.shapes.len(), shapes.len());
        // Whatever is linked is there.
        let fields = REFERENCE.operations().flat_map(OperationShown::shapes);
        let fields = fields.chain(REFERENCE.shapes.iter().flat_map(ShapeShown::links));
        for href in fields {
            let name = href.strip_prefix("/docs/reference/shapes/").unwrap();
            assert!(shapes.contains_key(name), "{href}");
        }
    }

    #[test]
    fn an_operation_says_what_a_caller_needs() {
        let operation = REFERENCE.operations().find(|operation| operation.id == "create_checks").unwrap();
        assert_eq!((operation.method.as_str(), operation.path.as_str()), ("POST", "/v1/checks"));
        assert!(operation.curl.contains("-H \"Authorization: Bearer $TOKEN\""), "{}", operation.curl);
        assert!(operation.parameters.iter().any(|field| field.name == "Idempotency-Key"));
        let refused = operation.answers.iter().find(|answer| answer.status == "403").unwrap();
        assert!(refused.codes.iter().any(|(code, _)| code == "403.002.01"));
        assert!(operation.answers[0].example.as_ref().unwrap().contains("\"swap\""));
    }
}
