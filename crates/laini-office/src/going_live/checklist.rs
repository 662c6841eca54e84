use laini_core::partner::{GoLiveItem, PartnerId, ProductSet, ScriptedRunId};

use super::{ScriptedRun, accepted_by};
use crate::apps::{agreement_in_force, not_covered};
use crate::{Problem, Work, organisation};

/// An item of the checklist, as the system found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedItem {
    /// Which.
    pub item: GoLiveItem,
    /// Whether it is done.
    pub is_done: bool,
    /// What was found, or what to do.
    pub why: String,
}

/// What the system finds of a partner that wants `products` live after the scripted run `run`.
pub fn checklist(
    work: &mut Work<'_>,
    partner: PartnerId,
    products: ProductSet,
    run: Option<ScriptedRunId>,
) -> Result<Vec<CheckedItem>, Problem> {
    GoLiveItem::ALL
        .into_iter()
        .map(|item| {
            let found = match item {
                GoLiveItem::Agreement => agreement(work, partner, products)?,
                GoLiveItem::Certificate => certificate(work, partner)?,
                GoLiveItem::Terms => accepted_by(work, partner)?
                    .map(|accepted| format!("version {} was accepted at {:.0}", accepted.version, accepted.at)),
                GoLiveItem::Run => passed(work, partner, run)?,
            };
            let why = found.clone().unwrap_or_else(|| item.what_is_open().to_owned());
            Ok(CheckedItem { item, is_done: found.is_some(), why })
        })
        .collect()
}

fn agreement(work: &Work<'_>, partner: PartnerId, products: ProductSet) -> Result<Option<String>, Problem> {
    let book = work.book()?;
    let agreement =
        agreement_in_force(&book, partner, work.at).filter(|one| not_covered(Some(one), products).is_none());
    Ok(agreement.map(|agreement| format!("agreement {} covers the products", agreement.id)))
}

fn passed(work: &mut Work<'_>, partner: PartnerId, run: Option<ScriptedRunId>) -> Result<Option<String>, Problem> {
    let Some(run) = run else { return Ok(None) };
    let run = work.look::<ScriptedRun>(run)?.filter(|run| run.partner == partner);
    Ok(run.and_then(|run| run.passed.map(|at| format!("run {} was passed at {at:.0}", run.id))))
}

/// What is known of the partner's data-protection certificate, where it has one that has not expired.
fn certificate(work: &mut Work<'_>, partner: PartnerId) -> Result<Option<String>, Problem> {
    let today = work.at.to_zoned(work.office.settings.zone.clone()).date();
    let details = organisation::details(work, partner)?;
    let valid = details.data_protection_number.zip(details.data_protection_expires.filter(|last| today <= *last));
    Ok(valid.map(|(number, last)| format!("certificate {number} is valid to {last}")))
}
