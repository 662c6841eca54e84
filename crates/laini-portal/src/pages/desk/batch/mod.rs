//! Batches: bring numbers, see the price, start, watch, take the verdicts along.
//!
//! Owns the pages of a batch at each of its stages. Must never ask before somebody saw the price, or need a script:
//! progress can be refreshed by hand.

mod bring;
mod draft;
mod one;
mod rows;

use laini_office::desk::batch::AskedFrom;

use crate::page::Page;
use crate::visit::Visit;

pub(super) fn pages() -> Vec<Page> {
    [bring::pages(), one::pages(), rows::pages()].into_iter().flatten().collect()
}

/// From where a batch is started: its rows are asked as if from there.
fn asked_from(visit: &Visit) -> AskedFrom {
    AskedFrom { address: visit.context.address, certificate: visit.context.certificate }
}
