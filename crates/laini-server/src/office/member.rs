//! Members of a partner: who acts for it, and as what.

use axum::http::Method;
use laini_core::partner::{May, MemberRole, StaffRole};
use laini_office::Problem;
use laini_office::people::{Roster, Seat};
use laini_wire::office::ReasonRequest;
use laini_wire::office::people::{InviteRequest, PeopleAnswer, PersonAnswer, RoleRequest};
use serde_json::json;

use super::described::{operation, paged, taking};
use super::person::{self, HELPERS, OWNERS, changed};
use super::{Call, Endpoint, Noun};
use crate::openapi::{Answer, Operation, Schemas, collect};

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
        Endpoint::new(taking(role, "RoleRequest", json!({"role": "developer"})), |work, call| {
            person::set_role(work, call, roster(call)?, |role| seat(call, role))
        }),
        Endpoint::new(taking(disable, "ReasonRequest", person::reason_example()), |work, call| {
            person::disable(work, call, roster(call)?)
        }),
        Endpoint::new(taking(enable, "ReasonRequest", person::reason_example()), |work, call| {
            person::enable(work, call, roster(call)?)
        }),
        Endpoint::new(reset, |work, call| person::reset(work, call, roster(call)?)),
        Endpoint::new(sign_out, |work, call| person::sign_out(work, call, roster(call)?)),
    ]
}

fn list_operation() -> Operation {
    let on = (Method::GET, "/office/v1/partners/{partner}/members");
    paged(operation("list_members", on, "The members of a partner", LISTERS, person::listed()))
}

fn invite_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/members";
    let body = json!({"email": "a.person@bank.example", "name": "A. Person", "role": "developer"});
    person::inviting("invite_member", path, "Invite somebody to a partner", OWNERS, body)
}

fn roster(call: &Call) -> Result<Roster, Problem> {
    Ok(Roster::Partner(call.partner()?))
}

fn seat(call: &Call, role: &str) -> Result<Seat, Problem> {
    let role = MemberRole::parse(role).map_err(|error| Problem::invalid("role", error.to_string()))?;
    Ok(Seat::Member { partner: call.partner()?, role })
}
