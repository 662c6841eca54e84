//! Privacy requests: taken down, who asks made sure of, approved by another, and how each is carried out.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{May, PartnerId, PrivacyRequestId, StaffRole};
use laini_core::privacy::{IdentityProof, PrivacyAction, RequestState};
use laini_office::privacy::{self, NewRequest, PrivacyRequest};
use laini_office::{Cursor, PageRequest, Problem, Work};
use laini_wire::office::privacy::LookUpsRequest;

use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::PrivacyWords;

/// Who takes requests down and checks who asks,
const CLERKS: Access = of_staff(&[StaffRole::Support, StaffRole::Admin]);
/// who approves,
const APPROVES: Access = of_staff(&[StaffRole::Admin]);
/// who has the report written who asked about whom,
const REPORTS: Access = of_staff(&[StaffRole::Admin, StaffRole::Auditor]);
/// and who looks.
const READS: Access = of_staff(&[StaffRole::Support, StaffRole::Admin, StaffRole::Auditor]);

const HERE: &str = "/operate/privacy";

const fn of_staff(staff: &'static [StaffRole]) -> Access {
    Access::SignedIn(May { members: &[], staff })
}

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, READS, show).in_rail(Workspace::Operate, |words| words.privacy),
        Page::post(HERE, CLERKS, receive, show),
        Page::post("/operate/privacy/look-ups", REPORTS, report, show),
        Page::get("/operate/privacy/{request}", READS, show_one),
        Page::post("/operate/privacy/{request}/identity", CLERKS, check_identity, show_one),
        Page::post("/operate/privacy/{request}/approve", APPROVES, approve, show_one),
        Page::post("/operate/privacy/{request}/refuse", CLERKS, refuse, show_one),
    ]
}

#[derive(Template)]
#[template(path = "operate/privacy.html")]
struct PrivacyPage<'a> {
    frame: Frame,
    words: &'static PrivacyWords,
    is_all: bool,
    rows: Vec<Row>,
    next: Option<String>,
    actions: Vec<(&'static str, &'static str)>,
    can_receive: bool,
    can_report: bool,
    reason: &'a str,
}

struct Row {
    id: PrivacyRequestId,
    number: String,
    action: &'static str,
    state: &'static str,
    tone: &'static str,
    received: String,
    due: String,
}

fn row(portal: &Portal, words: &PrivacyWords, visit: &Visit, request: &PrivacyRequest) -> Row {
    let is_held = request.standing().is_held(visit.context.at);
    Row {
        id: request.id,
        number: request.masked.clone(),
        action: words.action(request.action),
        state: if is_held { words.states[5] } else { words.state(request.state) },
        tone: match request.state {
            _ if is_held => "stop",
            RequestState::Received | RequestState::IdentityChecked | RequestState::Approved => "care",
            RequestState::Done => "go",
            RequestState::Refused => "",
        },
        received: portal.shown(request.received),
        due: portal.shown(request.deadline()),
    }
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let is_all = visit.query("show") == "all";
    let found = portal.work(&visit, move |work, visit| {
        let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(Cursor::parse).transpose()?;
        let index = if is_all { "received" } else { "open" };
        work.find::<PrivacyRequest>(index, "all", is_all, PageRequest { after, ..PageRequest::FIRST })
    });
    let found = found.await?;
    let words = &visit.language.words().privacy;
    page(&PrivacyPage {
        frame: visit.frame(&portal, words.title),
        words,
        is_all,
        rows: found.items.iter().map(|request| row(&portal, words, &visit, request)).collect(),
        next: found.next.map(|next| next.to_string()),
        actions: PrivacyAction::ALL.into_iter().map(PrivacyAction::word).zip(words.actions).collect(),
        can_report: matches!(REPORTS, Access::SignedIn(may) if visit.actor().is_allowed(&may)),
        can_receive: matches!(CLERKS, Access::SignedIn(may) if visit.actor().is_allowed(&may)),
        reason: visit.field("reason"),
    })
}

/// Takes a request down from the fields of its form.
pub(in crate::pages) fn taken(
    work: &mut Work<'_>,
    visit: &Visit,
    partner: Option<PartnerId>,
) -> Result<PrivacyRequest, Problem> {
    let action = PrivacyAction::parse(visit.field("action"));
    let action = action.map_err(|error| Problem::invalid("action", error.to_string()))?;
    let form = |_| Problem::invalid("number", "not a phone number of this operator's form");
    let number = work.office.settings.plan.parse_spaced(visit.field("number")).map_err(form)?;
    let held_until = privacy::held_until(work, number)?;
    let any_holder = !visit.field("any_holder").is_empty();
    privacy::receive(
        work,
        &NewRequest { number, action, partner, any_holder, reason: visit.field("reason"), held_until },
    )
}

async fn receive(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let request = portal.work(&visit, |work, visit| taken(work, visit, None)).await?;
    Ok(Answer::see_other(format!("{HERE}/{}", request.id)))
}

/// Who asked about whom, as a file that is made while it is downloaded.
async fn report(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let text = |name: &str| Some(visit.field(name)).filter(|text| !text.is_empty()).map(str::to_owned);
    let asked = LookUpsRequest {
        from: text("from"),
        until: text("until"),
        partner: None,
        number: text("of_number"),
        reason: visit.field("why").to_owned(),
    };
    let body = serde_json::to_value(&asked).map_err(|error| Problem::Store(error.to_string()))?;
    let file = portal.stream_from_office(&visit, "/office/v1/look-ups", &body).await?;
    Ok(Answer::file("text/csv; charset=utf-8", "look-ups.csv".to_owned(), file))
}

#[derive(Template)]
#[template(path = "operate/privacy_request.html")]
struct RequestPage {
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
    /// The command that carries it out.
    command: String,
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
        command: command(&request),
    })
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
        privacy::check_identity(work, request, how.map_err(|error| Problem::invalid("how", error.to_string()))?)
    };
    step(&portal, &visit, check).await
}

async fn approve(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let approve = |work: &mut Work<'_>, visit: &Visit, request| {
        privacy::approve(work, request, visit.field("reason"), !visit.field("override_hold").is_empty())
    };
    step(&portal, &visit, approve).await
}

async fn refuse(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    step(&portal, &visit, |work, visit, request| privacy::refuse(work, request, visit.field("reason"))).await
}

impl PrivacyWords {
    /// An action as people call it.
    pub(in crate::pages) fn action(&self, action: PrivacyAction) -> &'static str {
        let place = PrivacyAction::ALL.iter().position(|other| *other == action);
        place.map_or("", |place| self.actions[place])
    }

    /// A state as people call it.
    pub(in crate::pages) fn state(&self, state: RequestState) -> &'static str {
        let place = RequestState::ALL.iter().position(|other| *other == state);
        place.map_or("", |place| self.states[place])
    }
}
