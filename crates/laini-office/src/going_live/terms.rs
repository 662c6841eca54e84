use jiff::Timestamp;
use laini_core::partner::PartnerId;
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Kept, Problem, Work, key, unique};

/// Which terms are in force; a change of the text is a new version.
pub const TERMS_VERSION: u32 = 1;
const TEXT: &str = include_str!("terms.txt");

/// Terms that a partner accepts before it goes live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Grows with every change of the text.
    pub version: u32,
    /// SHA-256 of the text.
    pub digest: [u8; 32],
    /// What they say.
    pub text: &'static str,
}

/// The terms in force.
pub fn terms() -> Terms {
    Terms { version: TERMS_VERSION, digest: Sha256::digest(TEXT).into(), text: TEXT }
}

/// That a partner accepted terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsAcceptance {
    id: u64,
    /// Who is bound.
    pub partner: PartnerId,
    /// Which terms.
    pub version: u32,
    /// SHA-256 of their text.
    pub digest: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// Who said so, as the audit trail names them.
    pub by: String,
    /// From where.
    pub address: String,
}

impl Kept for TermsAcceptance {
    const KIND: RecordKind = RecordKind("terms_acceptance");
    const NOUN: &'static str = "acceptance of terms";

    fn id(&self) -> RecordId {
        RecordId(self.id)
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![
            key("partner", self.partner, self.at.as_microsecond()),
            unique("partner_version", format!("{}/{}", self.partner, self.version)),
        ]
    }
}

/// The acceptance of the terms in force by a partner.
pub fn accepted_by(work: &mut Work<'_>, partner: PartnerId) -> Result<Option<TermsAcceptance>, Problem> {
    let found: Option<TermsAcceptance> = work.the("partner_version", format!("{partner}/{TERMS_VERSION}"))?;
    Ok(found.filter(|accepted| accepted.digest == terms().digest))
}

/// Whether these are the terms in force: by version and SHA-256 of their text.
pub fn are_in_force((version, digest): (u32, [u8; 32])) -> Result<(), Problem> {
    let in_force = terms();
    if (version, digest) != (in_force.version, in_force.digest) {
        return Err(Problem::not_now("these are not the terms in force; read those that are, and accept them"));
    }
    Ok(())
}

/// Accepts the terms in force for a partner. `read` says which ones were read, by version and SHA-256 of their text;
/// accepted once, they stay accepted.
pub fn accept_terms(
    work: &mut Work<'_>,
    partner: PartnerId,
    read: (u32, [u8; 32]),
    address: &str,
) -> Result<TermsAcceptance, Problem> {
    are_in_force(read)?;
    crate::apps::the_partner(&work.book()?, partner)?;
    match accepted_by(work, partner)? {
        Some(accepted) => Ok(accepted),
        None => keep_acceptance(work, partner, read, address),
    }
}

/// Keeps that a partner accepted terms.
pub(crate) fn keep_acceptance(
    work: &mut Work<'_>,
    partner: PartnerId,
    (version, digest): (u32, [u8; 32]),
    address: &str,
) -> Result<TermsAcceptance, Problem> {
    let accepted = TermsAcceptance {
        id: work.office.entropy.next_u64() >> 1,
        partner,
        version,
        digest,
        at: work.at,
        by: work.actor.in_trail(),
        address: address.to_owned(),
    };
    work.put(&accepted)?;
    work.note("terms.accept", Some(partner), partner, &format!("version {version}"));
    Ok(accepted)
}
