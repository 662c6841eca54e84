//! The status of the service, for everybody: how it is now, ninety days of probes, and incidents.

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use jiff::SignedDuration;
use jiff::civil::Date;
use laini_core::partner::IncidentId;
use laini_core::support::{Component, Health, Tally};
use laini_office::Problem;
use laini_office::incidents::{self, Incident};
use laini_office::status::{ComponentPicture, HourTally, Picture};
use laini_server::incident_answer;
use laini_wire::status::{ComponentStatus, DayStatus, HourStatus, StatusAnswer};

use crate::answer::Answer;
use crate::frame::Frame;
use crate::incident_card::IncidentCard;
use crate::page::{Access, Page};
use crate::plot::{Form, Plot, Series};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{IncidentWords, StatusWords};

/// Whoever asks again within so long may be answered by what lies between.
const SHARED_FOR_S: u32 = 15;
/// A picture that is older is said to be.
const OLD_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// A day is drawn so wide, of it so much by the bar.
const DAY_WIDTH: usize = 4;
const BAR_WIDTH: usize = 3;
/// A bar of a good day is so high; worse ones are lower, so that colour is not all that tells them apart.
const BAR_HEIGHT: usize = 30;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/status", Access::Anyone, show),
        Page::get("/status.json", Access::Anyone, show_json),
        Page::get("/status.atom", Access::Anyone, show_feed),
        Page::get("/status/{incident}", Access::Anyone, show_incident),
    ]
}

#[derive(Template)]
#[template(path = "public/status.html")]
struct StatusPage {
    frame: Frame,
    words: &'static StatusWords,
    of_incidents: &'static IncidentWords,
    /// The word, the class and the shape of the whole.
    overall: Shown,
    at: String,
    is_old: bool,
    parts: Vec<Part>,
    /// How long checks took, drawn; `None` = nothing was probed of late.
    latency: Option<String>,
    trouble: Vec<Trouble>,
    open: Vec<IncidentCard>,
    past: Vec<IncidentCard>,
}

/// How well something works: a word, a class and a shape.
struct Shown {
    word: &'static str,
    class: &'static str,
    tone: &'static str,
    shape: &'static str,
}

/// A component on the page.
struct Part {
    name: &'static str,
    shown: Shown,
    share: Option<String>,
    /// On how many of the days there were probes.
    probed: usize,
    bars: [(&'static str, String); 4],
}

/// A day on which something did not work.
struct Trouble {
    on: Date,
    part: &'static str,
    tone: &'static str,
    health: &'static str,
    share: String,
    slowest: String,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let picture = portal.picture(visit.context.at).await?;
    let all = visit.language.words();
    let words = &all.status;
    let card = |incident: &Incident| IncidentCard::of(incident, &portal, all);
    page(&StatusPage {
        frame: visit.frame(&portal, words.title),
        words,
        of_incidents: &all.incidents,
        overall: Shown::of(picture.health(), &words.overall),
        at: picture.at.to_zoned(portal.office.settings.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string(),
        is_old: visit.context.at.duration_since(picture.at) > OLD_AFTER,
        parts: picture.components.iter().map(|of| Part::of(of, words)).collect(),
        latency: latency(&picture, words)?,
        trouble: trouble(&picture, words),
        open: picture.open.iter().map(card).collect(),
        past: picture.past.iter().map(card).collect(),
    })
}

impl Shown {
    fn of(health: Option<Health>, words: &[&'static str; 4]) -> Self {
        let (class, tone, shape, place) = match health {
            Some(Health::Ok) => ("allow", "go", "✓", 0),
            Some(Health::Degraded) => ("step-up", "care", "▲", 1),
            Some(Health::Down) => ("hold", "stop", "■", 2),
            None => ("unknown", "", "?", 3),
        };
        Self { word: words[place], class, tone, shape }
    }
}

impl Part {
    fn of(picture: &ComponentPicture, words: &'static StatusWords) -> Self {
        Self {
            name: words.component(picture.component),
            shown: Shown::of(picture.health, &words.health),
            share: share(picture.total),
            probed: picture.days.iter().filter(|(_, tally)| tally.probes > 0).count(),
            bars: bars(&picture.days),
        }
    }
}

/// How long the probes of checks took in the last day, by hour.
pub(in crate::pages) fn latency(picture: &Picture, words: &'static StatusWords) -> Result<Option<String>, Problem> {
    let checks = picture.components.iter().find(|of| of.component == Component::Checks);
    let hours = checks.map(|of| of.recent.as_slice()).unwrap_or_default();
    let values = |of: fn(Tally) -> u64| -> Vec<i64> {
        hours.iter().map(|(_, hour)| i64::try_from(of(hour.tally)).unwrap_or(i64::MAX)).collect()
    };
    let plot = Plot {
        id: "latency",
        title: words.latency,
        about: words.latency_about,
        form: Form::Lines,
        along: words.hour,
        labels: hours.iter().map(|(on, hour)| format!("{:02} {:02}:00", on.day(), hour.hour)).collect(),
        series: vec![
            Series { name: words.on_average, values: values(|tally| tally.mean_micros().unwrap_or(0)) },
            Series { name: words.slowest, values: values(|tally| tally.worst_micros) },
        ],
        written: &|micros| format!("{}.{} ms", micros / 1_000, micros / 100 % 10),
        table: words.latency,
    };
    (!hours.is_empty()).then(|| plot.html()).transpose()
}

/// A path for each kind of day: works, impaired, down, not probed.
fn bars(days: &[(Date, Tally)]) -> [(&'static str, String); 4] {
    let mut paths =
        [("works", String::new()), ("impaired", String::new()), ("down", String::new()), ("", String::new())];
    for (place, (_, tally)) in days.iter().enumerate() {
        let (kind, height) = match tally.health() {
            Some(Health::Ok) => (0, BAR_HEIGHT),
            Some(Health::Degraded) => (1, BAR_HEIGHT * 3 / 4),
            Some(Health::Down) => (2, BAR_HEIGHT / 2),
            None => (3, 3),
        };
        let (x, y) = (place * DAY_WIDTH, BAR_HEIGHT - height);
        // Writing to a text does not fail.
        let _ = write!(paths[kind].1, "M{x} {y}h{BAR_WIDTH}v{height}h-{BAR_WIDTH}z");
    }
    paths
}

fn share(tally: Tally) -> Option<String> {
    tally.answered_basis_points().map(|points| format!("{}.{:02} %", points / 100, points % 100))
}

/// The days on which something did not work, the newest first.
fn trouble(picture: &Picture, words: &'static StatusWords) -> Vec<Trouble> {
    let of_part = |of: &ComponentPicture| {
        let part = words.component(of.component);
        let bad = of.days.iter().filter(|(_, tally)| tally.health().is_some_and(|health| health != Health::Ok));
        let bad = bad.map(move |(on, tally)| {
            let shown = Shown::of(tally.health(), &words.health);
            let slowest = format!("{} ms", tally.worst_micros.div_ceil(1_000));
            let share = share(*tally).unwrap_or_default();
            Trouble { on: *on, part, tone: shown.tone, health: shown.word, share, slowest }
        });
        bad.collect::<Vec<_>>()
    };
    let mut trouble: Vec<_> = picture.components.iter().flat_map(of_part).collect();
    trouble.sort_by_key(|one| std::cmp::Reverse(one.on));
    trouble
}

async fn show_json(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let picture = portal.picture(visit.context.at).await?;
    let health = |health: Option<Health>| health.map_or("unknown", Health::word).to_owned();
    let hour = |of: &HourTally| HourStatus {
        hour: of.hour,
        probes: of.tally.probes,
        degraded: of.tally.degraded,
        down: of.tally.down,
        worst_micros: of.tally.worst_micros,
    };
    let day = |(on, tally): &(Date, Tally)| DayStatus {
        on: on.to_string(),
        probes: tally.probes,
        degraded: tally.degraded,
        down: tally.down,
        worst_micros: tally.worst_micros,
    };
    let component = |of: &ComponentPicture| ComponentStatus {
        component: of.component.word().to_owned(),
        status: health(of.health),
        latest_micros: of.latest.map(|latest| latest.micros),
        uptime_percent: share(of.total).map(|share| share.trim_end_matches(" %").to_owned()),
        days: of.days.iter().filter(|(_, tally)| tally.probes > 0).map(day).collect(),
        hours: of.hours.iter().map(hour).collect(),
    };
    let answer = StatusAnswer {
        status: health(picture.health()),
        as_of: picture.at.to_string(),
        probed: picture.probed.map(|at| at.to_string()),
        components: picture.components.iter().map(component).collect(),
        open: picture.open.iter().map(incident_answer).collect(),
        past: picture.past.iter().map(incident_answer).collect(),
    };
    let body = serde_json::to_vec(&answer).map_err(|error| Problem::Store(error.to_string()))?;
    Ok(Answer::shared("application/json", body, SHARED_FOR_S))
}

#[derive(Template)]
#[template(path = "public/status.atom.xml")]
struct Feed {
    operator: String,
    title: &'static str,
    base: String,
    updated: String,
    entries: Vec<Entry>,
}

struct Entry {
    id: String,
    title: String,
    updated: String,
    state: &'static str,
    text: String,
}

async fn show_feed(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let picture = portal.picture(visit.context.at).await?;
    let words = visit.language.words();
    let entries = picture.open.iter().chain(&picture.past).map(|incident| Entry {
        id: incident.id.to_string(),
        title: incident.title.clone(),
        updated: incident.updates.last().map_or(incident.started, |said| said.at).to_string(),
        state: words.incidents.state(incident.state),
        text: incident.updates.last().map(|said| said.text.clone()).unwrap_or_default(),
    });
    let entries: Vec<_> = entries.collect();
    let feed = Feed {
        operator: portal.office.settings.operator.clone(),
        title: words.status.title,
        base: portal.office.settings.people.portal_url.trim_end_matches('/').to_owned(),
        updated: entries.iter().map(|entry| entry.updated.clone()).max().unwrap_or_else(|| picture.at.to_string()),
        entries,
    };
    let text = feed.render().map_err(|error| Problem::Store(format!("a template failed: {error}")))?;
    Ok(Answer::shared("application/atom+xml", text.into_bytes(), SHARED_FOR_S))
}

#[derive(Template)]
#[template(path = "public/incident.html")]
struct IncidentPage {
    frame: Frame,
    words: &'static IncidentWords,
    back: &'static str,
    incident: IncidentCard,
}

async fn show_incident(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("incident", IncidentId::parse)?;
    let found = portal.work(&visit, move |work, _| incidents::the_incident(work, id)).await?;
    let all = visit.language.words();
    page(&IncidentPage {
        frame: visit.frame(&portal, found.title.clone()),
        words: &all.incidents,
        back: all.status.back,
        incident: IncidentCard::of(&found, &portal, all),
    })
}
