//! Traffic: how much is asked, how it is answered, how fast.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::Environment;
use laini_core::store::RecentCause;
use laini_office::traffic::{AppTraffic, HourTraffic, Outcomes, errors, traffic};
use laini_office::{Problem, Work};
use laini_server::observe::{EndpointFigures, Figures};

use super::LOOKS;
use crate::answer::Answer;
use crate::csv::{file, push_line};
use crate::figures::took;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::pages::build::is_documented;
use crate::pages::status::latency;
use crate::plot::{Form, Plot, Series};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::{RequestsWords, RunningWords};

/// So many hours are shown.
const HOURS: u16 = 24;
/// Apps that are shown, the first in the order that is asked for.
const APPS_SHOWN: usize = 100;
const HERE: &str = "/operate/traffic";
/// The columns of the file.
const HEAD: [&str; 11] = [
    "app",
    "name",
    "partner",
    "partner_name",
    "environment",
    "checks",
    "answered",
    "not_served",
    "unknown",
    "repeated",
    "withheld",
];

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, LOOKS, show).in_rail(Workspace::Operate, |words| words.traffic),
        Page::get("/operate/traffic.csv", LOOKS, download),
    ]
}

#[derive(Template)]
#[template(path = "operate/traffic.html")]
struct TrafficPage {
    frame: Frame,
    words: &'static RunningWords,
    chart: String,
    latency: Option<String>,
    sorting: Sorting<AppTraffic>,
    apps: Vec<AppTraffic>,
    by_cause: Sorting<RecentCause>,
    errors: Vec<ErrorRow>,
    /// Since when errors are counted, where that is not all the hours.
    errors_since: Option<String>,
    live: Option<Live>,
}

static APPS: Table<AppTraffic> = Table {
    name: "sort",
    columns: &[
        ("app", |one, other| by_text(&one.name, &other.name)),
        ("partner", |one, other| by_text(&one.partner_name, &other.partner_name)),
        ("checks", |one, other| one.outcomes.checks().cmp(&other.outcomes.checks())),
        ("answered", |one, other| one.outcomes.answered.cmp(&other.outcomes.answered)),
        ("not-served", |one, other| one.outcomes.not_served.cmp(&other.outcomes.not_served)),
        ("unknown", |one, other| one.outcomes.unknown.cmp(&other.outcomes.unknown)),
        ("repeated", |one, other| one.outcomes.repeated.cmp(&other.outcomes.repeated)),
    ],
    comes: "-checks",
};

static ENDPOINTS: Table<EndpointFigures> = Table {
    name: "endpoints",
    columns: &[
        ("endpoint", |one, other| one.name.cmp(other.name)),
        ("requests", |one, other| one.requests().cmp(&other.requests())),
        ("refused", |one, other| one.by_class[3].cmp(&other.by_class[3])),
        ("failed", |one, other| one.by_class[4].cmp(&other.by_class[4])),
        // What took longer than can be told is the longest.
        ("half", |one, other| one.p50.unwrap_or(u64::MAX).cmp(&other.p50.unwrap_or(u64::MAX))),
        ("most", |one, other| one.p99.unwrap_or(u64::MAX).cmp(&other.p99.unwrap_or(u64::MAX))),
    ],
    comes: "",
};

static ERRORS: Table<RecentCause> = Table {
    name: "errors",
    columns: &[
        ("status", |one, other| one.cause.status.cmp(&other.cause.status)),
        ("code", |one, other| one.cause.code.cmp(&other.cause.code)),
        ("cause", |one, other| by_text(&one.cause.reason, &other.cause.reason)),
        ("stage", |one, other| one.cause.stage.cmp(&other.cause.stage)),
        ("calls", |one, other| one.cause.calls.cmp(&other.cause.calls)),
        ("newest", |one, other| one.cause.newest.cmp(&other.cause.newest)),
    ],
    comes: "-calls",
};

impl TrafficPage {
    /// Whether an app asks made-up numbers.
    fn is_sandbox(app: &AppTraffic) -> bool {
        app.environment == Environment::Sandbox
    }
}

/// Why calls failed, as a line of a table.
struct ErrorRow {
    is_sandbox: bool,
    status: u16,
    code: String,
    is_documented: bool,
    reason: String,
    stage: &'static str,
    calls: u64,
    newest: String,
}

impl ErrorRow {
    fn of(RecentCause { environment, cause }: RecentCause, portal: &Portal, words: &RequestsWords) -> Self {
        Self {
            is_sandbox: environment == Environment::Sandbox,
            status: cause.status,
            is_documented: is_documented(&cause.code),
            code: cause.code,
            reason: cause.reason,
            stage: words.steps[cause.stage as usize].0,
            calls: cause.calls,
            newest: portal.shown(cause.newest),
        }
    }
}

struct Live {
    by_endpoint: Sorting<EndpointFigures>,
    endpoints: Vec<Endpoint>,
    connections: i64,
}

struct Endpoint {
    name: &'static str,
    requests: u64,
    refused: u64,
    failed: u64,
    p50: String,
    p99: String,
}

impl Endpoint {
    fn of(of: &EndpointFigures) -> Self {
        let [.., refused, failed] = of.by_class;
        Self { name: of.name, requests: of.requests(), refused, failed, p50: took(of.p50), p99: took(of.p99) }
    }
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let look = |work: &mut Work<'_>, _: &Visit| Ok((traffic(work, HOURS)?, errors(work, HOURS)?));
    let (mut found, mut failed) = portal.work(&visit, look).await?;
    let words = &visit.language.words().running;
    // The page is there without the picture.
    let picture = portal.picture(visit.context.at).await.ok();
    let latency = picture.map(|picture| latency(&picture, &visit.language.words().status)).transpose()?.flatten();
    let sorting = Sorting::of(&APPS, &visit, HERE, &mut found.apps);
    found.apps.truncate(APPS_SHOWN);
    let by_cause = Sorting::of(&ERRORS, &visit, HERE, &mut failed.causes);
    let requests = &visit.language.words().requests;
    let row = |cause| ErrorRow::of(cause, &portal, requests);
    let live = portal.running.metrics.as_ref().map(|metrics| {
        let Figures { mut endpoints, connections } = metrics.figures();
        let by_endpoint = Sorting::of(&ENDPOINTS, &visit, HERE, &mut endpoints);
        Live { by_endpoint, endpoints: endpoints.iter().map(Endpoint::of).collect(), connections }
    });
    page(&TrafficPage {
        frame: visit.frame(&portal, words.traffic),
        words,
        chart: chart(&portal, &found.hours, words)?,
        latency,
        sorting,
        apps: found.apps,
        by_cause,
        errors: failed.causes.into_iter().map(row).collect(),
        errors_since: failed.is_part.then(|| portal.shown_to_second(failed.since)),
        live,
    })
}

/// What every app asked in the last hours, as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut apps = portal.work(&visit, |work: &mut Work<'_>, _| traffic(work, HOURS)).await?.apps;
    Sorting::of(&APPS, &visit, HERE, &mut apps);
    let push = |csv: &mut String, app: &AppTraffic| {
        let (id, partner, of) = (app.app.to_string(), app.partner.to_string(), &app.outcomes);
        let counts = [of.checks(), of.answered, of.not_served, of.unknown, of.repeated, of.withheld];
        let counts = counts.map(|count| count.to_string());
        let named = [&id, &app.name, &partner, &app.partner_name, app.environment.word()];
        push_line(csv, named.into_iter().chain(counts.iter().map(String::as_str)));
    };
    Ok(file("traffic.csv", HEAD, &apps, push))
}

fn chart(portal: &Portal, hours: &[HourTraffic], words: &RunningWords) -> Result<String, Problem> {
    let zone = &portal.office.settings.zone;
    let label = |hour: &HourTraffic| zone.to_datetime(hour.from).strftime("%d %H:00").to_string();
    let values = |of: fn(&HourTraffic) -> Outcomes| {
        hours.iter().map(|hour| i64::try_from(of(hour).checks()).unwrap_or(i64::MAX)).collect()
    };
    let plot = Plot {
        id: "hours",
        title: words.hours,
        about: words.hours_about,
        form: Form::Bars,
        along: words.hour,
        labels: hours.iter().map(label).collect(),
        series: vec![
            Series { name: words.production, values: values(|hour| hour.production) },
            Series { name: words.sandbox, values: values(|hour| hour.sandbox) },
        ],
        written: &|value| value.to_string(),
        table: words.hours,
    };
    plot.html()
}
