//! Partners by step: who is where, and whose turn it is.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::partner::{GoLiveItem, GoLiveState, OnboardingStep, PartnerId, Side};
use laini_office::going_live::{self, GoLive};
use laini_office::onboarding::{self, Onboarding, Standing};
use laini_office::{Cursor, PageRequest, Problem, Work};

use super::{LOOKS, all_partners};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::billing::may;
use crate::pages::partner::{needs_in_words, of_go_live};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::ticket_thread::span;
use crate::visit::{Visit, page};
use crate::words::{OnboardingWords, OperatingWords, Words};

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
    operating: &'static OperatingWords,
    /// Where each tab is, what it is called, and whether it is shown.
    tabs: Vec<(String, &'static str, bool)>,
    /// On the board: what is in each column.
    columns: Vec<Column>,
    sorting: Sorting<Card>,
    rows: Vec<Card>,
    tab: &'static str,
    next: Option<String>,
    is_live: bool,
    can_add: bool,
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
    /// What its next step needs.
    needs: String,
    since: String,
    /// For how long it stands there.
    waits: String,
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
    steps: Vec<(OnboardingStep, Listed)>,
    go_lives: Vec<(GoLive, Vec<GoLiveItem>)>,
}

/// A page of partners on their way, and how each stands.
struct Listed {
    ways: Vec<(Onboarding, Standing)>,
    next: Option<Cursor>,
}

fn listed(work: &mut Work<'_>, step: OnboardingStep, page: PageRequest) -> Result<Listed, Problem> {
    let found = onboarding::list(work, Some(step), page)?;
    let stands = |way: Onboarding| onboarding::standing(work, &way).map(|standing| (way, standing));
    Ok(Listed { ways: found.items.into_iter().map(stands).collect::<Result<_, _>>()?, next: found.next })
}

/// What of a request's checklist is open, its approval aside.
fn open(work: &mut Work<'_>, request: &GoLive) -> Result<Vec<GoLiveItem>, Problem> {
    let found = going_live::checklist(work, request)?;
    Ok(found.into_iter().filter(|found| !found.is_done).map(|found| found.item).collect())
}

fn board(work: &mut Work<'_>) -> Result<Board, Problem> {
    let column = PageRequest { limit: COLUMN_MAX, ..PageRequest::FIRST };
    let steps = BOARD.into_iter().map(|step| Ok((step, listed(work, step, column)?)));
    let steps = steps.collect::<Result<_, Problem>>()?;
    let waiting = work.find::<GoLive>("state", GoLiveState::AwaitingApproval.word(), false, column)?.items;
    let go_lives = waiting.into_iter().map(|request| open(work, &request).map(|open| (request, open)));
    Ok(Board { steps, go_lives: go_lives.collect::<Result<_, _>>()? })
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let step = OnboardingStep::parse(visit.query("step")).ok();
    let found = portal.work(&visit, move |work, visit| {
        let listed = match step {
            Some(step) => Some(listed(work, step, visit.asked_page()?)?),
            None => None,
        };
        let names: HashMap<_, _> =
            work.book()?.partners.into_iter().map(|partner| (partner.id, partner.name)).collect();
        Ok((board(work)?, listed, names))
    });
    let (board, listed, names) = found.await?;
    let all = visit.language.words();
    let words = &all.onboarding;
    let shown = Shown { portal: &portal, all, names: &names, now: visit.context.at };
    let (mut rows, next) = listed.map_or_else(
        || (Vec::new(), None),
        |listed| (listed.ways.iter().map(|way| shown.card(way)).collect(), listed.next),
    );
    let mut sorting = Sorting::asked(&CARDS, &visit, HERE);
    sorting.sort(&mut rows, next.is_some());
    page(&PartnersPage {
        frame: visit.frame(&portal, words.partners),
        words,
        operating: &all.operating,
        tabs: tabs(all, step.map_or("", OnboardingStep::word)),
        is_live: step == Some(OnboardingStep::Live),
        can_add: may(&visit, all_partners::ADDS),
        first: first(&board),
        columns: if step.is_none() { shown.columns(&board) } else { Vec::new() },
        sorting,
        rows,
        tab: step.map_or("", OnboardingStep::word),
        next: next.map(|next| next.to_string()),
    })
}

/// The board, all of them, and each step: `here` is the path of all of them, the word of a step, or nothing.
pub(super) fn tabs(all: &Words, here: &str) -> Vec<(String, &'static str, bool)> {
    let words = &all.onboarding;
    let first = [
        ("/operate/partners?step=".to_owned(), words.board, here.is_empty()),
        (all_partners::HERE.to_owned(), all.operating.all, here == all_partners::HERE),
    ];
    let step = |step: OnboardingStep| {
        (format!("/operate/partners?step={}", step.word()), words.step(step), here == step.word())
    };
    first.into_iter().chain(OnboardingStep::ALL.map(step)).collect()
}

/// What has waited longest for the operator: a partner, or a request to go live.
fn first(board: &Board) -> Option<String> {
    let partners = board.steps.iter().flat_map(|(_, listed)| &listed.ways);
    let waiting = partners.filter(|(_, standing)| standing.turn == Some(Side::Operator));
    let waiting = waiting.map(|(way, standing)| (standing.since, format!("/partners/{}", way.partner)));
    let requests = board.go_lives.iter().map(|(one, _)| (waits_since(one), of_go_live(one.partner, one.id)));
    waiting.chain(requests).min_by_key(|(since, _)| *since).map(|(_, href)| href)
}

/// Since when a request waits.
fn waits_since(request: &GoLive) -> Timestamp {
    request.stages.last().map_or(request.began, |stage| stage.at)
}

/// What cards are made with.
struct Shown<'a> {
    portal: &'a Portal,
    all: &'static Words,
    names: &'a HashMap<PartnerId, String>,
    now: Timestamp,
}

impl Shown<'_> {
    fn card(&self, (way, standing): &(Onboarding, Standing)) -> Card {
        let words = &self.all.onboarding;
        Card {
            href: format!("/partners/{}", way.partner),
            step: words.step(way.step),
            turn: words.turn(standing.turn, Side::Operator),
            tone: if standing.turn == Some(Side::Operator) { "care" } else { "" },
            needs: needs_in_words(&standing.needs, self.all),
            ..self.blank(way.partner, standing.since)
        }
    }

    fn waiting(&self, (request, open): &(GoLive, Vec<GoLiveItem>)) -> Card {
        let words = &self.all.onboarding;
        let items = open.iter().map(|item| self.all.go_live.item(*item));
        Card {
            href: of_go_live(request.partner, request.id),
            turn: words.your_turn,
            tone: "care",
            needs: items.chain([words.approval]).collect::<Vec<_>>().join(", "),
            ..self.blank(request.partner, waits_since(request))
        }
    }

    fn blank(&self, partner: PartnerId, since: Timestamp) -> Card {
        Card {
            href: String::new(),
            name: self.names.get(&partner).cloned().unwrap_or_default(),
            step: "",
            turn: "",
            tone: "",
            needs: String::new(),
            since: self.portal.shown(since),
            waits: span(self.now.duration_since(since)),
        }
    }

    fn columns(&self, board: &Board) -> Vec<Column> {
        let words = &self.all.onboarding;
        let column = |(step, listed): &(OnboardingStep, Listed)| Column {
            label: words.step(*step),
            is_ours: step.owner() == Some(Side::Operator),
            cards: listed.ways.iter().map(|way| self.card(way)).collect(),
            more: listed.next.map(|_| step.word()),
        };
        let mut columns: Vec<_> = board.steps.iter().map(column).collect();
        // Between those who signed and those who were returned.
        let go_lives = Column {
            label: words.waiting_go_lives,
            is_ours: true,
            cards: board.go_lives.iter().map(|request| self.waiting(request)).collect(),
            more: None,
        };
        columns.insert(columns.len() - 1, go_lives);
        columns
    }
}
