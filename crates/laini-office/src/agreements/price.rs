use jiff::Timestamp;
use laini_core::partner::PartnerId;

use super::at_once::{change_at_once, present_terms};
use super::{AgreementRecord, PriceTerms, Terms, draft, send};
use crate::{Problem, Work};

/// How a new price comes to be agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceAgreed<'a> {
    /// It is laid before both sides, who sign it.
    ByBoth,
    /// It was agreed outside, and is signed for both sides by whoever says so, who gives the reason.
    Outside(&'a str),
}

/// Changes the price of a product from an instant on, or from the second signature on: a new version of the agreement,
/// whose other terms stay.
pub fn change_price(
    work: &mut Work<'_>,
    partner: PartnerId,
    price: &PriceTerms,
    from: Option<Timestamp>,
    agreed: PriceAgreed<'_>,
) -> Result<AgreementRecord, Problem> {
    let change = |terms: &mut Terms| {
        terms.prices.retain(|known| known.product != price.product);
        terms.prices.push(price.clone());
        terms.valid_from = from;
    };
    match agreed {
        PriceAgreed::Outside(reason) => change_at_once(work, partner, change, reason),
        PriceAgreed::ByBoth => {
            let mut terms = present_terms(work, partner)?;
            change(&mut terms);
            let id = draft(work, partner, terms)?.id;
            send(work, partner, id)
        }
    }
}
