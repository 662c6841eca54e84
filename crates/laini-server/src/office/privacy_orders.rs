//! Approved privacy requests that are carried out, in the background, and how far that is.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use laini_core::line::{EventText, Imsi};
use laini_core::partner::{May, PrivacyRequestId, StaffRole};
use laini_office::jobs::{CameTo, Job, JobState, RESULT_KEPT};
use laini_office::privacy::{
    Amendment, CarriedOut, Holdings, Order, Right, Span, begin_order, carry_out_order, number_named, take_dossier,
};
use laini_office::{Actor, Office, Problem, Work};
use laini_wire::office::privacy::{JobAnswer, PrivacyOrder};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use utoipa::PartialSchema as _;

use super::described::{file, operation, refusing, taking};
use super::look_ups::midnight;
use super::{Beside, Call, Endpoint, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Schemas, collect};

const ORDER_PATH: &str = "/office/v1/privacy-requests/{request}/carry-out";
const PROGRESS_PATH: &str = "/office/v1/privacy-requests/{request}/progress";
const DOSSIER_PATH: &str = "/office/v1/privacy-requests/{request}/dossier";
const PAPER_PATH: &str = "/office/v1/privacy-requests/{request}/dossier-paper";

/// Who carries requests out: a dossier says who asked about whom.
const CARRIERS: May = May { members: &[], staff: &[StaffRole::Admin] };
/// Who sees how far that is.
const READERS: May = May { members: &[], staff: &[StaffRole::Support, StaffRole::Admin, StaffRole::Auditor] };
/// The feed of which an event is where none is named.
const FEED: &str = "default";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(order_operation(), carry_out_privacy_request).beside(Beside::PrivacyOrder),
        Endpoint::new(progress_operation(), show_privacy_progress),
        Endpoint::new(dossier_operation(), take_privacy_dossier),
        Endpoint::new(paper_operation(), take_privacy_paper),
    ]
}

pub(super) fn schemas() -> Schemas {
    let mut schemas = vec![("PrivacyDossier".to_owned(), Value::schema())];
    collect::<PrivacyOrder>(&mut schemas);
    collect::<JobAnswer>(&mut schemas);
    schemas
}

/// How a job is told.
pub(super) fn job_example() -> Value {
    json!({
        "status": "under_way", "begun": "2026-11-22T09:00:00Z", "by": "staff:0000000000000001", "rows_read": 1_250_000,
        "read_until": null, "came_to": null, "stays": [], "failed_for": null, "kept_s": 900,
    })
}

fn order_operation() -> Operation {
    let answer = Answer::ok("It goes on; ask for its progress.", &["JobAnswer"], job_example());
    let answer = Answer { status: StatusCode::ACCEPTED, ..answer };
    let summary = "Carries an approved export, erasure or correction out, in the background and one at a time";
    let operation = operation("carry_out_privacy_request", (Method::POST, ORDER_PATH), summary, CARRIERS, answer);
    let operation = refusing(operation, ApiError::SpikeArrest { retry_after_s: 5 });
    taking(operation, "PrivacyOrder", json!({"number": "254722000001", "until": "2026-11-20"}))
}

fn progress_operation() -> Operation {
    let answer = Answer::ok("How far it is, on the node that was asked.", &["JobAnswer"], job_example());
    let summary = "How far the carrying out of a privacy request is";
    operation("show_privacy_progress", (Method::GET, PROGRESS_PATH), summary, READERS, answer)
}

fn dossier_operation() -> Operation {
    let example = json!({"number": "254722000001", "made": "2026-11-22T09:00:00Z", "events": [], "checks": []});
    let answer = Answer::ok("What is held about the number.", &["PrivacyDossier"], example);
    let summary = "Takes the dossier of a carried out export, within 15 minutes; with that the request ends";
    operation("take_privacy_dossier", (Method::POST, DOSSIER_PATH), summary, CARRIERS, answer)
}

fn paper_operation() -> Operation {
    let answer = file("The same as a paper for the holder of the number.", "text/html;charset=UTF-8");
    let summary = "Takes the dossier as a paper";
    operation("take_privacy_paper", (Method::POST, PAPER_PATH), summary, CARRIERS, answer)
}

/// Begins to carry out what the path names, as the body says. It goes on by itself.
pub(super) fn before_order(office: &Arc<Office>, actor: &Actor, call: &Call) -> Result<(), Problem> {
    let (id, at) = (call.id("request", PrivacyRequestId::parse)?, call.at);
    let order = order_of(office, &call.json()?)?;
    let job = begin_order(office, actor, id, &order, at)?;
    let (office, actor) = (Arc::clone(office), actor.clone());
    let runtime = Handle::current();
    let tell = Arc::clone(&job);
    let carrying_out = runtime.spawn_blocking({
        let office = Arc::clone(&office);
        move || carry_out_order(&office, &actor, id, &order, at, |rows| tell.read(rows))
    });
    runtime.spawn(async move {
        job.end(match carrying_out.await {
            Ok(Ok(carried_out)) => JobState::Done(CameTo::CarriedOut(Arc::new(carried_out))),
            Ok(Err(problem)) => {
                tracing::warn!(%problem, request = %id, "a privacy request could not be carried out");
                JobState::Failed(problem)
            }
            Err(error) => JobState::Failed(Problem::Store(error.to_string())),
        });
        // Nobody is to find later what was not taken.
        tokio::time::sleep(RESULT_KEPT.unsigned_abs()).await;
        office.jobs.forget(&job);
    });
    Ok(())
}

/// What the body asks for.
fn order_of(office: &Office, body: &PrivacyOrder) -> Result<Order, Problem> {
    let day = |name, day: Option<&str>, later| day.map(|day| midnight(office, name, day, later)).transpose();
    let span = Span { from: day("from", body.from.as_deref(), 0)?, until: day("until", body.until.as_deref(), 1)? };
    if let (Some(from), Some(until)) = (span.from, span.until)
        && from >= until
    {
        return Err(Problem::invalid("until", "it lies before from"));
    }
    Ok(Order {
        number: number_named(office, &body.number)?,
        span,
        holdings: body.holdings.as_deref().map_or(Ok(Holdings::Present), Holdings::parse)?,
        amendment: body.event.as_deref().map(|event| amendment_of(body, event)).transpose()?,
    })
}

fn amendment_of(body: &PrivacyOrder, event: &str) -> Result<Amendment, Problem> {
    let text = |name: &'static str, text: &str| {
        EventText::parse(text).map_err(|error| Problem::invalid(name, error.to_string()))
    };
    let imsi = body.imsi.as_deref().map(Imsi::parse).transpose();
    let imsi = imsi.map_err(|error| Problem::invalid("imsi", error.to_string()))?;
    let at = body.at.as_deref().map(str::parse::<Timestamp>).transpose();
    let at = at.map_err(|_| Problem::invalid("at", "expected an instant such as 2026-11-20T08:00:00Z"))?;
    let right = match (body.is_retracted, at) {
        (true, None) if imsi.is_none() => Right::Retracted,
        (false, Some(at)) => Right::At(at, imsi),
        _ => return Err(Problem::invalid("at", "say when it happened, or that it never did: one of both")),
    };
    let source = text("source", body.source.as_deref().unwrap_or(FEED))?;
    Ok(Amendment { event: text("event", event)?, source, right })
}

fn carry_out_privacy_request(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    Reply::begun(&job_of(work, call)?)
}

fn show_privacy_progress(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    Reply::ok(&job_of(work, call)?)
}

fn job_of(work: &Work<'_>, call: &Call) -> Result<JobAnswer, Problem> {
    let id = call.id("request", PrivacyRequestId::parse)?;
    let job = work.office.jobs.of_request(id).ok_or(Problem::NotFound("job"))?;
    Ok(job_answer(&job))
}

/// A job as it is told: what it came to, and never the result itself.
pub(super) fn job_answer(job: &Job) -> JobAnswer {
    let state = job.state();
    let (came_to, stays, failed_for) = match &state {
        JobState::Done(CameTo::CarriedOut(carried_out)) => {
            let stays = match &**carried_out {
                CarriedOut::Erased(erasure) => erasure.stays.iter().map(|stays| (*stays).to_owned()).collect(),
                CarriedOut::Exported(_) | CarriedOut::Rectified(_) => Vec::new(),
            };
            (Some(carried_out.in_record()), stays, None)
        }
        JobState::Failed(problem) => (None, Vec::new(), Some(told(problem))),
        JobState::Done(_) | JobState::UnderWay => (None, Vec::new(), None),
    };
    JobAnswer {
        status: state.word().to_owned(),
        begun: job.begun.to_string(),
        by: job.by.clone(),
        rows_read: job.rows(),
        read_until: job.reached().map(|at| at.to_string()),
        came_to,
        stays,
        failed_for,
        kept_s: RESULT_KEPT.unsigned_abs().as_secs(),
    }
}

fn told(problem: &Problem) -> String {
    match problem {
        Problem::Store(_) => "what is kept could not be reached; do it again".to_owned(),
        _ => problem.to_string(),
    }
}

fn take_privacy_dossier(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let carried_out = take_dossier(work, call.id("request", PrivacyRequestId::parse)?)?;
    let CarriedOut::Exported(dossier) = &*carried_out else { return Err(Problem::NotFound("dossier")) };
    Ok(Reply::ok(dossier)?.once())
}

fn take_privacy_paper(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let carried_out = take_dossier(work, call.id("request", PrivacyRequestId::parse)?)?;
    let CarriedOut::Exported(dossier) = &*carried_out else { return Err(Problem::NotFound("dossier")) };
    let html = dossier.paper(&work.office.settings.operator).html();
    Ok(Reply::file("text/html;charset=UTF-8", "held.html".to_owned(), html.into_bytes()).once())
}
