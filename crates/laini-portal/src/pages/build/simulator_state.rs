use laini_core::line::{Msisdn, NumberPlan};
use laini_core::partner::Product;
use laini_core::sandbox::ready_number;
use laini_office::Problem;

use crate::visit::Visit;

/// The persona about which is asked where nothing else is said.
const FIRST: u64 = 2;

/// What is asked, and of whom.
pub(super) struct State {
    pub(super) number: String,
    pub(super) product: Product,
    /// What stands in the box: the number, or what was typed instead of one.
    pub(super) boxed: String,
}

impl State {
    pub(super) fn of(visit: &Visit, plan: NumberPlan) -> Result<Self, Problem> {
        let behind = [said(visit, "choose"), said(visit, "persona")].into_iter().find(|text| !text.is_empty());
        // What a button of a line of the world's own names comes before what is in the box.
        let own = Some(visit.field("own")).filter(|number| !number.is_empty());
        let own = own.or_else(|| is_put(visit).then(|| visit.field("line_number")));
        let number = match (own, behind) {
            (Some(own), _) => plan.parse(own).ok(),
            (None, Some(behind)) => behind.parse().ok().and_then(|behind| ready_number(behind, plan)),
            (None, None) if visit.field("number").is_empty() => ready_number(FIRST, plan),
            (None, None) => plan.parse(visit.field("number")).ok(),
        };
        let number = number.ok_or_else(|| Problem::invalid("number", "expected a number such as 254722000002"))?;
        Ok(Self::about(number.digits(), product(visit)))
    }

    /// Beside a refusal: the number in the box where it is one, otherwise the first persona; what was typed stays.
    pub(super) fn refused(visit: &Visit, plan: NumberPlan) -> Self {
        let boxed = visit.field("number");
        let number = plan.parse(boxed).map_or_else(|_| ready_digits(FIRST, plan), Msisdn::digits);
        let state = Self::about(number, product(visit));
        if boxed.is_empty() { state } else { Self { boxed: boxed.to_owned(), ..state } }
    }

    pub(super) fn about(number: String, product: Product) -> Self {
        Self { boxed: number.clone(), number, product }
    }
}

/// Whether the form puts a line.
pub(super) fn is_put(visit: &Visit) -> bool {
    !visit.field("put").is_empty()
}

/// The digits of a persona's number; empty where the plan has no such number.
pub(super) fn ready_digits(behind: u64, plan: NumberPlan) -> String {
    ready_number(behind, plan).map(Msisdn::digits).unwrap_or_default()
}

fn product(visit: &Visit) -> Product {
    Product::parse(said(visit, "check")).unwrap_or(Product::Imsi)
}

/// A field of the form, or else a value behind the question mark.
fn said<'a>(visit: &'a Visit, name: &str) -> &'a str {
    match visit.field(name) {
        "" => visit.query(name),
        field => field,
    }
}
