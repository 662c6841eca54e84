use jiff::Timestamp;
use laini_core::partner::{GoLiveItem, NoAgreement, Side};

use super::{GoLive, ScriptedRun, accepted_by};
use crate::agreements::before_both_sides;
use crate::apps::not_covered;
use crate::onboarding::{Onboarding, standing};
use crate::organisation::Organisation;
use crate::{Problem, Work};

/// An item of the checklist, as the system found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedItem {
    /// Which.
    pub item: GoLiveItem,
    /// Whether it is done.
    pub is_done: bool,
    /// Who sees to it.
    pub owner: Side,
    /// Since when it is done, or since when it holds the request up.
    pub since: Timestamp,
    /// What was found, or what to do.
    pub why: String,
}

/// What was found of an item: done since then, with what there is; or open since then.
type Found = Result<(Timestamp, String), Timestamp>;

/// What the system finds of a request now. Nothing is open for longer than the request is there.
pub fn checklist(work: &mut Work<'_>, request: &GoLive) -> Result<Vec<CheckedItem>, Problem> {
    let checked = |item| {
        let (found, owner) = match item {
            GoLiveItem::Agreement => {
                let (owner, since) = agrees_next(work, request)?;
                (agreement(work, request)?.map_err(|ended| ended.max(since)), owner)
            }
            GoLiveItem::Certificate => (certificate(work, request)?, Side::Partner),
            GoLiveItem::Terms => (terms(work, request)?, Side::Partner),
            GoLiveItem::Run => (passed(work, request)?, Side::Partner),
        };
        let is_done = found.is_ok();
        let (since, why) = found.unwrap_or_else(|since| (since.max(request.began), item.what_is_open().to_owned()));
        Ok(CheckedItem { item, is_done, owner, since, why })
    };
    GoLiveItem::ALL.into_iter().map(checked).collect()
}

fn agreement(work: &Work<'_>, request: &GoLive) -> Result<Found, Problem> {
    let agreements = work.read_book()?.agreements_of(request.partner);
    Ok(match agreements.at(work.at) {
        Ok(agreement) if not_covered(Some(agreement), request.product_set()).is_none() => {
            Ok((agreement.valid_from, format!("agreement {} covers the products", agreement.id)))
        }
        Err(NoAgreement::Ended(at)) => Err(at),
        Ok(_) | Err(NoAgreement::Never | NoAgreement::NotBegun(_)) => Err(request.began),
    })
}

/// Whose turn it is about the agreement, and since when: the partner's, where it has to sign or to hand in papers;
/// otherwise the operator writes or signs one.
fn agrees_next(work: &mut Work<'_>, request: &GoLive) -> Result<(Side, Timestamp), Problem> {
    if let Some(sent) = before_both_sides(work, request.partner)? {
        let signed = sent.signature_of(Side::Partner).map(|signature| signature.at);
        let laid = sent.text.map_or(sent.created, |text| text.at);
        return Ok(signed.map_or((Side::Partner, laid), |at| (Side::Operator, at)));
    }
    let standing = match work.look::<Onboarding>(request.partner)? {
        Some(onboarding) => Some(standing(work, &onboarding)?),
        None => None,
    };
    let turn = standing.and_then(|standing| standing.turn.map(|side| (side, standing.since)));
    Ok(turn.unwrap_or((Side::Operator, request.began)))
}

/// What is known of the partner's data-protection certificate, where it has one that has not expired.
fn certificate(work: &mut Work<'_>, request: &GoLive) -> Result<Found, Problem> {
    let zone = work.office.settings.zone.clone();
    let today = work.at.to_zoned(zone.clone()).date();
    let Some(known) = work.look::<Organisation>(request.partner)? else { return Ok(Err(request.began)) };
    let details = known.details;
    Ok(match details.data_protection_number.zip(details.data_protection_expires) {
        Some((number, last)) if today <= last => {
            Ok((known.certified.unwrap_or(known.changed), format!("certificate {number} is valid to {last}")))
        }
        // It was valid for the whole of its last day.
        Some((_, last)) => {
            let ended = last.tomorrow().and_then(|day| day.to_zoned(zone));
            Err(ended.map_or(request.began, |day| day.timestamp()))
        }
        None => Err(request.began),
    })
}

fn terms(work: &mut Work<'_>, request: &GoLive) -> Result<Found, Problem> {
    let accepted = accepted_by(work, request.partner)?;
    let found = accepted.map(|one| (one.at, format!("version {} was accepted at {:.0}", one.version, one.at)));
    Ok(found.ok_or(request.began))
}

fn passed(work: &mut Work<'_>, request: &GoLive) -> Result<Found, Problem> {
    let Some(run) = request.run else { return Ok(Err(request.began)) };
    let run = work.look::<ScriptedRun>(run)?.filter(|run| run.partner == request.partner);
    let passed = run.and_then(|run| run.passed.map(|at| (at, format!("run {} was passed at {at:.0}", run.id))));
    Ok(passed.ok_or(request.began))
}
