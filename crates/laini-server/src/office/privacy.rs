//! Privacy requests: received by staff or filed by partners, checked by one and approved by another.

use axum::http::{Method, StatusCode};
use laini_core::partner::{May, MemberRole, PartnerId, PrivacyRequestId, StaffRole};
use laini_core::privacy::{IdentityProof, PrivacyAction};
use laini_office::privacy::{
    NewRequest, PrivacyRequest, Subject, approve, check_identity, held_until, number_named, receive, refuse,
};
use laini_office::{Page, Problem, Work};
use laini_wire::office::privacy::{
    FiledPrivacyRequest, FiledPrivacyRequests, IdentityCheckRequest, NewPrivacyRequest, PrivacyApproval,
    PrivacyRefusal, PrivacyRequestAnswer, PrivacyRequestsAnswer,
};
use serde_json::{Value, json};

use super::described::{asking, in_query, operation, paged, taking};
use super::{Call, Endpoint, Noun, Reply, privacy_orders};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Schemas, collect};

const REQUESTS_PATH: &str = "/office/v1/privacy-requests";
const REQUEST_PATH: &str = "/office/v1/privacy-requests/{request}";
const IDENTITY_PATH: &str = "/office/v1/privacy-requests/{request}/identity-check";
const APPROVE_PATH: &str = "/office/v1/privacy-requests/{request}/approve";
const REFUSE_PATH: &str = "/office/v1/privacy-requests/{request}/refuse";
const FILED_PATH: &str = "/office/v1/partners/{partner}/privacy-requests";

/// Who takes requests down and checks who asks.
const CLERKS: May = of_staff(&[StaffRole::Support, StaffRole::Admin]);
/// Who approves.
const APPROVERS: May = of_staff(&[StaffRole::Admin]);
/// Who looks.
const READERS: May = of_staff(&[StaffRole::Support, StaffRole::Admin, StaffRole::Auditor]);
/// Who files for a customer of its partner; the operator sees all of them in its own list.
const FILERS: May = May { members: &[MemberRole::Owner, MemberRole::FraudDesk], staff: &[] };

const fn of_staff(staff: &'static [StaffRole]) -> May {
    May { members: &[], staff }
}

pub(super) const NOUN: Noun = Noun {
    tag: "privacy",
    description: "What the holder of a number asks of the operator: held 30 days after a swap, and never proven by the SIM.",
    endpoints,
    schemas,
};

fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = privacy_orders::endpoints();
    endpoints.extend([
        Endpoint::new(receive_operation(), receive_privacy_request),
        Endpoint::new(list_operation(), list_privacy_requests),
        Endpoint::new(read_operation(), read_privacy_request),
        Endpoint::new(identity_operation(), check_privacy_identity),
        Endpoint::new(approve_operation(), approve_privacy_request),
        Endpoint::new(refuse_operation(), refuse_privacy_request),
        Endpoint::new(file_operation(), file_privacy_request),
        Endpoint::new(filed_operation(), list_filed_privacy_requests),
    ]);
    endpoints
}

fn schemas() -> Schemas {
    let mut schemas = privacy_orders::schemas();
    collect::<NewPrivacyRequest>(&mut schemas);
    collect::<IdentityCheckRequest>(&mut schemas);
    collect::<PrivacyApproval>(&mut schemas);
    collect::<PrivacyRefusal>(&mut schemas);
    collect::<PrivacyRequestsAnswer>(&mut schemas);
    collect::<FiledPrivacyRequests>(&mut schemas);
    schemas
}

fn example() -> Value {
    json!({
        "id": "0000000000000007", "number": "254******001", "action": "restrict", "status": "held", "partner": null,
        "any_holder": false, "received": "2026-11-22T09:00:00Z", "received_by": "staff:0000000000000001",
        "reason": "asked at the shop in Kisumu", "deadline": "2026-12-22T09:00:00Z",
        "held_until": "2026-12-20T08:00:00Z", "identity_checked": null, "approved_by": null, "ended": null,
    })
}

fn filed_example() -> Value {
    json!({
        "id": "0000000000000007", "number": "254******001", "action": "restrict", "status": "open",
        "received": "2026-11-22T09:00:00Z", "deadline": "2026-12-22T09:00:00Z",
    })
}

fn new_example() -> Value {
    json!({"number": "254722000001", "action": "restrict", "reason": "asked at the shop in Kisumu"})
}

/// What can be wrong with an operation on a request.
fn refused(mut operation: Operation) -> Operation {
    operation.refusals.extend([
        ApiError::NotNow("the request has ended; make a new one".to_owned()),
        ApiError::Refused("somebody else has to approve it than who received it or checked who asks".to_owned()),
    ]);
    operation
}

fn created(description: &'static str, schemas: &'static [&'static str], example: Value) -> Answer {
    Answer { status: StatusCode::CREATED, ..Answer::ok(description, schemas, example) }
}

fn receive_operation() -> Operation {
    let answer = created("The request; it is due within 30 days.", &["PrivacyRequestAnswer"], example());
    let summary = "Takes down what the holder of a number asks for";
    let operation = operation("receive_privacy_request", (Method::POST, REQUESTS_PATH), summary, CLERKS, answer);
    taking(refused(operation), "NewPrivacyRequest", new_example())
}

fn list_operation() -> Operation {
    let answer = json!({"requests": [example()], "next": null});
    let answer = Answer::ok("A page of them.", &["PrivacyRequestsAnswer"], answer);
    let status = in_query(
        "status",
        "`open`: only those that are, the oldest first; otherwise all, the newest first.",
        json!({"type": "string", "enum": ["open"]}),
    );
    let operation =
        operation("list_privacy_requests", (Method::GET, REQUESTS_PATH), "Privacy requests", READERS, answer);
    paged(asking(operation, [status]))
}

fn read_operation() -> Operation {
    let answer = Answer::ok("The request.", &["PrivacyRequestAnswer"], example());
    operation("read_privacy_request", (Method::GET, REQUEST_PATH), "One privacy request", READERS, answer)
}

/// Something that is done to a request.
fn step(
    id: &'static str,
    path: &'static str,
    summary: &'static str,
    may: May,
    (schema, body): (&'static str, Value),
) -> Operation {
    let answer = Answer::ok("The request as it is now.", &["PrivacyRequestAnswer"], example());
    taking(refused(operation(id, (Method::POST, path), summary, may, answer)), schema, body)
}

fn identity_operation() -> Operation {
    let body = ("IdentityCheckRequest", json!({"number": "254722000001", "how": "document_in_person"}));
    let summary = "Says how it was made sure that the holder of the number asks, and looks again whether it is held";
    step("check_privacy_identity", IDENTITY_PATH, summary, CLERKS, body)
}

fn approve_operation() -> Operation {
    let body = ("PrivacyApproval", json!({"number": "254722000001", "reason": "the papers fit the registration"}));
    let summary = "Approves a request: a restriction is made or lifted at once, the rest waits to be carried out";
    step("approve_privacy_request", APPROVE_PATH, summary, APPROVERS, body)
}

fn refuse_operation() -> Operation {
    let body = ("PrivacyRefusal", json!({"reason": "the papers are of somebody else"}));
    step("refuse_privacy_request", REFUSE_PATH, "Refuses a request", CLERKS, body)
}

fn file_operation() -> Operation {
    let answer = created("The request; the operator answers it.", &["FiledPrivacyRequest"], filed_example());
    let summary = "Files for a customer what that asks of the operator";
    let operation = operation("file_privacy_request", (Method::POST, FILED_PATH), summary, FILERS, answer);
    taking(operation, "NewPrivacyRequest", new_example())
}

fn filed_operation() -> Operation {
    let answer = json!({"requests": [filed_example()], "next": null});
    let answer = Answer::ok("A page of them.", &["FiledPrivacyRequests"], answer);
    let summary = "The privacy requests that a partner filed, newest first";
    paged(operation("list_filed_privacy_requests", (Method::GET, FILED_PATH), summary, FILERS, answer))
}

fn taken(work: &mut Work<'_>, call: &Call, partner: Option<PartnerId>) -> Result<PrivacyRequest, Problem> {
    let new: NewPrivacyRequest = call.json()?;
    let action = PrivacyAction::parse(&new.action).map_err(|error| Problem::invalid("action", error.to_string()))?;
    let number = number_named(work.office, &new.number)?;
    let held = held_until(work, number)?;
    let new = NewRequest { number, action, partner, any_holder: new.any_holder, reason: &new.reason, held_until: held };
    receive(work, &new)
}

fn receive_privacy_request(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request = taken(work, call, None)?;
    Reply::created(&shown(work, &request))
}

fn list_privacy_requests(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let page = match call.query("status") {
        None => work.find::<PrivacyRequest>("received", "all", true, call.page()?)?,
        Some("open") => work.find::<PrivacyRequest>("open", "all", false, call.page()?)?,
        Some(_) => return Err(Problem::invalid("status", "expected open")),
    };
    let requests = page.items.iter().map(|request| shown(work, request)).collect();
    Reply::ok(&PrivacyRequestsAnswer { requests, next: page.next.map(|next| next.to_string()) })
}

fn read_privacy_request(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request = the_request(work, call)?;
    Reply::ok(&shown(work, &request))
}

fn check_privacy_identity(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let body: IdentityCheckRequest = call.json()?;
    let how = IdentityProof::parse(&body.how).map_err(|error| Problem::invalid("how", error.to_string()))?;
    let number = number_named(work.office, &body.number)?;
    let request = the_request(work, call)?;
    let subject = Subject::look_up(work.office, number)?;
    let request = check_identity(work, request, &subject, how)?;
    Reply::ok(&shown(work, &request))
}

fn approve_privacy_request(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let body: PrivacyApproval = call.json()?;
    let number = body.number.as_deref().map(|number| number_named(work.office, number)).transpose()?;
    let request = the_request(work, call)?;
    let subject = number.map(|number| Subject::look_up(work.office, number)).transpose()?;
    let request = approve(work, request, subject.as_ref(), &body.reason, body.override_hold)?;
    Reply::ok(&shown(work, &request))
}

fn refuse_privacy_request(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let body: PrivacyRefusal = call.json()?;
    let request = the_request(work, call)?;
    let request = refuse(work, request, &body.reason)?;
    Reply::ok(&shown(work, &request))
}

fn file_privacy_request(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let partner = call.partner()?;
    let request = taken(work, call, Some(partner))?;
    Reply::created(&filed(&request))
}

fn list_filed_privacy_requests(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let Page { items, next } = work.find::<PrivacyRequest>("partner", call.partner()?, true, call.page()?)?;
    let requests = items.iter().map(filed).collect();
    Reply::ok(&FiledPrivacyRequests { requests, next: next.map(|next| next.to_string()) })
}

fn the_request(work: &mut Work<'_>, call: &Call) -> Result<PrivacyRequest, Problem> {
    work.get(call.id("request", PrivacyRequestId::parse)?)
}

fn shown(work: &Work<'_>, request: &PrivacyRequest) -> PrivacyRequestAnswer {
    PrivacyRequestAnswer {
        id: request.id.to_string(),
        number: request.masked.clone(),
        action: request.action.word().to_owned(),
        status: request.status(work.at).to_owned(),
        partner: request.partner.map(|partner| partner.to_string()),
        any_holder: request.any_holder,
        received: request.received.to_string(),
        received_by: request.received_by.clone(),
        reason: request.reason.clone(),
        deadline: request.deadline().to_string(),
        held_until: request.held_until.map(|until| until.to_string()),
        identity_checked: request.identity.as_ref().map(|identity| identity.how.word().to_owned()),
        approved_by: request.approval.as_ref().map(|approval| approval.by.clone()),
        ended: request.ending.as_ref().map(|ending| ending.what.clone()),
    }
}

/// Without what would tell a partner, for nothing, that a SIM was swapped.
fn filed(request: &PrivacyRequest) -> FiledPrivacyRequest {
    let status = if request.state.is_open() { "open" } else { request.state.word() };
    FiledPrivacyRequest {
        id: request.id.to_string(),
        number: request.masked.clone(),
        action: request.action.word().to_owned(),
        status: status.to_owned(),
        received: request.received.to_string(),
        deadline: request.deadline().to_string(),
    }
}
