use std::sync::Arc;

use askama::Template;
use laini_core::partner::DeskAlarmId;
use laini_office::desk::{self, Alarm, DeskAlarm};
use laini_office::{Cursor, PageRequest, Problem};

use super::SETS;
use super::receipt::names;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::DeskHistoryWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/desk/alarms", SETS, show).in_rail(Workspace::Investigate, |words| words.desk_alarms),
        Page::post("/desk/alarms/{alarm}", SETS, acknowledge, show),
    ]
}

#[derive(Template)]
#[template(path = "desk/alarms.html")]
struct AlarmsPage {
    frame: Frame,
    words: &'static DeskHistoryWords,
    alarms: Vec<Shown>,
    is_all: bool,
    next: Option<String>,
}

struct Shown {
    id: String,
    what: &'static str,
    at: String,
    who: String,
    /// Who looked at it, when, and what it came to.
    seen: Option<(String, String, String)>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let is_all = visit.query("show") == "all";
    let found = portal.work(&visit, move |work, visit| {
        let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(Cursor::parse).transpose()?;
        let request = PageRequest { after, ..PageRequest::FIRST };
        let page = desk::alarms(work, visit.partner()?, !is_all, request)?;
        let people = page.items.iter().flat_map(|alarm| [Some(alarm.person), alarm.seen.as_ref().map(|seen| seen.by)]);
        let names = names(work, people.flatten())?;
        Ok((page, names))
    });
    let (alarms, names) = found.await?;
    let words = &visit.language.words().desk_history;
    let name = |person| names.get(&person).cloned().unwrap_or_default();
    let shown = |alarm: &DeskAlarm| Shown {
        id: alarm.id.to_string(),
        what: match alarm.alarm {
            Alarm::Canary => words.canary,
            Alarm::OutsideHours => words.outside_hours,
            Alarm::CapReached => words.cap_reached,
        },
        at: portal.shown(alarm.at),
        who: name(alarm.person),
        seen: alarm.seen.as_ref().map(|seen| (name(seen.by), portal.shown(seen.at), seen.explanation.clone())),
    };
    page(&AlarmsPage {
        frame: visit.frame(&portal, words.alarms),
        words,
        alarms: alarms.items.iter().map(shown).collect(),
        is_all,
        next: alarms.next.map(|next| next.to_string()),
    })
}

async fn acknowledge(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("alarm", DeskAlarmId::parse)?;
    let done = portal.work(&visit, move |work, visit| {
        desk::acknowledge(work, visit.partner()?, id, visit.field("explanation")).map(drop)
    });
    done.await?;
    Ok(Answer::see_other("/desk/alarms"))
}
