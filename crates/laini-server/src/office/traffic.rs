//! Traffic of all partners, and what becomes of an app that is flagged.

use std::num::NonZeroU32;

use axum::http::Method;
use laini_core::partner::{AppId, Limits, May, Probing, Rate, StaffRole};
use laini_core::store::RecentCause;
use laini_office::apps::set_probing;
use laini_office::traffic::{AppTraffic, HourTraffic, errors, traffic};
use laini_office::{Problem, Work};
use laini_wire::office::traffic::{AppTrafficAnswer, HourTrafficAnswer, ProbingRequest, TrafficAnswer, TrafficError};
use serde_json::json;

use super::described::{asking, in_query, operation, refusing, taking};
use super::requests::{cause_answer, example_cause};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "traffic",
    description: "What all partners ask, and what becomes of those who probe. For the operator's staff.",
    endpoints: || {
        vec![Endpoint::new(show_operation(), show_traffic), Endpoint::new(probing_operation(), set_probing_of_app)]
    },
    schemas,
};

/// Hours that are told where nothing is said.
const HOURS: u16 = 24;
/// Who says what becomes of them.
const SLOWS: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Support] };

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<TrafficAnswer>(&mut schemas);
    collect::<ProbingRequest>(&mut schemas);
    schemas
}

fn show_operation() -> Operation {
    let app = json!({
        "app": "0000000000000003", "partner": "0000000000000002", "environment": "production", "checks": 48,
        "answered": 40, "repeated": 2, "not_served": 4, "unknown": 2, "withheld": 0,
    });
    let hour = json!({"from": "2026-11-28T08:00:00Z", "production": 40, "sandbox": 8});
    let error = json!({"environment": "production", "cause": example_cause()});
    let told = json!({"hours": [hour], "apps": [app], "errors": [error], "errors_since": "2026-11-28T08:00:00Z"});
    let answer = Answer::ok("Hours, apps and errors.", &["TrafficAnswer"], told);
    let summary = "What was asked in the last hours, by hour and by app, and why calls failed";
    let show = operation("show_traffic", (Method::GET, "/office/v1/traffic"), summary, May::STAFF, answer);
    let hours = json!({"type": "integer", "minimum": 1, "maximum": 168, "default": 24});
    let show = asking(show, [in_query("hours", "How many, the present one among them.", hours)]);
    refusing(show, ApiError::InvalidField("hours", "expected 1 to 168".into()))
}

fn nothing() -> Answer {
    Answer::no_content("It holds within seconds.")
}

fn probing_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/probing";
    let summary = "Say what becomes of an app while it is flagged for probing";
    let body = json!({"slow_to": 2, "reason": "flagged on Friday"});
    taking(operation("set_probing_of_app", (Method::PUT, path), summary, SLOWS, nothing()), "ProbingRequest", body)
}

fn show_traffic(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let expected = |_| Problem::invalid("hours", "expected 1 to 168");
    let hours = call.query("hours").map(str::parse).transpose().map_err(expected)?.unwrap_or(HOURS);
    let found = traffic(work, hours)?;
    let hour = |hour: &HourTraffic| HourTrafficAnswer {
        from: hour.from.to_string(),
        production: hour.production.checks(),
        sandbox: hour.sandbox.checks(),
    };
    let app = |app: &AppTraffic| AppTrafficAnswer {
        app: app.app.to_string(),
        partner: app.partner.to_string(),
        environment: app.environment.word().to_owned(),
        checks: app.outcomes.checks(),
        answered: app.outcomes.answered,
        repeated: app.outcomes.repeated,
        not_served: app.outcomes.not_served,
        unknown: app.outcomes.unknown,
        withheld: app.outcomes.withheld,
    };
    let failed = errors(work, hours)?;
    Reply::ok(&TrafficAnswer {
        hours: found.hours.iter().map(hour).collect(),
        apps: found.apps.iter().map(app).collect(),
        errors: failed.causes.into_iter().map(error_answer).collect(),
        errors_since: failed.since.to_string(),
    })
}

fn error_answer(RecentCause { environment, cause }: RecentCause) -> TrafficError {
    TrafficError { environment: environment.word().to_owned(), cause: cause_answer(cause) }
}

fn a_reason(text: &str) -> Result<&str, Problem> {
    let fits = (1..=500).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control);
    fits.then_some(text.trim()).ok_or(Problem::invalid("reason", "expected 1 to 500 characters in one line"))
}

fn set_probing_of_app(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let ProbingRequest { slow_to, reason } = call.json()?;
    let rate = |per_second: u32| -> Result<Rate, Problem> {
        let per_second = NonZeroU32::new(per_second).filter(|rate| rate.get() <= Limits::PER_SECOND_MAX);
        let per_second =
            per_second.ok_or(Problem::invalid("slow_to", format!("expected 1 to {}", Limits::PER_SECOND_MAX)))?;
        Ok(Rate { per_second, burst: per_second })
    };
    let probing = slow_to.map(rate).transpose()?.map_or(Probing::Flag, Probing::Slow);
    set_probing(work, call.partner()?, call.id("app", AppId::parse)?, probing, a_reason(&reason)?)?;
    Ok(Reply::no_content())
}
