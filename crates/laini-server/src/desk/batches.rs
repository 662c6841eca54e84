use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::http::response::Parts;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use laini_core::partner::Environment;
use laini_office::desk::batch::{Answered, Job, Question, note, take};
use laini_office::{Office, Problem};
use laini_wire::checks::{CHECKS_PATH, ChecksAnswer};
use laini_wire::error::{ErrorBody, code};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::ask::why;
use super::told;
use crate::http::{Asker, Inside};
use crate::{Clock, Environments};

/// How often it is looked whether rows are due.
const LOOK_EVERY_MS: u64 = 500;
/// Rows that one node asks about at once: far fewer than a server carries, so that apps do not notice.
const ASKED_AT_ONCE: usize = 8;
/// After a refusal that does not say for how long.
const PAUSE_S: u32 = 2;

/// Asks the rows of batches for as long as the server runs, a group after the other. Of several nodes each takes groups
/// that no other one has; where one dies, another asks the same rows under the same keys.
pub(crate) struct BatchRunner {
    office: Arc<Office>,
    clock: Arc<dyn Clock>,
    inside: Inside,
}

impl BatchRunner {
    pub(crate) fn new(office: Arc<Office>, clock: Arc<dyn Clock>, inside: Inside) -> Self {
        Self { office, clock, inside }
    }

    /// Works until `stop` says so, to the end of the group that is being asked.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = sleep(Duration::from_millis(LOOK_EVERY_MS)) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            while !*stop.borrow() {
                match self.round().await {
                    Ok(true) => is_failing = false,
                    Ok(false) => break,
                    Err(error) => {
                        if !is_failing {
                            tracing::error!(%error, "batches of the desk cannot be asked; trying again");
                        }
                        is_failing = true;
                        break;
                    }
                }
            }
        }
    }

    /// Asks about one group; whether there was one.
    async fn round(&self) -> Result<bool, Problem> {
        let (office, at) = (Arc::clone(&self.office), self.clock.now());
        let Some(job) = blocking(move || take(&office, at)).await? else { return Ok(false) };
        let answers = self.ask_all(&job).await;
        let (office, at) = (Arc::clone(&self.office), self.clock.now());
        let is_noted = blocking(move || note(&office, at, &job, &answers)).await?;
        if !is_noted {
            tracing::debug!("a group of a batch was taken over, or its batch was stopped");
        }
        Ok(true)
    }

    /// Asks about each row; after a refusal of more than one row, the others are left for later.
    async fn ask_all(&self, job: &Job) -> Vec<(u32, Answered)> {
        let is_over = AtomicBool::new(false);
        let is_over = &is_over;
        // By place: a closure over borrowed questions is not general enough for a task.
        let each = stream::iter(0..job.questions.len()).map(|place| async move {
            let question = &job.questions[place];
            if is_over.load(Ordering::Relaxed) {
                return None;
            }
            let answered = self.ask(job, question).await;
            if matches!(answered, Answered::Later { .. } | Answered::Never(_)) {
                is_over.store(true, Ordering::Relaxed);
            }
            Some((question.row, answered))
        });
        each.buffer_unordered(ASKED_AT_ONCE).filter_map(ready).collect().await
    }

    async fn ask(&self, job: &Job, question: &Question) -> Answered {
        let environments = match job.app.environment {
            Environment::Sandbox => Environments::SandboxOnly,
            Environment::Production => Environments::ProductionOnly,
        };
        let (address, certificate) = (job.from.address, job.from.certificate);
        let asker = Asker { at: self.clock.now(), address, environments, certificate };
        let mut body =
            json!({"number": question.number, "purpose": job.purpose.word(), "reference": question.reference});
        if let Some(expect) = &question.expect {
            body["expect"] = expect.as_str().into();
        }
        let path = (CHECKS_PATH, Some(question.key.as_str()));
        match self.inside.ask_as((&self.office, &job.app), asker, path, &body).await {
            Ok((parts, body)) => read(&parts, &body),
            Err(why) => {
                tracing::warn!(why, "a row of a batch was not answered");
                Answered::Missed { pause_s: PAUSE_S, why: "the answer broke off".to_owned() }
            }
        }
    }
}

/// What an answer means for its row, and for the others.
fn read(parts: &Parts, body: &Bytes) -> Answered {
    if parts.status == StatusCode::OK {
        let item =
            serde_json::from_slice::<ChecksAnswer>(body).ok().and_then(|answer| answer.checks.into_iter().next());
        let told = item.and_then(told);
        return told.map_or_else(|| Answered::Failed("the answer cannot be read".to_owned()), Answered::Told);
    }
    let error = serde_json::from_slice::<ErrorBody<'_>>(body).ok();
    let told_code = error.as_ref().map_or("", |error| &error.error_code);
    let why = why(parts, body);
    let retry_after = parts.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let pause_s = retry_after.unwrap_or(PAUSE_S);
    match parts.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_IMPLEMENTED => Answered::Never(why),
        StatusCode::TOO_MANY_REQUESTS => Answered::Later { pause_s, why },
        StatusCode::CONFLICT if told_code == code::KEY_TOO_OLD => Answered::Failed(
            "it was asked and recorded, and its answer was lost; ask it again, as a new check".to_owned(),
        ),
        StatusCode::CONFLICT => Answered::Missed { pause_s, why },
        status if status.is_server_error() => Answered::Missed { pause_s, why },
        _ => Answered::Failed(why),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Problem::Store(format!("a piece of work failed: {error}"))))
}
