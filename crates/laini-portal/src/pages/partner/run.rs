//! The scripted run of a request to go live: begun, followed step by step, its delivery's nonce brought back.

use std::sync::Arc;

use axum::http::Method;
use laini_core::delivery::LISTEN;
use laini_core::partner::{AppId, AppStatus, Environment, GoLiveId, ScriptedRunId};
use laini_office::going_live::{self, GoLive, GoLivePatch};
use laini_office::{Problem, Work, apps};
use laini_wire::office::apps::SigningSecretAnswer;
use laini_wire::office::going_live::{RunStepAnswer, ScriptedRunAnswer};
use serde_json::json;

use super::PREPARES;
use super::go_live::{ShownOnce, back, show_with};
use crate::answer::Answer;
use crate::page::Page;
use crate::pages::docs::address;
use crate::portal::Portal;
use crate::visit::Visit;
use crate::words::GoLiveWords;

pub(super) fn pages() -> Vec<Page> {
    use super::go_live::show_one;
    vec![
        Page::post("/partners/{partner}/go-live/{go_live}/run", PREPARES, begin, show_one),
        Page::post("/partners/{partner}/go-live/{go_live}/run/listen", PREPARES, listen, show_one),
        Page::post("/partners/{partner}/go-live/{go_live}/run/delivery", PREPARES, send, show_one),
        Page::post("/partners/{partner}/go-live/{go_live}/run/echo", PREPARES, echo, show_one),
    ]
}

/// A scripted run as it stands.
#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no of each thing")]
pub(super) struct RunView {
    pub(super) app: AppId,
    pub(super) app_name: String,
    /// The app's consumer key.
    pub(super) key: String,
    pub(super) began: String,
    pub(super) ends: String,
    pub(super) is_over: bool,
    pub(super) is_passed: bool,
    pub(super) steps: Vec<StepView>,
    /// Whether the app has nowhere that its delivery could go.
    pub(super) lacks_address: bool,
    pub(super) was_sent: bool,
}

pub(super) struct StepView {
    pub(super) label: &'static str,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    /// When it was passed, or will be.
    pub(super) at: String,
    pub(super) what_to_do: &'static str,
    pub(super) code: String,
}

/// The sandbox apps with which a run can begin.
pub(super) fn sandbox_apps(work: &Work<'_>, visit: &Visit) -> Result<Vec<(AppId, String)>, Problem> {
    let apps = apps::apps_of(work, visit.partner()?)?.into_iter().map(|of| of.app);
    let can_run = apps.filter(|app| app.environment == Environment::Sandbox && app.status == AppStatus::Active);
    Ok(can_run.map(|app| (app.id, app.name)).collect())
}

/// Where the sandbox answers, as far as it is set.
pub(super) fn base_url(portal: &Portal) -> String {
    address(portal).unwrap_or_else(|| "https://laini.operator.example".to_owned())
}

/// The run that a request names.
pub(super) async fn of_request(
    portal: &Arc<Portal>,
    visit: &Arc<Visit>,
    request: &GoLive,
) -> Result<Option<RunView>, Problem> {
    let Some(id) = request.run else { return Ok(None) };
    let path = path(visit, &format!("scripted-runs/{id}"))?;
    let run: ScriptedRunAnswer = portal.ask_office_for(visit, (Method::GET, &path), None).await?;
    let found = portal.work(visit, move |work, visit| {
        let partner = visit.partner()?;
        let kept = going_live::the_run(work, partner, id)?;
        let is_over = !kept.is_running(work.at);
        Ok((apps::the_app(work, partner, kept.app)?, kept, is_over))
    });
    let (of, kept, is_over) = found.await?;
    let words = &visit.language.words().go_live;
    let key = of.app.consumer_key.as_str();
    Ok(Some(RunView {
        app: of.app.id,
        app_name: of.app.name.clone(),
        key: key.to_owned(),
        began: portal.shown(kept.began),
        ends: portal.shown(kept.ends),
        is_over,
        is_passed: run.passed.is_some(),
        steps: run.steps.iter().enumerate().map(|(at, one)| step(portal, words, at, one)).collect(),
        lacks_address: !of.addresses.iter().any(|address| address.proven.is_some()),
        was_sent: kept.sent.is_some(),
    }))
}

fn step(portal: &Portal, words: &GoLiveWords, at: usize, step: &RunStepAnswer) -> StepView {
    let (state, tone) = match step.state.as_str() {
        "passed" => (words.step_states[2], "go"),
        "waiting" => (words.step_states[1], "care"),
        _ => (words.step_states[0], ""),
    };
    let until = step.at.as_deref().and_then(|at| at.parse().ok()).map(|at| portal.shown_to_second(at));
    StepView {
        label: words.run_steps.get(at).copied().unwrap_or_default(),
        state,
        tone,
        at: until.unwrap_or_default(),
        what_to_do: words.run_what.get(at).copied().unwrap_or_default(),
        code: code(&step.step).to_owned(),
    }
}

/// What passes a step, on the command line.
fn code(step: &str) -> &'static str {
    match step {
        "unknown_handled" => {
            "check() { curl -si \"$LAINI/imsi/v1/checkATI\" -H \"Authorization: Bearer $TOKEN\" \\\n  \
             -H 'Content-Type: application/json' -d \"{\\\"customerNumber\\\":\\\"$1\\\"}\" \"${@:2}\"; }\n\
             check 254722000040     # 404: do not ask about it again for 10 seconds"
        }
        "backed_off" => {
            "check 254722000054     # 429, with Retry-After\nsleep 2                # at least as long as it says\n\
             check 254722000001"
        }
        "idempotent_retry" => {
            "check 254722000001 -H 'Idempotency-Key: go-live-1'\ncheck 254722000001 -H 'Idempotency-Key: go-live-1'"
        }
        _ => "curl -s \"$LAINI/v1/deliveries\" -H \"Authorization: Bearer $TOKEN\"   # what laini:listen holds: nonce",
    }
}

/// A path of the office's API, of the partner that the page is about.
fn path(visit: &Visit, end: &str) -> Result<String, Problem> {
    Ok(format!("/office/v1/partners/{}/{end}", visit.partner()?))
}

async fn begin(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("go_live", GoLiveId::parse)?;
    // That the request is there comes first: no run is begun for none.
    portal.work(&visit, move |work, visit| going_live::the_request(work, visit.partner()?, id).map(drop)).await?;
    let begin = path(&visit, "scripted-runs")?;
    let run: ScriptedRunAnswer =
        portal.ask_office_for(&visit, (Method::POST, &begin), Some(&json!({"app": visit.field("app")}))).await?;
    let run = ScriptedRunId::parse(&run.run).map_err(|error| Problem::Store(error.to_string()))?;
    portal
        .work(&visit, move |work, visit| {
            let patch = GoLivePatch { run: Some(run), products: None };
            going_live::change_request(work, visit.partner()?, id, &patch).map(drop)
        })
        .await?;
    back(&visit)
}

/// Has deliveries of the run's app wait for whoever asks with its token.
async fn listen(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (_, app) = the_run(&portal, &visit).await?;
    let path = path(&visit, &format!("apps/{app}/result-addresses"))?;
    let told: SigningSecretAnswer =
        portal.ask_office_for(&visit, (Method::POST, &path), Some(&json!({"url": LISTEN}))).await?;
    let once = ShownOnce { signing_secret: Some(told.signing_secret), ..ShownOnce::default() };
    show_with(&portal, &visit, once).await
}

async fn send(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (run, _) = the_run(&portal, &visit).await?;
    let path = path(&visit, &format!("scripted-runs/{run}/delivery"))?;
    let _: ScriptedRunAnswer = portal.ask_office_for(&visit, (Method::POST, &path), None).await?;
    back(&visit)
}

async fn echo(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (run, _) = the_run(&portal, &visit).await?;
    let path = path(&visit, &format!("scripted-runs/{run}/echo"))?;
    let nonce = json!({"nonce": visit.field("nonce")});
    let _: ScriptedRunAnswer = portal.ask_office_for(&visit, (Method::POST, &path), Some(&nonce)).await?;
    back(&visit)
}

/// The run that the request names, and its app.
async fn the_run(portal: &Arc<Portal>, visit: &Arc<Visit>) -> Result<(ScriptedRunId, AppId), Problem> {
    let id = visit.id("go_live", GoLiveId::parse)?;
    let found = portal.work(visit, move |work, visit| {
        let partner = visit.partner()?;
        let run = going_live::the_request(work, partner, id)?.run.ok_or(Problem::NotFound("scripted run"))?;
        Ok((run, going_live::the_run(work, partner, run)?.app))
    });
    found.await
}
