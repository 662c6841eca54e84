use jiff::{SignedDuration, Timestamp};
use laini_core::partner::{
    AppId, AppStatus, Environment, Observation, PartnerId, RunStep, ScriptedRunId, StepResult, judge_run,
};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::apps::the_app;
use crate::{Kept, PageRequest, Problem, Work, key};

/// A run lasts so long.
const LASTS: SignedDuration = SignedDuration::from_hours(1);

/// A scripted run: what a sandbox app does from its beginning on is held against the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptedRun {
    /// Its id.
    pub id: ScriptedRunId,
    /// Whose.
    pub partner: PartnerId,
    /// The sandbox app that is watched.
    pub app: AppId,
    /// From when on.
    pub began: Timestamp,
    /// Until when.
    pub ends: Timestamp,
    /// What the run's delivery carries, and nothing else tells: 32 hexadecimal digits.
    pub nonce: String,
    /// When the delivery was last sent.
    pub sent: Option<Timestamp>,
    /// When the nonce was brought back.
    pub echoed: Option<Timestamp>,
    /// When its last step was passed.
    pub passed: Option<Timestamp>,
    /// Its steps as they were judged when it was passed.
    pub steps: Vec<(RunStep, Timestamp)>,
    /// Whether another run took its place before it was passed.
    pub is_given_up: bool,
}

impl ScriptedRun {
    /// Whether it is watched at `now`.
    pub fn is_running(&self, now: Timestamp) -> bool {
        self.passed.is_none() && !self.is_given_up && now < self.ends
    }
}

impl Kept for ScriptedRun {
    const KIND: RecordKind = RecordKind("scripted_run");
    const NOUN: &'static str = "scripted run";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let began = self.began.as_microsecond();
        let mut keys = vec![key("partner", self.partner, began)];
        if self.passed.is_none() && !self.is_given_up {
            keys.push(key("running", "all", self.ends.as_microsecond()));
            keys.push(key("running_app", self.app, self.ends.as_microsecond()));
        }
        keys
    }
}

/// What a node saw of a run's app, in one piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEvidence {
    /// Its id.
    pub id: u64,
    /// Of which run.
    pub run: ScriptedRunId,
    /// When it was written down.
    pub at: Timestamp,
    /// What was seen.
    pub seen: Vec<Observation>,
}

impl Kept for RunEvidence {
    const KIND: RecordKind = RecordKind("run_evidence");
    const NOUN: &'static str = "evidence of a scripted run";

    fn id(&self) -> RecordId {
        RecordId(self.id)
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("run", self.run, self.at.as_microsecond())]
    }
}

/// A run that is watched: what a node has to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningScript {
    /// The run.
    pub run: ScriptedRunId,
    /// Whose requests are seen.
    pub app: AppId,
    /// From when on.
    pub began: Timestamp,
    /// Until when.
    pub ends: Timestamp,
}

/// The runs that are watched now; at most the 500 that end last.
pub fn running(work: &mut Work<'_>) -> Result<Vec<RunningScript>, Problem> {
    let now = work.at;
    let found = work.find::<ScriptedRun>("running", "all", true, PageRequest::LONGEST)?.items;
    let watched = found.into_iter().filter(|run| run.is_running(now));
    Ok(watched.map(|run| RunningScript { run: run.id, app: run.app, began: run.began, ends: run.ends }).collect())
}

/// The run of this id, where it is of this partner.
pub fn the_run(work: &mut Work<'_>, partner: PartnerId, id: ScriptedRunId) -> Result<ScriptedRun, Problem> {
    let found: ScriptedRun = work.get(id)?;
    if found.partner == partner { Ok(found) } else { Err(Problem::NotFound(ScriptedRun::NOUN)) }
}

/// Begins a run with a sandbox app; another one of the app that was not passed is given up.
pub fn begin_run(work: &mut Work<'_>, partner: PartnerId, app: AppId) -> Result<ScriptedRun, Problem> {
    let of = the_app(work, partner, app)?;
    if of.app.environment != Environment::Sandbox {
        return Err(Problem::invalid("app", "a scripted run is made with a sandbox app"));
    }
    if of.app.status != AppStatus::Active {
        return Err(Problem::not_now("the app is not answered now; resume it, or name another one"));
    }
    for mut before in work.all::<ScriptedRun>("running_app", app)? {
        before.is_given_up = true;
        work.put(&before)?;
    }
    let word = || work.office.entropy.next_u64();
    let run = ScriptedRun {
        id: ScriptedRunId::from_random(word()),
        partner,
        app,
        began: work.at,
        ends: work.at + LASTS,
        nonce: format!("{:016x}{:016x}", word(), word()),
        sent: None,
        echoed: None,
        passed: None,
        steps: Vec::new(),
        is_given_up: false,
    };
    work.put(&run)?;
    work.note("scripted-run.begin", Some(partner), run.id, "");
    Ok(run)
}

/// Notes that the run's delivery is sent; where to.
pub fn note_sent(work: &mut Work<'_>, partner: PartnerId, id: ScriptedRunId) -> Result<ScriptedRun, Problem> {
    let mut run = running_one(work, partner, id)?;
    let of = the_app(work, partner, run.app)?;
    if !of.addresses.iter().any(|address| address.proven.is_some()) {
        return Err(Problem::not_now(
            "the app has no proven result address; add one, and have it answer the challenge",
        ));
    }
    run.sent = Some(work.at);
    work.put(&run)?;
    Ok(run)
}

/// Takes the nonce that the run's delivery carried.
pub fn echo_nonce(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: ScriptedRunId,
    nonce: &str,
) -> Result<ScriptedRun, Problem> {
    let mut run = running_one(work, partner, id)?;
    if run.sent.is_none() {
        return Err(Problem::not_now("the run's delivery was not sent yet; have it sent first"));
    }
    // Digests are compared, so that the time tells nothing of the nonce.
    if Sha256::digest(nonce.trim()) != Sha256::digest(&run.nonce) {
        return Err(Problem::invalid("nonce", "it is not the one of the run's delivery"));
    }
    run.echoed = run.echoed.or(Some(work.at));
    work.put(&run)?;
    Ok(run)
}

fn running_one(work: &mut Work<'_>, partner: PartnerId, id: ScriptedRunId) -> Result<ScriptedRun, Problem> {
    let run = the_run(work, partner, id)?;
    if !run.is_running(work.at) {
        return Err(Problem::not_now("the run is over; begin another one"));
    }
    Ok(run)
}

/// A step of a run as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepReport {
    /// Which.
    pub step: RunStep,
    /// How it stands.
    pub result: StepResult,
}

/// Holds what was seen against the script. A run whose steps are all passed is passed from then on, and its evidence is
/// not kept any longer.
pub fn judge(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: ScriptedRunId,
) -> Result<(ScriptedRun, Vec<StepReport>), Problem> {
    let mut run = the_run(work, partner, id)?;
    if run.passed.is_some() {
        let steps = run.steps.iter().map(|(step, at)| StepReport { step: *step, result: StepResult::Passed(*at) });
        let steps = steps.collect();
        return Ok((run, steps));
    }
    let evidence: Vec<RunEvidence> = work.all("run", id)?;
    let mut seen: Vec<Observation> = evidence.iter().flat_map(|piece| piece.seen.iter().copied()).collect();
    seen.sort_by_key(|one| one.at);
    let now = work.at.min(run.ends);
    let reports: Vec<StepReport> = RunStep::ALL
        .into_iter()
        .map(|step| StepReport { step, result: judge_run(step, &seen, run.echoed, now) })
        .collect();
    let passed: Vec<(RunStep, Timestamp)> = reports
        .iter()
        .filter_map(|report| match report.result {
            StepResult::Passed(at) => Some((report.step, at)),
            StepResult::Open | StepResult::Waiting(_) => None,
        })
        .collect();
    if passed.len() == RunStep::ALL.len() && !run.is_given_up {
        run.passed = passed.iter().map(|(_, at)| *at).max();
        run.steps = passed;
        work.put(&run)?;
        for piece in &evidence {
            work.remove(piece);
        }
        work.note("scripted-run.pass", Some(partner), run.id, "");
    }
    Ok((run, reports))
}
