//! Incidents as a partner sees them: whether each reaches its apps, and letters for whoever wants them.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::IncidentId;
use laini_office::incidents::{self, Incident, Which};
use laini_office::{Cursor, PageRequest, Problem};

use super::LOOKS;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::incident_card::IncidentCard;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::IncidentWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/incidents", LOOKS, show).in_rail(Workspace::Build, |words| words.incidents),
        Page::post("/incidents/letters", LOOKS, set_letters, show),
        Page::get("/incidents/{incident}", LOOKS, show_incident),
    ]
}

#[derive(Template)]
#[template(path = "build/incidents.html")]
struct IncidentsPage {
    frame: Frame,
    words: &'static IncidentWords,
    /// Each with whether it reaches the partner.
    rows: Vec<(IncidentCard, bool)>,
    next: Option<String>,
    is_subscribed: bool,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        let partner = visit.partner()?;
        let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(Cursor::parse).transpose()?;
        let page = incidents::list(work, Which::All, PageRequest { after, ..PageRequest::FIRST })?;
        let book = work.book()?;
        let reaches = |incident: &Incident| {
            book.apps.iter().any(|app| app.partner == partner && incident.affected.reaches(app))
        };
        let reached: Vec<_> = page.items.iter().map(reaches).collect();
        Ok((page, reached, incidents::is_subscribed(work)?))
    });
    let (found, reached, is_subscribed) = found.await?;
    let all = visit.language.words();
    let cards = found.items.iter().map(|incident| IncidentCard::of(incident, &portal, all));
    page(&IncidentsPage {
        frame: visit.frame(&portal, all.incidents.title),
        words: &all.incidents,
        rows: cards.zip(reached).collect(),
        next: found.next.map(|next| next.to_string()),
        is_subscribed,
    })
}

async fn set_letters(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal.work(&visit, |work, visit| incidents::subscribe(work, visit.field("letters") == "on")).await?;
    Ok(Answer::see_other("/incidents"))
}

#[derive(Template)]
#[template(path = "build/incident.html")]
struct IncidentPage {
    frame: Frame,
    words: &'static IncidentWords,
    incident: IncidentCard,
    reaches_you: bool,
}

async fn show_incident(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("incident", IncidentId::parse)?;
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let incident = incidents::the_incident(work, id)?;
        let book = work.book()?;
        let reaches_you = book.apps.iter().any(|app| app.partner == partner && incident.affected.reaches(app));
        Ok((incident, reaches_you))
    });
    let (incident, reaches_you) = found.await?;
    let all = visit.language.words();
    page(&IncidentPage {
        frame: visit.frame(&portal, incident.title.clone()),
        words: &all.incidents,
        incident: IncidentCard::of(&incident, &portal, all),
        reaches_you,
    })
}
