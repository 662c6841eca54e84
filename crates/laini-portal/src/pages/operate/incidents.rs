//! Incidents as staff make them: opened with a look at who is told, updated, resolved.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::partner::{AppId, IncidentId, May, Product, StaffRole};
use laini_core::support::{Affected, Component, IncidentState, Severity};
use laini_office::incidents::{self, NewIncident, Told, Which};
use laini_office::{PageRequest, Problem, Work};

use super::LOOKS;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::incident_card::{INCIDENTS, IncidentCard, Listed};
use crate::page::{Access, Page, Workspace};
use crate::portal::Portal;
use crate::sorting::Sorting;
use crate::visit::{Visit, page};
use crate::words::{IncidentWords, Words};

/// Who says what goes wrong.
const SPEAKS: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Support] });

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/operate/incidents", LOOKS, show).in_rail(Workspace::Operate, |words| words.incidents),
        Page::get("/operate/incidents/new", SPEAKS, show_form),
        Page::post("/operate/incidents/new", SPEAKS, open, show_form),
        Page::get("/operate/incidents/{incident}", LOOKS, show_incident),
        Page::post("/operate/incidents/{incident}", SPEAKS, update, show_incident),
    ]
}

fn may_speak(visit: &Visit) -> bool {
    matches!(SPEAKS, Access::SignedIn(may) if visit.actor().is_allowed(&may))
}

#[derive(Template)]
#[template(path = "operate/incidents.html")]
struct IncidentsPage {
    frame: Frame,
    words: &'static IncidentWords,
    /// The word of each tab, what it is called, and whether it is shown.
    tabs: [(&'static str, &'static str, bool); 3],
    which: &'static str,
    sorting: Sorting<Listed>,
    rows: Vec<IncidentCard>,
    next: Option<String>,
    can_speak: bool,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let which = Which::parse(visit.query("state")).unwrap_or(Which::All);
    let mut sorting = Sorting::asked(&INCIDENTS, &visit, "/operate/incidents");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        incidents::list(work, which, PageRequest { is_turned, ..visit.asked_page()? })
    });
    let found = found.await?;
    let mut listed: Vec<Listed> = found.items.into_iter().map(|incident| (incident, true)).collect();
    sorting.sort(&mut listed, found.next.is_some());
    let all = visit.language.words();
    let words = &all.incidents;
    let tabs = [(Which::All, "all"), (Which::Open, "open"), (Which::Resolved, "resolved")];
    let mut labels = words.tabs.into_iter();
    page(&IncidentsPage {
        frame: visit.frame(&portal, words.title),
        words,
        tabs: tabs.map(|(tab, word)| (word, labels.next().unwrap_or_default(), tab == which)),
        which: tabs.iter().find(|(tab, _)| *tab == which).map_or("all", |(_, word)| word),
        sorting,
        rows: listed.iter().map(|(incident, _)| IncidentCard::of(incident, &portal, all)).collect(),
        next: found.next.map(|next| next.to_string()),
        can_speak: may_speak(&visit),
    })
}

#[derive(Template)]
#[template(path = "operate/incident_new.html")]
struct FormPage {
    frame: Frame,
    words: &'static IncidentWords,
    severities: Vec<Choice>,
    states: Vec<Choice>,
    components: Vec<Choice>,
    products: Vec<Choice>,
    reaches: [Choice; 3],
    is_public: bool,
    title: String,
    text: String,
    started: String,
    apps: String,
    /// Who would be told, where that was asked.
    told: Option<Vec<Told>>,
}

/// A choice of a form.
struct Choice {
    word: &'static str,
    label: &'static str,
    is_chosen: bool,
}

async fn show_form(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    form(&portal, &visit, None)
}

fn form(portal: &Portal, visit: &Visit, told: Option<Vec<Told>>) -> Result<Answer, Problem> {
    let all = visit.language.words();
    let words = &all.incidents;
    let is_new = visit.form.is_empty();
    let chosen = |field: &str, word: &str, at_first: bool| {
        if is_new { at_first } else { visit.fields(field).any(|chosen| chosen == word) }
    };
    let reaches = [("everyone", words.everyone), ("products", words.by_product), ("apps", words.by_app)];
    let text = |field| visit.field(field).to_owned();
    page(&FormPage {
        frame: visit.frame(portal, words.open),
        words,
        severities: choices(Severity::ALL.map(|one| (one.word(), words.severity(one))), |word| {
            chosen("severity", word, word == "major")
        }),
        states: choices(open_states(words), |word| chosen("state", word, word == "investigating")),
        components: choices(Component::ALL.map(|one| (one.word(), all.status.component(one))), |word| {
            chosen("component", word, false)
        }),
        products: choices(Product::ALL.map(|one| (one.word(), one.word())), |word| chosen("product", word, false)),
        reaches: reaches.map(|(word, label)| Choice {
            word,
            label,
            is_chosen: chosen("reaches", word, word == "everyone"),
        }),
        is_public: chosen("public", "yes", true),
        title: text("title"),
        text: text("text"),
        started: text("started"),
        apps: text("apps"),
        told,
    })
}

fn choices<const N: usize>(of: [(&'static str, &'static str); N], is_chosen: impl Fn(&str) -> bool) -> Vec<Choice> {
    of.into_iter().map(|(word, label)| Choice { word, label, is_chosen: is_chosen(word) }).collect()
}

fn open_states(words: &IncidentWords) -> [(&'static str, &'static str); 3] {
    [IncidentState::Investigating, IncidentState::Identified, IncidentState::Monitoring]
        .map(|state| (state.word(), words.state(state)))
}

/// Opens it, or shows who would be told.
async fn open(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    if visit.field("do") == "preview" {
        let told = portal.work(&visit, |work, visit| {
            let affected = affected(work, visit)?;
            incidents::audience(work, &affected)
        });
        return form(&portal, &visit, Some(told.await?));
    }
    let opened = portal.work(&visit, |work, visit| {
        let new = asked(work, visit)?;
        incidents::open(work, &new)
    });
    Ok(Answer::see_other(format!("/operate/incidents/{}", opened.await?.id)))
}

fn asked(work: &Work<'_>, visit: &Visit) -> Result<NewIncident, Problem> {
    let started = Some(visit.field("started")).filter(|text| !text.is_empty()).map(str::parse::<Timestamp>).transpose();
    let components = visit
        .fields("component")
        .map(|word| Component::parse(word).map_err(|error| Problem::invalid("components", error.to_string())));
    Ok(NewIncident {
        title: visit.field("title").to_owned(),
        severity: Severity::parse(visit.field("severity")).map_err(|e| Problem::invalid("severity", e.to_string()))?,
        components: components.collect::<Result<_, _>>()?,
        affected: affected(work, visit)?,
        is_public: visit.field("public") == "yes",
        started: started.map_err(|_| Problem::invalid("started", "expected an instant, as 2026-11-28T09:40:00Z"))?,
        state: IncidentState::parse(visit.field("state")).map_err(|e| Problem::invalid("state", e.to_string()))?,
        text: visit.field("text").to_owned(),
    })
}

/// Whom it reaches, as the form says.
fn affected(work: &Work<'_>, visit: &Visit) -> Result<Affected, Problem> {
    match visit.field("reaches") {
        "products" => {
            let products = visit
                .fields("product")
                .map(|word| Product::parse(word).map_err(|error| Problem::invalid("products", error.to_string())));
            Ok(Affected::Products(products.collect::<Result<_, _>>()?))
        }
        "apps" => {
            let book = work.book()?;
            let named = visit.field("apps").split_whitespace().map(|named| {
                let id = AppId::parse(named).ok();
                let app = book.apps.iter().find(|app| Some(app.id) == id || app.consumer_key.as_str() == named);
                app.map(|app| app.id).ok_or(Problem::invalid("apps", "there is no app of such an id or key"))
            });
            Ok(Affected::Apps(named.collect::<Result<_, _>>()?))
        }
        "everyone" => Ok(Affected::Everyone),
        _ => Err(Problem::invalid("reaches", "expected one of: everyone, products, apps")),
    }
}

#[derive(Template)]
#[template(path = "operate/incident.html")]
struct IncidentPage {
    frame: Frame,
    words: &'static IncidentWords,
    incident: IncidentCard,
    told: Vec<Told>,
    states: Vec<Choice>,
    can_speak: bool,
    text: String,
}

async fn show_incident(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("incident", IncidentId::parse)?;
    let found = portal.work(&visit, move |work, _| {
        let incident = incidents::the_incident(work, id)?;
        let told = incidents::audience(work, &incident.affected)?;
        Ok((incident, told))
    });
    let (incident, told) = found.await?;
    let all: &'static Words = visit.language.words();
    page(&IncidentPage {
        frame: visit.frame(&portal, incident.title.clone()),
        words: &all.incidents,
        states: choices(open_states(&all.incidents), |word| word == incident.state.word()),
        can_speak: may_speak(&visit) && incident.state.is_open(),
        incident: IncidentCard::of(&incident, &portal, all),
        told,
        text: visit.field("text").to_owned(),
    })
}

async fn update(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("incident", IncidentId::parse)?;
    portal
        .work(&visit, move |work, visit| {
            if visit.field("do") == "resolve" {
                return incidents::resolve(work, id, visit.field("text"));
            }
            let state = IncidentState::parse(visit.field("state"));
            let state = state.map_err(|error| Problem::invalid("state", error.to_string()))?;
            incidents::update(work, id, state, visit.field("text"))
        })
        .await?;
    Ok(Answer::see_other(format!("/operate/incidents/{id}")))
}
