//! Batches: many numbers looked up together.
//!
//! Owns a batch from the table that was brought to the last row's verdict: draft and quote, start under the same guards
//! as single look-ups, what is asked next, what came of it, the export. Must never ask by itself (the server does,
//! through its own API), ask a row twice under two keys unless a person wants that, or keep a number for longer than
//! the desk does.

mod draft;
mod export;
mod forget;
mod quote;
mod rows;
mod run;
mod start;
mod subject;

use jiff::Timestamp;
use laini_core::billing::{Currency, Money};
use laini_core::desk::Verdict;
use laini_core::partner::{AppId, DeskBatchId, Environment, PartnerId, PersonId, Purpose};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::sheet::Columns;
use crate::{Kept, Page, PageRequest, Problem, Work, key};

pub use draft::{Draft, add_draft, draft, set_columns};
pub use export::{NumberedRows, WhichRows, export, rows};
pub use forget::forget_batches;
pub use quote::Quote;
pub use rows::{BatchRow, Came, row};
pub use run::{Answered, AskedFrom, GROUP_ROWS, Job, Question, note, take};
pub use start::{ask_failed_again, start, stop};
pub(super) use subject::{forget_number, kept_numbers};

/// Batches of a person that may run at once.
pub const RUNNING_MAX: usize = 3;

/// Where a batch stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// A table was brought; nothing was asked.
    Draft,
    /// It is asked.
    Running,
    /// Every row was asked.
    Done,
    /// Somebody stopped it, or it could not go on: why.
    Stopped(String),
}

impl BatchState {
    /// The word in answers.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped(_) => "stopped",
        }
    }
}

/// How many rows came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows in all.
    pub rows: u32,
    /// Of these: allow,
    pub allow: u32,
    /// step up,
    pub step_up: u32,
    /// hold,
    pub hold: u32,
    /// or no answer.
    pub failed: u32,
    /// What they were charged, in minor units.
    pub charged_minor: i64,
}

impl Counts {
    /// Rows that came to something.
    pub fn done(self) -> u32 {
        self.allow + self.step_up + self.hold + self.failed
    }

    /// Rows that came to this verdict.
    pub fn of(self, verdict: Verdict) -> u32 {
        match verdict {
            Verdict::Allow => self.allow,
            Verdict::StepUp => self.step_up,
            Verdict::Hold => self.hold,
        }
    }
}

/// Numbers that somebody has looked up together. Its rows lie apart, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskBatch {
    /// Its id.
    pub id: DeskBatchId,
    /// Whose desk.
    pub partner: PartnerId,
    /// Who brought it.
    pub person: PersonId,
    /// In the name of which app.
    pub app: AppId,
    /// Where.
    pub environment: Environment,
    /// What for; `None` before it is started.
    pub purpose: Option<Purpose>,
    /// When it was brought.
    pub brought: Timestamp,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Where it stands.
    pub state: BatchState,
    /// How many rows came to what.
    pub counts: Counts,
    /// Lines that repeated an earlier number,
    pub duplicates: u32,
    /// and lines without one.
    pub invalid: u32,
    /// Why it waits, where it does: in the API's words.
    pub waits: Option<String>,
    /// Whether its rows are still there.
    pub has_rows: bool,
    columns: Columns,
    currency: String,
    /// Reference and origin, in Base64.
    sealed: String,
    /// When it is looked at next; also how long others leave it alone.
    due: Timestamp,
    /// Grows with each who takes it: whoever has an older one notes nothing.
    turn: u64,
    /// Which group is asked.
    group: u32,
}

/// What a batch hides.
#[derive(Default, Serialize, Deserialize)]
struct Hidden {
    reference: String,
    from: Option<AskedFrom>,
}

impl Kept for DeskBatch {
    const KIND: RecordKind = RecordKind("desk_batch");
    const NOUN: &'static str = "batch";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let mut keys = vec![key("partner", self.partner, self.brought.as_microsecond())];
        if self.state == BatchState::Running {
            keys.push(key("due", "all", self.due.as_microsecond()));
            keys.push(key("running", self.person, self.brought.as_microsecond()));
        }
        if self.state == BatchState::Draft {
            keys.push(key("draft", self.person, self.brought.as_microsecond()));
        }
        if self.has_rows {
            keys.push(key("has_rows", "all", self.brought.as_microsecond()));
        }
        keys
    }
}

impl DeskBatch {
    /// The reference of its case; empty before it is started.
    pub fn reference(&self, work: &Work<'_>) -> String {
        self.open(work).reference
    }

    /// What it was charged so far.
    pub fn charged(&self) -> Option<Money> {
        Currency::parse(&self.currency).ok().map(|currency| Money::new(self.counts.charged_minor, currency))
    }

    fn open(&self, work: &Work<'_>) -> Hidden {
        rows::open(work.office, (Self::KIND, self.id.into()), &self.sealed).unwrap_or_default()
    }
}

/// A batch of this partner.
pub fn batch(work: &mut Work<'_>, partner: PartnerId, id: DeskBatchId) -> Result<DeskBatch, Problem> {
    let found = work.get::<DeskBatch>(id)?;
    if found.partner == partner { Ok(found) } else { Err(Problem::NotFound(DeskBatch::NOUN)) }
}

/// The batches of a partner, newest first.
pub fn batches(work: &mut Work<'_>, partner: PartnerId, page: PageRequest) -> Result<Page<DeskBatch>, Problem> {
    work.find("partner", partner, true, page)
}
