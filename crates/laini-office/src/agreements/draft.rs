use laini_core::partner::{AgreementId, OnboardingEvent, PartnerId};

use super::{AgreementRecord, AgreementState, SentText, Terms, agreement, template, versions};
use crate::onboarding::agreement_moved;
use crate::organisation::find_partner;
use crate::{Problem, Work};

/// Writes a new version; a partner has one at a time that is not signed.
pub fn draft(work: &mut Work<'_>, partner: PartnerId, terms: Terms) -> Result<AgreementRecord, Problem> {
    find_partner(work, partner)?;
    let terms = terms.checked(work.at, work.office.settings.currency)?;
    let before = versions(work, partner)?;
    if before.iter().any(|version| version.state != AgreementState::Signed) {
        return Err(Problem::not_now("there is a version that is not signed; change it, or remove it first"));
    }
    let record = AgreementRecord {
        id: AgreementId::from_random(work.office.entropy.next_u64()),
        partner,
        number: before.last().map_or(1, |last| last.number + 1),
        state: AgreementState::Draft,
        terms,
        created: work.at,
        text: None,
        signatures: Vec::new(),
        scan: None,
    };
    work.put(&record)?;
    work.note("agreement.draft", Some(partner), record.id, "");
    Ok(record)
}

/// Writes a draft anew.
pub fn redraft(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: AgreementId,
    terms: Terms,
) -> Result<AgreementRecord, Problem> {
    let mut record = in_state(work, (partner, id), AgreementState::Draft)?;
    record.terms = terms.checked(work.at, work.office.settings.currency)?;
    work.put(&record)?;
    work.note("agreement.redraft", Some(partner), id, "");
    Ok(record)
}

/// Throws a draft away.
pub fn remove_draft(work: &mut Work<'_>, partner: PartnerId, id: AgreementId) -> Result<(), Problem> {
    let record = in_state(work, (partner, id), AgreementState::Draft)?;
    work.remove(&record);
    work.note("agreement.remove", Some(partner), id, "");
    Ok(())
}

/// Lays a draft before both sides: its text stands from now on.
pub fn send(work: &mut Work<'_>, partner: PartnerId, id: AgreementId) -> Result<AgreementRecord, Problem> {
    let mut record = in_state(work, (partner, id), AgreementState::Draft)?;
    record.terms = record.terms.clone().checked(work.at, work.office.settings.currency)?;
    let parties = template::parties(work, partner)?;
    let text = template::paper(&record, &parties, &work.office.settings.zone, false);
    let (pdf, html) = (work.keep_document(&text.pdf())?, work.keep_document(text.html().as_bytes())?);
    let (operator, of_partner) = parties;
    record.text = Some(SentText { at: work.at, operator, partner: of_partner, pdf, html });
    record.state = AgreementState::Sent;
    work.put(&record)?;
    agreement_moved(work, partner, OnboardingEvent::SendAgreement)?;
    work.note("agreement.send", Some(partner), id, &super::digest_in_words(&pdf));
    Ok(record)
}

/// Makes a version that was sent, and that not both have signed, a draft again; who signed has not.
pub fn take_back(work: &mut Work<'_>, partner: PartnerId, id: AgreementId) -> Result<AgreementRecord, Problem> {
    let mut record = in_state(work, (partner, id), AgreementState::Sent)?;
    (record.state, record.text) = (AgreementState::Draft, None);
    record.signatures.clear();
    work.put(&record)?;
    agreement_moved(work, partner, OnboardingEvent::TakeBackAgreement)?;
    work.note("agreement.take_back", Some(partner), id, "");
    Ok(record)
}

/// A version that is in this state.
pub(super) fn in_state(
    work: &mut Work<'_>,
    (partner, id): (PartnerId, AgreementId),
    state: AgreementState,
) -> Result<AgreementRecord, Problem> {
    let record = agreement(work, partner, id)?;
    if record.state != state {
        let (is, needed) = (record.state.word(), state.word());
        return Err(Problem::not_now(format!("this version is {is}; that is done to one that is {needed}")));
    }
    Ok(record)
}
