//! Members of a partner: who acts for it, and as what.

use axum::http::Method;
use laini_core::partner::{May, MemberRole, StaffRole};
use laini_office::Problem;
use laini_office::people::{Roster, Seat};
use laini_wire::office::ReasonRequest;
use laini_wire::office::people::{InviteRequest, PeopleAnswer, PersonAnswer, RoleRequest};
use serde_json::json;

use super::person::{self, HELPERS, OWNERS};
use super::{Call, Endpoint, Noun};
use crate::http::ApiError;
use crate::openapi::{Access, Answer, Operation, Parameter, Schemas, collect};

pub(super) const NOUN: Noun =
    Noun { tag: "members", description: "People of a partner, their roles and invitations.", endpoints, schemas };

/// Who may see them.
const LISTERS: May = May { members: &[MemberRole::Owner], staff: &StaffRole::ALL };

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<PersonAnswer>(&mut schemas);
    collect::<PeopleAnswer>(&mut schemas);
    collect::<InviteRequest>(&mut schemas);
    collect::<RoleRequest>(&mut schemas);
    collect::<ReasonRequest>(&mut schemas);
    schemas
}

fn endpoints() -> Vec<Endpoint> {
    let changed = |id, on, summary, may| person::operation(id, on, summary, may, on_member());
    let role = changed(
        "set_member_role",
        (Method::PUT, "/office/v1/partners/{partner}/members/{person}/role"),
        "Give a member another role",
        OWNERS,
    );
    let disable = changed(
        "disable_member",
        (Method::POST, "/office/v1/partners/{partner}/members/{person}/disable"),
        "Let a member not sign in any more",
        HELPERS,
    );
    let enable = changed(
        "enable_member",
        (Method::POST, "/office/v1/partners/{partner}/members/{person}/enable"),
        "Let a member sign in again",
        OWNERS,
    );
    let reset = changed(
        "reset_member",
        (Method::POST, "/office/v1/partners/{partner}/members/{person}/reset"),
        "Help a member who cannot get in: their second factor and sessions go, a letter brings a token for a new password",
        HELPERS,
    );
    let reset = Operation { answer: Answer::no_content("A letter goes to them."), ..reset };
    let sign_out = changed(
        "sign_member_out",
        (Method::DELETE, "/office/v1/partners/{partner}/members/{person}/sessions"),
        "End every session of a member",
        HELPERS,
    );
    let sign_out = Operation { answer: Answer::no_content("They are signed out."), ..sign_out };
    vec![
        Endpoint::new(list_operation(), |work, call| person::list(work, call, roster(call)?)),
        Endpoint::new(invite_operation(), |work, call| person::invite(work, call, |role| seat(call, role))),
        Endpoint::new(person::with_body(role, "RoleRequest", json!({"role": "developer"})), |work, call| {
            person::set_role(work, call, roster(call)?, |role| seat(call, role))
        }),
        Endpoint::new(person::with_body(disable, "ReasonRequest", person::reason_example()), |work, call| {
            person::disable(work, call, roster(call)?)
        }),
        Endpoint::new(person::with_body(enable, "ReasonRequest", person::reason_example()), |work, call| {
            person::enable(work, call, roster(call)?)
        }),
        Endpoint::new(reset, |work, call| person::reset(work, call, roster(call)?)),
        Endpoint::new(sign_out, |work, call| person::sign_out(work, call, roster(call)?)),
    ]
}

fn list_operation() -> Operation {
    let on = (Method::GET, "/office/v1/partners/{partner}/members");
    let parameters = std::iter::once(partner()).chain(person::paging()).collect();
    let access = Access::Session(LISTERS);
    Operation { parameters, ..Operation::new("list_members", on, "The members of a partner", access, person::listed()) }
}

fn invite_operation() -> Operation {
    let on = (Method::POST, "/office/v1/partners/{partner}/members");
    let summary = "Invite somebody to a partner";
    let operation = Operation::new("invite_member", on, summary, Access::Session(OWNERS), person::invited());
    let refusals = vec![ApiError::Taken("somebody with this e-mail address is there already".to_owned())];
    let example = json!({"email": "a.person@bank.example", "name": "A. Person", "role": "developer"});
    person::with_body(Operation { parameters: vec![partner()], refusals, ..operation }, "InviteRequest", example)
}

fn partner() -> Parameter {
    person::id("partner", "The partner.")
}

fn on_member() -> Vec<Parameter> {
    vec![partner(), person::id("person", "The member.")]
}

fn roster(call: &Call) -> Result<Roster, Problem> {
    Ok(Roster::Partner(call.partner()?))
}

fn seat(call: &Call, role: &str) -> Result<Seat, Problem> {
    let role = MemberRole::parse(role).map_err(|error| Problem::invalid("role", error.to_string()))?;
    Ok(Seat::Member { partner: call.partner()?, role })
}
