//! Agreements: what is drafted, laid before both sides, signed by them, changed and ended.
//!
//! Owns the records of every version and the texts that were signed. Must never change a text that was sent or terms
//! that were signed, or let checks go by an agreement that only one side has signed.

mod at_once;
mod draft;
mod end;
mod price;
mod sign;
mod template;
mod terms;

use std::fmt::Write as _;

use jiff::Timestamp;
use laini_core::partner::{AgreementId, DocumentId, PartnerId, Side};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::organisation::find_partner;
use crate::paper::Paper;
use crate::{Kept, Page, PageRequest, Problem, Work, key, unique};

pub use at_once::{add_with_standard, change_at_once};
pub use draft::{draft, redraft, remove_draft, send, take_back};
pub use end::{EndsFrom, end, ends_from};
pub use price::{PriceAgreed, change_price};
pub use sign::{sign, sign_on_paper};
pub use terms::{BandTerms, LimitTerms, PriceTerms, PurposeTerms, Terms};

/// One version of a partner's agreement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgreementRecord {
    /// Its id; that of the agreement that checks go by, once it is signed.
    pub id: AgreementId,
    /// Whose.
    pub partner: PartnerId,
    /// The how manieth of its partner, from 1.
    pub number: u32,
    /// How far it is.
    pub state: AgreementState,
    /// What it says.
    pub terms: Terms,
    /// When it was first written.
    pub created: Timestamp,
    /// What was laid before both sides.
    pub text: Option<SentText>,
    /// Who signed.
    pub signatures: Vec<SignedBy>,
    /// The scanned copy, where it was signed on paper.
    pub scan: Option<DocumentId>,
}

/// How far a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementState {
    /// It is being written.
    Draft,
    /// It lies before both sides; its text does not change any more.
    Sent,
    /// Both have signed.
    Signed,
}

/// What was laid before both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentText {
    /// When.
    pub at: Timestamp,
    /// The operator's name on it.
    pub operator: String,
    /// The partner's name on it, and how it is registered.
    pub partner: Vec<String>,
    /// SHA-256 of the PDF, which is what both sign.
    pub pdf: [u8; 32],
    /// SHA-256 of the same as a page of HTML.
    pub html: [u8; 32],
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedBy {
    /// For which side.
    pub side: Side,
    /// Who, as in the audit trail.
    pub by: String,
    /// What they are called, where they are known by name.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// From which address, or in which way.
    pub address: String,
    /// SHA-256 of the PDF that they signed.
    pub digest: [u8; 32],
}

impl AgreementRecord {
    /// How this side signed it, where it has.
    pub fn signature_of(&self, side: Side) -> Option<&SignedBy> {
        self.signatures.iter().find(|signature| signature.side == side)
    }
}

impl AgreementState {
    /// In the order of the way.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Sent, Self::Signed];

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|state| state.word() == word);
        found.ok_or(Problem::invalid("state", "expected draft, sent or signed"))
    }

    /// The word in lists and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent => "sent",
            Self::Signed => "signed",
        }
    }
}

impl Kept for AgreementRecord {
    const KIND: RecordKind = RecordKind("agreement");
    const NOUN: &'static str = "agreement";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let mut keys = vec![
            key("partner", self.partner, i64::from(self.number)),
            key("state", self.state.word(), self.created.as_microsecond()),
        ];
        // Two who write one at once do not both succeed.
        keys.extend((self.state != AgreementState::Signed).then(|| unique("unsigned", self.partner)));
        keys
    }
}

/// The versions of a partner's agreement, the newest first.
pub fn list_agreements(
    work: &mut Work<'_>,
    partner: PartnerId,
    page: PageRequest,
) -> Result<Page<AgreementRecord>, Problem> {
    find_partner(work, partner)?;
    work.find("partner", partner, true, page)
}

/// The versions of all partners that are in a state, the newest first.
pub fn list_in_state(
    work: &mut Work<'_>,
    state: AgreementState,
    page: PageRequest,
) -> Result<Page<AgreementRecord>, Problem> {
    work.find("state", state.word(), true, page)
}

/// The newest version that lies before both sides and waits for signatures.
pub(crate) fn before_both_sides(work: &mut Work<'_>, partner: PartnerId) -> Result<Option<AgreementRecord>, Problem> {
    let newest = list_agreements(work, partner, PageRequest::FIRST)?.items;
    Ok(newest.into_iter().find(|record| record.state == AgreementState::Sent))
}

/// A version of this partner's agreement.
pub fn agreement(work: &mut Work<'_>, partner: PartnerId, id: AgreementId) -> Result<AgreementRecord, Problem> {
    let found: AgreementRecord = work.get(id)?;
    if found.partner == partner { Ok(found) } else { Err(Problem::NotFound(AgreementRecord::NOUN)) }
}

/// A version as a paper: the text, and under it who signed it.
pub fn paper(work: &mut Work<'_>, record: &AgreementRecord) -> Result<Paper, Problem> {
    let parties = match &record.text {
        Some(text) => (text.operator.clone(), text.partner.clone()),
        None => template::parties(work, record.partner)?,
    };
    Ok(template::paper(record, &parties, &work.office.settings.zone, true))
}

/// The text that both sides sign, as PDF: the bytes that were laid before them, or those that would be.
pub fn text_pdf(work: &mut Work<'_>, record: &AgreementRecord) -> Result<Vec<u8>, Problem> {
    if let Some(text) = &record.text {
        return work.document(text.pdf);
    }
    let parties = template::parties(work, record.partner)?;
    Ok(template::paper(record, &parties, &work.office.settings.zone, false).pdf())
}

/// All versions of a partner, in their order.
fn versions(work: &mut Work<'_>, partner: PartnerId) -> Result<Vec<AgreementRecord>, Problem> {
    work.all("partner", partner)
}

/// A digest as people see it.
pub fn digest_in_words(digest: &[u8; 32]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
