use laini_core::partner::{App, AppId, DeskBatchId, PartnerId, Product};

use super::rows::DeskSheet;
use super::{BatchState, Counts, DeskBatch, Quote, batch};
use crate::desk::check::usable_app;
use crate::desk::sheet::{Columns, Entries, ROWS_MAX, Sheet, SheetError, guess};
use crate::{PageRequest, Problem, Work};

/// Drafts of one person; with one more, the oldest goes.
const DRAFTS_MAX: usize = 5;

/// A table that was brought, with what it comes to.
pub struct Draft {
    /// The batch.
    pub batch: DeskBatch,
    /// The table.
    pub sheet: Sheet,
    /// Which column is which.
    pub columns: Columns,
    /// What would be asked, and what would not.
    pub entries: Entries,
    /// What it would cost.
    pub quote: Quote,
}

/// Takes a table that somebody brought; its columns are guessed where nobody says them. Nothing is asked, nothing is
/// counted.
pub fn add_draft(
    work: &mut Work<'_>,
    partner: PartnerId,
    app: AppId,
    sheet: &Sheet,
    columns: Option<Columns>,
) -> Result<DeskBatch, Problem> {
    let person = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let app = usable_app(work, partner, app)?;
    let no_numbers = || Problem::invalid("file", "no column of it holds numbers of this network");
    let guessed = || {
        let columns = guess(sheet, work.office.settings.plan)?;
        Some(Columns { enrolled: columns.enrolled.filter(|_| compares(&app)), ..columns })
    };
    let columns = columns.or_else(guessed).ok_or_else(no_numbers)?;
    can_compare(columns, &app)?;
    make_room(work, person)?;
    let id = DeskBatchId::from_random(work.office.entropy.next_u64());
    let mut draft = DeskBatch {
        id,
        partner,
        person,
        app: app.id,
        environment: app.environment,
        purpose: None,
        brought: work.at,
        started: None,
        ended: None,
        state: BatchState::Draft,
        counts: Counts::default(),
        duplicates: 0,
        invalid: 0,
        waits: None,
        has_rows: true,
        columns,
        currency: work.office.settings.currency.as_str().to_owned(),
        sealed: String::new(),
        due: work.at,
        turn: 0,
        group: 0,
    };
    draft.count(work, sheet)?;
    work.put(&DeskSheet::new(work.office, id, sheet)?)?;
    work.put(&draft)?;
    Ok(draft)
}

/// Says which column is which, and in the name of which app is asked.
pub fn set_columns(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: DeskBatchId,
    columns: Columns,
    app: AppId,
) -> Result<DeskBatch, Problem> {
    let (mut draft, sheet) = brought(work, partner, id)?;
    let app = usable_app(work, partner, app)?;
    (draft.app, draft.environment) = (app.id, app.environment);
    draft.columns = columns.checked(&sheet)?;
    can_compare(columns, &app)?;
    draft.count(work, &sheet)?;
    work.put(&draft)?;
    Ok(draft)
}

/// A draft, with what it comes to.
pub fn draft(work: &mut Work<'_>, partner: PartnerId, id: DeskBatchId) -> Result<Draft, Problem> {
    let (batch, sheet) = brought(work, partner, id)?;
    let columns = batch.columns;
    let entries = columns.read(&sheet, work.office.settings.plan);
    let app = usable_app(work, partner, batch.app)?;
    let quote = Quote::of(work, &app, batch.counts.rows)?;
    Ok(Draft { batch, sheet, columns, entries, quote })
}

impl DeskBatch {
    fn count(&mut self, work: &Work<'_>, sheet: &Sheet) -> Result<(), Problem> {
        let entries = self.columns.read(sheet, work.office.settings.plan);
        if entries.rows.len() > ROWS_MAX {
            return Err(SheetError::TooManyRows.into());
        }
        if let Some(row) = entries.rows.iter().find(|row| !row.has_digits_or_none()) {
            let why = format!("an enrolled SIM has 16 digits, and line {} has something else", row.line);
            return Err(Problem::invalid("columns", why));
        }
        let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
        self.counts.rows = count(entries.rows.len());
        (self.duplicates, self.invalid) = (count(entries.duplicates.len()), count(entries.invalid.len()));
        Ok(())
    }
}

/// Whether SIMs are compared in the name of an app.
fn compares(app: &App) -> bool {
    app.products.contains(Product::Imsi)
}

fn can_compare(columns: Columns, app: &App) -> Result<(), Problem> {
    if columns.enrolled.is_some() && !compares(app) {
        let why = "this app does not compare SIMs; choose one that has the product imsi, or leave the digits out";
        return Err(Problem::invalid("columns", why));
    }
    Ok(())
}

/// A draft and its table.
pub(super) fn brought(work: &mut Work<'_>, partner: PartnerId, id: DeskBatchId) -> Result<(DeskBatch, Sheet), Problem> {
    let draft = batch(work, partner, id)?;
    if draft.state != BatchState::Draft {
        return Err(Problem::not_now("the batch was started already"));
    }
    let sheet = work.get::<DeskSheet>(id)?.sheet(work.office)?;
    Ok((draft, sheet))
}

fn make_room(work: &mut Work<'_>, person: laini_core::partner::PersonId) -> Result<(), Problem> {
    let drafts = work.find::<DeskBatch>("draft", person, true, PageRequest::LONGEST)?.items;
    for old in drafts.iter().skip(DRAFTS_MAX - 1) {
        remove(work, old)?;
    }
    Ok(())
}

/// Removes a draft and its table.
pub(super) fn remove(work: &mut Work<'_>, draft: &DeskBatch) -> Result<(), Problem> {
    if let Some(sheet) = work.look::<DeskSheet>(draft.id)? {
        work.remove(&sheet);
    }
    work.remove(draft);
    Ok(())
}
