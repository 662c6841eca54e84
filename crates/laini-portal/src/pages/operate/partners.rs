//! Partners by step: who is where, and whose turn it is.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use laini_core::partner::{OnboardingStep, PartnerId, Side};
use laini_office::onboarding::{self, Onboarding};
use laini_office::{Cursor, PageRequest, Problem};

use super::LOOKS;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::OnboardingWords;

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get("/operate/partners", LOOKS, show).in_rail(Workspace::Operate, |words| words.partners)]
}

#[derive(Template)]
#[template(path = "operate/partners.html")]
struct PartnersPage {
    frame: Frame,
    words: &'static OnboardingWords,
    /// The word of each step, what it is called, and whether it is shown; the empty word is all of them.
    tabs: Vec<(&'static str, &'static str, bool)>,
    rows: Vec<Row>,
    tab: &'static str,
    next: Option<String>,
    /// The partner that has waited longest for the operator.
    first: Option<PartnerId>,
}

struct Row {
    partner: PartnerId,
    name: String,
    step: &'static str,
    turn: &'static str,
    tone: &'static str,
    since: String,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let step = OnboardingStep::parse(visit.query("step")).ok();
    let found = portal.work(&visit, move |work, visit| {
        let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(Cursor::parse).transpose()?;
        let listed = onboarding::list(work, step, PageRequest { after, ..PageRequest::FIRST })?;
        let names: HashMap<_, _> =
            work.book()?.partners.into_iter().map(|partner| (partner.id, partner.name)).collect();
        Ok((listed, names))
    });
    let (listed, names) = found.await?;
    let words = &visit.language.words().onboarding;
    let row = |way: &Onboarding| {
        let (turn, tone) = match way.step.owner() {
            Some(Side::Operator) => (words.your_turn, "care"),
            Some(Side::Partner) => (words.partners_turn, ""),
            None => ("", ""),
        };
        Row {
            partner: way.partner,
            name: names.get(&way.partner).cloned().unwrap_or_default(),
            step: words.step(way.step),
            turn,
            tone,
            since: way.history.last().map(|moved| portal.shown(moved.at)).unwrap_or_default(),
        }
    };
    let is_waiting = |way: &&Onboarding| way.step.owner() == Some(Side::Operator);
    let waits_since = |way: &&Onboarding| way.history.last().map(|moved| moved.at);
    let first = listed.items.iter().filter(is_waiting).min_by_key(waits_since).map(|way| way.partner);
    let steps = OnboardingStep::ALL.into_iter().map(|other| (other.word(), words.step(other), Some(other) == step));
    page(&PartnersPage {
        frame: visit.frame(&portal, words.partners),
        words,
        tabs: std::iter::once(("", words.all, step.is_none())).chain(steps).collect(),
        rows: listed.items.iter().map(row).collect(),
        tab: step.map_or("", OnboardingStep::word),
        next: listed.next.map(|next| next.to_string()),
        first,
    })
}
