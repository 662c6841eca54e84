use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use laini_core::partner::{DeskAlarmId, PersonId};
use laini_office::desk::{self, Alarm, DeskAlarm};
use laini_office::{Cursor, PageRequest, Problem, Work};

use super::SETS;
use super::receipt::names;
use crate::answer::Answer;
use crate::csv::{file, gathered, push_line};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::DeskHistoryWords;

/// The columns of the file.
const HEAD: [&str; 7] = ["alarm", "what", "person", "at", "seen_by", "seen_at", "explanation"];

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/desk/alarms", SETS, show).in_rail(Workspace::Investigate, |words| words.desk_alarms),
        Page::get("/desk/alarms.csv", SETS, download),
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

fn is_all(visit: &Visit) -> bool {
    visit.query("show") == "all"
}

/// What those are called who looked up, and who looked at it.
fn names_in(work: &mut Work<'_>, alarms: &[DeskAlarm]) -> Result<HashMap<PersonId, String>, Problem> {
    let people = alarms.iter().flat_map(|alarm| [Some(alarm.person), alarm.seen.as_ref().map(|seen| seen.by)]);
    names(work, people.flatten())
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let is_all = is_all(&visit);
    let found = portal.work(&visit, move |work, visit| {
        let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(Cursor::parse).transpose()?;
        let request = PageRequest { after, ..PageRequest::FIRST };
        let page = desk::alarms(work, visit.partner()?, !is_all, request)?;
        let names = names_in(work, &page.items)?;
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

/// The alarms of a tab as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let is_all = is_all(&visit);
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let (alarms, _) = gathered(false, |request| desk::alarms(work, partner, !is_all, request))?;
        let names = names_in(work, &alarms)?;
        Ok((alarms, names))
    });
    let (alarms, names) = found.await?;
    Ok(file("alarms.csv", HEAD, &alarms, |csv, alarm| push(csv, alarm, &names)))
}

fn push(csv: &mut String, alarm: &DeskAlarm, names: &HashMap<PersonId, String>) {
    let name = |person| names.get(&person).map(String::as_str).unwrap_or_default();
    let (id, at) = (alarm.id.to_string(), alarm.at.to_string());
    let seen = alarm.seen.as_ref();
    let seen_at = seen.map(|seen| seen.at.to_string()).unwrap_or_default();
    let (seen_by, explanation) = seen.map(|seen| (name(seen.by), &*seen.explanation)).unwrap_or_default();
    push_line(csv, [&id, alarm.alarm.word(), name(alarm.person), &at, seen_by, &seen_at, explanation]);
}

async fn acknowledge(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("alarm", DeskAlarmId::parse)?;
    let done = portal.work(&visit, move |work, visit| {
        desk::acknowledge(work, visit.partner()?, id, visit.field("explanation")).map(drop)
    });
    done.await?;
    Ok(Answer::see_other("/desk/alarms"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use laini_core::partner::PartnerId;
    use laini_office::desk::AlarmSeen;

    use super::*;

    #[test]
    fn the_file_has_who_looked_at_an_alarm_and_what_it_came_to() {
        let (clerk, owner) = (PersonId::from_stored(1), PersonId::from_stored(2));
        let names = HashMap::from([(clerk, "A. Clerk".to_owned()), (owner, "B. Owner".to_owned())]);
        let (id, partner, at) = (DeskAlarmId::from_stored(3), PartnerId::from_stored(4), Timestamp::UNIX_EPOCH);
        let alarm = DeskAlarm { id, partner, person: clerk, alarm: Alarm::OutsideHours, at, seen: None };
        let line = |alarm: &DeskAlarm| {
            let mut csv = String::new();
            push(&mut csv, alarm, &names);
            csv
        };
        let begins = format!("{id},outside hours,A. Clerk,1970-01-01T00:00:00Z");
        assert_eq!(line(&alarm), format!("{begins},,,\r\n"));
        let seen = Some(AlarmSeen { by: owner, at, explanation: "=a drill".to_owned() });
        let seen = DeskAlarm { seen, ..alarm };
        assert_eq!(line(&seen), format!("{begins},B. Owner,1970-01-01T00:00:00Z,\"'=a drill\"\r\n"));
    }
}
