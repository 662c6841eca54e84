use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use laini_core::support::{Component, Health, Tally};

use super::{HourTally, Latest, UptimeDay};
use crate::incidents::{Incident, Which, list};
use crate::{PageRequest, Problem, Work};

/// The picture shows so many days.
pub const DAYS: usize = 90;
/// A probe says how it is now for so long, or for three turns where they are longer.
const LATEST_COUNTS: SignedDuration = SignedDuration::from_mins(5);
/// The most incidents that are shown, of those that go on and of those that are over.
const INCIDENTS_MAX: usize = 50;

/// How well the service works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// When it was taken.
    pub at: Timestamp,
    /// When the newest probes were made; `None` = there were none.
    pub probed: Option<Timestamp>,
    /// The components that are probed, or that an incident is about.
    pub components: Vec<ComponentPicture>,
    /// What goes on, the newest first.
    pub open: Vec<Incident>,
    /// What is over, the newest first.
    pub past: Vec<Incident>,
}

/// How well a component works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentPicture {
    /// Which.
    pub component: Component,
    /// How it is now; `None` = nobody knows.
    pub health: Option<Health>,
    /// The newest probe, where it still says something.
    pub latest: Option<Latest>,
    /// Ninety days, the oldest first, today the last.
    pub days: Vec<(Date, Tally)>,
    /// All of them together.
    pub total: Tally,
    /// Today by hour, where there were probes.
    pub hours: Vec<HourTally>,
    /// The last 24 hours with their days, the oldest first, where there were probes.
    pub recent: Vec<(Date, HourTally)>,
}

impl Picture {
    /// How it is on the whole: as its worst part is; `None` = nobody knows of any.
    pub fn health(&self) -> Option<Health> {
        self.components.iter().filter_map(|component| component.health).max()
    }
}

/// The picture that everybody is shown. `every` = how often probes are made.
pub fn picture(work: &mut Work<'_>, every: SignedDuration) -> Result<Picture, Problem> {
    let at = work.at;
    let longest = PageRequest { limit: DAYS, ..PageRequest::FIRST };
    let days = work.find::<UptimeDay>("on", "all", true, longest)?.items;
    let page = PageRequest { limit: INCIDENTS_MAX, ..PageRequest::FIRST };
    let (mut open, mut past) = (list(work, Which::Open, page)?.items, list(work, Which::Resolved, page)?.items);
    open.retain(|incident| incident.is_public);
    let first = at.checked_sub((24 * i64::try_from(DAYS).unwrap_or(0)).hours()).unwrap_or(Timestamp::MIN);
    past.retain(|incident| incident.is_public && incident.resolved.is_none_or(|at| at >= first));
    let now = at.to_zoned(work.office.settings.zone.clone());
    let components = Component::ALL.into_iter().filter_map(|component| {
        let picture = of_component(component, (now.date(), now.hour()), &days, fresh(&days, at, every));
        let said = open.iter().filter(|incident| incident.components.contains(&component));
        let said = said.map(|incident| incident.severity.health()).max();
        let is_known = picture.total.probes > 0 || said.is_some();
        is_known.then(|| ComponentPicture { health: picture.health.max(said), ..picture })
    });
    Ok(Picture { at, probed: days.first().map(|newest| newest.probed), components: components.collect(), open, past })
}

/// The newest probes, where they still say how it is.
fn fresh(days: &[UptimeDay], at: Timestamp, every: SignedDuration) -> &[Latest] {
    let counts = LATEST_COUNTS.max(every * 3);
    let newest = days.first().filter(|newest| at.duration_since(newest.probed) <= counts);
    newest.map_or(&[], |newest| &newest.latest)
}

fn of_component(
    component: Component,
    (today, hour): (Date, i8),
    days: &[UptimeDay],
    fresh: &[Latest],
) -> ComponentPicture {
    let on = |back: usize| today.saturating_sub(i64::try_from(back).unwrap_or(0).days());
    let tally = |on: Date| days.iter().find(|day| day.on == on).map_or_else(Tally::default, |day| day.tally(component));
    let shown: Vec<_> = (0..DAYS).rev().map(|back| (on(back), tally(on(back)))).collect();
    let latest = fresh.iter().find(|latest| latest.component == component).copied();
    let hours_on = |on: Date| {
        let hours = days.iter().find(|day| day.on == on).map_or(&[][..], |day| &day.hours);
        hours.iter().filter(|of| of.component == component).cloned()
    };
    let yesterday = hours_on(on(1)).filter(|of| of.hour > hour).map(|of| (on(1), of));
    let mut recent: Vec<_> = yesterday.chain(hours_on(today).map(|of| (today, of))).collect();
    recent.sort_by_key(|(on, of)| (*on, of.hour));
    ComponentPicture {
        component,
        health: latest.map(|latest| latest.health),
        latest,
        total: shown.iter().fold(Tally::default(), |total, (_, tally)| total.with(*tally)),
        days: shown,
        hours: hours_on(today).collect(),
        recent,
    }
}
