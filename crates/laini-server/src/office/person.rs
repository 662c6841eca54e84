//! What endpoints about people have in common: a person as an answer, the parameters of their paths.

use axum::http::{Method, StatusCode};
use laini_core::partner::{May, MemberRole, PersonId, StaffRole};
use laini_office::people::{self, Entry, Roster, Seat};
use laini_office::{Problem, Work};
use laini_wire::office::ReasonRequest;
use laini_wire::office::people::{InviteRequest, PeopleAnswer, PersonAnswer, RoleRequest};
use serde_json::{Value, json};

use super::described::{operation, refusing, taking};
use super::{Call, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation};

/// Members of a partner are the business of its owners, and of those who bring partners on board.
pub(super) const OWNERS: May = May { members: &[MemberRole::Owner], staff: &[StaffRole::Admin, StaffRole::Onboarding] };
/// Who helps members that cannot get in.
pub(super) const HELPERS: May =
    May { members: &[MemberRole::Owner], staff: &[StaffRole::Admin, StaffRole::Onboarding, StaffRole::Support] };
/// Staff are the business of administrators.
pub(super) const ADMINS: May = May { members: &[], staff: &[StaffRole::Admin] };

/// An example of somebody.
pub(super) fn example() -> Value {
    json!({
        "person": "0000000000000001", "name": "A. Person", "email": "a.person@bank.example",
        "partner": "0000000000000002", "role": "developer", "status": "active", "second_factor": true,
        "signed_in": "2026-11-28T08:00:00Z",
        "created": "2026-11-22T09:00:00Z",
    })
}

/// An operation on somebody of a roster.
pub(super) fn changed(id: &'static str, on: (Method, &'static str), summary: &'static str, may: May) -> Operation {
    let answer = Answer::ok("How they are now.", &["PersonAnswer"], example());
    refusing(operation(id, on, summary, may, answer), ApiError::Refused("nobody does this to themselves".to_owned()))
}

/// An invitation, in such words.
pub(super) fn inviting(
    id: &'static str,
    path: &'static str,
    summary: &'static str,
    may: May,
    body: Value,
) -> Operation {
    let answer = Answer::ok("They were invited; a letter goes to them.", &["PersonAnswer"], example());
    let answer = Answer { status: StatusCode::CREATED, ..answer };
    let taken = ApiError::Taken("somebody with this e-mail address is there already".to_owned());
    taking(refusing(operation(id, (Method::POST, path), summary, may, answer), taken), "InviteRequest", body)
}

/// A page of people.
pub(super) fn listed() -> Answer {
    Answer::ok("A page of them.", &["PeopleAnswer"], json!({"items": [example()], "next": null}))
}

/// What a reason looks like.
pub(super) fn reason_example() -> Value {
    json!({"reason": "left the company"})
}

pub(super) fn list(work: &mut Work<'_>, call: &Call, roster: Roster) -> Result<Reply, Problem> {
    let page = people::list_people(work, roster, call.page()?)?;
    let items = page.items.iter().map(answer).collect();
    Reply::ok(&PeopleAnswer { items, next: page.next.map(|next| next.to_string()) })
}

pub(super) fn invite(
    work: &mut Work<'_>,
    call: &Call,
    seat: impl FnOnce(&str) -> Result<Seat, Problem>,
) -> Result<Reply, Problem> {
    let asked: InviteRequest = call.json()?;
    let seat = seat(&asked.role)?;
    let (person, _) = people::invite(work, seat, &asked.email, &asked.name, true)?;
    Reply::created(&answer(&Entry { person, has_come_in: false, has_factor: false, signed_in: None }))
}

pub(super) fn set_role(
    work: &mut Work<'_>,
    call: &Call,
    roster: Roster,
    seat: impl FnOnce(&str) -> Result<Seat, Problem>,
) -> Result<Reply, Problem> {
    let asked: RoleRequest = call.json()?;
    let entry = people::set_role(work, roster, person(call)?, seat(&asked.role)?)?;
    Reply::ok(&answer(&entry))
}

pub(super) fn disable(work: &mut Work<'_>, call: &Call, roster: Roster) -> Result<Reply, Problem> {
    let entry = people::disable(work, roster, person(call)?, &reason(call)?)?;
    Reply::ok(&answer(&entry))
}

pub(super) fn enable(work: &mut Work<'_>, call: &Call, roster: Roster) -> Result<Reply, Problem> {
    let entry = people::enable(work, roster, person(call)?, &reason(call)?)?;
    Reply::ok(&answer(&entry))
}

pub(super) fn reset(work: &mut Work<'_>, call: &Call, roster: Roster) -> Result<Reply, Problem> {
    people::reset(work, roster, person(call)?, true)?;
    Ok(Reply::no_content())
}

pub(super) fn sign_out(work: &mut Work<'_>, call: &Call, roster: Roster) -> Result<Reply, Problem> {
    people::sign_out(work, roster, person(call)?)?;
    Ok(Reply::no_content())
}

fn person(call: &Call) -> Result<PersonId, Problem> {
    call.id("person", PersonId::parse)
}

fn reason(call: &Call) -> Result<String, Problem> {
    let ReasonRequest { reason } = call.json()?;
    Ok(reason)
}

fn answer(entry: &Entry) -> PersonAnswer {
    let person = &entry.person;
    PersonAnswer {
        person: person.id.to_string(),
        name: person.name.clone(),
        email: person.email.clone(),
        partner: person.seat.partner().map(|partner| partner.to_string()),
        role: person.seat.role_word().to_owned(),
        status: entry.status().to_owned(),
        second_factor: entry.has_factor,
        signed_in: entry.signed_in.map(|at| at.to_string()),
        created: person.created.to_string(),
    }
}
