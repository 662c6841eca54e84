//! Going live: requests for production apps, their checklist, the operator's approval, and the keys.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::access::SecretHash;
use laini_core::partner::{
    AppId, Environment, GoLiveId, GoLiveItem, GoLiveState, May, MemberRole, PartnerId, Product, ProductSet, Side,
};
use laini_office::agreements::digest_in_words;
use laini_office::going_live::{self, CheckedItem, GoLive};
use laini_office::{Problem, Work, onboarding};

use super::run::{self, RunView};
use super::{Head, LOOKS, MEMBERS, OPERATES, PREPARES, home, may, named, path_of};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::ticket_thread::span;
use crate::visit::{Visit, page};
use crate::words::{GoLiveWords, Words};

/// Who binds a partner.
const ACCEPTS: Access = Access::SignedIn(May { members: &[MemberRole::Owner], staff: &[] });

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/go-live", MEMBERS, show).in_rail(Workspace::Build, |words| words.go_live),
        Page::get("/partners/{partner}/go-live", LOOKS, show),
        Page::post("/partners/{partner}/go-live", PREPARES, request, show),
        Page::get("/partners/{partner}/go-live/{go_live}", LOOKS, show_one),
        Page::post("/partners/{partner}/go-live/{go_live}/terms", ACCEPTS, accept, show_one),
        Page::post("/partners/{partner}/go-live/{go_live}/submit", PREPARES, submit, show_one),
        Page::post("/partners/{partner}/go-live/{go_live}/withdraw", PREPARES, withdraw, show_one),
        Page::post("/partners/{partner}/go-live/{go_live}/approve", OPERATES, approve, show_one),
        Page::post("/partners/{partner}/go-live/{go_live}/return", OPERATES, give_back, show_one),
        Page::post("/partners/{partner}/go-live/{go_live}/collect", PREPARES, collect, show_one),
    ]
}

#[derive(Template)]
#[template(path = "partner/go_lives.html")]
struct GoLivesPage<'a> {
    frame: Frame,
    words: &'static GoLiveWords,
    head: Head,
    sorting: Sorting<Row>,
    rows: Vec<Row>,
    next: Option<String>,
    /// Where the list is.
    here: String,
    can_prepare: bool,
    name: &'a str,
    products: [Product; 3],
}

struct Row {
    id: GoLiveId,
    name: String,
    products: String,
    state: &'static str,
    tone: &'static str,
    turn: &'static str,
    since: String,
}

/// They come as they were begun.
static ROWS: Table<Row> = Table {
    name: "sort",
    columns: &[
        ("app", |one, other| by_text(&one.name, &other.name)),
        ("state", |one, other| one.state.cmp(other.state)),
        ("turn", |one, other| one.turn.cmp(other.turn)),
        // An instant as people read it is in the order of time.
        ("since", |one, other| one.since.cmp(&other.since)),
    ],
    comes: "",
};

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        let named = named(work, visit)?;
        let requests = work.find::<GoLive>("partner", named.0, true, visit.asked_page()?)?;
        Ok((named, requests))
    });
    let (named, requests) = found.await?;
    let all = visit.language.words();
    let words = &all.go_live;
    let side = onboarding::side(&visit.actor());
    let row = |request: &GoLive| Row {
        id: request.id,
        name: request.name.clone(),
        products: in_words(&request.products),
        state: words.state(request.state),
        tone: tone(request.state),
        turn: all.onboarding.turn(request.state.owner(), side),
        since: request.stages.last().map(|stage| portal.shown(stage.at)).unwrap_or_default(),
    };
    let mut rows: Vec<_> = requests.items.iter().map(row).collect();
    let here = home(&visit, "go-live")?;
    let mut sorting = Sorting::asked(&ROWS, &visit, &here);
    sorting.sort(&mut rows, requests.next.is_some());
    page(&GoLivesPage {
        frame: visit.frame(&portal, words.title),
        words,
        head: Head::new(&visit, named, "go-live"),
        sorting,
        rows,
        next: requests.next.map(|next| next.to_string()),
        here,
        can_prepare: may(&visit, &PREPARES),
        name: visit.field("name"),
        products: Product::ALL,
    })
}

async fn request(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let begun = portal.work(&visit, |work, visit| {
        let products =
            visit.fields("product").map(|word| Product::parse(word).map_err(|_| Problem::NotFound("product")));
        let products: ProductSet = products.collect::<Result<Vec<_>, _>>()?.into_iter().collect();
        going_live::request_go_live(work, visit.partner()?, visit.field("name"), products)
    });
    let begun = begun.await?;
    Ok(Answer::see_other(of(begun.partner, begun.id)))
}

#[derive(Template)]
#[template(path = "partner/go_live.html")]
struct GoLivePage {
    frame: Frame,
    words: &'static GoLiveWords,
    head: Head,
    id: GoLiveId,
    /// Where the request is.
    here: String,
    list: String,
    products: String,
    state: &'static str,
    tone: &'static str,
    turn: &'static str,
    way: Vec<Step>,
    items: Vec<Item>,
    /// What comes next for whoever looks: the word of an item or a button; empty where it is not their turn.
    next: &'static str,
    stages: Vec<Stage>,
    terms: Option<TermsShown>,
    run: Option<RunView>,
    /// Sandbox apps with which a run can begin.
    sandbox_apps: Vec<(AppId, String)>,
    can_begin_run: bool,
    can_withdraw: bool,
    can_return: bool,
    /// Key and secret, shown this once.
    credentials: Option<(String, String)>,
    /// The signing secret of the run's address, shown this once.
    signing_secret: Option<String>,
    app: Option<AppId>,
    base_url: String,
}

/// A step of the way to the keys.
struct Step {
    label: &'static str,
    class: &'static str,
    /// When it was reached, and where it stands now, whose turn it is and for how long.
    clock: String,
}

/// An item of the checklist.
struct Item {
    word: &'static str,
    label: &'static str,
    is_done: bool,
    /// Since when it is done, or whose turn it is and for how long.
    clock: String,
    why: String,
    /// Where it is done, where that is another page.
    link: String,
}

struct Stage {
    at: String,
    state: &'static str,
    by: String,
    reason: String,
}

/// The terms in force, as somebody accepts them.
struct TermsShown {
    version: u32,
    sha256: String,
    text: &'static str,
}

/// The states of a way without a turn.
const WAY: [GoLiveState; 4] =
    [GoLiveState::Preparing, GoLiveState::AwaitingApproval, GoLiveState::Approved, GoLiveState::Live];

pub(super) async fn show_one(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    show_with(&portal, &visit, ShownOnce::default()).await
}

/// What a page shows this once, right after it was made.
#[derive(Default)]
pub(super) struct ShownOnce {
    /// The key and the secret of the production app.
    pub(super) credentials: Option<(String, String)>,
    /// What deliveries of the run's app are signed with.
    pub(super) signing_secret: Option<String>,
}

pub(super) async fn show_with(portal: &Arc<Portal>, visit: &Arc<Visit>, once: ShownOnce) -> Result<Answer, Problem> {
    let id = visit.id("go_live", GoLiveId::parse)?;
    let request = portal.work(visit, move |work, visit| going_live::the_request(work, visit.partner()?, id)).await?;
    // Judged first: the checklist sees what has been passed.
    let run = run::of_request(portal, visit, &request).await?;
    let found = portal.work(visit, move |work, visit| {
        let named = named(work, visit)?;
        let request = going_live::the_request(work, named.0, id)?;
        let items = going_live::checklist(work, &request)?;
        Ok((named, request, items, run::sandbox_apps(work, visit)?))
    });
    let (named, request, items, sandbox_apps) = found.await?;
    let all = visit.language.words();
    let words = &all.go_live;
    let clock = Clock { portal, all, side: onboarding::side(&visit.actor()), now: visit.context.at };
    let open = |item| items.iter().any(|found| found.item == item && !found.is_done);
    let is_with_partner = matches!(request.state, GoLiveState::Preparing | GoLiveState::Returned);
    let needs_terms = open(GoLiveItem::Terms) && is_with_partner && may(visit, &ACCEPTS);
    let terms = needs_terms.then(going_live::terms);
    let can_prepare = may(visit, &PREPARES);
    let has_keys = request.state == GoLiveState::Live;
    page(&GoLivePage {
        frame: visit.frame(portal, request.name.clone()).about(has_keys.then_some(Environment::Production)),
        words,
        id,
        here: of(named.0, id),
        list: home(visit, "go-live")?,
        products: in_words(&request.products),
        state: words.state(request.state),
        tone: tone(request.state),
        turn: clock.turn(request.state.owner()),
        way: way(&request, &clock),
        next: next(visit, request.state, &items),
        items: items.iter().map(|found| item(visit, &clock, &request, found)).collect::<Result<_, _>>()?,
        stages: stages(portal, &request, clock.all),
        terms: terms.map(|terms| TermsShown {
            version: terms.version,
            sha256: digest_in_words(&terms.digest),
            text: terms.text,
        }),
        can_begin_run: can_prepare && is_with_partner,
        run,
        sandbox_apps,
        can_withdraw: can_prepare && !request.state.is_over(),
        can_return: may(visit, &OPERATES)
            && matches!(request.state, GoLiveState::AwaitingApproval | GoLiveState::Approved),
        credentials: once.credentials,
        signing_secret: once.signing_secret,
        app: request.app,
        base_url: run::base_url(portal),
        head: Head::new(visit, named, "go-live"),
    })
}

/// What comes next, if it is the turn of whoever looks.
fn next(visit: &Visit, state: GoLiveState, items: &[CheckedItem]) -> &'static str {
    match state {
        GoLiveState::Preparing | GoLiveState::Returned if may(visit, &PREPARES) => {
            items.iter().find(|found| !found.is_done).map_or("submit", |found| found.item.word())
        }
        GoLiveState::AwaitingApproval if may(visit, &OPERATES) => "approve",
        GoLiveState::Approved if may(visit, &PREPARES) => "collect",
        _ => "",
    }
}

/// Tells whose turn it is, and for how long.
struct Clock<'a> {
    portal: &'a Portal,
    all: &'static Words,
    side: Side,
    now: Timestamp,
}

impl Clock<'_> {
    fn turn(&self, owner: Option<Side>) -> &'static str {
        self.all.onboarding.turn(owner, self.side)
    }

    /// Nothing is waited for since then.
    fn reached(&self, at: Timestamp) -> String {
        self.portal.shown(at)
    }

    /// Waited for since then, by one of both sides.
    fn waits(&self, owner: Side, since: Timestamp) -> String {
        let (turn, word) = (self.turn(Some(owner)), self.all.go_live.open_since);
        format!("{turn}, {word} {} ({})", self.portal.shown(since), span(self.now.duration_since(since)))
    }
}

fn item(visit: &Visit, clock: &Clock<'_>, request: &GoLive, found: &CheckedItem) -> Result<Item, Problem> {
    let link = match found.item {
        GoLiveItem::Agreement => home(visit, "agreements")?,
        GoLiveItem::Certificate => home(visit, "organisation")?,
        GoLiveItem::Terms | GoLiveItem::Run => String::new(),
    };
    Ok(Item {
        word: found.item.word(),
        label: clock.all.go_live.item(found.item),
        is_done: found.is_done,
        clock: match found.is_done {
            true => clock.reached(found.since),
            // Nobody waits for a request that is over.
            false if request.state.is_over() => String::new(),
            false => clock.waits(found.owner, found.since),
        },
        why: (clock.all.refusal)(found.why.clone()),
        link,
    })
}

fn way(request: &GoLive, clock: &Clock<'_>) -> Vec<Step> {
    // One that was returned stands where it began; one that was withdrawn stands nowhere.
    let now = if request.state == GoLiveState::Returned { GoLiveState::Preparing } else { request.state };
    let place = WAY.iter().position(|state| *state == now);
    let reached = |state| request.stages.iter().rev().find(|stage| stage.state == state).map(|stage| stage.at);
    let step = |(at, state): (usize, &GoLiveState)| {
        let (class, told) = match place {
            Some(place) if at < place || now == GoLiveState::Live => {
                ("done", reached(*state).map(|at| clock.reached(at)))
            }
            Some(place) if at == place => {
                ("now", request.state.owner().zip(reached(request.state)).map(|(owner, at)| clock.waits(owner, at)))
            }
            _ => ("", None),
        };
        Step { label: clock.all.go_live.state(*state), class, clock: told.unwrap_or_default() }
    };
    WAY.iter().enumerate().map(step).collect()
}

fn stages(portal: &Portal, request: &GoLive, all: &Words) -> Vec<Stage> {
    let stage = |stage: &going_live::Stage| Stage {
        at: portal.shown(stage.at),
        state: all.go_live.state(stage.state),
        by: all.audit.kind(&stage.by).to_owned(),
        reason: stage.reason.clone(),
    };
    request.stages.iter().map(stage).collect()
}

async fn accept(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let address = visit.context.address.to_string();
            going_live::accept_terms(work, visit.partner()?, read_terms(visit)?, &address).map(drop)
        })
        .await?;
    back(&visit)
}

/// Which terms were read: their version, and SHA-256 of their text.
pub(in crate::pages) fn read_terms(visit: &Visit) -> Result<(u32, [u8; 32]), Problem> {
    let version = visit.field("version").parse();
    let version = version.map_err(|_| Problem::invalid("version", "expected the version that was read"))?;
    let digest = SecretHash::parse_hex(visit.field("sha256"));
    let digest = digest.map_err(|_| Problem::invalid("sha256", "expected the digest of the text that was read"))?;
    Ok((version, digest.0))
}

type Decides = fn(&mut Work<'_>, PartnerId, GoLiveId, &str) -> Result<GoLive, Problem>;

async fn decide(portal: &Arc<Portal>, visit: &Arc<Visit>, decides: Decides) -> Result<Answer, Problem> {
    let id = visit.id("go_live", GoLiveId::parse)?;
    portal.work(visit, move |work, visit| decides(work, visit.partner()?, id, visit.field("reason")).map(drop)).await?;
    back(visit)
}

async fn submit(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    decide(&portal, &visit, |work, partner, id, _| going_live::submit(work, partner, id)).await
}

async fn withdraw(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    decide(&portal, &visit, going_live::withdraw).await
}

async fn approve(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    decide(&portal, &visit, going_live::approve).await
}

async fn give_back(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    decide(&portal, &visit, going_live::return_request).await
}

async fn collect(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("go_live", GoLiveId::parse)?;
    let issued = portal.work(&visit, move |work, visit| going_live::collect(work, visit.partner()?, id));
    let (_, app, secret) = issued.await?;
    let shown = (app.consumer_key.as_str().to_owned(), secret.reveal().to_owned());
    show_with(&portal, &visit, ShownOnce { credentials: Some(shown), ..ShownOnce::default() }).await
}

/// Where a request is.
pub(in crate::pages) fn of(partner: PartnerId, id: GoLiveId) -> String {
    format!("{}/{id}", path_of(partner, "go-live"))
}

/// Back to the request that a form was sent from.
pub(super) fn back(visit: &Visit) -> Result<Answer, Problem> {
    Ok(Answer::see_other(of(visit.partner()?, visit.id("go_live", GoLiveId::parse)?)))
}

fn in_words(products: &[Product]) -> String {
    products.iter().map(|product| product.word()).collect::<Vec<_>>().join(", ")
}

pub(in crate::pages) fn tone(state: GoLiveState) -> &'static str {
    match state {
        GoLiveState::Preparing | GoLiveState::Withdrawn => "",
        GoLiveState::AwaitingApproval | GoLiveState::Returned | GoLiveState::Approved => "care",
        GoLiveState::Live => "go",
    }
}

impl GoLiveWords {
    /// A state as people call it.
    pub(in crate::pages) fn state(&self, state: GoLiveState) -> &'static str {
        let place = GoLiveState::ALL.iter().position(|other| *other == state);
        place.map_or("", |place| self.states[place])
    }

    /// An item of the checklist as people call it.
    pub(in crate::pages) fn item(&self, item: GoLiveItem) -> &'static str {
        let place = GoLiveItem::ALL.iter().position(|other| *other == item);
        place.map_or("", |place| self.items[place])
    }
}
