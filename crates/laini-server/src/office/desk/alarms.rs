use axum::http::Method;
use laini_core::partner::DeskAlarmId;
use laini_office::desk;
use laini_office::{Problem, Work};
use laini_wire::office::ReasonRequest;
use laini_wire::office::desk::DeskAlarmsAnswer;
use serde_json::{Value, json};

use super::{GUARDS, words};
use crate::office::described::{asking, in_query, operation, paged, taking};
use crate::office::{Call, Endpoint, Reply};
use crate::openapi::{Answer, Operation};

const ALL: &str = "/office/v1/partners/{partner}/desk/alarms";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new(list_operation(), list_desk_alarms), Endpoint::new(see_operation(), acknowledge_desk_alarm)]
}

fn example() -> Value {
    json!({
        "alarm": "0000000000000007", "person": "0000000000000001", "what": "canary", "at": "2026-11-28T08:00:00Z",
        "seen_by": null, "seen_at": null, "explanation": null,
    })
}

fn list_operation() -> Operation {
    let answer = json!({"alarms": [example()], "next": null});
    let answer = Answer::ok("A page of them.", &["DeskAlarmsAnswer"], answer);
    let list = operation("list_desk_alarms", (Method::GET, ALL), "Alarms of the desk, newest first", GUARDS, answer);
    let open = in_query("open", "Only those that nobody has looked at.", json!({"type": "boolean", "default": false}));
    paged(asking(list, [open]))
}

fn see_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/desk/alarms/{alarm}/acknowledge";
    let answer = Answer::ok("The alarm.", &["DeskAlarmAnswer"], example());
    let summary = "Note that you looked at an alarm, and what it came to";
    let see = operation("acknowledge_desk_alarm", (Method::POST, path), summary, GUARDS, answer);
    taking(see, "ReasonRequest", json!({"reason": "a drill, agreed with her"}))
}

fn list_desk_alarms(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let page = desk::alarms(work, call.partner()?, call.query("open") == Some("true"), call.page()?)?;
    let alarms = page.items.iter().map(words::alarm).collect();
    Reply::ok(&DeskAlarmsAnswer { alarms, next: page.next.map(|next| next.to_string()) })
}

fn acknowledge_desk_alarm(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let ReasonRequest { reason } = call.json()?;
    let alarm = desk::acknowledge(work, call.partner()?, call.id("alarm", DeskAlarmId::parse)?, &reason)?;
    Reply::ok(&words::alarm(&alarm))
}
