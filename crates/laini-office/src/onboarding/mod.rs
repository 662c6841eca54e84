//! Onboarding: how an organisation becomes a partner that asks, as a timeline that both sides see.
//!
//! Owns where each stands, who moved it, and what was said. Must never let it skip a step (the rules are laini-core's),
//! or go live without an agreement in force.

mod added;
mod standing;

use jiff::Timestamp;
use laini_core::partner::{OnboardingEvent, OnboardingStep, Partner, PartnerId, Side};
use laini_core::store::{AccountsChange, RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::organisation::{Missing, find_partner, missing};
use crate::{Actor, Kept, Page, PageRequest, Problem, Work, key};

pub use added::{Beginning, Begins, add, beginning};
pub use standing::{Need, Standing, standing};

/// The longest comment or reason, in characters.
const TEXT_CHARS_MAX: usize = 2_000;
/// So many comments a timeline has at most.
const COMMENTS_MAX: usize = 500;

/// The way of one partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onboarding {
    /// Whose.
    pub partner: PartnerId,
    /// Where it stands.
    pub step: OnboardingStep,
    /// When it began.
    pub began: Timestamp,
    /// Every step, in order.
    pub history: Vec<Moved>,
    /// What both sides said, in order.
    pub comments: Vec<Comment>,
}

/// A step that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub step: OnboardingStep,
    /// Who moved it, as in the audit trail.
    pub by: String,
    /// Why, where a reason was given.
    pub reason: String,
}

/// Something that somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// When.
    pub at: Timestamp,
    /// For which side.
    pub side: Side,
    /// Who, as in the audit trail.
    pub by: String,
    /// What.
    pub text: String,
}

impl Kept for Onboarding {
    const KIND: RecordKind = RecordKind("onboarding");
    const NOUN: &'static str = "onboarding";

    fn id(&self) -> RecordId {
        self.partner.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let began = self.began.as_microsecond();
        vec![key("step", self.step.word(), began), key("all", "all", began)]
    }
}

/// The side that somebody acts for.
pub fn side(actor: &Actor) -> Side {
    if actor.is_operator() { Side::Operator } else { Side::Partner }
}

/// Adds a partner that has no agreement yet; its onboarding begins.
pub fn begin(work: &mut Work<'_>, id: PartnerId, name: &str) -> Result<Onboarding, Problem> {
    let by = work.actor.in_trail();
    work.accounts(AccountsChange::AddPartner(Partner::new(id, name.to_owned())));
    let moved = Moved { at: work.at, step: OnboardingStep::Submitted, by, reason: String::new() };
    let onboarding = Onboarding {
        partner: id,
        step: OnboardingStep::Submitted,
        began: work.at,
        history: vec![moved],
        comments: Vec::new(),
    };
    work.put(&onboarding)?;
    work.note("partner.add", Some(id), id, "without an agreement: onboarding begins");
    Ok(onboarding)
}

/// The way of a partner, and what is missing for the agreement to be sent.
pub fn timeline(work: &mut Work<'_>, partner: PartnerId) -> Result<(Onboarding, Vec<Missing>), Problem> {
    let onboarding = of(work, partner)?;
    let is_over = matches!(onboarding.step, OnboardingStep::Live | OnboardingStep::Rejected);
    let missing = if is_over { Vec::new() } else { missing(work, partner)? };
    Ok((onboarding, missing))
}

/// All of them, or those at one step, the newest first.
pub fn list(work: &mut Work<'_>, step: Option<OnboardingStep>, page: PageRequest) -> Result<Page<Onboarding>, Problem> {
    match step {
        Some(step) => work.find("step", step.word(), true, page),
        None => work.find("all", "all", true, page),
    }
}

/// Moves a partner on: handed in again, taken up, returned, rejected, live. Steps of the agreement come with the
/// agreement alone.
pub fn move_on(
    work: &mut Work<'_>,
    partner: PartnerId,
    event: OnboardingEvent,
    reason: &str,
) -> Result<Onboarding, Problem> {
    let needs_reason = matches!(event, OnboardingEvent::Return | OnboardingEvent::Reject);
    let reason = text("reason", reason, needs_reason)?;
    match event {
        OnboardingEvent::SendAgreement | OnboardingEvent::TakeBackAgreement | OnboardingEvent::Sign => {
            return Err(Problem::not_now("send, take back or sign the agreement itself"));
        }
        OnboardingEvent::GoLive => {
            let in_force = work.book()?.agreements_of(partner).at(work.at).map(drop);
            in_force.map_err(|why| Problem::not_now(format!("it cannot go live: {why}")))?;
        }
        OnboardingEvent::Submit | OnboardingEvent::TakeUp | OnboardingEvent::Return | OnboardingEvent::Reject => {}
    }
    let onboarding = of(work, partner)?;
    apply(work, onboarding, event, reason)
}

/// Says something that both sides see.
pub fn comment(work: &mut Work<'_>, partner: PartnerId, said: &str) -> Result<Onboarding, Problem> {
    let said = text("text", said, true)?;
    let mut onboarding = of(work, partner)?;
    if onboarding.comments.len() >= COMMENTS_MAX {
        return Err(Problem::not_now(format!("there are {COMMENTS_MAX} comments already; write a letter")));
    }
    let (side, by) = (side(&work.actor), work.actor.in_trail());
    onboarding.comments.push(Comment { at: work.at, side, by, text: said });
    work.put(&onboarding)?;
    work.note("onboarding.comment", Some(partner), partner, "");
    Ok(onboarding)
}

/// What happens to an agreement moves its partner on, where that is on its way still.
pub(crate) fn agreement_moved(work: &mut Work<'_>, partner: PartnerId, event: OnboardingEvent) -> Result<(), Problem> {
    let Some(onboarding) = work.look::<Onboarding>(partner)? else { return Ok(()) };
    // An amendment of one that asks already.
    if matches!(onboarding.step, OnboardingStep::Live | OnboardingStep::Signed) {
        return Ok(());
    }
    // One that was returned or rejected meanwhile has left that step.
    if event == OnboardingEvent::TakeBackAgreement && onboarding.step != OnboardingStep::AgreementSent {
        return Ok(());
    }
    if event == OnboardingEvent::SendAgreement {
        let missing: Vec<String> = missing(work, partner)?.into_iter().map(Missing::word).collect();
        if !missing.is_empty() {
            return Err(Problem::not_now(format!("missing before an agreement is sent: {}", missing.join(", "))));
        }
    }
    apply(work, onboarding, event, String::new()).map(drop)
}

fn of(work: &mut Work<'_>, partner: PartnerId) -> Result<Onboarding, Problem> {
    find_partner(work, partner)?;
    work.get(partner)
}

fn apply(
    work: &mut Work<'_>,
    mut onboarding: Onboarding,
    event: OnboardingEvent,
    reason: String,
) -> Result<Onboarding, Problem> {
    let next = onboarding.step.after(event, side(&work.actor));
    onboarding.step = next.map_err(|error| Problem::not_now(error.to_string()))?;
    let (by, step) = (work.actor.in_trail(), onboarding.step);
    work.note("onboarding.move", Some(onboarding.partner), onboarding.partner, step.word());
    onboarding.history.push(Moved { at: work.at, step, by, reason });
    work.put(&onboarding)?;
    Ok(onboarding)
}

fn text(field: &'static str, text: &str, is_needed: bool) -> Result<String, Problem> {
    let text = text.trim();
    let is_too_long = text.chars().count() > TEXT_CHARS_MAX;
    if is_too_long || (is_needed && text.is_empty()) || text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Problem::invalid(field, format!("1 to {TEXT_CHARS_MAX} characters are expected")));
    }
    Ok(text.to_owned())
}
