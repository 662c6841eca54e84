use laini_core::partner::{AgreementId, Agreements, Partner, PartnerId, Side};
use laini_core::store::AccountsChange;

use super::template::{self, Parties};
use super::{AgreementRecord, AgreementState, SentText, SignedBy, Terms, versions};
use crate::{Problem, Work};

/// Adds a partner with the standard agreement, signed for both sides by whoever does it.
pub fn add_with_standard(work: &mut Work<'_>, partner: Partner) -> Result<AgreementRecord, Problem> {
    let parties = (work.office.settings.operator.clone(), vec![partner.name.clone()]);
    let (id, terms) = (partner.id, Terms::standard(work.office.settings.currency));
    work.note("partner.add", Some(id), id, "standard agreement");
    work.accounts(AccountsChange::AddPartner(partner));
    let way = "with the standard agreement, in one step";
    signed_for_both(work, (id, 1, terms), parties, &Agreements::default(), way)
}

/// Puts the terms in force, as `change` leaves them, in force at once: for what was agreed outside, signed for both sides
/// by whoever does it. They end when the ones before would have.
pub fn change_at_once(
    work: &mut Work<'_>,
    partner: PartnerId,
    change: impl FnOnce(&mut Terms),
    reason: &str,
) -> Result<AgreementRecord, Problem> {
    let parties = template::parties(work, partner)?;
    let before = work.book()?.agreements_of(partner);
    let present = before.at(work.at).map_err(|why| Problem::not_now(why.to_string()))?;
    let known = versions(work, partner)?;
    if known.iter().any(|version| version.state != AgreementState::Signed) {
        return Err(Problem::not_now("there is a version that is not signed; sign it, or remove it first"));
    }
    let mut terms = present_terms(work, partner)?;
    change(&mut terms);
    let number = known.last().map_or(1, |last| last.number + 1);
    let after = present.id;
    let terms = terms.checked(work.at, work.office.settings.currency)?;
    let record = signed_for_both(work, (partner, number, terms), parties, &before, "agreed outside")?;
    let set = format!("version {} after {after}", record.id);
    let why = if reason.is_empty() { set } else { format!("{set}: {reason}") };
    work.note("agreement.change", Some(partner), partner, &why);
    Ok(record)
}

/// The terms in force, from now on and until they would have ended.
pub(super) fn present_terms(work: &mut Work<'_>, partner: PartnerId) -> Result<Terms, Problem> {
    let before = work.book()?.agreements_of(partner);
    let present = before.at(work.at).map_err(|why| Problem::not_now(why.to_string()))?;
    let known = versions(work, partner)?;
    let recorded = known.into_iter().find(|version| version.id == present.id).map(|version| version.terms);
    let terms = recorded.unwrap_or_else(|| Terms::of(present));
    Ok(Terms { valid_from: None, valid_until: present.valid_until, ..terms })
}

/// A version that is in force from now on.
fn signed_for_both(
    work: &mut Work<'_>,
    (partner, number, terms): (PartnerId, u32, Terms),
    parties: Parties,
    before: &Agreements,
    way: &str,
) -> Result<AgreementRecord, Problem> {
    let mut record = AgreementRecord {
        id: AgreementId::from_random(work.office.entropy.next_u64()),
        partner,
        number,
        state: AgreementState::Signed,
        terms,
        created: work.at,
        text: None,
        signatures: Vec::new(),
        scan: None,
    };
    let text = template::paper(&record, &parties, &work.office.settings.zone, false);
    let (pdf, html) = (work.keep_document(&text.pdf())?, work.keep_document(text.html().as_bytes())?);
    let by = work.actor.in_trail();
    let signed =
        |side| SignedBy { side, by: by.clone(), name: by.clone(), at: work.at, address: way.to_owned(), digest: pdf };
    record.signatures = vec![signed(Side::Partner), signed(Side::Operator)];
    record.text = Some(SentText { at: work.at, operator: parties.0, partner: parties.1, pdf, html });
    work.accounts(AccountsChange::AddAgreement(record.agreed(before, work.at)?));
    work.put(&record)?;
    Ok(record)
}
