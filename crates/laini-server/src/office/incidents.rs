//! Incidents: opened, updated and resolved by staff; read by whoever may know of them.

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use laini_core::partner::{AppId, IncidentId, May, Product, StaffRole, WordError};
use laini_core::support::{Affected, Component, IncidentState, Severity};
use laini_office::incidents::{self, Incident, NewIncident, Which};
use laini_office::{Problem, Work};
use laini_wire::office::incidents::{
    IncidentAnswer, IncidentAudienceAnswer, IncidentAudienceItem, IncidentCauseItem, IncidentImpactAnswer,
    IncidentUpdateItem, IncidentsAnswer, OpenIncidentRequest, ResolveIncidentRequest, UpdateIncidentRequest,
};
use serde_json::{Value, json};

use super::described::{LOOKERS, asking, in_query, operation, paged, refusing, taking};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Schemas, collect};

const INCIDENTS_PATH: &str = "/office/v1/incidents";
const INCIDENT_PATH: &str = "/office/v1/incidents/{incident}";
const UPDATES_PATH: &str = "/office/v1/incidents/{incident}/updates";
const RESOLVE_PATH: &str = "/office/v1/incidents/{incident}/resolve";
const IMPACT_PATH: &str = "/office/v1/partners/{partner}/incidents/{incident}/impact";
const AUDIENCE_PATH: &str = "/office/v1/incident-audience";

/// Who says what goes wrong.
const SPEAKERS: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Support] };

pub(super) const NOUN: Noun = Noun {
    tag: "incidents",
    description: "What goes wrong: opened, updated and resolved by staff, told by letter and delivery to whom it reaches.",
    endpoints: || {
        vec![
            Endpoint::new(list_operation(), list_incidents),
            Endpoint::new(show_operation(), show_incident),
            Endpoint::new(audience_operation(), show_incident_audience),
            Endpoint::new(open_operation(), open_incident),
            Endpoint::new(update_operation(), update_incident),
            Endpoint::new(resolve_operation(), resolve_incident),
            Endpoint::new(impact_operation(), show_incident_impact),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<OpenIncidentRequest>(&mut schemas);
    collect::<UpdateIncidentRequest>(&mut schemas);
    collect::<ResolveIncidentRequest>(&mut schemas);
    collect::<IncidentsAnswer>(&mut schemas);
    collect::<IncidentAudienceAnswer>(&mut schemas);
    collect::<IncidentImpactAnswer>(&mut schemas);
    schemas
}

fn example() -> Value {
    let began = "2026-11-28T09:40:00Z";
    let said = "Checks take longer than they should. We look for the cause.";
    json!({
        "id": "0000000000000007", "title": "Checks are slow", "severity": "major", "state": "investigating",
        "components": ["checks"], "affected": "everyone", "products": [], "public": true, "started": began,
        "resolved": null, "updates": [{"at": "2026-11-28T09:45:00Z", "state": "investigating", "text": said}],
    })
}

fn answer(description: &'static str) -> Answer {
    Answer::ok(description, &["IncidentAnswer"], example())
}

fn list_operation() -> Operation {
    let page = json!({"incidents": [example()], "next": null});
    let page = Answer::ok("A page of them, the newest first.", &["IncidentsAnswer"], page);
    let list =
        operation("list_incidents", (Method::GET, INCIDENTS_PATH), "Incidents that one may know of", LOOKERS, page);
    let states = json!({"type": "string", "enum": ["all", "open", "resolved"], "default": "all"});
    paged(asking(list, [in_query("state", "Only those that go on, or are over.", states)]))
}

fn show_operation() -> Operation {
    operation("show_incident", (Method::GET, INCIDENT_PATH), "One incident", LOOKERS, answer("The incident."))
}

fn audience_operation() -> Operation {
    let told = json!({"partners": [{"partner": "0000000000000002", "name": "Bank A", "apps": 2, "letters": 1}]});
    let told = Answer::ok("The partners, by name.", &["IncidentAudienceAnswer"], told);
    let words = |example: &str| json!({"type": "string", "example": example});
    let asked = [
        in_query("products", "Whoever has an app with one of these, with commas between.", words("imsi,swap")),
        in_query("apps", "Whoever has one of these apps: ids, with commas between.", words("0000000000000003")),
    ];
    let summary = "Who would be told of an incident; everyone, where neither products nor apps are named";
    let show = operation("show_incident_audience", (Method::GET, AUDIENCE_PATH), summary, May::STAFF, told);
    refusing(asking(show, asked), ApiError::InvalidField("products", "expected imsi, swap, age".into()))
}

fn open_operation() -> Operation {
    let opened = Answer { status: StatusCode::CREATED, ..answer("The incident; whom it reaches is told.") };
    let open = operation("open_incident", (Method::POST, INCIDENTS_PATH), "Opens an incident", SPEAKERS, opened);
    let body = json!({
        "title": "Checks are slow", "severity": "major", "components": ["checks"], "products": ["imsi"],
        "text": "Checks take longer than they should. We look for the cause.",
    });
    taking(open, "OpenIncidentRequest", body)
}

fn update_operation() -> Operation {
    let summary = "Says something of an incident that goes on";
    let update = operation("update_incident", (Method::POST, UPDATES_PATH), summary, SPEAKERS, answer("As it is now."));
    let body = json!({"state": "identified", "text": "A disk is slow. It is being replaced."});
    taking(update, "UpdateIncidentRequest", body)
}

fn resolve_operation() -> Operation {
    let summary = "Ends an incident";
    let resolve =
        operation("resolve_incident", (Method::POST, RESOLVE_PATH), summary, SPEAKERS, answer("As it is now."));
    taking(resolve, "ResolveIncidentRequest", json!({"text": "The disk was replaced at 10:20."}))
}

fn impact_operation() -> Operation {
    let example = json!({
        "incident": "0000000000000007", "from": "2026-11-28T09:40:00Z", "until": "2026-11-28T10:20:00Z", "apps": 2,
        "failed": 2, "failed_by_operator": 2, "billed": 0, "causes": [{
            "status": 503, "code": "503.001.01", "reason": "it cannot be reached", "calls": 2,
        }], "newest": ["971f-4359-b611-6845a1be45ef26453458"],
    });
    let answer = Answer::ok("What failed on the operator's side while it lasted.", &["IncidentImpactAnswer"], example);
    let summary =
        "Which calls of the apps that an incident reaches failed on the operator's side; none of them is billed";
    operation("show_incident_impact", (Method::GET, IMPACT_PATH), summary, LOOKERS, answer)
}

fn show_incident_impact(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let impact = incidents::impact(work, call.partner()?, id(call)?)?;
    let causes = impact.failures.causes.iter().map(|cause| IncidentCauseItem {
        status: cause.status,
        code: cause.code.clone(),
        reason: cause.reason.clone(),
        calls: cause.calls,
    });
    Reply::ok(&IncidentImpactAnswer {
        incident: impact.incident.id.to_string(),
        from: impact.incident.started.to_string(),
        until: impact.until.to_string(),
        apps: impact.apps as u64,
        failed: impact.failures.calls,
        failed_by_operator: impact.failures.calls,
        billed: 0,
        causes: causes.collect(),
        newest: impact.failures.newest.iter().map(|call| call.id.request_ref()).collect(),
    })
}

fn list_incidents(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let which = call.query("state").map(Which::parse).transpose()?.unwrap_or(Which::All);
    let page = incidents::list(work, which, call.page()?)?;
    let incidents = page.items.iter().map(incident_answer).collect();
    Reply::ok(&IncidentsAnswer { incidents, next: page.next.map(|next| next.to_string()) })
}

fn show_incident(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    Reply::ok(&incident_answer(&incidents::the_incident(work, id(call)?)?))
}

fn show_incident_audience(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let words = |name| {
        let listed = call.query(name).unwrap_or_default().split(',').map(str::trim);
        listed.filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let affected = affected(&words("products"), &words("apps"))?;
    let told = incidents::audience(work, &affected)?;
    let partners = told.iter().map(|told| IncidentAudienceItem {
        partner: told.partner.to_string(),
        name: told.name.clone(),
        apps: told.apps as u64,
        letters: told.letters.len() as u64,
    });
    Reply::ok(&IncidentAudienceAnswer { partners: partners.collect() })
}

fn open_incident(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: OpenIncidentRequest = call.json()?;
    let started = asked.started.as_deref().map(str::parse::<Timestamp>).transpose();
    let components = asked.components.iter().map(|word| word_of("components", Component::parse(word)));
    let new = NewIncident {
        severity: word_of("severity", Severity::parse(&asked.severity))?,
        components: components.collect::<Result<_, _>>()?,
        affected: affected(&asked.products, &asked.apps)?,
        is_public: asked.public,
        started: started.map_err(|_| Problem::invalid("started", "expected an instant, as 2026-11-28T09:40:00Z"))?,
        state: word_of("state", asked.state.as_deref().map_or(Ok(IncidentState::Investigating), IncidentState::parse))?,
        title: asked.title,
        text: asked.text,
    };
    Reply::created(&incident_answer(&incidents::open(work, &new)?))
}

fn update_incident(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: UpdateIncidentRequest = call.json()?;
    let state = word_of("state", IncidentState::parse(&asked.state))?;
    Reply::ok(&incident_answer(&incidents::update(work, id(call)?, state, &asked.text)?))
}

fn resolve_incident(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: ResolveIncidentRequest = call.json()?;
    Reply::ok(&incident_answer(&incidents::resolve(work, id(call)?, &asked.text)?))
}

fn id(call: &Call) -> Result<IncidentId, Problem> {
    call.id("incident", IncidentId::parse)
}

fn word_of<T>(field: &'static str, parsed: Result<T, WordError>) -> Result<T, Problem> {
    parsed.map_err(|error| Problem::invalid(field, error.to_string()))
}

/// Whom an incident reaches, as a request says it.
fn affected(products: &[String], apps: &[String]) -> Result<Affected, Problem> {
    if !products.is_empty() && !apps.is_empty() {
        return Err(Problem::invalid("apps", "name products or apps, not both"));
    }
    if !products.is_empty() {
        let products = products.iter().map(|word| word_of("products", Product::parse(word)));
        return Ok(Affected::Products(products.collect::<Result<_, _>>()?));
    }
    if apps.is_empty() {
        return Ok(Affected::Everyone);
    }
    let apps = apps.iter().map(|id| AppId::parse(id).map_err(|error| Problem::invalid("apps", error.to_string())));
    Ok(Affected::Apps(apps.collect::<Result<_, _>>()?))
}

/// An incident as everybody may see it who may know of it.
pub fn incident_answer(incident: &Incident) -> IncidentAnswer {
    let (affected, products) = match &incident.affected {
        Affected::Everyone => ("everyone", Vec::new()),
        Affected::Products(products) => ("products", products.iter().map(|one| one.word().to_owned()).collect()),
        Affected::Apps(_) => ("apps", Vec::new()),
    };
    let updates = incident.updates.iter().map(|update| IncidentUpdateItem {
        at: update.at.to_string(),
        state: update.state.word().to_owned(),
        text: update.text.clone(),
    });
    IncidentAnswer {
        id: incident.id.to_string(),
        title: incident.title.clone(),
        severity: incident.severity.word().to_owned(),
        state: incident.state.word().to_owned(),
        components: incident.components.iter().map(|component| component.word().to_owned()).collect(),
        affected: affected.to_owned(),
        products,
        public: incident.is_public,
        started: incident.started.to_string(),
        resolved: incident.resolved.map(|at| at.to_string()),
        updates: updates.collect(),
    }
}
