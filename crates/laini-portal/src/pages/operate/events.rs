//! What feeds told, event by event.

use std::sync::Arc;

use askama::Template;
use laini_office::Problem;
use laini_wire::operator::RecordedEventAnswer;

use super::LOOKS;
use super::sources::{encoded, failed, instant};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::Page;
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::RunningWords;

/// Events of one page.
const PAGE_EVENTS: usize = 50;

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get("/operate/data/events", LOOKS, show)]
}

#[derive(Template)]
#[template(path = "operate/events.html")]
struct EventsPage {
    frame: Frame,
    words: &'static RunningWords,
    /// The feeds there are, and whether each is the one that is shown.
    feeds: Vec<(String, bool)>,
    source: String,
    /// Its name as an address has it.
    encoded: String,
    events: Vec<RecordedEventAnswer>,
    next: Option<String>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().running;
    let named = |name: &str| Some(visit.query(name).to_owned()).filter(|value| !value.is_empty());
    let (source, after) = (named("source"), named("after"));
    let sources = &portal.running.sources;
    let mut found = sources.recorded(source.as_deref(), after.as_deref(), PAGE_EVENTS).await?;
    for event in &mut found.events {
        for at in [&mut event.at, &mut event.recorded, &mut event.received] {
            *at = instant(&portal, at);
        }
    }
    let feed = sources.feed(visit.context.at).await.map_err(failed)?;
    let feeds = feed.sources.into_iter().map(|of| {
        let is_shown = source.as_ref() == Some(&of.source);
        (of.source, is_shown)
    });
    page(&EventsPage {
        frame: visit.frame(&portal, words.told),
        words,
        feeds: feeds.collect(),
        encoded: encoded(source.as_deref().unwrap_or_default()),
        source: source.unwrap_or_default(),
        events: found.events,
        next: found.next,
    })
}
