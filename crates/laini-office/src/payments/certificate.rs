use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::billing::{Means, Settlement, normal_reference};
use laini_core::partner::{CertificateId, PartnerId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::payment::{invoice_of, one_line};
use super::receivable::money;
use super::{known_partner, order, positive, reason, today};
use crate::{Kept, Page, PageRequest, Problem, Work, key, unique};

/// A certificate of tax that a partner withheld from an invoice and paid to the tax authority for the operator. It
/// settles like money, once the operator has accepted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its id.
    pub id: CertificateId,
    /// Whose.
    pub partner: PartnerId,
    /// The tax authority's number; no other certificate that is not refused has it.
    pub number: String,
    /// How much was withheld, in minor units; above zero.
    pub amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// The day of the certificate.
    pub on: Date,
    /// The invoice that it was withheld from.
    pub invoice: Option<u64>,
    /// What the operator said to it.
    pub state: CertificateState,
    /// When it was registered.
    pub registered: Timestamp,
}

/// What the operator said to a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateState {
    /// Nothing yet.
    Registered,
    /// It settles.
    Accepted,
    /// It does not, and why.
    Refused {
        /// Why.
        reason: String,
    },
}

impl CertificateState {
    /// The word in answers.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Accepted => "accepted",
            Self::Refused { .. } => "refused",
        }
    }
}

impl Certificate {
    /// What it settles, once it is accepted.
    pub(super) fn settlement(&self) -> Result<Option<Settlement>, Problem> {
        let (means, id) = (Means::WithholdingTax, self.id.as_u64());
        let amount = money(self.amount_minor, &self.currency)?;
        let settlement = Settlement { means, id, on: self.on, amount, invoice: self.invoice, reversed: None };
        Ok((self.state == CertificateState::Accepted).then_some(settlement))
    }
}

impl Kept for Certificate {
    const KIND: RecordKind = RecordKind("wht_certificate");
    const NOUN: &'static str = "certificate";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let mut keys = vec![key("partner", self.partner, order(self.on))];
        if !matches!(self.state, CertificateState::Refused { .. }) {
            keys.push(unique("number", normal_reference(&self.number)));
        }
        if self.state == CertificateState::Registered {
            keys.push(key("registered", "all", self.registered.as_microsecond()));
        }
        keys
    }
}

/// A certificate that somebody tells of.
#[derive(Debug, Clone)]
pub struct NewCertificate {
    /// The tax authority's number.
    pub number: String,
    /// In minor units of the operator's currency.
    pub amount_minor: i64,
    /// The day of the certificate.
    pub on: Date,
    /// The invoice that it was withheld from.
    pub invoice: Option<u64>,
}

/// Registers a certificate. What a member registers waits for the operator; what the operator's own people register
/// is accepted.
pub fn register(work: &mut Work<'_>, partner: PartnerId, new: &NewCertificate) -> Result<Certificate, Problem> {
    let amount = positive(work, "amount_minor", new.amount_minor)?;
    known_partner(work, partner)?;
    invoice_of(work, partner, new.invoice)?;
    let number = one_line("number", &new.number, 1)?;
    if normal_reference(&number).is_empty() {
        return Err(Problem::invalid("number", "the number that the tax authority gave it"));
    }
    if new.on > today(work) {
        return Err(Problem::invalid("on", "the day of the certificate has come"));
    }
    if work.the::<Certificate>("number", normal_reference(&number))?.is_some() {
        return Err(Problem::Taken("a certificate of this number is registered already".into()));
    }
    let state = if work.actor.is_operator() { CertificateState::Accepted } else { CertificateState::Registered };
    let certificate = Certificate {
        id: CertificateId::from_random(work.office.entropy.next_u64()),
        partner,
        number,
        amount_minor: amount.minor,
        currency: amount.currency.as_str().to_owned(),
        on: new.on,
        invoice: new.invoice,
        state,
        registered: work.at,
    };
    work.put(&certificate)?;
    work.note("certificate.register", Some(partner), certificate.id, &amount.to_string());
    Ok(certificate)
}

/// A partner's certificates, the newest first.
pub fn certificates(work: &mut Work<'_>, partner: PartnerId, page: PageRequest) -> Result<Page<Certificate>, Problem> {
    known_partner(work, partner)?;
    work.find("partner", partner, true, page)
}

/// Accepts a certificate: it settles from its day on.
pub fn accept(work: &mut Work<'_>, partner: PartnerId, id: CertificateId) -> Result<Certificate, Problem> {
    let mut certificate = waiting(work, partner, id)?;
    certificate.state = CertificateState::Accepted;
    work.put(&certificate)?;
    work.note("certificate.accept", Some(partner), id, "");
    Ok(certificate)
}

/// Refuses a certificate; its number can be registered again.
pub fn refuse(work: &mut Work<'_>, partner: PartnerId, id: CertificateId, why: &str) -> Result<Certificate, Problem> {
    let mut certificate = waiting(work, partner, id)?;
    certificate.state = CertificateState::Refused { reason: reason(why)? };
    work.put(&certificate)?;
    work.note("certificate.refuse", Some(partner), id, why);
    Ok(certificate)
}

fn waiting(work: &mut Work<'_>, partner: PartnerId, id: CertificateId) -> Result<Certificate, Problem> {
    let found: Certificate = work.get(id)?;
    if found.partner != partner {
        return Err(Problem::NotFound(Certificate::NOUN));
    }
    if found.state != CertificateState::Registered {
        return Err(Problem::not_now(format!("the certificate is {} already", found.state.word())));
    }
    Ok(found)
}
