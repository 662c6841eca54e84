//! The way of a partner from its papers to production: one page for both sides.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{AgreementId, May, MemberRole, OnboardingEvent, OnboardingStep, PartnerId, Side, StaffRole};
use laini_office::agreements::{self, AgreementRecord, AgreementState, Terms};
use laini_office::onboarding::{self, Onboarding};
use laini_office::{PageRequest, Problem, Work, organisation};

use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::OnboardingWords;

/// Who looks,
const LOOKS: Access = Access::SignedIn(May::ANYBODY);
/// who moves a partner on for the operator,
const MOVES: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Onboarding] });
/// and who hands in and signs for either side.
const SIGNS: Access =
    Access::SignedIn(May { members: &[MemberRole::Owner], staff: &[StaffRole::Admin, StaffRole::Onboarding] });

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/onboarding", Access::SignedIn(May::MEMBERS), show)
            .in_rail(Workspace::Build, |words| words.onboarding),
        Page::get("/partners/{partner}", LOOKS, show),
        Page::post("/partners/{partner}/move", SIGNS, move_on, show),
        Page::post("/partners/{partner}/comment", SIGNS, comment, show),
        Page::post("/partners/{partner}/agreement", MOVES, send_agreement, show),
        Page::get("/partners/{partner}/agreements/{agreement}", LOOKS, show_agreement),
        Page::post("/partners/{partner}/agreements/{agreement}", SIGNS, sign, show_agreement),
    ]
}

#[derive(Template)]
#[template(path = "onboarding.html")]
struct OnboardingPage {
    frame: Frame,
    words: &'static OnboardingWords,
    partner: PartnerId,
    way: Vec<Step>,
    owner: &'static str,
    missing: Vec<String>,
    history: Vec<Said>,
    comments: Vec<Said>,
    agreements: Vec<AgreementRow>,
    actions: Vec<Action>,
    can_send: bool,
    can_comment: bool,
}

struct Step {
    label: &'static str,
    class: &'static str,
}

/// Something that happened or was said.
struct Said {
    at: String,
    by: String,
    text: String,
}

struct AgreementRow {
    id: AgreementId,
    number: u32,
    state: &'static str,
    tone: &'static str,
    signed_by: String,
}

/// A button that moves a partner on.
struct Action {
    word: &'static str,
    label: &'static str,
    needs_reason: bool,
}

/// The events that a button makes happen; those of the agreement come with the agreement.
const BUTTONS: [(OnboardingEvent, &str); 5] = [
    (OnboardingEvent::Submit, "submit"),
    (OnboardingEvent::TakeUp, "take_up"),
    (OnboardingEvent::Return, "return"),
    (OnboardingEvent::Reject, "reject"),
    (OnboardingEvent::GoLive, "go_live"),
];

/// The steps of a way without a turn.
const WAY: [OnboardingStep; 5] = [
    OnboardingStep::Submitted,
    OnboardingStep::UnderReview,
    OnboardingStep::AgreementSent,
    OnboardingStep::Signed,
    OnboardingStep::Live,
];

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        let partner = visit.partner()?;
        let name = organisation::find_partner(work, partner)?.name;
        let agreements = agreements::list_agreements(work, partner, PageRequest::FIRST)?.items;
        let (way, missing) = match onboarding::timeline(work, partner) {
            Ok((way, missing)) => (Some(way), missing),
            // Added with the standard agreement in one step: there is no way to show.
            Err(Problem::NotFound(_)) => (None, Vec::new()),
            Err(problem) => return Err(problem),
        };
        Ok((partner, name, way, missing, agreements))
    });
    let (partner, name, way, missing, agreements) = found.await?;
    let words = &visit.language.words().onboarding;
    let side = onboarding::side(&visit.actor());
    let may = |access: &Access| matches!(access, Access::SignedIn(may) if visit.actor().is_allowed(may));
    let step = way.as_ref().map_or(OnboardingStep::Live, |way| way.step);
    let said = |way: &Onboarding| {
        let steps = way.history.iter().map(|moved| Said {
            at: portal.shown(moved.at),
            by: moved.by.clone(),
            text: match moved.reason.as_str() {
                "" => words.step(moved.step).to_owned(),
                reason => format!("{}: {reason}", words.step(moved.step)),
            },
        });
        let comments = way.comments.iter().map(|comment| Said {
            at: portal.shown(comment.at),
            by: comment.side.word().to_owned(),
            text: comment.text.clone(),
        });
        (steps.collect(), comments.collect())
    };
    let (history, comments) = way.as_ref().map_or_else(|| (Vec::new(), Vec::new()), said);
    page(&OnboardingPage {
        frame: visit.frame(&portal, name),
        words,
        partner,
        way: steps(step, words),
        owner: match step.owner() {
            Some(owner) if owner == side => words.your_turn,
            Some(Side::Operator) => words.operators_turn,
            Some(Side::Partner) => words.partners_turn,
            None => "",
        },
        missing: missing.into_iter().map(|missing| missing.word().replace('_', " ")).collect(),
        history,
        comments,
        agreements: agreements.iter().map(AgreementRow::of).collect(),
        actions: if may(&SIGNS) && way.is_some() { actions(step, side, words) } else { Vec::new() },
        can_send: may(&MOVES) && step == OnboardingStep::UnderReview,
        can_comment: may(&SIGNS) && way.is_some(),
    })
}

fn steps(now: OnboardingStep, words: &OnboardingWords) -> Vec<Step> {
    let place = WAY.iter().position(|step| *step == now);
    let mut way: Vec<Step> = WAY
        .iter()
        .enumerate()
        .map(|(at, step)| {
            let class = match place {
                Some(place) if at < place || now == OnboardingStep::Live => "done",
                Some(place) if at == place => "now",
                _ => "",
            };
            Step { label: words.step(*step), class }
        })
        .collect();
    if place.is_none() {
        way.insert(0, Step { label: words.step(now), class: "now" });
    }
    way
}

fn actions(step: OnboardingStep, side: Side, words: &OnboardingWords) -> Vec<Action> {
    let possible = BUTTONS.into_iter().zip(words.actions).filter(|((event, _), _)| step.after(*event, side).is_ok());
    possible
        .map(|((event, word), label)| Action {
            word,
            label,
            needs_reason: matches!(event, OnboardingEvent::Return | OnboardingEvent::Reject),
        })
        .collect()
}

impl AgreementRow {
    fn of(record: &AgreementRecord) -> Self {
        let names: Vec<_> = record.signatures.iter().map(|by| format!("{} ({})", by.name, by.side.word())).collect();
        Self {
            id: record.id,
            number: record.number,
            state: record.state.word(),
            tone: match record.state {
                AgreementState::Draft => "",
                AgreementState::Sent => "care",
                AgreementState::Signed => "go",
            },
            signed_by: names.join(", "),
        }
    }
}

async fn move_on(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let wanted = visit.field("event");
            let event = BUTTONS.iter().find(|(_, word)| *word == wanted).map(|(event, _)| *event);
            let event = event.ok_or(Problem::invalid("event", "there is no such step"))?;
            onboarding::move_on(work, visit.partner()?, event, visit.field("reason")).map(drop)
        })
        .await?;
    back(&visit)
}

async fn comment(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| onboarding::comment(work, visit.partner()?, visit.field("text")).map(drop))
        .await?;
    back(&visit)
}

/// Writes the standard agreement and lays it before both sides.
async fn send_agreement(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let send = |work: &mut Work<'_>, visit: &Visit| {
        let partner = visit.partner()?;
        let terms = Terms::standard(work.office.settings.currency);
        let id = agreements::draft(work, partner, terms)?.id;
        agreements::send(work, partner, id).map(drop)
    };
    portal.work(&visit, send).await?;
    back(&visit)
}

fn back(visit: &Visit) -> Result<Answer, Problem> {
    Ok(Answer::see_other(format!("/partners/{}", visit.partner()?)))
}

#[derive(Template)]
#[template(path = "agreement.html")]
struct AgreementPage {
    frame: Frame,
    words: &'static OnboardingWords,
    partner: PartnerId,
    id: AgreementId,
    state: &'static str,
    /// The text that is signed, and under it who signed it.
    text: String,
    /// SHA-256 of the PDF.
    digest: Option<String>,
    can_sign: bool,
}

async fn show_agreement(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("agreement", AgreementId::parse)?;
    let found = portal.work(&visit, move |work, visit| {
        let record = agreements::agreement(work, visit.partner()?, id)?;
        let paper = agreements::paper(work, &record)?;
        Ok((record, paper.fragment()))
    });
    let (record, text) = found.await?;
    let words = &visit.language.words().onboarding;
    let side = onboarding::side(&visit.actor());
    let has_signed = record.signatures.iter().any(|signature| signature.side == side);
    let may = matches!(SIGNS, Access::SignedIn(may) if visit.actor().is_allowed(&may));
    page(&AgreementPage {
        frame: visit.frame(&portal, format!("{} {}", words.agreement, record.number)),
        words,
        partner: record.partner,
        id,
        state: record.state.word(),
        text,
        digest: record.text.as_ref().map(|text| agreements::digest_in_words(&text.pdf)),
        can_sign: may && !has_signed && record.state == AgreementState::Sent,
    })
}

async fn sign(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("agreement", AgreementId::parse)?;
    portal
        .work(&visit, move |work, visit| {
            let address = visit.context.address.to_string();
            agreements::sign(work, (visit.partner()?, id), visit.field("digest"), &address).map(drop)
        })
        .await?;
    back(&visit)
}

impl OnboardingWords {
    /// A step as people call it.
    pub(super) fn step(&self, step: OnboardingStep) -> &'static str {
        let place = OnboardingStep::ALL.iter().position(|other| *other == step);
        place.map_or("", |place| self.steps[place])
    }
}
