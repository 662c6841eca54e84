//! Documents of a partner: sent as files, listed with their digest, given out as files alone.

use std::sync::Arc;

use laini_core::partner::{DocumentFormat, DocumentId, DocumentPurpose};
use laini_office::Problem;
use laini_office::agreements::digest_in_words;
use laini_office::organisation::{self, Document};

use super::organisation::show;
use super::{LOOKS, SIGNS, home};
use crate::answer::Answer;
use crate::page::Page;
use crate::portal::Portal;
use crate::visit::Visit;
use crate::words::OrganisationWords;

/// The largest document, as people are told.
pub(super) const MIB_MAX: usize = DocumentFormat::BYTES_MAX / (1024 * 1024);

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::post("/partners/{partner}/documents", SIGNS, upload, show).taking_file(),
        Page::get("/partners/{partner}/documents/{document}", LOOKS, download),
    ]
}

/// A document in a list.
pub(super) struct DocumentRow {
    pub(super) id: DocumentId,
    pub(super) name: String,
    pub(super) purpose: &'static str,
    pub(super) kib: u64,
    pub(super) digest: String,
    pub(super) at: String,
}

impl DocumentRow {
    pub(super) fn of(portal: &Portal, words: &OrganisationWords, document: &Document) -> Self {
        Self {
            id: document.id,
            name: document.name.clone(),
            purpose: words.purpose(document.purpose),
            kib: document.bytes.div_ceil(1024),
            digest: digest_in_words(&document.digest),
            at: portal.shown(document.at),
        }
    }
}

async fn upload(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let purpose = DocumentPurpose::parse(visit.field("purpose"));
            let purpose = purpose.map_err(|error| Problem::invalid("purpose", error.to_string()))?;
            let file = visit.file.as_ref().ok_or(Problem::invalid("document", "choose a file"))?;
            organisation::add_document(work, visit.partner()?, purpose, &file.name, &file.bytes).map(drop)
        })
        .await?;
    Ok(Answer::see_other(format!("{}#documents", home(&visit, "organisation")?)))
}

async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("document", DocumentId::parse)?;
    let found = portal.work(&visit, move |work, visit| {
        let document = organisation::document(work, visit.partner()?, id)?;
        let bytes = organisation::document_bytes(work, &document)?;
        Ok((document.format(), bytes))
    });
    let (format, bytes) = found.await?;
    Ok(Answer::file(format.media_type(), format!("document-{id}.{}", format.extension()), bytes))
}
