use std::sync::Arc;

use askama::Template;
use laini_core::desk::{Thresholds, Verdict, WorkingHours};
use laini_office::Problem;
use laini_office::desk::{self, DeskSettings};

use super::SETS;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{DeskHistoryWords, DeskWords};

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/desk/settings", SETS, show).in_rail(Workspace::Investigate, |words| words.desk_settings),
        Page::post("/desk/settings", SETS, set, show),
    ]
}

#[derive(Template)]
#[template(path = "desk/settings.html")]
struct SettingsPage {
    frame: Frame,
    words: &'static DeskWords,
    history: &'static DeskHistoryWords,
    settings: DeskSettings,
    is_saved: bool,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().desk;
    let settings = portal.work(&visit, |work, visit| desk::settings(work, visit.partner()?)).await?;
    let is_saved = !visit.query("saved").is_empty();
    let history = &visit.language.words().desk_history;
    page(&SettingsPage { frame: visit.frame(&portal, words.settings), words, history, settings, is_saved })
}

async fn set(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let mut settings = desk::settings(work, visit.partner()?)?;
            settings.thresholds = Thresholds {
                swap_hold_days: number(visit, "swap_hold_days")?,
                swap_step_up_days: number(visit, "swap_step_up_days")?,
                age_hold_days: number(visit, "age_hold_days")?,
                age_step_up_days: number(visit, "age_step_up_days")?,
                unknown: verdict(visit, "unknown")?,
                not_served: verdict(visit, "not_served")?,
            };
            settings.look_ups_per_day = number(visit, "look_ups_per_day")?;
            settings.reveals_per_day = number(visit, "reveals_per_day")?;
            settings.hours = hours(visit)?;
            let canaries = visit.field("canaries").split_whitespace();
            let canaries = canaries.map(|text| work.office.settings.plan.parse(text));
            let canaries = canaries.collect::<Result<Vec<_>, _>>();
            let canaries = canaries.map_err(|error| Problem::invalid("canaries", error.to_string()))?;
            let settings = if canaries.is_empty() { settings } else { settings.with_canaries(work.office, &canaries) };
            desk::set_settings(work, &settings)
        })
        .await?;
    Ok(Answer::see_other("/desk/settings?saved=1"))
}

fn number<T: std::str::FromStr>(visit: &Visit, field: &'static str) -> Result<T, Problem> {
    visit.field(field).parse().map_err(|_| Problem::invalid(field, "expected a whole number, not below zero"))
}

fn verdict(visit: &Visit, field: &'static str) -> Result<Verdict, Problem> {
    Verdict::parse(visit.field(field)).ok_or(Problem::invalid(field, "expected step up or hold"))
}

fn hours(visit: &Visit) -> Result<Option<WorkingHours>, Problem> {
    if visit.field("from_hour").is_empty() && visit.field("until_hour").is_empty() {
        return Ok(None);
    }
    let (from_hour, until_hour) = (number(visit, "from_hour")?, number(visit, "until_hour")?);
    Ok(Some(WorkingHours { from_hour, until_hour, weekends: !visit.field("weekends").is_empty() }))
}
