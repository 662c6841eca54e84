//! The audit trail: who did what.

use axum::http::Method;
use laini_core::partner::{May, MemberRole, PartnerId, StaffRole};
use laini_core::store::{TrailQuery, TrailRow};
use laini_office::{Problem, TRAIL_ROWS_MAX, Work, trail};
use laini_wire::office::people::{AuditAnswer, AuditRowAnswer};
use serde_json::json;

use super::described::{asking, in_query, operation, refusing};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "audit",
    description: "Who did what. Rows are added and never changed.",
    endpoints: || {
        vec![
            Endpoint::new(list_audit_operation(), |work, call| list(work, call, None)),
            Endpoint::new(list_partner_audit_operation(), |work, call| list(work, call, Some(call.partner()?))),
        ]
    },
    schemas,
};

/// Rows of a page, where nothing is said.
const PAGE_ROWS: usize = 50;

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<AuditAnswer>(&mut schemas);
    schemas
}

fn answer() -> Answer {
    let row = json!({
        "number": 17, "at": "2026-11-22T09:00:00Z", "actor": "member:0000000000000001", "action": "person.invite",
        "target": "0000000000000003", "reason": "developer", "partner": "0000000000000002",
    });
    Answer::ok("A page of it, newest first.", &["AuditAnswer"], json!({"items": [row], "next": 17}))
}

/// An operation that lists the trail.
fn listing(id: &'static str, path: &'static str, summary: &'static str, may: May) -> Operation {
    let limit = json!({"type": "integer", "minimum": 1, "maximum": 500, "default": 50});
    let (text, instant) = (|| json!({"type": "string"}), || json!({"type": "string", "format": "date-time"}));
    let page = [
        in_query("before", "The `next` of the page before.", json!({"type": "integer", "minimum": 0})),
        in_query("limit", "How many at most.", limit),
        in_query("actor", "Only what was done by those whose name begins so.", text()),
        in_query("action", "Only actions that begin so.", text()),
        in_query("from", "Only what was done from this instant on.", instant()),
        in_query("until", "Only what was done before this instant.", instant()),
    ];
    let no_page = ApiError::InvalidField("limit", "expected 1 to 500".into());
    refusing(asking(operation(id, (Method::GET, path), summary, may, answer()), page), no_page)
}

fn list_audit_operation() -> Operation {
    let may = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Auditor] };
    listing("list_audit", "/office/v1/audit", "The whole audit trail", may)
}

fn list_partner_audit_operation() -> Operation {
    let may = May { members: &[MemberRole::Owner], staff: &[StaffRole::Admin, StaffRole::Auditor] };
    let path = "/office/v1/partners/{partner}/audit";
    listing("list_partner_audit", path, "What was done that concerns a partner", may)
}

fn list(work: &mut Work<'_>, call: &Call, partner: Option<PartnerId>) -> Result<Reply, Problem> {
    let number = |name: &'static str| match call.query(name) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| Problem::invalid(name, "expected a whole number")),
    };
    let before = number("before")?;
    let limit = number("limit")?.map_or(PAGE_ROWS, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if !(1..=TRAIL_ROWS_MAX).contains(&limit) {
        return Err(Problem::invalid("limit", format!("expected 1 to {TRAIL_ROWS_MAX}")));
    }
    let instant = |name: &'static str| {
        let expected = |_| Problem::invalid(name, "expected an instant such as 2026-11-28T08:00:00Z");
        call.query(name).map(str::parse).transpose().map_err(expected)
    };
    let (actor, action) = (call.query("actor").unwrap_or_default(), call.query("action").unwrap_or_default());
    let (actor, action) = (actor.to_owned(), action.to_owned());
    let (from, until) = (instant("from")?, instant("until")?);
    let query = TrailQuery { after: before, partner, actor, action, from, until, limit, ..TrailQuery::default() };
    let rows = trail(work, query)?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.number);
    Reply::ok(&AuditAnswer { items: rows.into_iter().map(row_answer).collect(), next })
}

fn row_answer(TrailRow { number, entry }: TrailRow) -> AuditRowAnswer {
    AuditRowAnswer {
        number,
        at: entry.at.to_string(),
        actor: entry.actor,
        action: entry.action,
        target: entry.target,
        reason: entry.reason,
        partner: entry.partner.map(|partner| partner.to_string()),
    }
}
