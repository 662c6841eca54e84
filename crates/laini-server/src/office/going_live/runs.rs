use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use laini_core::partner::{AppId, May, ScriptedRunId, StepResult};
use laini_office::going_live::{ScriptedRun, StepReport, begin_run, echo_nonce, judge, note_sent};
use laini_office::{Problem, Work};
use laini_wire::office::going_live::{BeginRunRequest, EchoRequest, RunStepAnswer, ScriptedRunAnswer};
use serde_json::{Value, json};

use super::PREPARES;
use crate::office::apps::instant;
use crate::office::described::{operation, taking};
use crate::office::{Beside, Call, Endpoint, Reply};
use crate::openapi::{Answer, Operation};

const RUN: &str = "/office/v1/partners/{partner}/scripted-runs/{run}";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(begin_scripted_run_operation(), begin_scripted_run).beside(Beside::Runs),
        Endpoint::new(show_scripted_run_operation(), show_scripted_run).beside(Beside::Runs),
        Endpoint::new(send_run_delivery_operation(), send_run_delivery).beside(Beside::RunDelivery),
        Endpoint::new(echo_run_nonce_operation(), echo_run_nonce).beside(Beside::Runs),
    ]
}

fn example() -> Value {
    let steps = [
        ("unknown_handled", "passed", json!("2026-11-22T09:01:10Z")),
        ("backed_off", "waiting", json!("2026-11-22T09:02:01Z")),
        ("idempotent_retry", "open", json!(null)),
        ("delivery_verified", "open", json!(null)),
    ];
    let steps = steps.map(|(step, state, at)| json!({"step": step, "state": state, "at": at, "what_to_do": "…"}));
    json!({
        "run": "0000000000000006", "app": "0000000000000003", "began": "2026-11-22T09:00:00Z",
        "ends": "2026-11-22T10:00:00Z", "passed": null, "steps": steps,
    })
}

fn answer(run: &ScriptedRun, steps: &[StepReport]) -> ScriptedRunAnswer {
    let step = |report: &StepReport| {
        let (state, at): (&str, Option<Timestamp>) = match report.result {
            StepResult::Open => ("open", None),
            StepResult::Waiting(until) => ("waiting", Some(until)),
            StepResult::Passed(at) => ("passed", Some(at)),
        };
        RunStepAnswer {
            step: report.step.word().to_owned(),
            state: state.to_owned(),
            at: at.map(instant),
            what_to_do: report.step.what_to_do().to_owned(),
        }
    };
    ScriptedRunAnswer {
        run: run.id.to_string(),
        app: run.app.to_string(),
        began: instant(run.began),
        ends: instant(run.ends),
        passed: run.passed.map(instant),
        steps: steps.iter().map(step).collect(),
    }
}

fn shown(work: &mut Work<'_>, call: &Call, run: ScriptedRunId) -> Result<ScriptedRunAnswer, Problem> {
    let (run, steps) = judge(work, call.partner()?, run)?;
    Ok(answer(&run, &steps))
}

fn begin_scripted_run_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/scripted-runs";
    let begun = Answer { status: StatusCode::CREATED, ..Answer::ok("The run.", &["ScriptedRunAnswer"], example()) };
    let summary = "Begin a scripted run: what a sandbox app does from now on is held against the script";
    let operation = operation("begin_scripted_run", (Method::POST, path), summary, PREPARES, begun);
    taking(operation, "BeginRunRequest", json!({"app": "0000000000000003"}))
}

fn begin_scripted_run(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request: BeginRunRequest = call.json()?;
    let app = AppId::parse(&request.app).map_err(|error| Problem::invalid("app", error.to_string()))?;
    let run = begin_run(work, call.partner()?, app)?;
    Reply::created(&shown(work, call, run.id)?)
}

fn show_scripted_run_operation() -> Operation {
    let answer = Answer::ok("The run.", &["ScriptedRunAnswer"], example());
    operation("show_scripted_run", (Method::GET, RUN), "How a scripted run stands", May::ANYBODY, answer)
}

fn show_scripted_run(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let run = call.id("run", ScriptedRunId::parse)?;
    Reply::ok(&shown(work, call, run)?)
}

fn send_run_delivery_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/scripted-runs/{run}/delivery";
    let summary = "Send the run's nonce to the app's proven result addresses, signed as every delivery";
    let answer = Answer::ok("The run.", &["ScriptedRunAnswer"], example());
    operation("send_run_delivery", (Method::POST, path), summary, PREPARES, answer)
}

fn send_run_delivery(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let run = call.id("run", ScriptedRunId::parse)?;
    note_sent(work, call.partner()?, run)?;
    Reply::ok(&shown(work, call, run)?)
}

fn echo_run_nonce_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/scripted-runs/{run}/echo";
    let summary = "Bring back the nonce that the run's delivery carried";
    let answer = Answer::ok("The run.", &["ScriptedRunAnswer"], example());
    let operation = operation("echo_run_nonce", (Method::POST, path), summary, PREPARES, answer);
    taking(operation, "EchoRequest", json!({"nonce": "0123456789abcdef0123456789abcdef"}))
}

fn echo_run_nonce(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let run = call.id("run", ScriptedRunId::parse)?;
    let request: EchoRequest = call.json()?;
    echo_nonce(work, call.partner()?, run, &request.nonce)?;
    Reply::ok(&shown(work, call, run)?)
}
