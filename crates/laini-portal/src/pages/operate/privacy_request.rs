//! One privacy request: its steps, and how it is carried out.

use std::sync::Arc;

use askama::Template;
use axum::http::Method;
use laini_core::partner::{PartnerId, PrivacyRequestId, StaffRole};
use laini_core::privacy::{IdentityProof, PrivacyAction, RequestState};
use laini_office::jobs::{CameTo, Job, JobState};
use laini_office::privacy::{self, CarriedOut, Dossier, Holdings, PrivacyRequest, Subject, number_named};
use laini_office::{Office, Problem, Work};
use laini_wire::office::privacy::PrivacyOrder;

use super::privacy::{CLERKS, HERE, READS, Row, of_staff, row};
use crate::answer::Answer;
use crate::figures::count;
use crate::frame::{Frame, told};
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::PrivacyWords;

/// Who approves,
const APPROVES: Access = of_staff(&[StaffRole::Admin]);
/// and who carries out: a dossier says who asked about whom.
const CARRIES: Access = of_staff(&[StaffRole::Admin]);

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/operate/privacy/{request}", READS, show_one),
        Page::post("/operate/privacy/{request}/identity", CLERKS, check_identity, show_one),
        Page::post("/operate/privacy/{request}/approve", APPROVES, approve, show_one),
        Page::post("/operate/privacy/{request}/refuse", CLERKS, refuse, show_one),
        Page::post("/operate/privacy/{request}/carry-out", CARRIES, carry_out, show_one),
        Page::post("/operate/privacy/{request}/dossier", CARRIES, take_json, show_one),
        Page::post("/operate/privacy/{request}/dossier-paper", CARRIES, take_paper, show_one),
    ]
}

#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no of each thing")]
#[derive(Template)]
#[template(path = "operate/privacy_request.html")]
struct RequestPage<'a> {
    frame: Frame,
    words: &'static PrivacyWords,
    row: Row,
    by: String,
    partner: Option<(PartnerId, String)>,
    reason: String,
    held_until: Option<String>,
    is_held: bool,
    identity: Option<(&'static str, String)>,
    approval: Option<(String, String, String)>,
    ending: Option<(String, String)>,
    proofs: Vec<(&'static str, &'static str)>,
    /// What comes next: `identity`, `approve`, `carry_out`, or nothing.
    next: &'static str,
    can_clerk: bool,
    can_approve: bool,
    /// Whether whoever looks may carry it out.
    can_carry_out: bool,
    /// Whether its approval takes effect at once, so that the number is typed again with it.
    takes_effect: bool,
    action: PrivacyAction,
    holdings: Vec<(&'static str, &'static str)>,
    is_under_way: bool,
    has_dossier: bool,
    job: Option<JobCard>,
    /// What was sent, where that is shown again.
    sent: Sent<'a>,
    /// The command that carries it out.
    command: String,
}

/// What of a form is shown again: neither a number nor an IMSI.
struct Sent<'a> {
    from: &'a str,
    until: &'a str,
    holdings: &'a str,
    event: &'a str,
    source: &'a str,
    at: &'a str,
}

impl<'a> Sent<'a> {
    fn of(visit: &'a Visit) -> Self {
        let [from, until, holdings] = ["from", "until", "holdings"].map(|name| visit.field(name));
        let [event, source, at] = ["event", "source", "at"].map(|name| visit.field(name));
        Self { from, until, holdings, event, source, at }
    }
}

/// How far the carrying out is, or what it came to.
struct JobCard {
    state: &'static str,
    is_under_way: bool,
    rows: String,
    came_to: Option<String>,
    stays: Vec<&'static str>,
    failed_for: Option<String>,
    /// Whether a dossier can be taken.
    has_dossier: bool,
}

impl JobCard {
    fn of(job: &Job, visit: &Visit) -> Self {
        let words = visit.language.words();
        let state = job.state();
        let carried_out = match &state {
            JobState::Done(CameTo::CarriedOut(carried_out)) => Some(carried_out),
            JobState::Done(_) | JobState::Failed(_) | JobState::UnderWay => None,
        };
        Self {
            state: words.privacy.job_state(&state),
            is_under_way: job.is_under_way(),
            rows: count(job.rows()),
            came_to: carried_out.map(|carried_out| carried_out.in_record()),
            stays: match carried_out.map(|carried_out| &**carried_out) {
                Some(CarriedOut::Erased(erasure)) => erasure.stays.clone(),
                _ => Vec::new(),
            },
            failed_for: match &state {
                JobState::Failed(problem) => Some(told(problem, words)),
                JobState::Done(_) | JobState::UnderWay => None,
            },
            has_dossier: matches!(carried_out.map(|carried_out| &**carried_out), Some(CarriedOut::Exported(_))),
        }
    }
}

async fn show_one(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("request", PrivacyRequestId::parse)?;
    let found = portal.work(&visit, move |work, _| {
        let request: PrivacyRequest = work.get(id)?;
        let book = work.book()?;
        let named = request.partner.and_then(|id| book.partners.into_iter().find(|one| one.id == id));
        Ok((request, named.map(|one| (one.id, one.name))))
    });
    let (request, partner) = found.await?;
    let words = &visit.language.words().privacy;
    let may = |access: Access| matches!(access, Access::SignedIn(may) if visit.actor().is_allowed(&may));
    let job = portal.office.jobs.of_request(id).map(|job| JobCard::of(&job, &visit));
    let proof = |how: IdentityProof| {
        let place = IdentityProof::ALL.iter().position(|other| *other == how);
        place.map_or("", |place| words.proofs[place])
    };
    page(&RequestPage {
        frame: visit.frame(&portal, format!("{} · {}", words.action(request.action), request.masked)),
        words,
        row: row(&portal, words, &visit, &request),
        by: request.received_by.clone(),
        partner,
        reason: request.reason.clone(),
        is_held: request.standing().is_held(visit.context.at),
        held_until: request.held_until.map(|until| portal.shown(until)),
        identity: request.identity.as_ref().map(|one| (proof(one.how), portal.shown(one.at))),
        approval: request.approval.as_ref().map(|one| (one.by.clone(), portal.shown(one.at), one.reason.clone())),
        ending: request.ending.as_ref().map(|one| (portal.shown(one.at), one.what.clone())),
        proofs: IdentityProof::ALL.into_iter().map(IdentityProof::word).zip(words.proofs).collect(),
        next: match request.state {
            RequestState::Received => "identity",
            RequestState::IdentityChecked => "approve",
            RequestState::Approved => "carry_out",
            RequestState::Done | RequestState::Refused => "",
        },
        can_clerk: may(CLERKS),
        can_approve: may(APPROVES),
        can_carry_out: may(CARRIES),
        takes_effect: request.takes_effect_with_approval(),
        action: request.action,
        holdings: holdings(words, request.action),
        is_under_way: job.as_ref().is_some_and(|job| job.is_under_way),
        has_dossier: job.as_ref().is_some_and(|job| job.has_dossier),
        job,
        sent: Sent::of(&visit),
        command: command(&request),
    })
}

/// Whose time can be chosen.
fn holdings(words: &PrivacyWords, action: PrivacyAction) -> Vec<(&'static str, &'static str)> {
    let chosen = if action == PrivacyAction::Erase { &Holdings::ALL[..] } else { &Holdings::ALL[..2] };
    chosen.iter().map(|one| one.word()).zip(words.holdings).collect()
}

/// The command that carries an approved request out; only whoever types it knows the number.
fn command(request: &PrivacyRequest) -> String {
    let what = match request.action {
        PrivacyAction::Export => "export NUMBER --output held.json --paper held.html",
        PrivacyAction::Rectify => "rectify NUMBER --event ID --at INSTANT",
        PrivacyAction::Erase => "erase NUMBER --from DAY --to DAY",
        PrivacyAction::Restrict => "restrict NUMBER",
        PrivacyAction::Unrestrict => "unrestrict NUMBER",
    };
    format!("laini subject {what} --request {} --reason 'CASE'", request.id)
}

/// One step of a request.
async fn step(
    portal: &Arc<Portal>,
    visit: &Arc<Visit>,
    step: fn(&mut Work<'_>, &Visit, PrivacyRequest) -> Result<PrivacyRequest, Problem>,
) -> Result<Answer, Problem> {
    let id = visit.id("request", PrivacyRequestId::parse)?;
    portal
        .work(visit, move |work, visit| {
            let request: PrivacyRequest = work.get(id)?;
            step(work, visit, request).map(drop)
        })
        .await?;
    Ok(Answer::see_other(format!("{HERE}/{id}")))
}

async fn check_identity(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let check = |work: &mut Work<'_>, visit: &Visit, request| {
        let how = IdentityProof::parse(visit.field("how"));
        let how = how.map_err(|error| Problem::invalid("how", error.to_string()))?;
        let subject = Subject::look_up(work.office, number_named(work.office, visit.field("number"))?)?;
        privacy::check_identity(work, request, &subject, how)
    };
    step(&portal, &visit, check).await
}

async fn approve(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let approve = |work: &mut Work<'_>, visit: &Visit, request: PrivacyRequest| {
        let named = || number_named(work.office, visit.field("number"));
        let number = request.takes_effect_with_approval().then(named).transpose()?;
        let subject = number.map(|number| Subject::look_up(work.office, number)).transpose()?;
        let override_hold = !visit.field("override_hold").is_empty();
        privacy::approve(work, request, subject.as_ref(), visit.field("reason"), override_hold)
    };
    step(&portal, &visit, approve).await
}

async fn refuse(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    step(&portal, &visit, |work, visit, request| privacy::refuse(work, request, visit.field("reason"))).await
}

/// Begins to carry it out: that goes on by itself, and the page says how far it is.
async fn carry_out(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("request", PrivacyRequestId::parse)?;
    let text = |name: &str| Some(visit.field(name)).filter(|text| !text.is_empty()).map(str::to_owned);
    let order = PrivacyOrder {
        number: visit.field("number").to_owned(),
        from: text("from"),
        until: text("until"),
        holdings: text("holdings"),
        event: text("event"),
        source: text("source"),
        at: text("at"),
        imsi: text("imsi"),
        is_retracted: !visit.field("is_retracted").is_empty(),
    };
    let body = serde_json::to_value(&order).map_err(|error| Problem::Store(error.to_string()))?;
    let path = format!("/office/v1/privacy-requests/{id}/carry-out");
    portal.ask_office(&visit, (Method::POST, &path), Some(&body)).await?;
    Ok(Answer::see_other(format!("{HERE}/{id}")))
}

/// Takes the dossier in a form.
async fn take(
    portal: &Arc<Portal>,
    visit: &Arc<Visit>,
    file: fn(&Dossier, &Office) -> Result<Answer, Problem>,
) -> Result<Answer, Problem> {
    let id = visit.id("request", PrivacyRequestId::parse)?;
    let taken = portal.work(visit, move |work, _| privacy::take_dossier(work, id)).await?;
    match &*taken {
        CarriedOut::Exported(dossier) => file(dossier, &portal.office),
        CarriedOut::Erased(_) | CarriedOut::Rectified(_) => Err(Problem::NotFound("dossier")),
    }
}

async fn take_json(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let as_json = |dossier: &Dossier, _: &Office| {
        let json = serde_json::to_vec_pretty(dossier).map_err(|error| Problem::Store(error.to_string()))?;
        Ok(Answer::file("application/json", "held.json".to_owned(), json))
    };
    take(&portal, &visit, as_json).await
}

async fn take_paper(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let as_paper = |dossier: &Dossier, office: &Office| {
        let html = dossier.paper(&office.settings.operator).html();
        Ok(Answer::file("text/html; charset=utf-8", "held.html".to_owned(), html))
    };
    take(&portal, &visit, as_paper).await
}
