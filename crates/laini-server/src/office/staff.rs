//! The operator's staff: who acts for it, and as what.

use axum::http::Method;
use laini_core::partner::{May, StaffRole};
use laini_office::Problem;
use laini_office::people::{Roster, Seat};
use laini_wire::office::ReasonRequest;
use laini_wire::office::people::{InviteRequest, PeopleAnswer, PersonAnswer, RoleRequest};
use serde_json::json;

use super::described::{operation, paged, taking};
use super::person::{self, ADMINS, changed};
use super::{Endpoint, Noun};
use crate::openapi::{Answer, Operation, Schemas, collect};

pub(super) const NOUN: Noun =
    Noun { tag: "staff", description: "People of the operator, their roles and invitations.", endpoints, schemas };

/// Who may see them.
const LISTERS: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Auditor] };

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
        "set_staff_role",
        (Method::PUT, "/office/v1/staff/{person}/role"),
        "Give somebody of the staff another role",
        ADMINS,
    );
    let disable = changed(
        "disable_staff",
        (Method::POST, "/office/v1/staff/{person}/disable"),
        "Let somebody of the staff not sign in any more",
        ADMINS,
    );
    let enable = changed(
        "enable_staff",
        (Method::POST, "/office/v1/staff/{person}/enable"),
        "Let somebody of the staff sign in again",
        ADMINS,
    );
    let reset = changed(
        "reset_staff",
        (Method::POST, "/office/v1/staff/{person}/reset"),
        "Help somebody of the staff who cannot get in: their second factor and sessions go, a letter brings a token for a new password",
        ADMINS,
    );
    let reset = Operation { answer: Answer::no_content("A letter goes to them."), ..reset };
    let sign_out = changed(
        "sign_staff_out",
        (Method::DELETE, "/office/v1/staff/{person}/sessions"),
        "End every session of somebody of the staff",
        ADMINS,
    );
    let sign_out = Operation { answer: Answer::no_content("They are signed out."), ..sign_out };
    vec![
        Endpoint::new(list_operation(), |work, call| person::list(work, call, Roster::Staff)),
        Endpoint::new(invite_operation(), |work, call| person::invite(work, call, seat)),
        Endpoint::new(taking(role, "RoleRequest", json!({"role": "support"})), |work, call| {
            person::set_role(work, call, Roster::Staff, seat)
        }),
        Endpoint::new(taking(disable, "ReasonRequest", person::reason_example()), |work, call| {
            person::disable(work, call, Roster::Staff)
        }),
        Endpoint::new(taking(enable, "ReasonRequest", person::reason_example()), |work, call| {
            person::enable(work, call, Roster::Staff)
        }),
        Endpoint::new(reset, |work, call| person::reset(work, call, Roster::Staff)),
        Endpoint::new(sign_out, |work, call| person::sign_out(work, call, Roster::Staff)),
    ]
}

fn list_operation() -> Operation {
    let on = (Method::GET, "/office/v1/staff");
    paged(operation("list_staff", on, "The staff", LISTERS, person::listed()))
}

fn invite_operation() -> Operation {
    let body = json!({"email": "a.person@mobile.example", "name": "A. Person", "role": "support"});
    person::inviting("invite_staff", "/office/v1/staff", "Invite somebody to the staff", ADMINS, body)
}

fn seat(role: &str) -> Result<Seat, Problem> {
    let role = StaffRole::parse(role).map_err(|error| Problem::invalid("role", error.to_string()))?;
    Ok(Seat::Staff { role })
}
