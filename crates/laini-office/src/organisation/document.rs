use jiff::Timestamp;
use laini_core::partner::{DocumentFormat, DocumentId, DocumentPurpose, PartnerId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::find_partner;
use crate::{Kept, Page, PageRequest, Problem, Work, key};

/// So many documents a partner has at most.
const DOCUMENTS_MAX: usize = 200;
/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 100;

/// A document of a partner. Its bytes lie apart, under their digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// Whose it is.
    pub partner: PartnerId,
    /// What it is for.
    pub purpose: DocumentPurpose,
    /// The name of the file that was sent.
    pub name: String,
    /// How large it is.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// Who sent it, as in the audit trail.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Document {
    /// What it is, by its bytes as they were when it was taken.
    pub fn format(&self) -> DocumentFormat {
        DocumentFormat::of_name(&self.name).unwrap_or(DocumentFormat::Pdf)
    }
}

impl Kept for Document {
    const KIND: RecordKind = RecordKind("document");
    const NOUN: &'static str = "document";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("partner", self.partner, self.at.as_microsecond())]
    }
}

/// Takes a document, where its bytes are what its name says. Sent again, it is the one that is there. Bytes are kept at
/// once, so whatever refuses it comes before.
pub fn add_document(
    work: &mut Work<'_>,
    partner: PartnerId,
    purpose: DocumentPurpose,
    name: &str,
    bytes: &[u8],
) -> Result<Document, Problem> {
    find_partner(work, partner)?;
    let name = name.trim();
    if name.is_empty()
        || name.chars().count() > NAME_CHARS_MAX
        || name.chars().any(|c| c.is_control() || "/\\".contains(c))
    {
        return Err(Problem::invalid("name", "expected a file's name of at most 100 characters, without folders"));
    }
    DocumentFormat::inspect(name, bytes).map_err(|error| Problem::invalid("document", error.to_string()))?;
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let all = all(work, partner)?;
    if let Some(same) = all.iter().find(|one| one.digest == digest && one.purpose == purpose) {
        return Ok(same.clone());
    }
    if all.len() >= DOCUMENTS_MAX {
        return Err(Problem::not_now(format!("there are {DOCUMENTS_MAX} documents already; no more are taken")));
    }
    work.keep_document(bytes)?;
    let document = Document {
        id: DocumentId::from_random(work.office.entropy.next_u64()),
        partner,
        purpose,
        name: name.to_owned(),
        bytes: bytes.len() as u64,
        digest,
        by: work.actor.in_trail(),
        at: work.at,
    };
    work.put(&document)?;
    work.note("document.add", Some(partner), document.id, purpose.word());
    Ok(document)
}

/// The documents of a partner, newest first.
pub fn list_documents(work: &mut Work<'_>, partner: PartnerId, page: PageRequest) -> Result<Page<Document>, Problem> {
    find_partner(work, partner)?;
    work.find("partner", partner, true, page)
}

/// A document of this partner.
pub fn document(work: &mut Work<'_>, partner: PartnerId, id: DocumentId) -> Result<Document, Problem> {
    let found: Document = work.get(id)?;
    if found.partner == partner { Ok(found) } else { Err(Problem::NotFound(Document::NOUN)) }
}

/// Its bytes.
pub fn document_bytes(work: &Work<'_>, document: &Document) -> Result<Vec<u8>, Problem> {
    work.document(document.digest)
}

pub(super) fn all(work: &mut Work<'_>, partner: PartnerId) -> Result<Vec<Document>, Problem> {
    work.all("partner", partner)
}
