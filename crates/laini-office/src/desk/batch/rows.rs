use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use laini_core::line::Msisdn;
use laini_core::partner::{DeskBatchId, PartnerId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use laini_core::support::mask_msisdns;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{DeskBatch, GROUP_ROWS, batch};
use crate::desk::Finding;
use crate::desk::sheet::{self, Entry, Sheet};
use crate::{Kept, Office, Problem, Work};

/// A row of a batch, with what came of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRow {
    /// Where it stood, from 1.
    pub line: u32,
    /// Its number, in full international digits.
    pub number: String,
    /// Its own reference; empty = the batch's holds.
    pub reference: String,
    /// The digits of the SIM that was enrolled; empty = none is expected.
    #[serde(default)]
    pub enrolled: String,
    /// As it was brought.
    pub amount: String,
    /// As it was brought.
    pub name: String,
    /// What came of it; `None` = it was not asked yet.
    pub came: Option<Came>,
    /// How often a person wanted it asked: a part of its key.
    pub(super) round: u32,
    /// How often it got no answer in this round.
    pub(super) misses: u32,
}

/// What came of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// An answer, judged.
    Found(Box<Finding>),
    /// None: why, in a sentence without the number.
    Failed(String),
}

impl BatchRow {
    pub(super) fn new(entry: Entry) -> Self {
        let Entry { line, number, reference, enrolled, amount, name } = entry;
        Self { line, number, reference, enrolled, amount, name, came: None, round: 0, misses: 0 }
    }

    /// As it is told: people choose which column is which, so whole numbers may stand in any text that came with it.
    pub(super) fn told(mut self, office: &Office) -> Self {
        for text in [&mut self.reference, &mut self.amount, &mut self.name] {
            *text = mask_msisdns(text, office.settings.plan);
        }
        self
    }
}

/// A group of a batch's rows, sealed together.
#[derive(Serialize, Deserialize)]
pub(super) struct DeskRows {
    id: u64,
    batch: DeskBatchId,
    sealed: String,
}

impl DeskRows {
    fn id_of(office: &Office, batch: DeskBatchId, group: u32) -> RecordId {
        office.keys.office_seal().id_of(Self::KIND, &[&batch.to_string(), &group.to_string()])
    }

    pub(super) fn new(office: &Office, batch: DeskBatchId, group: u32, rows: &[BatchRow]) -> Result<Self, Problem> {
        let id = Self::id_of(office, batch, group);
        Ok(Self { id: id.0, batch, sealed: seal(office, (Self::KIND, id), &rows)? })
    }

    /// A group of a batch, from 0.
    pub(super) fn find(work: &mut Work<'_>, batch: DeskBatchId, group: u32) -> Result<Self, Problem> {
        work.get(Self::id_of(work.office, batch, group))
    }

    /// The same group with other rows.
    pub(super) fn with(&self, office: &Office, rows: &[BatchRow]) -> Result<Self, Problem> {
        Ok(Self { id: self.id, batch: self.batch, sealed: seal(office, (Self::KIND, self.id()), &rows)? })
    }

    pub(super) fn rows(&self, office: &Office) -> Result<Vec<BatchRow>, Problem> {
        open(office, (Self::KIND, self.id()), &self.sealed)
            .ok_or_else(|| Problem::Store("the rows of a batch do not open".to_owned()))
    }
}

impl Kept for DeskRows {
    const KIND: RecordKind = RecordKind("desk_rows");
    const NOUN: &'static str = "group of rows";

    fn id(&self) -> RecordId {
        RecordId(self.id)
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![crate::key("batch", self.batch, 0)]
    }
}

/// A table that was brought, sealed, until its batch is started.
#[derive(Serialize, Deserialize)]
pub(super) struct DeskSheet {
    batch: DeskBatchId,
    sealed: String,
}

impl Kept for DeskSheet {
    const KIND: RecordKind = RecordKind("desk_sheet");
    const NOUN: &'static str = "table";

    fn id(&self) -> RecordId {
        self.batch.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}

impl DeskSheet {
    pub(super) fn new(office: &Office, batch: DeskBatchId, sheet: &Sheet) -> Result<Self, Problem> {
        Ok(Self { batch, sealed: seal(office, (Self::KIND, batch.into()), sheet)? })
    }

    /// How many cells of it are this number.
    pub(super) fn count(&self, office: &Office, number: Msisdn) -> Result<usize, Problem> {
        let sheet = self.sheet(office)?;
        let cells = sheet.rows.iter().flat_map(|row| &row.cells);
        Ok(cells.filter(|cell| sheet::number(cell, office.settings.plan) == Some(number)).count())
    }

    pub(super) fn sheet(&self, office: &Office) -> Result<Sheet, Problem> {
        let of = (Self::KIND, self.batch.into());
        open(office, of, &self.sealed).ok_or_else(|| Problem::Store("the table of a batch does not open".to_owned()))
    }
}

/// A row of a batch of this partner, from 0, and the batch. Numbers in the texts that came with it are masked.
pub fn row(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: DeskBatchId,
    number: u32,
) -> Result<(DeskBatch, BatchRow), Problem> {
    let batch = batch(work, partner, id)?;
    if batch.started.is_none() || !batch.has_rows || number >= batch.counts.rows {
        return Err(Problem::NotFound("row"));
    }
    let rows = DeskRows::find(work, id, number / GROUP_ROWS)?.rows(work.office)?;
    let row = rows.into_iter().nth((number % GROUP_ROWS) as usize).ok_or(Problem::NotFound("row"))?;
    Ok((batch, row.told(work.office)))
}

pub(super) fn seal(office: &Office, of: (RecordKind, RecordId), what: &impl Serialize) -> Result<String, Problem> {
    let open = serde_json::to_vec(what).map_err(|error| Problem::Store(error.to_string()))?;
    Ok(STANDARD_NO_PAD.encode(office.keys.office_seal().seal(of, &Zeroizing::new(open))))
}

pub(super) fn open<T: DeserializeOwned>(office: &Office, of: (RecordKind, RecordId), sealed: &str) -> Option<T> {
    let sealed = STANDARD_NO_PAD.decode(sealed).ok()?;
    serde_json::from_slice(&office.keys.office_seal().open(of, &sealed)?).ok()
}
