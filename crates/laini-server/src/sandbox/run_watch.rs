use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use laini_core::line::Msisdn;
use laini_core::partner::{AppId, Observation, Observed, ScriptedRunId};
use laini_core::store::SubjectHasher;
use laini_office::going_live::{RunEvidence, RunningScript, running};
use laini_office::{Actor, Office, Problem};
use tokio::time::{MissedTickBehavior, interval};

use crate::Clock;

/// How often a node asks which runs are watched, and writes down what it saw: so late another node knows of it.
const LOOK_EVERY_S: u64 = 2;
/// How much of a run one node notes; what comes after that is not seen.
const NOTED_PER_RUN_MAX: usize = 1_000;

/// Watches what sandbox apps do while a scripted run of theirs is under way. Where no run is, a check in the sandbox
/// costs one look at an empty map; checks in production never come here.
pub(crate) struct RunWatch {
    office: Arc<Office>,
    subjects: SubjectHasher,
    watched: ArcSwap<HashMap<AppId, RunningScript>>,
    noted: Mutex<HashMap<ScriptedRunId, Noted>>,
}

/// What was seen of a run and is not written down yet.
#[derive(Default)]
struct Noted {
    in_all: usize,
    unwritten: Vec<Observation>,
}

impl RunWatch {
    pub(crate) fn new(office: Arc<Office>) -> Self {
        let subjects = office.keys.subject();
        Self { office, subjects, watched: ArcSwap::default(), noted: Mutex::default() }
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<ScriptedRunId, Noted>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sandbox app had a number looked up.
    pub(crate) fn asked(&self, app: AppId, msisdn: Msisdn, is_unknown: bool, at: Timestamp) {
        self.note(app, at, || {
            // Tells numbers apart within a run, and nothing else.
            let hash = self.subjects.number(msisdn).0;
            let number = hash.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
            Observed::Asked { number, is_unknown }
        });
    }

    /// A sandbox app had a request answered.
    pub(crate) fn answered(&self, app: AppId, at: Timestamp, how: impl FnOnce() -> Observed) {
        self.note(app, at, how);
    }

    fn note(&self, app: AppId, at: Timestamp, what: impl FnOnce() -> Observed) {
        let watched = self.watched.load();
        let Some(run) = watched.get(&app).filter(|run| run.began <= at && at < run.ends) else { return };
        let mut noted = self.noted();
        let of_run = noted.entry(run.run).or_default();
        if of_run.in_all < NOTED_PER_RUN_MAX {
            of_run.in_all += 1;
            of_run.unwritten.push(Observation { at, what: what() });
        }
    }

    /// Writes down what was seen, and asks which runs are watched. Blocks its thread on the store.
    pub(crate) fn look(&self, now: Timestamp) -> Result<(), Problem> {
        let written: Vec<(ScriptedRunId, Vec<Observation>)> = {
            let mut noted = self.noted();
            let unwritten = noted.iter_mut().filter(|(_, of_run)| !of_run.unwritten.is_empty());
            unwritten.map(|(run, of_run)| (*run, std::mem::take(&mut of_run.unwritten))).collect()
        };
        let looked = self.office.run(&Actor::System, now, |work| {
            for (run, seen) in &written {
                let id = self.office.entropy.next_u64() >> 1;
                work.put(&RunEvidence { id, run: *run, at: now, seen: seen.clone() })?;
            }
            running(work)
        });
        match looked {
            Ok(running) => {
                self.noted().retain(|run, of_run| {
                    !of_run.unwritten.is_empty() || running.iter().any(|watched| watched.run == *run)
                });
                self.watched.store(Arc::new(running.into_iter().map(|run| (run.app, run)).collect()));
                Ok(())
            }
            Err(problem) => {
                let mut noted = self.noted();
                for (run, seen) in written {
                    let of_run = noted.entry(run).or_default();
                    of_run.unwritten.splice(0..0, seen);
                }
                Err(problem)
            }
        }
    }

    /// Looks for ever.
    pub(crate) async fn keep(self: &Arc<Self>, clock: &Arc<dyn Clock>) {
        let mut ticks = interval(Duration::from_secs(LOOK_EVERY_S));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_failing = false;
        loop {
            ticks.tick().await;
            let (watch, now) = (Arc::clone(self), clock.now());
            let looked = tokio::task::spawn_blocking(move || watch.look(now)).await;
            let problem = match looked {
                Ok(Ok(())) => None,
                Ok(Err(problem)) => Some(problem.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if let (Some(problem), false) = (&problem, is_failing) {
                tracing::warn!(problem, "scripted runs cannot be watched; it is tried again");
            }
            is_failing = problem.is_some();
        }
    }
}
