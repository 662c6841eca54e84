//! The simulator: made-up lines, what happens to them, the clock that they live by, and what is answered.

use std::sync::Arc;

use askama::Template;
use axum::http::Method;
use laini_core::line::NumberPlan;
use laini_core::partner::{App, AppStatus, Environment, Product};
use laini_office::Problem;
use laini_wire::checks::CHECKS_PATH;
use laini_wire::world::{ADVANCE_PATH, FEED_START_PATH, FEED_STOP_PATH, LINES_PATH, RESET_PATH, WORLD_PATH};
use laini_wire::world::{LineAnswer, LinesAnswer, WorldAnswer};
use serde_json::{Value, json};

use super::super::docs::{address, check_in_code};
use super::own_lines::{in_link, of_link, own_lines, put_line, remove_line};
use super::saved_test::{Saved, SavedTest};
use super::simulator_state::{State, is_put, ready_digits};
use super::world_track::Track;
use super::{BUILDS, LOOKS};
use crate::answer::Answer;
use crate::asking::{Asked, published_path};
use crate::frame::{Frame, told};
use crate::page::{Access, Page, Workspace};
use crate::portal::Portal;
use crate::said::Said;
use crate::status::status_of;
use crate::visit::{Visit, page};
use crate::words::{SimulatorWords, TryWords};

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/simulator", Access::Anyone, show).in_rail(Workspace::Build, |words| words.simulator),
        Page::post("/simulator", Access::Anyone, act, show),
    ]
}

/// How far ahead the clock can be dragged at once.
const DAYS_MAX: i64 = 400;
const SECONDS_PER_DAY: i64 = 86_400;

#[derive(Template)]
#[template(path = "build/simulator.html")]
struct SimulatorPage {
    frame: Frame,
    words: &'static SimulatorWords,
    part: Part,
}

/// What changes with every step.
#[derive(Template)]
#[template(path = "build/simulator_part.html")]
struct Part {
    words: &'static SimulatorWords,
    tried: &'static TryWords,
    csrf: String,
    /// Why a step was refused.
    problem: Option<String>,
    state: State,
    standing: Standing,
    personas: Vec<Persona>,
    checks: Vec<(&'static str, bool)>,
    apps: Vec<(String, String, bool)>,
    addresses: Vec<(String, String, bool)>,
    world: World,
    /// Whether a link leads to a line that is not there, or not alone.
    has_lost_line: bool,
    /// The first lines of the world's own; `None` = whoever looks has no world.
    own: Option<OwnLines>,
    result: Option<SentResult>,
    share: Option<Share>,
    /// What the same in a terminal is called,
    elsewhere: &'static str,
    /// where that asks,
    address: String,
    /// and the check in each language: HTML.
    codes: String,
}

/// Lines that an app put into its world.
struct OwnLines {
    count: usize,
    /// Whether there are more than are listed.
    has_more: bool,
    /// Each with whether it is the one that is asked about.
    lines: Vec<(LineAnswer, bool)>,
    /// The number that the form offers to put, and its days.
    number: String,
    registered: String,
    swapped: String,
}

/// A link to what is shown.
struct Share {
    href: String,
    /// Whether it leads to a line of the world's own, which others do not see.
    is_own: bool,
}

/// Who may change the world.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Its own.
    Changes,
    /// Nobody signed in: it is everybody's.
    Visits,
    /// A member without a sandbox app.
    HasNoApp,
    /// A member whose role changes no apps.
    Looks,
}

impl Standing {
    /// Whether the world is of an app of whoever looks.
    fn has_world(self) -> bool {
        matches!(self, Self::Changes | Self::Looks)
    }
}

struct Persona {
    behind: u64,
    number: String,
    about: &'static str,
    is_chosen: bool,
}

struct World {
    now: String,
    ahead_days: i64,
    /// Where the clock is dragged to.
    wanted_days: i64,
    days_max: i64,
    /// Whether a link leads to a day to which whoever looks cannot move the clock.
    is_short_of_link: bool,
    feed_runs: bool,
    /// Whether the line is suspended.
    is_suspended: bool,
    line: Option<LineAnswer>,
    track: Option<Track>,
}

/// What a step came to: what was sent, or why it was refused.
type Came = (Option<SentResult>, Option<String>);

/// What was sent, and what came back.
struct SentResult {
    path: &'static str,
    body: String,
    published: Asked,
    clear_body: String,
    clear: Asked,
    said: Option<Said>,
    delivered_to: Option<String>,
    /// The id of the published call.
    id: String,
    replay_of: Option<String>,
    is_own: bool,
    /// `None` = the answer went elsewhere, where a test does not see it.
    saved: Option<Saved>,
}

/// Of a link to a line of the world's own; otherwise what the visit says, and whether the line of the link is lost.
async fn of_visit(portal: &Portal, visit: &Visit, asking: &Asking) -> Result<(State, bool), Problem> {
    let plan = portal.office.settings.plan;
    // A form that was refused shows the first persona rather than nothing.
    let state = State::of(visit, plan).unwrap_or_else(|_| State::refused(visit, plan));
    let mask = visit.query("own");
    if mask.is_empty() || !visit.form.is_empty() {
        return Ok((state, false));
    }
    if !asking.standing.has_world() {
        return Ok((state, true));
    }
    let found = of_link(&own_lines(portal, visit, &asking.app).await?, mask, plan);
    Ok(match found {
        Some(number) => (State::about(number, state.product), false),
        None => (state, true),
    })
}

/// The app that is asked as, with the others that there are.
struct Asking {
    app: App,
    others: Vec<App>,
    /// Its proven result addresses: their ids, and where they are.
    addresses: Vec<(String, String)>,
    standing: Standing,
}

async fn asking(portal: &Arc<Portal>, visit: &Arc<Visit>) -> Result<Asking, Problem> {
    if let Ok(partner) = visit.partner() {
        let wanted = [visit.field("app"), visit.query("app")].into_iter().find(|id| !id.is_empty()).map(str::to_owned);
        let found = portal.work(visit, move |work, _| {
            let book = work.book()?;
            let is_one = |app: &&App| {
                app.partner == partner && app.environment == Environment::Sandbox && app.status == AppStatus::Active
            };
            let own: Vec<App> = book.apps.iter().filter(is_one).cloned().collect();
            let chosen = own.iter().find(|app| wanted.as_ref().is_some_and(|id| app.id.to_string() == *id));
            let Some(app) = chosen.or(own.first()).cloned() else { return Ok(None) };
            let of_app = book.result_addresses.iter().filter(|address| address.app == app.id);
            let proven = of_app.filter(|address| address.proven.is_some());
            let addresses = proven.map(|address| (address.id.to_string(), address.url.clone())).collect();
            Ok(Some((app, own, addresses)))
        });
        if let Some((app, others, addresses)) = found.await? {
            let changes = matches!(BUILDS, Access::SignedIn(may) if visit.actor().is_allowed(&may));
            let standing = if changes { Standing::Changes } else { Standing::Looks };
            return Ok(Asking { app, others, addresses, standing });
        }
    }
    let visitors =
        portal.visitors.ok_or(Problem::not_now("make a sandbox app first: the simulator asks in its name"))?;
    let app = portal.app(visit, visitors).await?;
    let is_member = matches!(LOOKS, Access::SignedIn(may) if visit.actor().is_allowed(&may));
    let standing = if is_member { Standing::HasNoApp } else { Standing::Visits };
    Ok(Asking { app, others: Vec::new(), addresses: Vec::new(), standing })
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let asking = asking(&portal, &visit).await?;
    let (state, has_lost_line) = of_visit(&portal, &visit, &asking).await?;
    let mut part = part(&portal, &visit, asking, state, (None, None)).await?;
    part.has_lost_line = has_lost_line;
    answered(&portal, &visit, part)
}

/// One step. Where what is asked is refused, all of it is shown again with the reason: what was typed stays.
async fn act(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (asking, plan) = (asking(&portal, &visit).await?, portal.office.settings.plan);
    let stepped = match State::of(&visit, plan) {
        Ok(state) => step(&portal, &visit, &asking, &state).await.map(|came| (state, came)),
        Err(problem) => Err(problem),
    };
    match stepped {
        Ok((state, came)) => {
            // A line that was refused is not asked about.
            let is_refused_line = came.1.is_some() && is_put(&visit);
            let state = if is_refused_line { State::refused(&visit, plan) } else { state };
            answered(&portal, &visit, part(&portal, &visit, asking, state, came).await?)
        }
        Err(problem @ Problem::Invalid { .. }) => {
            let why = Some(told(&problem, visit.language.words()));
            let part = part(&portal, &visit, asking, State::refused(&visit, plan), (None, why)).await?;
            Ok(answered(&portal, &visit, part)?.with_status(status_of(&problem)))
        }
        Err(problem) => Err(problem),
    }
}

/// The world is changed where that was asked for, and then everything is asked.
async fn step(portal: &Portal, visit: &Visit, asking: &Asking, state: &State) -> Result<Came, Problem> {
    let refused =
        if asking.standing == Standing::Changes { change(portal, visit, &asking.app, state).await? } else { None };
    let result = match visit.field("do") {
        "" if refused.is_none() => Some(send(portal, visit, asking, state).await?),
        _ => None,
    };
    Ok((result, refused))
}

fn answered(portal: &Portal, visit: &Visit, part: Part) -> Result<Answer, Problem> {
    if visit.is_part {
        return page(&part);
    }
    let words = &visit.language.words().simulator;
    page(&SimulatorPage { frame: visit.frame(portal, words.title).about(Environment::Sandbox), words, part })
}

/// Changes the app's world as the form says; why that was refused, where it was.
async fn change(portal: &Portal, visit: &Visit, app: &App, state: &State) -> Result<Option<String>, Problem> {
    let events_path = format!("{LINES_PATH}/{}/events", state.number);
    if is_put(visit) {
        return Ok(refusal(&put_line(portal, visit, app, &state.number).await?));
    }
    if !visit.field("remove").is_empty() {
        let number = portal.office.settings.plan.parse(visit.field("remove"));
        let number = number.map_err(|_| Problem::invalid("number", "expected a number such as 254722000002"))?;
        return Ok(refusal(&remove_line(portal, visit, app, number).await?));
    }
    let post = |path: String, body: Value| async move { portal.ask(visit, app, &path, &body).await };
    let nothing = || json!({});
    let event = visit.field("event");
    let asked = match (visit.field("do"), event, visit.field("by")) {
        ("reset", ..) => post(RESET_PATH.to_owned(), nothing()).await?,
        ("feed-stop", ..) => post(FEED_STOP_PATH.to_owned(), nothing()).await?,
        ("feed-start", ..) => post(FEED_START_PATH.to_owned(), nothing()).await?,
        (_, "", "") => {
            let world = world(portal, visit, app).await?;
            let ahead = world.clock.ahead_s / SECONDS_PER_DAY;
            let days = visit.field("days").parse().unwrap_or(ahead).saturating_sub(ahead);
            if days <= 0 {
                return Ok(None);
            }
            post(ADVANCE_PATH.to_owned(), json!({"by": format!("P{days}D")})).await?
        }
        (_, "", by) => post(ADVANCE_PATH.to_owned(), json!({"by": by})).await?,
        (_, event, _) => post(events_path, json!({"type": event})).await?,
    };
    Ok(refusal(&asked))
}

/// Why a change of the world was refused, where it was.
fn refusal(asked: &Asked) -> Option<String> {
    (!asked.status.is_success()).then(|| asked.error_message())
}

/// Asks in both ways.
async fn send(portal: &Portal, visit: &Visit, asking: &Asking, state: &State) -> Result<SentResult, Problem> {
    let Asking { app, addresses, standing, .. } = asking;
    let path = published_path(state.product);
    let wanted = visit.field("deliver");
    let delivered_to = addresses.iter().find(|(id, _)| id == wanted).map(|(_, url)| url.clone());
    let mut body = json!({"customerNumber": state.number});
    if let Some(url) = &delivered_to {
        body["resultURL"] = json!(url);
    }
    let explicit = json!({"number": state.number});
    // Together: one of the made-up numbers answers late.
    let asked = tokio::join!(portal.ask(visit, app, path, &body), portal.ask(visit, app, CHECKS_PATH, &explicit));
    let (published, clear) = (asked.0?, asked.1?);
    let words = visit.language.words();
    let item = clear.item();
    let id = published.field("requestRefID");
    let line = line(portal, visit, app, &state.number).await?.filter(|line| line.origin == "own");
    let test = SavedTest {
        number: &state.number,
        product: state.product,
        status: published.status.as_u16(),
        code: &published.field("errorCode"),
        swap_date: &published.field("lastSwapDate"),
        registration: &published.field("msisdnRegistrationDate"),
        world: &world(portal, visit, app).await?,
        line: line.as_ref(),
        zone: &portal.office.settings.zone,
    };
    let saved = delivered_to.is_none().then(|| test.written());
    Ok(SentResult {
        path,
        body: body.to_string(),
        clear_body: explicit.to_string(),
        said: item.map(|item| Said::of(&item, &words.try_it.said)),
        delivered_to,
        id,
        replay_of: Some(visit.field("replay").to_owned()).filter(|id| !id.is_empty()),
        is_own: !matches!(standing, Standing::Visits | Standing::HasNoApp),
        saved,
        published,
        clear,
    })
}

async fn part(
    portal: &Arc<Portal>,
    visit: &Arc<Visit>,
    asking: Asking,
    state: State,
    (result, problem): Came,
) -> Result<Part, Problem> {
    let words = &visit.language.words().simulator;
    let Asking { app, others, addresses, standing } = asking;
    let WorldAnswer { clock, feed, lines: count, .. } = world(portal, visit, &app).await?;
    let line = line(portal, visit, &app, &state.number).await?;
    let ahead_days = clock.ahead_s / SECONDS_PER_DAY;
    // What was put into the form stays there when it is refused.
    let is_refused = problem.is_some();
    let kept = |name: &str| if is_refused { visit.field(name).to_owned() } else { String::new() };
    let dragged = visit.query("days").parse().or_else(|_| kept("days").parse()).unwrap_or(ahead_days);
    let days_max = ahead_days.max(0) + DAYS_MAX;
    let plan = portal.office.settings.plan;
    let personas = words.ready.iter().map(|(behind, about)| {
        let number = ready_digits(*behind, plan);
        Persona { behind: *behind, is_chosen: number == state.number, number, about }
    });
    let personas: Vec<Persona> = personas.filter(|persona| !persona.number.is_empty()).collect();
    let lines = if standing.has_world() && count > 0 {
        own_lines(portal, visit, &app).await?
    } else {
        LinesAnswer { lines: Vec::new(), next_after: None }
    };
    let chosen = personas.iter().find(|persona| persona.is_chosen).map(|persona| persona.behind);
    let share = share(&app, &lines, (&state, chosen), ahead_days, plan);
    let listed = |line: LineAnswer| {
        let is_asked = line.msisdn == state.number;
        (in_words(portal, line), is_asked)
    };
    let zone = &portal.office.settings.zone;
    let wanted = visit.field("deliver");
    Ok(Part {
        words,
        tried: &visit.language.words().try_it,
        csrf: visit.csrf.clone(),
        problem,
        checks: Product::ALL.map(|product| (product.word(), product == state.product)).into(),
        apps: others.iter().map(|one| (one.id.to_string(), one.name.clone(), one.id == app.id)).collect(),
        addresses: addresses.into_iter().map(|(id, url)| (id.clone(), url, id == wanted)).collect(),
        world: World {
            now: shown(portal, &clock.now),
            ahead_days,
            wanted_days: dragged.clamp(ahead_days, days_max),
            days_max,
            is_short_of_link: dragged > ahead_days && standing != Standing::Changes,
            feed_runs: feed.running,
            is_suspended: line.as_ref().is_some_and(|line| line.status == "suspended"),
            track: line.as_ref().and_then(|line| Track::of(line, &clock.now, zone)),
            line: line.map(|line| in_words(portal, line)),
        },
        has_lost_line: false,
        own: standing.has_world().then(|| OwnLines {
            count,
            has_more: lines.next_after.is_some(),
            number: if is_refused || chosen.is_some() { kept("line_number") } else { state.number.clone() },
            registered: kept("line_registered"),
            swapped: kept("line_swapped"),
            lines: lines.lines.into_iter().map(listed).collect(),
        }),
        personas,
        result,
        share,
        elsewhere: visit.language.words().apps.elsewhere,
        address: address(portal).unwrap_or_else(|| "$LAINI".to_owned()),
        codes: check_in_code(portal, visit, state.product, &state.number),
        standing,
        state,
    })
}

/// A link to what is shown: to a persona for everybody, and to a line of the world's own for those who see that world. It
/// carries neither a number nor what happened in the world.
fn share(
    app: &App,
    lines: &LinesAnswer,
    (state, persona): (&State, Option<u64>),
    ahead_days: i64,
    plan: NumberPlan,
) -> Option<Share> {
    let days = if ahead_days > 0 { format!("&days={ahead_days}") } else { String::new() };
    let (check, own) = (state.product.word(), in_link(lines, &state.number, plan));
    let (whom, is_own) = match (own, persona) {
        (Some(mask), None) => (format!("app={}&own={mask}", app.id), true),
        (_, Some(behind)) => (format!("persona={behind}"), false),
        (None, None) => return None,
    };
    Some(Share { href: format!("/simulator?{whom}&check={check}{days}"), is_own })
}

/// The world of an app, as its own API tells it.
async fn world(portal: &Portal, visit: &Visit, app: &App) -> Result<WorldAnswer, Problem> {
    let asked = portal.ask_as(visit, app, (Method::GET, WORLD_PATH), None).await?;
    let told = serde_json::from_slice(&asked.body);
    told.map_err(|_| Problem::not_now(format!("the world cannot be read: {}", asked.error_message())))
}

/// A line of it; `None` where nobody has the number.
async fn line(portal: &Portal, visit: &Visit, app: &App, number: &str) -> Result<Option<LineAnswer>, Problem> {
    let path = format!("{LINES_PATH}/{number}");
    let asked = portal.ask_as(visit, app, (Method::GET, &path), None).await?;
    Ok(serde_json::from_slice(&asked.body).ok())
}

/// The line with its instants as people read them.
fn in_words(portal: &Portal, line: LineAnswer) -> LineAnswer {
    let told = |at: Option<String>| at.map(|at| shown(portal, &at));
    LineAnswer {
        registered_at: told(line.registered_at.clone()),
        last_swap_at: told(line.last_swap_at.clone()),
        holder_since: told(line.holder_since.clone()),
        ..line
    }
}

fn shown(portal: &Portal, at: &str) -> String {
    at.parse().map_or_else(|_| at.to_owned(), |at| portal.shown(at))
}
