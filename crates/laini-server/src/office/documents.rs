//! Documents of partners: certificates, signed papers.

use axum::http::Method;
use laini_core::partner::{DocumentFormat, DocumentId, DocumentPurpose};
use laini_office::agreements::digest_in_words;
use laini_office::organisation::{self, Document};
use laini_office::{Problem, Work};
use laini_wire::office::organisation::{DocumentAnswer, DocumentsAnswer};
use serde_json::{Value, json};

use super::described::{LOOKERS, PAPERS, asking, file, in_query, operation, paged};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Body, Operation, Parameter, Schemas, collect};

const PATH: &str = "/office/v1/partners/{partner}/documents";

pub(super) const NOUN: Noun = Noun {
    tag: "documents",
    description: "Documents of a partner, taken by what their bytes are and given out as files alone.",
    endpoints,
    schemas,
};

fn endpoints() -> Vec<Endpoint> {
    let list = operation("list_documents", (Method::GET, PATH), "The documents of a partner", LOOKERS, listed());
    let of_one = (Method::GET, "/office/v1/partners/{partner}/documents/{document}");
    let bytes = file("The file as it was sent.", DocumentFormat::Pdf.media_type());
    let bytes = Answer { files: &["image/jpeg", "image/png"], ..bytes };
    let fetch = operation("fetch_document", of_one, "A document as a file", LOOKERS, bytes);
    vec![
        Endpoint { body_bytes: DocumentFormat::BYTES_MAX, ..Endpoint::new(add_operation(), add_document) },
        Endpoint::new(paged(list), list_documents),
        Endpoint::new(fetch, fetch_document),
    ]
}

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<DocumentAnswer>(&mut schemas);
    collect::<DocumentsAnswer>(&mut schemas);
    schemas
}

fn example() -> Value {
    json!({
        "document": "0000000000000003", "purpose": "tax_pin", "name": "kra-pin.pdf", "media_type": "application/pdf",
        "bytes": 48_213, "sha256": "9f".repeat(32), "by": "member:0000000000000001", "at": "2026-11-28T08:00:00Z",
    })
}

fn listed() -> Answer {
    Answer::ok("A page of them, the newest first.", &["DocumentsAnswer"], json!({"documents": [example()]}))
}

fn add_operation() -> Operation {
    let summary = "Send a document: PDF, JPEG or PNG of at most 10 MiB, under a name that says which";
    let answer = Answer::ok("It is kept.", &["DocumentAnswer"], example());
    let add = operation("add_document", (Method::POST, PATH), summary, PAPERS, answer);
    let purposes = DocumentPurpose::ALL.map(DocumentPurpose::word);
    let needed = |name, description, schema| Parameter { required: true, ..in_query(name, description, schema) };
    let file_name = json!({"type": "string", "minLength": 1, "maxLength": 100});
    let parameters = [
        needed("purpose", "What it is for.", json!({"type": "string", "enum": purposes})),
        needed("name", "The file's name, with its ending.", file_name),
    ];
    let mut add = asking(add, parameters);
    add.refusals.extend([
        ApiError::InvalidField("document", "it is no PDF; save it as PDF, JPEG or PNG".into()),
        ApiError::BodyTooSlow,
        ApiError::BodyTooLarge,
    ]);
    let body = Body {
        media_type: "application/octet-stream",
        schema: "FileBytes",
        example: json!("%PDF-1.7"),
        required: true,
    };
    Operation { body: Some(body), ..add }
}

fn answer_of(document: &Document) -> DocumentAnswer {
    DocumentAnswer {
        document: document.id.to_string(),
        purpose: document.purpose.word().to_owned(),
        name: document.name.clone(),
        media_type: document.format().media_type().to_owned(),
        bytes: document.bytes,
        sha256: digest_in_words(&document.digest),
        by: document.by.clone(),
        at: document.at.to_string(),
    }
}

fn add_document(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let purpose = DocumentPurpose::parse(call.query("purpose").unwrap_or_default());
    let purpose = purpose.map_err(|error| Problem::invalid("purpose", error.to_string()))?;
    let name = call.query("name").ok_or_else(|| Problem::invalid("name", "the file's name is expected"))?;
    let document = organisation::add_document(work, call.partner()?, purpose, name, call.bytes())?;
    Reply::ok(&answer_of(&document))
}

fn list_documents(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let page = organisation::list_documents(work, call.partner()?, call.page()?)?;
    let next = page.next.map(|next| next.to_string());
    Reply::ok(&DocumentsAnswer { documents: page.items.iter().map(answer_of).collect(), next })
}

fn fetch_document(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let document = organisation::document(work, call.partner()?, call.id("document", DocumentId::parse)?)?;
    let bytes = organisation::document_bytes(work, &document)?;
    let format = document.format();
    Ok(Reply::file(format.media_type(), format!("document-{}.{}", document.id, format.extension()), bytes))
}
