//! Alarms of the gateway: apps that seemed to be probing. What a bank's desk raises is the bank's alone.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::partner::{App, AppId, Partner, PartnerId, Probing};
use laini_core::store::{AccountBook, TrailQuery, TrailRow};
use laini_office::{Problem, TRAIL_ROWS_MAX, Work, trail};

use super::LOOKS;
use crate::answer::Answer;
use crate::csv::{ROWS_MAX, file, push_line};
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::RunningWords;

/// Flags that are shown.
const FLAGS_MAX: usize = 100;
const HERE: &str = "/operate/alarms";
/// How the trail calls a flag.
const FLAGGED: &str = "app.flagged";
/// The columns of the file; an app that is told of alone is slowed to nothing.
const HEAD: [&str; 7] = ["at", "app", "name", "partner", "partner_name", "reason", "slowed_to"];

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, LOOKS, show).in_rail(Workspace::Operate, |words| words.alarms),
        Page::get("/operate/alarms.csv", LOOKS, download),
    ]
}

#[derive(Template)]
#[template(path = "operate/alarms.html")]
struct AlarmsPage {
    frame: Frame,
    words: &'static RunningWords,
    sorting: Sorting<Flag>,
    flags: Vec<Flag>,
    /// The newest app that is told of alone, and not slowed.
    newest: Option<(PartnerId, AppId)>,
}

static FLAGS: Table<Flag> = Table {
    name: "sort",
    columns: &[
        ("at", |one, other| one.at.cmp(&other.at)),
        ("app", |one, other| by_text(&one.app, &other.app)),
        ("partner", |one, other| by_text(&one.partner, &other.partner)),
        ("reason", |one, other| one.reason.cmp(&other.reason)),
        ("probing", |one, other| one.slowed.cmp(&other.slowed)),
    ],
    comes: "-at",
};

struct Flag {
    at: Timestamp,
    /// As people read it.
    at_shown: String,
    app_id: AppId,
    app: String,
    partner_id: PartnerId,
    partner: String,
    reason: String,
    /// To how many numbers a second it is slowed; `None` = it is not.
    slowed: Option<u32>,
}

/// What the trail tells of apps that there still are, in its order.
fn flags(portal: &Portal, rows: &[TrailRow], book: &AccountBook) -> Vec<Flag> {
    let apps: HashMap<AppId, &App> = book.apps.iter().map(|app| (app.id, app)).collect();
    let partners: HashMap<PartnerId, &Partner> = book.partners.iter().map(|partner| (partner.id, partner)).collect();
    let flag = |row: &TrailRow| {
        let app = apps.get(&AppId::parse(&row.entry.target).ok()?)?;
        let partner = partners.get(&app.partner)?;
        Some(Flag {
            at: row.entry.at,
            at_shown: portal.shown(row.entry.at),
            app_id: app.id,
            app: app.name.clone(),
            partner_id: partner.id,
            partner: partner.name.clone(),
            reason: row.entry.reason.clone(),
            slowed: match app.limits.probing {
                Probing::Flag => None,
                Probing::Slow(rate) => Some(rate.per_second.get()),
            },
        })
    };
    rows.iter().filter_map(flag).collect()
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (rows, book) = portal.work(&visit, |work, _| Ok((newest(work)?, work.book()?))).await?;
    let words = &visit.language.words().running;
    let mut flags = flags(&portal, &rows, &book);
    // They come with the newest in front.
    let newest = flags.iter().find(|flag| flag.slowed.is_none()).map(|flag| (flag.partner_id, flag.app_id));
    let sorting = Sorting::of(&FLAGS, &visit, HERE, &mut flags);
    page(&AlarmsPage { frame: visit.frame(&portal, words.alarms), words, sorting, flags, newest })
}

/// The newest flags of the trail.
fn newest(work: &Work<'_>) -> Result<Vec<TrailRow>, Problem> {
    trail(work, TrailQuery { action: FLAGGED.to_owned(), limit: FLAGS_MAX, ..TrailQuery::default() })
}

/// As many flags of the trail as a file has, and whether there are more.
fn all(
    oldest_first: bool,
    mut of_trail: impl FnMut(TrailQuery) -> Result<Vec<TrailRow>, Problem>,
) -> Result<(Vec<TrailRow>, bool), Problem> {
    let (action, limit) = (FLAGGED.to_owned(), TRAIL_ROWS_MAX);
    let mut query = TrailQuery { action, oldest_first, limit, ..TrailQuery::default() };
    let mut rows = Vec::new();
    for _ in 0..ROWS_MAX / TRAIL_ROWS_MAX {
        let found = of_trail(query.clone())?;
        query.after = found.last().filter(|_| found.len() == TRAIL_ROWS_MAX).map(|last| last.number);
        rows.extend(found);
        if query.after.is_none() {
            return Ok((rows, false));
        }
    }
    Ok((rows, true))
}

/// All flags of the trail as a file, not the newest alone.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut sorting = Sorting::first(&FLAGS, &visit, "");
    let oldest_first = sorting.is_turned();
    let found = portal.work(&visit, move |work, _| {
        let (rows, has_more) = all(oldest_first, |query| trail(work, query))?;
        Ok((rows, has_more, work.book()?))
    });
    let (rows, has_more, book) = found.await?;
    let mut flags = flags(&portal, &rows, &book);
    sorting.sort(&mut flags, has_more);
    Ok(file("alarms.csv", HEAD, &flags, push))
}

fn push(csv: &mut String, flag: &Flag) {
    let (at, app, partner) = (flag.at.to_string(), flag.app_id.to_string(), flag.partner_id.to_string());
    let slowed = flag.slowed.map(|rate| rate.to_string()).unwrap_or_default();
    let told = [&at, &app, &flag.app, &partner, &flag.partner, &flag.reason, &slowed];
    push_line(csv, told.map(String::as_str));
}

#[cfg(test)]
mod tests {
    use laini_core::store::AuditEntry;

    use super::*;

    fn row(number: u64) -> TrailRow {
        let [actor, action, target, reason] = ["system", FLAGGED, "", ""].map(str::to_owned);
        TrailRow {
            number,
            entry: AuditEntry { at: Timestamp::UNIX_EPOCH, actor, action, target, reason, partner: None },
        }
    }

    #[test]
    fn a_file_has_every_flag_of_the_trail_until_it_is_full() {
        let list = |count: u64, oldest_first: bool| {
            let of_trail = |query: TrailQuery| {
                assert_eq!((query.action.as_str(), query.oldest_first), (FLAGGED, oldest_first));
                let first = query.after.map_or(0, |after| after + 1);
                let numbers = (first..count).take(query.limit);
                Ok(numbers.map(row).collect())
            };
            let (rows, has_more) = all(oldest_first, of_trail).unwrap();
            assert!(rows.iter().zip(0..).all(|(row, number)| row.number == number), "each once, in order");
            (rows.len(), has_more)
        };
        assert_eq!(list(0, false), (0, false));
        assert_eq!(list(501, true), (501, false));
        assert_eq!(list(20_001, false), (ROWS_MAX, true));
    }

    #[test]
    fn the_file_has_instants_with_their_zone_and_computes_nothing() {
        let flag = Flag {
            at: Timestamp::UNIX_EPOCH,
            at_shown: "1970-01-01 03:00".to_owned(),
            app_id: AppId::from_stored(2),
            app: "=cmd".to_owned(),
            partner_id: PartnerId::from_stored(1),
            partner: "Bank A".to_owned(),
            reason: "number after number".to_owned(),
            slowed: Some(3),
        };
        let mut csv = String::new();
        push(&mut csv, &flag);
        push(&mut csv, &Flag { slowed: None, ..flag });
        let (app, partner) = (AppId::from_stored(2), PartnerId::from_stored(1));
        let begins = format!("1970-01-01T00:00:00Z,{app},\"'=cmd\",{partner},Bank A,number after number");
        assert_eq!(csv, format!("{begins},3\r\n{begins},\r\n"));
    }
}
