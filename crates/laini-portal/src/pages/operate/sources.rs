//! Data sources: how far each feed is, what that means for answers, what could not be read, and a new snapshot.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::StaffRole;
use laini_office::{Actor, Problem};
use laini_server::operator::LoadWish;
use laini_wire::operator::{FeedAnswer, FreshnessAnswer, LoadingAnswer, RejectsAnswer, SourceAnswer};

use super::{FEEDS, LOOKS};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::RunningWords;

/// Rejects of one page.
const PAGE_REJECTS: usize = 50;
const HERE: &str = "/operate/data";

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, LOOKS, show).in_rail(Workspace::Operate, |words| words.sources),
        Page::post("/operate/data/snapshot", FEEDS, load, show).taking_stream(),
        Page::post("/operate/data/rejects/retry", FEEDS, retry, show),
    ]
}

#[derive(Template)]
#[template(path = "operate/sources.html")]
struct SourcesPage {
    frame: Frame,
    words: &'static RunningWords,
    now: Now,
    facts: [Fact; 2],
    sorting: Sorting<SourceAnswer>,
    sources: Vec<Source>,
    rejects: RejectsAnswer,
    retried: Option<(String, String)>,
    may_load: bool,
}

static SOURCES: Table<SourceAnswer> = Table {
    name: "sort",
    columns: &[
        ("source", |one, other| by_text(&one.source, &other.source)),
        ("lag", |one, other| one.lag_s.cmp(&other.lag_s)),
        // Instants of the API are in the order of time.
        ("as-of", |one, other| one.complete_until.cmp(&other.complete_until)),
        ("heartbeat", |one, other| one.heartbeat.cmp(&other.heartbeat)),
    ],
    comes: "source",
};

/// The part that changes while a snapshot is loaded.
#[derive(Template)]
#[template(path = "operate/sources_now.html")]
struct SourcesPart {
    words: &'static RunningWords,
    now: Now,
}

struct Now {
    feed: FeedAnswer,
    /// How far behind the whole registry is.
    behind: String,
    loading: Option<LoadingAnswer>,
    loaded: Option<(u64, u64, u64)>,
    not_loaded: Option<String>,
}

struct Fact {
    name: &'static str,
    is_stale: bool,
    limit: Option<String>,
}

struct Source {
    name: String,
    /// The name as an address has it.
    encoded: String,
    is_required: bool,
    heartbeat: String,
    until: String,
    lag: String,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().running;
    let mut now = now(&portal, &visit, words).await?;
    if visit.is_part {
        return page(&SourcesPart { words, now });
    }
    let after = Some(visit.query("after")).filter(|after| !after.is_empty());
    let rejects = portal.running.sources.rejects(after, PAGE_REJECTS).await?;
    let sorting = Sorting::of(&SOURCES, &visit, HERE, &mut now.feed.sources);
    let fact = |name, of: &FreshnessAnswer| Fact {
        name,
        is_stale: of.is_stale,
        limit: of.stale_after_s.map(|limit| span(Some(limit), words)),
    };
    let source = |of: &SourceAnswer| Source {
        encoded: encoded(&of.source),
        name: if of.source.is_empty() { "—".to_owned() } else { of.source.clone() },
        is_required: of.required,
        heartbeat: of.heartbeat.as_deref().map_or(words.never.to_owned(), |at| instant(&portal, at)),
        until: of.complete_until.as_deref().map_or(words.never.to_owned(), |at| instant(&portal, at)),
        lag: span(of.lag_s, words),
    };
    let retried = visit.query("retried").split_once('-');
    page(&SourcesPage {
        frame: visit.frame(&portal, words.sources),
        words,
        facts: [fact(words.swap, &now.feed.facts.swap), fact(words.registration, &now.feed.facts.registration)],
        sources: now.feed.sources.iter().map(source).collect(),
        sorting,
        now,
        rejects,
        retried: retried.map(|(lines, accepted)| (lines.to_owned(), accepted.to_owned())),
        may_load: matches!(visit.actor(), Actor::Staff { role: StaffRole::Admin, .. }),
    })
}

async fn now(portal: &Portal, visit: &Visit, words: &RunningWords) -> Result<Now, Problem> {
    let sources = &portal.running.sources;
    let mut feed = sources.feed(visit.context.at).await.map_err(failed)?;
    feed.as_of = feed.as_of.map(|at| instant(portal, &at));
    feed.snapshot_cut = feed.snapshot_cut.map(|at| instant(portal, &at));
    let last = sources.last_load();
    let (loaded, not_loaded) = match last.map(|last| last.ended) {
        None => (None, None),
        Some(Ok(answer)) => (Some((answer.generation, answer.lines, answer.rejected)), None),
        Some(Err(why)) => (None, Some(why)),
    };
    Ok(Now { behind: span(feed.lag_s, words), loading: feed.loading, loaded, not_loaded, feed })
}

/// A span in the largest unit of which there are at least two.
pub(super) fn span(seconds: Option<i64>, words: &RunningWords) -> String {
    match seconds {
        None => words.never.to_owned(),
        Some(seconds) if seconds < 120 => format!("{seconds} s"),
        Some(seconds) if seconds < 2 * 3_600 => format!("{} min", seconds / 60),
        Some(seconds) if seconds < 48 * 3_600 => format!("{} h", seconds / 3_600),
        Some(seconds) => format!("{} d", seconds / 86_400),
    }
}

/// The name of a feed as an address has it.
pub(super) fn encoded(source: &str) -> String {
    form_urlencoded::byte_serialize(source.as_bytes()).collect()
}

pub(super) fn instant(portal: &Portal, text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), |at| portal.shown(at))
}

pub(super) fn failed(why: String) -> Problem {
    Problem::Store(why)
}

async fn load(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().running;
    let file = visit.take_coming().ok_or_else(|| Problem::not_now(words.choose_file))?;
    let wish = LoadWish {
        as_of: visit.field("as_of").to_owned(),
        max_rejects: visit.field("max_rejects").to_owned(),
        allow_shrink: !visit.field("allow_shrink").is_empty(),
    };
    let (content, is_read) = file.content();
    let begun = portal.running.sources.begin_load(content, wish, visit.context.at);
    begun.map_err(Problem::not_now)?;
    portal
        .work(&visit, |work, _| {
            work.note("registry.load", None, "snapshot", "");
            Ok(())
        })
        .await?;
    // A browser that is answered before it has sent all of it shows a broken connection.
    let _ = is_read.await;
    Ok(Answer::see_other(HERE))
}

async fn retry(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let retried = portal.running.sources.retry(None, visit.context.at).await.map_err(Problem::not_now)?;
    let lines = format!("{} lines", retried.lines);
    portal
        .work(&visit, move |work, _| {
            work.note("registry.retry", None, "rejects", &lines);
            Ok(())
        })
        .await?;
    Ok(Answer::see_other(format!("/operate/data?retried={}-{}", retried.lines, retried.accepted)))
}
