use laini_core::billing::normal_reference;
use laini_core::partner::PartnerId;
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::known_partner;
use crate::{Kept, Problem, Work, unique};

/// How many references one partner has at most.
const REFERENCES_MAX: usize = 20;
/// How long one is, in letters and digits.
const REFERENCE_CHARS: std::ops::RangeInclusive<usize> = 3..=40;

/// What a partner writes when it pays: its reference at a bank, its account number at the paybill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payer {
    /// Who.
    pub partner: PartnerId,
    /// Each belongs to this partner alone.
    pub references: Vec<String>,
}

impl Kept for Payer {
    const KIND: RecordKind = RecordKind("payer");
    const NOUN: &'static str = "payer";

    fn id(&self) -> RecordId {
        self.partner.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        self.references.iter().map(|reference| unique("reference", normal_reference(reference))).collect()
    }
}

/// What a partner writes when it pays.
pub fn references(work: &mut Work<'_>, partner: PartnerId) -> Result<Payer, Problem> {
    known_partner(work, partner)?;
    Ok(work.look(partner)?.unwrap_or(Payer { partner, references: Vec::new() }))
}

/// Sets what a partner writes when it pays; letters and digits are compared, in any case.
pub fn set_references(work: &mut Work<'_>, partner: PartnerId, new: &[String]) -> Result<Payer, Problem> {
    let mut payer = references(work, partner)?;
    if new.len() > REFERENCES_MAX {
        return Err(Problem::invalid("references", format!("at most {REFERENCES_MAX}")));
    }
    payer.references.clear();
    let mut seen = Vec::new();
    for reference in new {
        let normal = normal_reference(reference);
        // A short number would be taken for an invoice's.
        let is_telling = normal.bytes().any(|b| b.is_ascii_alphabetic()) || normal.len() >= 6;
        if !REFERENCE_CHARS.contains(&normal.len()) || !is_telling || reference.chars().any(char::is_control) {
            let expected = "3 to 40 letters and digits; digits alone: at least 6";
            return Err(Problem::invalid("references", expected));
        }
        let owner = work.the::<Payer>("reference", &normal)?;
        if owner.is_some_and(|owner| owner.partner != partner) {
            return Err(Problem::Taken(format!("another partner pays under {reference}").into()));
        }
        if !seen.contains(&normal) {
            seen.push(normal);
            payer.references.push(reference.trim().to_owned());
        }
    }
    work.put(&payer)?;
    work.note("payer.references", Some(partner), partner, &payer.references.join(", "));
    Ok(payer)
}
