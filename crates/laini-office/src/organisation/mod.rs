//! The organisation behind a partner: its registration details and its documents.
//!
//! Owns what is known of it, and what is still missing. Must never put a contact's name into an error or the audit
//! trail, or take a document by its name alone.

mod details;
mod document;

use jiff::Timestamp;
use laini_core::partner::{Partner, PartnerId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{Kept, Problem, Work};

pub use details::{Contact, Details, Missing};
pub use document::{Document, add_document, document, document_bytes, list_documents};

/// What is known of a partner's organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Whose.
    pub partner: PartnerId,
    /// What is known.
    pub details: Details,
    /// When it was last changed.
    pub changed: Timestamp,
    /// When its data-protection registration was last changed; `None` = with the last change, or before that was kept.
    #[serde(default)]
    pub certified: Option<Timestamp>,
}

impl Kept for Organisation {
    const KIND: RecordKind = RecordKind("organisation");
    const NOUN: &'static str = "organisation";

    fn id(&self) -> RecordId {
        self.partner.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}

/// The partner of this id, as checks see it.
pub fn find_partner(work: &Work<'_>, partner: PartnerId) -> Result<Partner, Problem> {
    let found = work.read_book()?.partners.iter().find(|found| found.id == partner);
    found.cloned().ok_or(Problem::NotFound("partner"))
}

/// What is known of a partner's organisation; nothing, where nobody has told.
pub fn details(work: &mut Work<'_>, partner: PartnerId) -> Result<Details, Problem> {
    Ok(work.look::<Organisation>(partner)?.map(|found| found.details).unwrap_or_default())
}

/// Puts other details in the place of those there are.
pub fn set_details(work: &mut Work<'_>, partner: PartnerId, details: Details) -> Result<Details, Problem> {
    find_partner(work, partner)?;
    let details = details.checked()?;
    // What is read first is written only if nobody else wrote meanwhile.
    let before = work.look::<Organisation>(partner)?;
    let certificate = |of: &Details| (of.data_protection_number.clone(), of.data_protection_expires);
    let same = before.filter(|before| certificate(&before.details) == certificate(&details));
    let certified = same.map_or(work.at, |before| before.certified.unwrap_or(before.changed));
    work.put(&Organisation { partner, details: details.clone(), changed: work.at, certified: Some(certified) })?;
    work.note("organisation.change", Some(partner), partner, "");
    Ok(details)
}

/// What an agreement cannot be sent without.
pub fn missing(work: &mut Work<'_>, partner: PartnerId) -> Result<Vec<Missing>, Problem> {
    let today = work.at.to_zoned(work.office.settings.zone.clone()).date();
    let details = details(work, partner)?;
    let documents = document::all(work, partner)?;
    Ok(details.missing(today, |purpose| documents.iter().any(|document| document.purpose == purpose)))
}
