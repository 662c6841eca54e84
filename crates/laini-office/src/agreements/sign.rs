use laini_core::partner::{AgreementId, DocumentId, DocumentPurpose, OnboardingEvent, PartnerId, Side};
use laini_core::store::{AccountsChange, PartnerChange};

use super::draft::in_state;
use super::{AgreementRecord, AgreementState, SignedBy, digest_in_words};
use crate::onboarding::{agreement_moved, side};
use crate::organisation::document;
use crate::people::Person;
use crate::{Problem, Work};

/// Signs the text of this digest for the side that one acts for; with the second signature it is agreed.
pub fn sign(
    work: &mut Work<'_>,
    (partner, id): (PartnerId, AgreementId),
    digest: &str,
    address: &str,
) -> Result<AgreementRecord, Problem> {
    let record = in_state(work, (partner, id), AgreementState::Sent)?;
    let sent = record.text.as_ref().map(|text| text.pdf).unwrap_or_default();
    if digest_in_words(&sent) != digest.trim().to_ascii_lowercase() {
        return Err(Problem::not_now("the text is another one than the one that was read; read it, and sign that"));
    }
    let side = side(&work.actor);
    if record.signature_of(side).is_some() {
        return Err(Problem::not_now(format!("the {} has signed already", side.word())));
    }
    let name = match work.actor.person() {
        Some(person) => work.get::<Person>(person)?.name,
        None => work.actor.in_trail(),
    };
    let signature =
        SignedBy { side, by: work.actor.in_trail(), name, at: work.at, address: address.to_owned(), digest: sent };
    work.note("agreement.sign", Some(partner), id, &digest_in_words(&sent));
    with_signatures(work, record, vec![signature])
}

/// Takes note that both sides signed on paper: the scanned copy is among the partner's documents.
pub fn sign_on_paper(
    work: &mut Work<'_>,
    (partner, id): (PartnerId, AgreementId),
    scan: DocumentId,
) -> Result<AgreementRecord, Problem> {
    let mut record = in_state(work, (partner, id), AgreementState::Sent)?;
    let scanned = document(work, partner, scan)?;
    if scanned.purpose != DocumentPurpose::SignedAgreement {
        return Err(Problem::invalid("document", "expected a document of the purpose signed_agreement"));
    }
    let sent = record.text.as_ref().map(|text| text.pdf).unwrap_or_default();
    let by = work.actor.in_trail();
    let on_paper = |side| SignedBy {
        side,
        by: by.clone(),
        name: "on paper".to_owned(),
        at: work.at,
        address: format!("document {scan}"),
        digest: sent,
    };
    let signatures = vec![on_paper(Side::Partner), on_paper(Side::Operator)];
    (record.scan, record.signatures) = (Some(scan), Vec::new());
    work.note("agreement.sign_on_paper", Some(partner), id, &scan.to_string());
    with_signatures(work, record, signatures)
}

/// Adds signatures; where both sides have signed, checks go by it from its date on.
fn with_signatures(
    work: &mut Work<'_>,
    mut record: AgreementRecord,
    signatures: Vec<SignedBy>,
) -> Result<AgreementRecord, Problem> {
    record.signatures.extend(signatures);
    let has = |side| record.signature_of(side).is_some();
    if has(Side::Partner) && has(Side::Operator) {
        if record.terms.valid_until.is_some_and(|until| until <= work.at) {
            return Err(Problem::not_now("its end has passed; take it back and give it another"));
        }
        record.state = AgreementState::Signed;
        let before = work.book()?.agreements_of(record.partner);
        work.accounts(AccountsChange::AddAgreement(record.agreed(&before, work.at)?));
        if let Some(limits) = record.terms.limits() {
            work.accounts(AccountsChange::Partner(record.partner, PartnerChange::Limits(limits)));
        }
        agreement_moved(work, record.partner, OnboardingEvent::Sign)?;
    }
    work.put(&record)?;
    Ok(record)
}
