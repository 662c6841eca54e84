//! Incidents as a partner sees them: whether each reaches its apps, and letters for whoever wants them.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::IncidentId;
use laini_core::store::{RefusalCause, RefusedCall};
use laini_office::incidents::{self, Incident, Which};
use laini_office::{PageRequest, Problem};

use super::{LOOKS, is_documented};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::incident_card::{INCIDENTS, IncidentCard, Listed};
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::Sorting;
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
    sorting: Sorting<Listed>,
    /// Each with whether it reaches the partner.
    rows: Vec<(IncidentCard, bool)>,
    next: Option<String>,
    is_subscribed: bool,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut sorting = Sorting::asked(&INCIDENTS, &visit, "/incidents");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        let page = incidents::list(work, Which::All, PageRequest { is_turned, ..visit.asked_page()? })?;
        let book = work.book()?;
        let reaches =
            |incident: &Incident| book.apps.iter().any(|app| app.partner == partner && incident.affected.reaches(app));
        let reached: Vec<_> = page.items.iter().map(reaches).collect();
        Ok((page, reached, incidents::is_subscribed(work)?))
    });
    let (found, reached, is_subscribed) = found.await?;
    let all = visit.language.words();
    let mut listed: Vec<Listed> = found.items.into_iter().zip(reached).collect();
    sorting.sort(&mut listed, found.next.is_some());
    let card = |(incident, is_reached): &Listed| (IncidentCard::of(incident, &portal, all), *is_reached);
    page(&IncidentsPage {
        frame: visit.frame(&portal, all.incidents.title),
        words: &all.incidents,
        sorting,
        rows: listed.iter().map(card).collect(),
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
    until: String,
    failed: u64,
    causes: Vec<Cause>,
    newest: Vec<Failed>,
    /// The form of a ticket, filled.
    ask: String,
}

/// Why calls failed.
struct Cause {
    code: String,
    status: u16,
    reason: String,
    calls: u64,
    is_documented: bool,
}

/// A call that failed.
struct Failed {
    reference: String,
    at: String,
    code: String,
    number: String,
}

async fn show_incident(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("incident", IncidentId::parse)?;
    let found = portal.work(&visit, move |work, visit| incidents::impact(work, visit.partner()?, id));
    let impact = found.await?;
    let all = visit.language.words();
    let cause = |cause: &RefusalCause| Cause {
        code: cause.code.clone(),
        status: cause.status,
        reason: cause.reason.clone(),
        calls: cause.calls,
        is_documented: is_documented(&cause.code),
    };
    let failed = |call: &RefusedCall| Failed {
        reference: call.id.request_ref(),
        at: portal.shown(call.at),
        code: call.code.clone(),
        number: call.about.as_ref().map(|about| about.masked.clone()).unwrap_or_default(),
    };
    let subject: String = form_urlencoded::byte_serialize(impact.incident.title.as_bytes()).collect();
    page(&IncidentPage {
        frame: visit.frame(&portal, impact.incident.title.clone()),
        words: &all.incidents,
        incident: IncidentCard::of(&impact.incident, &portal, all),
        reaches_you: impact.apps > 0,
        until: portal.shown(impact.until),
        failed: impact.failures.calls,
        causes: impact.failures.causes.iter().map(cause).collect(),
        newest: impact.failures.newest.iter().map(failed).collect(),
        ask: format!("/support?subject={subject}"),
    })
}
