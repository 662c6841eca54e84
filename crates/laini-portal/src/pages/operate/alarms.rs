//! Alarms of the gateway: apps that seemed to be probing. What a bank's desk raises is the bank's alone.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use laini_core::partner::{App, AppId, PartnerId, Probing};
use laini_core::store::TrailQuery;
use laini_office::{Problem, Work, trail};

use super::LOOKS;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::RunningWords;

/// Flags that are shown.
const FLAGS_MAX: usize = 100;
const HERE: &str = "/operate/alarms";

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get(HERE, LOOKS, show).in_rail(Workspace::Operate, |words| words.alarms)]
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
        // An instant as people read it is in the order of time.
        ("at", |one, other| one.at.cmp(&other.at)),
        ("app", |one, other| by_text(&one.app, &other.app)),
        ("partner", |one, other| by_text(&one.partner, &other.partner)),
        ("reason", |one, other| one.reason.cmp(&other.reason)),
        ("probing", |one, other| one.slowed.cmp(&other.slowed)),
    ],
    comes: "-at",
};

struct Flag {
    at: String,
    app_id: AppId,
    app: String,
    partner_id: PartnerId,
    partner: String,
    reason: String,
    /// To how many numbers a second it is slowed; `None` = it is not.
    slowed: Option<u32>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (rows, book) = portal.work(&visit, |work, _| Ok((flagged(work)?, work.book()?))).await?;
    let words = &visit.language.words().running;
    let apps: HashMap<AppId, &App> = book.apps.iter().map(|app| (app.id, app)).collect();
    let flag = |row: &laini_core::store::TrailRow| {
        let app = apps.get(&AppId::parse(&row.entry.target).ok()?)?;
        let partner = book.partners.iter().find(|partner| partner.id == app.partner)?;
        Some(Flag {
            at: portal.shown(row.entry.at),
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
    let mut flags: Vec<Flag> = rows.iter().filter_map(flag).collect();
    // They come with the newest in front.
    let newest = flags.iter().find(|flag| flag.slowed.is_none()).map(|flag| (flag.partner_id, flag.app_id));
    let sorting = Sorting::of(&FLAGS, &visit, HERE, &mut flags);
    page(&AlarmsPage { frame: visit.frame(&portal, words.alarms), words, sorting, flags, newest })
}

/// The newest flags of the trail.
fn flagged(work: &mut Work<'_>) -> Result<Vec<laini_core::store::TrailRow>, Problem> {
    trail(work, TrailQuery { action: "app.flagged".to_owned(), limit: FLAGS_MAX, ..TrailQuery::default() })
}
