use axum::http::{Method, StatusCode};
use laini_core::partner::{GoLiveId, GoLiveState, May, PartnerId, ScriptedRunId};
use laini_office::going_live::{
    CheckedItem, GoLive, GoLivePatch, approve, change_request, checklist, collect, request_go_live, return_request,
    submit, the_request, withdraw,
};
use laini_office::{Page, Problem, Work};
use laini_wire::office::going_live::{
    ChangeGoLiveRequest, ChecklistItem, GoLiveAnswer, GoLiveCommentRequest, GoLiveRequest, GoLivesAnswer, StageAnswer,
};
use serde_json::{Value, json};

use super::{DECIDES, PREPARES};
use crate::office::apps::{credentials, instant, products};
use crate::office::described::{asking, in_query, operation, paged, taking};
use crate::office::{Call, Endpoint, Reply};
use crate::openapi::{Answer, Operation};

const OF_PARTNER: &str = "/office/v1/partners/{partner}/go-lives";
const ONE: &str = "/office/v1/partners/{partner}/go-lives/{go_live}";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(list_all_go_lives_operation(), list_all_go_lives),
        Endpoint::new(list_go_lives_operation(), list_go_lives),
        Endpoint::new(request_to_go_live_operation(), request_to_go_live),
        Endpoint::new(show_go_live_operation(), show_go_live),
        Endpoint::new(change_go_live_operation(), change_go_live),
        Endpoint::new(submit_go_live_operation(), submit_go_live),
        Endpoint::new(withdraw_go_live_operation(), withdraw_go_live),
        Endpoint::new(approve_go_live_operation(), approve_go_live),
        Endpoint::new(return_go_live_operation(), return_go_live),
        Endpoint::new(collect_credentials_operation(), collect_credentials),
    ]
}

fn example() -> Value {
    let stage = json!({
        "state": "preparing", "at": "2026-11-22T09:00:00Z", "by": "member:0000000000000001", "reason": "",
    });
    json!({
        "go_live": "0000000000000007", "partner": "0000000000000002", "name": "transfers", "products": ["imsi"],
        "run": null, "state": "preparing", "app": null, "stages": [stage],
        "checklist": [{
            "item": "terms", "is_done": true, "owner": "partner", "since": "2026-11-22T09:00:00Z",
            "why": "version 1 was accepted at 2026-11-22T09:00:00Z",
        }],
    })
}

fn answer(request: &GoLive, found: Vec<CheckedItem>) -> GoLiveAnswer {
    let item = |item: CheckedItem| ChecklistItem {
        item: item.item.word().to_owned(),
        is_done: item.is_done,
        owner: item.owner.word().to_owned(),
        since: instant(item.since),
        why: item.why,
    };
    let stages = request.stages.iter().map(|stage| StageAnswer {
        state: stage.state.word().to_owned(),
        at: instant(stage.at),
        by: stage.by.clone(),
        reason: stage.reason.clone(),
    });
    GoLiveAnswer {
        go_live: request.id.to_string(),
        partner: request.partner.to_string(),
        name: request.name.clone(),
        products: request.products.iter().map(|product| product.word().to_owned()).collect(),
        run: request.run.map(|run| run.to_string()),
        state: request.state.word().to_owned(),
        checklist: found.into_iter().map(item).collect(),
        stages: stages.collect(),
        app: request.app.map(|app| app.to_string()),
    }
}

fn with_checklist(work: &mut Work<'_>, request: &GoLive) -> Result<GoLiveAnswer, Problem> {
    let found = checklist(work, request)?;
    Ok(answer(request, found))
}

fn list(found: &Page<GoLive>) -> Result<Reply, Problem> {
    let go_lives = found.items.iter().map(|request| answer(request, Vec::new())).collect();
    Reply::ok(&GoLivesAnswer { go_lives, next: found.next.map(|next| next.to_string()) })
}

fn page_of_them() -> Answer {
    Answer::ok("A page.", &["GoLivesAnswer"], json!({"go_lives": [example()], "next": null}))
}

fn list_all_go_lives_operation() -> Operation {
    let (path, summary) = ("/office/v1/go-lives", "Requests to go live in a state, oldest first");
    let operation = operation("list_all_go_lives", (Method::GET, path), summary, May::STAFF, page_of_them());
    let words: Vec<&str> = GoLiveState::ALL.into_iter().map(GoLiveState::word).collect();
    let state = in_query("state", "In which state; awaiting_approval if not said.", json!({"enum": words}));
    paged(asking(operation, [state]))
}

fn list_all_go_lives(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let state = GoLiveState::parse(call.query("state").unwrap_or("awaiting_approval"));
    let state = state.map_err(|error| Problem::invalid("state", error.to_string()))?;
    list(&work.find("state", state.word(), false, call.page()?)?)
}

fn list_go_lives_operation() -> Operation {
    let summary = "A partner's requests to go live, newest first";
    paged(operation("list_go_lives", (Method::GET, OF_PARTNER), summary, May::ANYBODY, page_of_them()))
}

fn list_go_lives(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    list(&work.find("partner", call.partner()?, true, call.page()?)?)
}

fn request_to_go_live_operation() -> Operation {
    let begun = Answer { status: StatusCode::CREATED, ..Answer::ok("The request.", &["GoLiveAnswer"], example()) };
    let summary = "Ask for a production app; its checklist says what is missing";
    let operation = operation("request_to_go_live", (Method::POST, OF_PARTNER), summary, PREPARES, begun);
    taking(operation, "GoLiveRequest", json!({"name": "transfers", "products": ["imsi"]}))
}

fn request_to_go_live(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let body: GoLiveRequest = call.json()?;
    let request = request_go_live(work, call.partner()?, &body.name, products(&body.products)?)?;
    Reply::created(&with_checklist(work, &request)?)
}

fn one() -> Answer {
    Answer::ok("The request.", &["GoLiveAnswer"], example())
}

fn show_go_live_operation() -> Operation {
    let summary = "A request to go live, with its checklist as it stands now";
    operation("show_go_live", (Method::GET, ONE), summary, May::ANYBODY, one())
}

fn show_go_live(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request = the_request(work, call.partner()?, call.id("go_live", GoLiveId::parse)?)?;
    Reply::ok(&with_checklist(work, &request)?)
}

fn change_go_live_operation() -> Operation {
    let summary = "Name the scripted run of a request, or other products";
    let operation = operation("change_go_live", (Method::PATCH, ONE), summary, PREPARES, one());
    taking(operation, "ChangeGoLiveRequest", json!({"run": "0000000000000006"}))
}

fn change_go_live(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, id) = (call.partner()?, call.id("go_live", GoLiveId::parse)?);
    let body: ChangeGoLiveRequest = call.json()?;
    let run = body.run.as_deref().map(ScriptedRunId::parse).transpose();
    let patch = GoLivePatch {
        products: body.products.as_deref().map(products).transpose()?,
        run: run.map_err(|error| Problem::invalid("run", error.to_string()))?,
    };
    let request = change_request(work, partner, id, &patch)?;
    Reply::ok(&with_checklist(work, &request)?)
}

fn submit_go_live_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/go-lives/{go_live}/submit";
    operation("submit_go_live", (Method::POST, path), "Hand a request in, its checklist done", PREPARES, one())
}

fn submit_go_live(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request = submit(work, call.partner()?, call.id("go_live", GoLiveId::parse)?)?;
    Reply::ok(&with_checklist(work, &request)?)
}

type Decided = fn(&mut Work<'_>, PartnerId, GoLiveId, &str) -> Result<GoLive, Problem>;

fn decided(work: &mut Work<'_>, call: &Call, decide: Decided) -> Result<Reply, Problem> {
    let (partner, id) = (call.partner()?, call.id("go_live", GoLiveId::parse)?);
    let body: GoLiveCommentRequest = call.json()?;
    let request = decide(work, partner, id, &body.reason)?;
    Reply::ok(&with_checklist(work, &request)?)
}

fn deciding(id: &'static str, path: &'static str, summary: &'static str, may: May, reason: &str) -> Operation {
    let operation = operation(id, (Method::POST, path), summary, may, one());
    taking(operation, "GoLiveCommentRequest", json!({"reason": reason}))
}

fn withdraw_go_live_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/go-lives/{go_live}/withdraw";
    deciding("withdraw_go_live", path, "Give a request up", PREPARES, "the project was stopped")
}

fn withdraw_go_live(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    decided(work, call, withdraw)
}

fn approve_go_live_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/go-lives/{go_live}/approve";
    deciding("approve_go_live", path, "Approve a request; its checklist is looked at anew", DECIDES, "")
}

fn approve_go_live(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    decided(work, call, approve)
}

fn return_go_live_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/go-lives/{go_live}/return";
    deciding("return_go_live", path, "Give a request back, with a reason", DECIDES, "name the product owner")
}

fn return_go_live(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    decided(work, call, return_request)
}

fn collect_credentials_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/go-lives/{go_live}/collect";
    let shown = json!({
        "app": "0000000000000003", "consumer_key": "liveAbCdEfGh0123456789", "consumer_secret": "…",
    });
    let made = Answer { status: StatusCode::CREATED, ..Answer::ok("Its credentials.", &["CredentialsAnswer"], shown) };
    let summary = "Take the production credentials of an approved request; the secret is shown once";
    operation("collect_credentials", (Method::POST, path), summary, PREPARES, made)
}

fn collect_credentials(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (_, app, secret) = collect(work, call.partner()?, call.id("go_live", GoLiveId::parse)?)?;
    Reply::created_once(&credentials(&app, &secret))
}
