use axum::http::Method;
use laini_core::sandbox::WorldRefusal;
use laini_wire::world::{
    ADVANCE_PATH, CLOCK_PATH, EVENTS_PATH, FEED_START_PATH, FEED_STOP_PATH, LINE_PATH, LINES_PATH, RESET_PATH,
    WORLD_PATH,
};
use serde_json::{Value, json};

use super::{Access, Answer, Body, Operation, Parameter};
use crate::http::{ApiError, ForbiddenReason};

pub(super) fn operations() -> Vec<Operation> {
    [of_world(), vec![list_lines()], of_lines(), vec![add_event()], of_clock(), of_feed()]
        .into_iter()
        .flatten()
        .collect()
}

fn of_world() -> Vec<Operation> {
    let example = json!({
        "clock": clock(), "feed": feed(), "lines": 1, "lines_max": 1000, "events": 2, "events_max": 10000,
    });
    let world = |description| Answer::ok(description, &["WorldAnswer"], example.clone());
    vec![
        call("show_world", Method::GET, WORLD_PATH, "What the world is like", world("The world.")),
        changing(call(
            "delete_world",
            Method::DELETE,
            WORLD_PATH,
            "Makes everything as in a fresh world",
            Answer::no_content("It is fresh."),
        )),
        changing(call(
            "reset_world",
            Method::POST,
            RESET_PATH,
            "Makes everything as in a fresh world",
            world("The fresh world."),
        )),
    ]
}

fn list_lines() -> Operation {
    let page =
        Answer::ok("A page of them.", &["LinesAnswer"], json!({"lines": [line()], "next_after": "254733000001"}));
    let summary = "The world's own lines, in order of their numbers";
    let list = call("list_lines", Method::GET, LINES_PATH, summary, page);
    let invalid = ApiError::InvalidField("limit", "expected 1 to 100".into());
    Operation { parameters: page_parameters(), ..refusing(&[invalid], list) }
}

fn of_lines() -> Vec<Operation> {
    let line_call = |id, method, summary, answer| call(id, method, LINE_PATH, summary, answer);
    let gone = Answer::no_content("It is gone.");
    let anew = json!({"registered_at": "2026-03-01", "last_swap_at": "-P10D", "swap_cause": "esim"});
    let amended = json!({"status": "suspended", "last_swap_at": null});
    let put = line_call("put_line", Method::PUT, "The line is like this, whatever it was", shown_line());
    let amend = line_call("amend_line", Method::PATCH, "Changes what is named; null takes away", shown_line());
    let delete = "Takes the line away; a persona shows through again";
    let one = |refusals: &[ApiError], operation| of_one_line(refusing(refusals, operation));
    vec![
        one(
            &[ApiError::NotServed],
            line_call("show_line", Method::GET, "A line of the world's own, or a persona", shown_line()),
        ),
        one(&[invalid_line()], Operation { body: Some(Body::json("LineRequest", anew)), ..changing(put) }),
        one(
            &[invalid_line(), ApiError::NotServed],
            Operation { body: Some(Body::json("LineRequest", amended)), ..changing(amend) },
        ),
        one(&[ApiError::NotServed], changing(line_call("delete_line", Method::DELETE, delete, gone))),
    ]
}

fn add_event() -> Operation {
    let add = call("add_event", Method::POST, EVENTS_PATH, "Something happens to a line", shown_line());
    let invalid = ApiError::InvalidField("new_msisdn", "a number-change needs it".into());
    let body = Some(Body::json("EventRequest", json!({"type": "swap", "at": "-P10D"})));
    of_one_line(refusing(&[invalid, ApiError::NotServed], Operation { body, ..changing(add) }))
}

fn of_clock() -> Vec<Operation> {
    let shown = || Answer::ok("What it shows.", &["ClockAnswer"], clock());
    vec![
        call("show_clock", Method::GET, CLOCK_PATH, "What the world's clock shows", shown()),
        Operation {
            body: Some(Body::json("AdvanceRequest", json!({"by": "P30D"}))),
            ..refusing(
                &[ApiError::InvalidField("by", "expected one of by and to".into())],
                changing(call("advance_clock", Method::POST, ADVANCE_PATH, "Moves the clock on", shown())),
            )
        },
    ]
}

fn of_feed() -> Vec<Operation> {
    let shown = || Answer::ok("How it is now.", &["FeedAnswer"], feed());
    vec![
        changing(call(
            "stop_feed",
            Method::POST,
            FEED_STOP_PATH,
            "Stops the feed: the as-of stays where it is",
            shown(),
        )),
        changing(call("start_feed", Method::POST, FEED_START_PATH, "Starts the feed again", shown())),
    ]
}

/// A call of a sandbox app, without parameters and body.
fn call(id: &'static str, method: Method, path: &'static str, summary: &'static str, answer: Answer) -> Operation {
    Operation {
        id,
        method,
        path,
        summary,
        access: Access::Bearer,
        parameters: Vec::new(),
        body: None,
        answer,
        refusals: vec![sandbox_only(), ApiError::NotImplemented],
        others: Vec::new(),
    }
}

/// One that changes the world, which can be refused for the state that it is in.
fn changing(operation: Operation) -> Operation {
    refusing(&[ApiError::WorldConflict(WorldRefusal::FeedStopped.to_string())], operation)
}

fn refusing(refusals: &[ApiError], operation: Operation) -> Operation {
    Operation { refusals: [&operation.refusals, refusals].concat(), ..operation }
}

/// One whose path names a line.
fn of_one_line(operation: Operation) -> Operation {
    let invalid = ApiError::InvalidField("msisdn", "expected a number of this operator".into());
    Operation { parameters: vec![msisdn()], ..refusing(&[invalid], operation) }
}

fn shown_line() -> Answer {
    Answer::ok("The line, as it is.", &["LineAnswer"], line())
}

fn sandbox_only() -> ApiError {
    ApiError::Forbidden(ForbiddenReason::SandboxOnly)
}

fn invalid_line() -> ApiError {
    ApiError::InvalidField("status", "expected active, suspended, terminated or ported_out".into())
}

fn msisdn() -> Parameter {
    Parameter {
        name: "msisdn",
        place: "path",
        required: true,
        description: "The number, in any of the accepted forms.",
        schema: json!({"type": "string", "minLength": 1, "examples": ["254733000001"]}),
    }
}

fn page_parameters() -> Vec<Parameter> {
    vec![
        Parameter {
            name: "after",
            place: "query",
            required: false,
            description: "The next_after of the page before.",
            schema: json!({"type": "string", "minLength": 1, "examples": ["254733000001"]}),
        },
        Parameter {
            name: "limit",
            place: "query",
            required: false,
            description: "How many lines at most.",
            schema: json!({"type": "integer", "minimum": 1, "maximum": 100}),
        },
    ]
}

fn clock() -> Value {
    json!({"now": "2026-12-22T08:55:00Z", "ahead_s": 2_592_000})
}

fn feed() -> Value {
    json!({"running": true, "as_of": "2026-12-22T08:55:00Z"})
}

fn line() -> Value {
    json!({
        "msisdn": "254733000001",
        "origin": "own",
        "status": "active",
        "registered_at": "2026-02-28T21:00:00Z",
        "last_swap_at": "2026-12-12T08:55:00Z",
        "swap_cause": "esim",
        "restricted": false,
        "source_rejected": false,
    })
}
