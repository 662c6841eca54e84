use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use laini_core::desk::Verdict;
use laini_core::partner::{App, AppStatus, DeskBatchId, Purpose};
use serde::{Deserialize, Serialize};

use super::rows::DeskRows;
use super::{BatchRow, BatchState, Came, DeskBatch};
use crate::desk::{Finding, INVESTIGATES, Told, settings};
use crate::people::Person;
use crate::{Actor, Office, PageRequest, Problem, Work};

/// Rows that are asked and noted together.
pub const GROUP_ROWS: u32 = 50;
/// A group that is being asked is left alone by others for so long.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// A batch is asked on for so long after its start. Keys of rows hold for 24 hours, so none is ever asked under one
/// that was forgotten.
const ASKED_FOR: SignedDuration = SignedDuration::from_hours(20);
/// A row that got no answer so often failed,
const MISSES_MAX: u32 = 5;
/// and one that was refused so often because there were too many.
const PAUSES_MAX: u32 = 60;
/// A pause is at least and at most so long, in seconds.
const PAUSE_S: std::ops::RangeInclusive<u32> = 1..=60;

/// From where a batch was started: an app's own rules about its callers hold for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedFrom {
    /// The address.
    pub address: IpAddr,
    /// SHA-256 of the client's certificate, where one was shown.
    pub certificate: Option<[u8; 32]>,
}

/// Rows to ask about.
pub struct Job {
    /// Of this batch.
    pub batch: DeskBatchId,
    /// In the name of this app.
    pub app: App,
    /// What for.
    pub purpose: Purpose,
    /// From where.
    pub from: AskedFrom,
    /// What.
    pub questions: Vec<Question>,
    group: u32,
    turn: u64,
}

/// One row to ask about.
pub struct Question {
    /// Which row of the batch, from 0.
    pub row: u32,
    /// The number.
    pub number: String,
    /// The reference to ask with.
    pub reference: String,
    /// The digits of the SIM that was enrolled.
    pub expect: Option<String>,
    /// The idempotency key: the same for a row however often it is asked, until a person wants it asked anew.
    pub key: String,
}

/// What the API answered about a row.
pub enum Answered {
    /// An answer.
    Told(Told),
    /// None for this row: why, in a sentence without the number.
    Failed(String),
    /// None this time, which says nothing of other rows: the same again after a pause, a few times.
    Missed {
        /// How long, in seconds.
        pause_s: u32,
        /// Why.
        why: String,
    },
    /// Not now, nor any other row: the same again after a pause.
    Later {
        /// How long, in seconds.
        pause_s: u32,
        /// Why.
        why: String,
    },
    /// None for any row of the batch: why.
    Never(String),
}

/// The rows that are to be asked next; `None` = nothing is due. They are left to whoever took them for a while. A batch
/// whose app does not work any more, or whose person may not look numbers up any more, ends here.
pub fn take(office: &Office, at: Timestamp) -> Result<Option<Job>, Problem> {
    office.run(&Actor::System, at, |work| {
        let first = PageRequest { limit: 1, ..PageRequest::FIRST };
        let found = work.find::<DeskBatch>("due", "all", false, first)?.items.pop();
        let Some(mut batch) = found.filter(|batch| batch.due <= at) else { return Ok(None) };
        let job = next(work, &mut batch)?;
        work.put(&batch)?;
        Ok(job)
    })
}

fn next(work: &mut Work<'_>, batch: &mut DeskBatch) -> Result<Option<Job>, Problem> {
    let app = work.book()?.apps.into_iter().find(|app| app.id == batch.app && app.status == AppStatus::Active);
    let hidden = batch.open(work);
    let (Some(app), Some(from), Some(purpose)) = (app, hidden.from, batch.purpose) else {
        batch.end(work, BatchState::Stopped("the app in whose name it asks does not work any more".to_owned()));
        return Ok(None);
    };
    if !may_go_on(work, batch)? {
        batch.end(work, BatchState::Stopped("whoever started it may not look numbers up any more".to_owned()));
        return Ok(None);
    }
    if batch.started.is_none_or(|started| started + ASKED_FOR <= work.at) {
        let hours = ASKED_FOR.as_hours();
        batch.end(work, BatchState::Stopped(format!("it was not finished within {hours} hours")));
        return Ok(None);
    }
    while batch.group < batch.groups() {
        let rows = DeskRows::find(work, batch.id, batch.group)?.rows(work.office)?;
        let questions = questions(batch, &hidden.reference, &rows);
        if questions.is_empty() {
            batch.group += 1;
            continue;
        }
        batch.turn += 1;
        batch.due = work.at + LEASE;
        return Ok(Some(Job { batch: batch.id, app, purpose, from, questions, group: batch.group, turn: batch.turn }));
    }
    batch.end(work, BatchState::Done);
    Ok(None)
}

/// Whether whoever started it may still look numbers up for this partner.
fn may_go_on(work: &mut Work<'_>, batch: &DeskBatch) -> Result<bool, Problem> {
    let person = work.look::<Person>(batch.person)?.filter(|person| !person.is_disabled);
    let actor = person.map(|person| person.actor());
    Ok(actor.is_some_and(|actor| actor.partner() == Some(batch.partner) && actor.is_allowed(&INVESTIGATES)))
}

fn questions(batch: &DeskBatch, reference: &str, rows: &[BatchRow]) -> Vec<Question> {
    let begin = batch.group * GROUP_ROWS;
    let open = (begin..).zip(rows).filter(|(_, row)| row.came.is_none());
    let question = |(number, row): (u32, &BatchRow)| Question {
        row: number,
        number: row.number.clone(),
        reference: if row.reference.is_empty() { reference.to_owned() } else { row.reference.clone() },
        expect: Some(row.enrolled.clone()).filter(|digits| !digits.is_empty()),
        key: format!("desk-{}-{number}-{}", batch.id, row.round),
    };
    open.map(question).collect()
}

/// Notes what came of a job's rows, by their numbers in the batch; whether it was still the job of whoever notes.
pub fn note(office: &Office, at: Timestamp, job: &Job, answers: &[(u32, Answered)]) -> Result<bool, Problem> {
    office.run(&Actor::System, at, |work| {
        let Some(mut batch) = work.look::<DeskBatch>(job.batch)? else { return Ok(false) };
        if batch.turn != job.turn || batch.state != BatchState::Running {
            return Ok(false);
        }
        let mut rows = DeskRows::find(work, batch.id, job.group)?.rows(work.office)?;
        let thresholds = settings(work, batch.partner)?.thresholds;
        let today = work.office.settings.zone.to_datetime(at).date();
        let (mut pause, mut never) = (None, None);
        for (number, answered) in answers {
            let row = rows.get_mut(number.saturating_sub(job.group * GROUP_ROWS) as usize);
            // One that was forgotten meanwhile has failed.
            let Some(row) = row.filter(|row| row.came.is_none()) else { continue };
            match answered {
                Answered::Told(told) => {
                    let finding = Finding::of(told.clone(), at, today, &thresholds);
                    batch.add(&finding, told);
                    row.came = Some(Came::Found(Box::new(finding)));
                }
                Answered::Failed(why) => batch.fail(row, why),
                Answered::Missed { why, .. } if row.misses + 1 >= MISSES_MAX => batch.fail(row, why),
                Answered::Later { why, .. } if row.misses + 1 >= PAUSES_MAX => batch.fail(row, why),
                Answered::Missed { pause_s, why } | Answered::Later { pause_s, why } => {
                    row.misses += 1;
                    let longest = pause.as_ref().map_or(0, |(longest, _)| *longest);
                    pause = Some(((*pause_s).max(longest), why.clone()));
                }
                Answered::Never(why) => never = Some(why.clone()),
            }
        }
        work.put(&DeskRows::new(work.office, batch.id, job.group, &rows)?)?;
        batch.go_on(work, &rows, pause, never);
        work.put(&batch)?;
        Ok(true)
    })
}

impl DeskBatch {
    fn add(&mut self, finding: &Finding, told: &Told) {
        match finding.judgement.verdict {
            Verdict::Allow => self.counts.allow += 1,
            Verdict::StepUp => self.counts.step_up += 1,
            Verdict::Hold => self.counts.hold += 1,
        }
        self.counts.charged_minor = self.counts.charged_minor.saturating_add(told.charge.minor);
        told.charge.currency.as_str().clone_into(&mut self.currency);
    }

    fn fail(&mut self, row: &mut BatchRow, why: &str) {
        self.counts.failed += 1;
        row.came = Some(Came::Failed(why.to_owned()));
    }

    fn go_on(&mut self, work: &Work<'_>, rows: &[BatchRow], pause: Option<(u32, String)>, never: Option<String>) {
        if let Some(why) = never {
            return self.end(work, BatchState::Stopped(why));
        }
        self.due = work.at;
        self.waits = None;
        if let Some((pause_s, why)) = pause {
            let pause_s = pause_s.clamp(*PAUSE_S.start(), *PAUSE_S.end());
            self.due = work.at + SignedDuration::from_secs(i64::from(pause_s));
            self.waits = Some(why);
        } else if rows.iter().all(|row| row.came.is_some()) {
            self.group += 1;
            if self.group >= self.groups() {
                self.end(work, BatchState::Done);
            }
        }
    }
}
