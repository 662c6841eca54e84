//! The way of a partner from its papers to production: one page for both sides.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::partner::{GoLiveId, OnboardingEvent, OnboardingStep, PartnerStatus, Side};
use laini_office::agreements::{self, AgreementRecord, AgreementState, Terms};
use laini_office::going_live::GoLive;
use laini_office::onboarding::{self, Beginning, Moved, Need, Onboarding, Standing};
use laini_office::organisation::{self, Missing};
use laini_office::{PageRequest, Problem, Work};

use super::agreements::AgreementRow;
use super::{Head, LOOKS, MEMBERS, OPERATES, SIGNS, go_live, home, may, path_of};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::ticket_thread::span;
use crate::visit::{Visit, page};
use crate::words::{OnboardingWords, Words};

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/onboarding", MEMBERS, show).in_rail(Workspace::Build, |words| words.onboarding),
        Page::get("/partners/{partner}", LOOKS, show),
        Page::post("/partners/{partner}/move", SIGNS, move_on, show),
        Page::post("/partners/{partner}/comment", SIGNS, comment, show),
        Page::post("/partners/{partner}/agreement", OPERATES, send_agreement, show),
    ]
}

#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no of each thing")]
#[derive(Template)]
#[template(path = "partner/onboarding.html")]
struct OnboardingPage {
    frame: Frame,
    words: &'static OnboardingWords,
    head: Head,
    is_suspended: bool,
    /// The steps; a partner that came with an agreement has none to go,
    way: Vec<Step>,
    /// and is told how it came.
    came: Option<String>,
    is_added: bool,
    owner: &'static str,
    /// What is missing on the way, the first of it.
    needs: String,
    missing: Vec<String>,
    history: Vec<Said>,
    comments: Vec<Said>,
    agreements: Vec<AgreementRow>,
    go_lives: Vec<GoLiveRow>,
    actions: Vec<Action>,
    can_send: bool,
    can_comment: bool,
    /// The page on which the next step is done, where it is another one.
    next: Option<(String, &'static str)>,
    /// Where the pages of papers, agreements and going live are.
    organisation: String,
    to_agreements: String,
    to_go_live: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Step {
    label: &'static str,
    class: &'static str,
    /// When it was reached; of the present one, for how long it has waited, too. Empty where that is not known.
    clock: String,
}

/// Something that happened or was said.
struct Said {
    at: String,
    by: String,
    text: String,
}

/// A request to go live.
struct GoLiveRow {
    id: GoLiveId,
    name: String,
    state: &'static str,
    tone: &'static str,
    turn: &'static str,
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

/// What is known of a partner on its way.
struct Known {
    partner: laini_core::partner::Partner,
    way: Option<Onboarding>,
    standing: Option<Standing>,
    /// How it came, where it is on no way.
    came: Option<Beginning>,
    missing: Vec<Missing>,
    agreements: Vec<AgreementRecord>,
    go_lives: Vec<GoLive>,
}

fn known(work: &mut Work<'_>, visit: &Visit) -> Result<Known, Problem> {
    let partner = organisation::find_partner(work, visit.partner()?)?;
    let agreements = agreements::list_agreements(work, partner.id, PageRequest::FIRST)?.items;
    let go_lives = work.find::<GoLive>("partner", partner.id, true, PageRequest::FIRST)?.items;
    let (way, missing) = match onboarding::timeline(work, partner.id) {
        Ok((way, missing)) => (Some(way), missing),
        // Added with the standard agreement in one step: there is no way to show.
        Err(Problem::NotFound(_)) => (None, Vec::new()),
        Err(problem) => return Err(problem),
    };
    let standing = way.as_ref().map(|way| onboarding::standing(work, way)).transpose()?;
    let came = if way.is_none() { onboarding::beginning(work, partner.id)? } else { None };
    Ok(Known { partner, way, standing, came, missing, agreements, go_lives })
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let known = portal.work(&visit, known).await?;
    let all = visit.language.words();
    let words = &all.onboarding;
    let side = onboarding::side(&visit.actor());
    let step = known.way.as_ref().map_or(OnboardingStep::Live, |way| way.step);
    let (history, comments) = known.way.as_ref().map(|way| said(&portal, way, all)).unwrap_or_default();
    let go_live = |request: &GoLive| GoLiveRow {
        id: request.id,
        name: request.name.clone(),
        state: all.go_live.state(request.state),
        tone: go_live::tone(request.state),
        turn: words.turn(request.state.owner(), side),
    };
    let is_complete = known.missing.is_empty();
    let shown = |at| portal.shown(at);
    let clocks = Clocks {
        history: known.way.as_ref().map_or(&[], |way| way.history.as_slice()),
        waits_since: known.standing.as_ref().map(|standing| standing.since),
        now: visit.context.at,
        shown: &shown,
    };
    let named = (known.partner.id, known.partner.name.clone());
    let title = if side == Side::Operator { known.partner.name.clone() } else { words.title.to_owned() };
    page(&OnboardingPage {
        frame: visit.frame(&portal, title),
        words,
        next: next(&visit, &known, step)?,
        head: Head::new(&visit, named, ""),
        is_suspended: known.partner.status == PartnerStatus::Suspended,
        way: if known.way.is_some() { steps(step, words, &clocks) } else { Vec::new() },
        came: known.way.is_none().then(|| came(known.came.as_ref(), &shown, all)),
        is_added: visit.query("done") == "added",
        owner: words.turn(known.standing.as_ref().and_then(|standing| standing.turn), side),
        needs: known.standing.map(|standing| in_words(&standing.needs, all)).unwrap_or_default(),
        missing: known.missing.into_iter().map(|one| all.organisation.missing_one(one)).collect(),
        history,
        comments,
        agreements: known.agreements.iter().map(|one| AgreementRow::of(&portal, &all.agreements, one)).collect(),
        go_lives: known.go_lives.iter().map(go_live).collect(),
        actions: if may(&visit, &SIGNS) && known.way.is_some() { actions(step, side, words) } else { Vec::new() },
        can_send: may(&visit, &OPERATES) && step == OnboardingStep::UnderReview && is_complete,
        can_comment: may(&visit, &SIGNS) && known.way.is_some(),
        organisation: home(&visit, "organisation")?,
        to_agreements: home(&visit, "agreements")?,
        to_go_live: home(&visit, "go-live")?,
    })
}

/// How a partner came that is on no way. What the trail says in words of the office is told in those of the page; what
/// somebody else wrote there stays.
fn came(came: Option<&Beginning>, shown: &dyn Fn(Timestamp) -> String, all: &Words) -> String {
    let words = &all.operating;
    let Some(Beginning { at, by, how }) = came else { return words.came_unknown.to_owned() };
    let (at, by) = (shown(*at), all.audit.kind(by));
    let told = match how.as_str() {
        "standard agreement" => words.came_how[0].to_owned(),
        "for visitors of the portal" => words.came_how[1].to_owned(),
        "without an agreement: onboarding begins" => words.came_how[2].to_owned(),
        "" => return format!("{at} · {by}"),
        other => format!("{} {other}", words.came_how[3]),
    };
    format!("{at} · {by}. {told}")
}

fn said(portal: &Portal, way: &Onboarding, all: &Words) -> (Vec<Said>, Vec<Said>) {
    let words = &all.onboarding;
    let steps = way.history.iter().map(|moved| Said {
        at: portal.shown(moved.at),
        by: all.audit.kind(&moved.by).to_owned(),
        text: match moved.reason.as_str() {
            "" => words.step(moved.step).to_owned(),
            reason => format!("{}: {reason}", words.step(moved.step)),
        },
    });
    let comments = way.comments.iter().map(|comment| Said {
        at: portal.shown(comment.at),
        by: all.audit.kind(comment.side.word()).to_owned(),
        text: comment.text.clone(),
    });
    (steps.collect(), comments.collect())
}

/// Where the next step is done, if it is the turn of whoever looks, and no button of this page does it.
fn next(visit: &Visit, known: &Known, step: OnboardingStep) -> Result<Option<(String, &'static str)>, Problem> {
    let words = &visit.language.words().onboarding;
    let side = onboarding::side(&visit.actor());
    let partner = known.partner.id;
    if !may(visit, &SIGNS) {
        return Ok(None);
    }
    let unsigned = known
        .agreements
        .iter()
        .find(|record| record.state == AgreementState::Sent && record.signature_of(side).is_none());
    if let Some(record) = unsigned {
        return Ok(Some((format!("{}/{}", path_of(partner, "agreements"), record.id), words.read_and_sign)));
    }
    if let Some(request) = known.go_lives.iter().find(|request| request.state.owner() == Some(side)) {
        return Ok(Some((go_live::of(partner, request.id), words.on_with_go_live)));
    }
    let is_asking = matches!(step, OnboardingStep::Signed | OnboardingStep::Live);
    Ok(match (side, step) {
        (Side::Partner, _) if !known.missing.is_empty() && !is_asking => {
            Some((home(visit, "organisation")?, words.complete_papers))
        }
        (Side::Partner, OnboardingStep::Signed | OnboardingStep::Live) if known.go_lives.is_empty() => {
            Some((home(visit, "go-live")?, words.ask_to_go_live))
        }
        (Side::Operator, OnboardingStep::UnderReview) if !known.missing.is_empty() => {
            Some((home(visit, "organisation")?, words.see_papers))
        }
        _ => None,
    })
}

/// What the clocks of the steps are read from: the steps as they were reached, since when the present one waits, and now.
struct Clocks<'a> {
    history: &'a [Moved],
    waits_since: Option<Timestamp>,
    now: Timestamp,
    shown: &'a dyn Fn(Timestamp) -> String,
}

impl Clocks<'_> {
    /// When a step was reached last.
    fn reached(&self, step: OnboardingStep) -> String {
        let moved = self.history.iter().rfind(|moved| moved.step == step);
        moved.map(|moved| (self.shown)(moved.at)).unwrap_or_default()
    }

    /// Of the step at which it stands.
    fn present(&self, step: OnboardingStep, words: &OnboardingWords) -> String {
        let is_over = matches!(step, OnboardingStep::Live | OnboardingStep::Rejected);
        match self.waits_since.filter(|_| !is_over) {
            Some(since) => {
                let waits = span(self.now.duration_since(since));
                format!("{} {} · {} {waits}", words.since, (self.shown)(since), words.waits)
            }
            None => self.reached(step),
        }
    }
}

fn steps(now: OnboardingStep, words: &OnboardingWords, clocks: &Clocks<'_>) -> Vec<Step> {
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
            let clock = match class {
                "now" => clocks.present(*step, words),
                "done" => clocks.reached(*step),
                _ => String::new(),
            };
            Step { label: words.step(*step), class, clock }
        })
        .collect();
    if place.is_none() {
        way.insert(0, Step { label: words.step(now), class: "now", clock: clocks.present(now, words) });
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
    Ok(Answer::see_other(home(visit, "")?))
}

/// Of what is needed so many are told; how many more there are follows.
const NEEDS_MAX: usize = 3;

/// What is needed, as people call it.
pub(in crate::pages) fn in_words(needs: &[Need], all: &Words) -> String {
    let one = |need: &Need| match *need {
        Need::Paper(missing) => all.organisation.missing_one(missing),
        Need::Submission => all.onboarding.needed[0].to_owned(),
        Need::Review => all.onboarding.needed[1].to_owned(),
        Need::Agreement => all.onboarding.needed[2].to_owned(),
        Need::Signature(Side::Partner) => all.onboarding.needed[3].to_owned(),
        Need::Signature(Side::Operator) => all.onboarding.needed[4].to_owned(),
        Need::Beginning => all.onboarding.needed[5].to_owned(),
        Need::GoLive => all.onboarding.needed[6].to_owned(),
    };
    let first = needs.iter().take(NEEDS_MAX).map(one).collect::<Vec<_>>().join(", ");
    match needs.len().saturating_sub(NEEDS_MAX) {
        0 => first,
        more => format!("{first}, +{more}"),
    }
}

impl OnboardingWords {
    /// Whose turn it is, for whoever acts for `side`.
    pub(in crate::pages) fn turn(&self, turn: Option<Side>, side: Side) -> &'static str {
        match turn {
            Some(owner) if owner == side => self.your_turn,
            Some(Side::Operator) => self.operators_turn,
            Some(Side::Partner) => self.partners_turn,
            None => "",
        }
    }

    /// A step as people call it.
    pub(in crate::pages) fn step(&self, step: OnboardingStep) -> &'static str {
        let place = OnboardingStep::ALL.iter().position(|other| *other == step);
        place.map_or("", |place| self.steps[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{ENGLISH, KISWAHILI};

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    fn moved(hour: i64, step: OnboardingStep) -> Moved {
        Moved { at: at(hour), step, by: "staff:1".to_owned(), reason: String::new() }
    }

    #[test]
    fn each_step_says_when_it_was_reached_and_the_present_one_for_how_long_it_waits() {
        use OnboardingStep::{Live, Returned, Submitted, UnderReview};
        let words = &ENGLISH.onboarding;
        let history = [moved(0, Submitted), moved(1, UnderReview), moved(2, Returned), moved(3, Submitted)];
        let shown = |at: Timestamp| format!("hour {}", at.as_second() / 3_600);
        let clocks = |reached: usize, waits_since| Clocks {
            history: &history[..reached],
            waits_since: Some(at(waits_since)),
            now: at(10),
            shown: &shown,
        };
        let told = |now, clocks: &Clocks<'_>| -> Vec<(&str, String)> {
            steps(now, words, clocks).into_iter().map(|step| (step.class, step.clock)).collect()
        };
        let under_review = told(UnderReview, &clocks(2, 1));
        assert_eq!(under_review[0], ("done", "hour 0".to_owned()));
        assert_eq!(under_review[1], ("now", "Since hour 1 · waiting 9 h".to_owned()));
        assert!(under_review[2..].iter().all(|step| *step == ("", String::new())), "{under_review:?}");
        assert_eq!(told(Returned, &clocks(3, 2))[0], ("now", "Since hour 2 · waiting 8 h".to_owned()));
        assert_eq!(told(Submitted, &clocks(4, 3))[0], ("now", "Since hour 3 · waiting 7 h".to_owned()), "once more");
        let live = [moved(0, Submitted), moved(5, Live)];
        let over = told(Live, &Clocks { history: &live, ..clocks(0, 5) });
        assert_eq!(over.first(), Some(&("done", "hour 0".to_owned())));
        assert_eq!(over.last(), Some(&("done", "hour 5".to_owned())), "nothing waits any more");
    }

    #[test]
    fn how_a_partner_came_is_told_in_the_language_of_the_page_but_for_what_somebody_wrote() {
        let shown = |at: Timestamp| format!("hour {}", at.as_second() / 3_600);
        let told = |how: &str, all: &Words| {
            let beginning = Beginning { at: at(4), by: "staff:1".to_owned(), how: how.to_owned() };
            came(Some(&beginning), &shown, all)
        };
        assert_eq!(told("", &ENGLISH), "hour 4 · staff");
        assert_eq!(told("", &KISWAHILI), "hour 4 · mfanyakazi");
        for how in ["standard agreement", "for visitors of the portal", "without an agreement: onboarding begins"] {
            for all in [&ENGLISH, &KISWAHILI] {
                let told = told(how, all);
                assert!(!told.contains(all.operating.came_how[3]), "{how}: {told}");
            }
            assert!(!told(how, &KISWAHILI).contains(how), "{how}");
        }
        assert_eq!(told("by letter", &KISWAHILI), "hour 4 · mfanyakazi. Aliongezwa: by letter");
        assert_eq!(came(None, &shown, &KISWAHILI), KISWAHILI.operating.came_unknown);
    }
}
