//! Partners by step: who is where, and whose turn it is.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use laini_core::partner::{GoLiveState, OnboardingStep, PartnerId, Side};
use laini_office::going_live::GoLive;
use laini_office::onboarding::{self, Onboarding};
use laini_office::{PageRequest, Problem, Work};

use super::LOOKS;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::OnboardingWords;

/// Partners in a column of the board at most; its tab has all of them.
const COLUMN_MAX: usize = 20;
const HERE: &str = "/operate/partners";

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get(HERE, LOOKS, show).in_rail(Workspace::Operate, |words| words.partners)]
}

#[derive(Template)]
#[template(path = "operate/partners.html")]
struct PartnersPage {
    frame: Frame,
    words: &'static OnboardingWords,
    /// The word of each step, what it is called, and whether it is shown; the empty word is the board.
    tabs: Vec<(&'static str, &'static str, bool)>,
    /// On the board: what is in each column.
    columns: Vec<Column>,
    sorting: Sorting<Card>,
    rows: Vec<Card>,
    tab: &'static str,
    next: Option<String>,
    /// What has waited longest for the operator.
    first: Option<String>,
}

struct Column {
    label: &'static str,
    is_ours: bool,
    cards: Vec<Card>,
    /// The word of its step, where there are more than are shown.
    more: Option<&'static str>,
}

struct Card {
    href: String,
    name: String,
    step: &'static str,
    turn: &'static str,
    tone: &'static str,
    since: String,
}

/// Of one step; they come as they began.
static CARDS: Table<Card> = Table {
    name: "sort",
    columns: &[
        ("partner", |one, other| by_text(&one.name, &other.name)),
        ("turn", |one, other| one.turn.cmp(other.turn)),
        // An instant as people read it is in the order of time.
        ("since", |one, other| one.since.cmp(&other.since)),
    ],
    comes: "",
};

/// The steps of the board, in the order of the way.
const BOARD: [OnboardingStep; 5] = [
    OnboardingStep::Submitted,
    OnboardingStep::UnderReview,
    OnboardingStep::AgreementSent,
    OnboardingStep::Signed,
    OnboardingStep::Returned,
];

/// What the board is made of: of each step those that began last, and who waits for production.
struct Board {
    steps: Vec<(OnboardingStep, laini_office::Page<Onboarding>)>,
    go_lives: laini_office::Page<GoLive>,
}

fn board(work: &mut Work<'_>) -> Result<Board, Problem> {
    let column = PageRequest { limit: COLUMN_MAX, ..PageRequest::FIRST };
    let steps = BOARD.into_iter().map(|step| Ok((step, onboarding::list(work, Some(step), column)?)));
    let steps = steps.collect::<Result<_, Problem>>()?;
    let go_lives = work.find("state", GoLiveState::AwaitingApproval.word(), false, column)?;
    Ok(Board { steps, go_lives })
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let step = OnboardingStep::parse(visit.query("step")).ok();
    let found = portal.work(&visit, move |work, visit| {
        let listed = match step {
            Some(_) => Some(onboarding::list(work, step, visit.asked_page()?)?),
            None => None,
        };
        let names: HashMap<_, _> =
            work.book()?.partners.into_iter().map(|partner| (partner.id, partner.name)).collect();
        Ok((board(work)?, listed, names))
    });
    let (board, listed, names) = found.await?;
    let words = &visit.language.words().onboarding;
    let shown = Shown { portal: &portal, words, names: &names };
    let steps = OnboardingStep::ALL.into_iter().map(|other| (other.word(), words.step(other), Some(other) == step));
    let (mut rows, next) = listed.map_or_else(
        || (Vec::new(), None),
        |listed| (listed.items.iter().map(|way| shown.card(way)).collect(), listed.next),
    );
    let mut sorting = Sorting::asked(&CARDS, &visit, HERE);
    sorting.sort(&mut rows, next.is_some());
    page(&PartnersPage {
        frame: visit.frame(&portal, words.partners),
        words,
        tabs: std::iter::once(("", words.board, step.is_none())).chain(steps).collect(),
        first: first(&board),
        columns: if step.is_none() {
            shown.columns(&board, visit.language.words().go_live.your_turn)
        } else {
            Vec::new()
        },
        sorting,
        rows,
        tab: step.map_or("", OnboardingStep::word),
        next: next.map(|next| next.to_string()),
    })
}

/// What has waited longest for the operator: a partner, or a request to go live.
fn first(board: &Board) -> Option<String> {
    let partners = board.steps.iter().flat_map(|(_, page)| &page.items);
    let waiting = partners.filter(|way| way.step.owner() == Some(Side::Operator));
    let waiting = waiting.map(|way| (way.history.last().map(|moved| moved.at), format!("/partners/{}", way.partner)));
    let requests = board.go_lives.items.iter();
    let requests = requests.map(|one| (one.stages.last().map(|stage| stage.at), of_request(one)));
    waiting.chain(requests).min_by_key(|(since, _)| *since).map(|(_, href)| href)
}

fn of_request(request: &GoLive) -> String {
    format!("/partners/{}/go-live/{}", request.partner, request.id)
}

/// What cards are made with.
struct Shown<'a> {
    portal: &'a Portal,
    words: &'static OnboardingWords,
    names: &'a HashMap<PartnerId, String>,
}

impl Shown<'_> {
    fn card(&self, way: &Onboarding) -> Card {
        let (turn, tone) = match way.step.owner() {
            Some(Side::Operator) => (self.words.your_turn, "care"),
            Some(Side::Partner) => (self.words.partners_turn, ""),
            None => ("", ""),
        };
        Card {
            href: format!("/partners/{}", way.partner),
            name: self.names.get(&way.partner).cloned().unwrap_or_default(),
            step: self.words.step(way.step),
            turn,
            tone,
            since: way.history.last().map(|moved| self.portal.shown(moved.at)).unwrap_or_default(),
        }
    }

    fn columns(&self, board: &Board, your_turn: &'static str) -> Vec<Column> {
        let column = |(step, page): &(OnboardingStep, laini_office::Page<Onboarding>)| Column {
            label: self.words.step(*step),
            is_ours: step.owner() == Some(Side::Operator),
            cards: page.items.iter().map(|way| self.card(way)).collect(),
            more: page.next.map(|_| step.word()),
        };
        let waiting = |request: &GoLive| Card {
            href: of_request(request),
            name: self.names.get(&request.partner).cloned().unwrap_or_default(),
            step: "",
            turn: your_turn,
            tone: "care",
            since: request.stages.last().map(|stage| self.portal.shown(stage.at)).unwrap_or_default(),
        };
        let mut columns: Vec<_> = board.steps.iter().map(column).collect();
        // Between those who signed and those who were returned.
        let go_lives = Column {
            label: self.words.waiting_go_lives,
            is_ours: true,
            cards: board.go_lives.items.iter().map(waiting).collect(),
            more: None,
        };
        columns.insert(columns.len() - 1, go_lives);
        columns
    }
}
