use std::collections::BTreeSet;

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{Chained, CheckId, Coverage, Covered, LATE_ROWS, Month, Span};
use laini_core::partner::PartnerId;
use laini_core::store::{RecordId, RecordKey, RecordKind, RowQuery, WriterEnd};
use serde::{Deserialize, Serialize};

use super::PriceBook;
use super::count::Reading;
use super::invoice::{Making, make_invoices};
use crate::{Actor, Kept, Office, PageRequest, Problem, Work, key};

/// A writer has passed a month's end once its newest row is so much later: what was decided before is written by then.
const PASSED_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// A writer that has written nothing for so long has nothing under way, or is gone.
const SILENT_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// Months that are closed in one go.
const MONTHS_AT_ONCE: usize = 24;

/// A month that is being closed, or is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthClose {
    /// Which month.
    pub month: Month,
    /// When its marks were frozen; its invoices are of this instant.
    pub frozen: Timestamp,
    /// Which rows it has.
    pub covered: Covered,
    /// Which rows closes before had.
    pub before: Option<Covered>,
    /// The tax of its invoices, in hundredths of a per cent.
    pub tax_basis_points: u32,
    /// How many days there are to pay them.
    pub payment_days: u16,
    /// Whether all its invoices are made.
    pub is_done: bool,
}

impl MonthClose {
    /// Which rows it has.
    pub(super) fn span(&self) -> Span {
        Span { before: self.before.as_ref().map(coverage), now: coverage(&self.covered) }
    }
}

impl Kept for MonthClose {
    const KIND: RecordKind = RecordKind("month_close");
    const NOUN: &'static str = "close";

    fn id(&self) -> RecordId {
        RecordId(self.month.number())
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("all", "all", self.month.number().cast_signed())]
    }
}

/// What a covered part of the ledger is, for rules.
fn coverage(covered: &Covered) -> Coverage {
    Coverage { end: covered.end, marks: covered.chains.iter().map(|chain| (chain.writer, chain.seq)).collect() }
}

/// What a close came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseReport {
    /// Which month.
    pub month: Month,
    /// Invoices that were made now.
    pub made: u64,
    /// Whether the month was closed before already.
    pub was_done: bool,
}

/// The closes there are, newest first.
pub fn closes(work: &mut Work<'_>, page: PageRequest) -> Result<crate::Page<MonthClose>, Problem> {
    work.find("all", "all", true, page)
}

/// Closes every month that is over and not closed yet, oldest first; what was closed now. A month whose end some
/// writer has not passed yet waits: nothing is done, and nothing is wrong.
pub fn close_due(office: &Office, now: Timestamp) -> Result<Vec<CloseReport>, Problem> {
    let mut done = Vec::new();
    for _ in 0..MONTHS_AT_ONCE {
        let Some(month) = next_month(office, now)? else { break };
        if month.ends(&office.settings.zone) + PASSED_AFTER > now || !waited_for(office, month, now)?.is_empty() {
            break;
        }
        done.push(close_month(office, &Actor::System, month, now, false)?);
    }
    Ok(done)
}

/// Closes a month; again does no harm. `is_first`: what lies before the month was invoiced elsewhere.
pub fn close_month(
    office: &Office,
    actor: &Actor,
    month: Month,
    now: Timestamp,
    is_first: bool,
) -> Result<CloseReport, Problem> {
    let close = freeze(office, actor, month, now, is_first)?;
    if close.is_done {
        return Ok(CloseReport { month, made: 0, was_done: true });
    }
    let prices = PriceBook::load(office)?;
    let counting = Reading::of(office, None).count(&close.span(), prices.prepaid())?;
    let mut partners: BTreeSet<PartnerId> = counting.tally.partners();
    // A minimum is due without a single check.
    partners.extend(prices.partners());
    let making = Making { close: &close, counting: &counting, prices: &prices };
    let mut made = 0;
    for partner in partners {
        made += make_invoices(office, actor, &making, partner)?;
    }
    office.run(actor, now, |work| {
        let mut close: MonthClose = work.get(RecordId(month.number()))?;
        if !close.is_done {
            close.is_done = true;
            work.put(&close)?;
            work.note("month.close", None, month, "");
        }
        Ok(())
    })?;
    Ok(CloseReport { month, made, was_done: false })
}

/// The month to be closed next, where it is over.
fn next_month(office: &Office, now: Timestamp) -> Result<Option<Month>, Problem> {
    let (next, _) = following(office, now)?;
    Ok(next.filter(|month| month.ends(&office.settings.zone) <= now))
}

/// The month to be closed next, the oldest that has rows at first; and the newest close.
fn following(office: &Office, now: Timestamp) -> Result<(Option<Month>, Option<MonthClose>), Problem> {
    let newest = office.run(&Actor::System, now, newest)?;
    let next = match &newest {
        Some(close) if close.is_done => Some(close.month.next()),
        Some(close) => Some(close.month),
        None => oldest(office)?.map(|at| Month::of(at, &office.settings.zone)),
    };
    Ok((next, newest))
}

/// The month that is closed next, and what that waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextClose {
    /// Which month.
    pub month: Month,
    /// When it ends, or ended.
    pub ends: Timestamp,
    /// Since when its rows are counted and its invoices made, one by one; `None` = it is not begun.
    pub begun: Option<Timestamp>,
    /// Invoices of it that are made.
    pub invoices_made: u64,
    /// Whether it is over; nothing but that is waited for before.
    pub is_over: bool,
    /// Writers that may still record what was decided before the month's end.
    pub writers_behind: Vec<u32>,
}

/// The month that is closed next; `None` where there is no row at all.
pub fn next_close(office: &Office, now: Timestamp) -> Result<Option<NextClose>, Problem> {
    let (Some(month), newest) = following(office, now)? else { return Ok(None) };
    let ends = month.ends(&office.settings.zone);
    let begun = newest.filter(|close| close.month == month).map(|close| close.frozen);
    let is_over = ends + PASSED_AFTER <= now;
    let writers_behind = if is_over && begun.is_none() { waited_for(office, month, now)? } else { Vec::new() };
    let invoices_made = match begun {
        Some(_) => office.run(&Actor::System, now, |work| Ok(work.all::<super::Invoice>("month", month)?.len()))?,
        None => 0,
    };
    let invoices_made = u64::try_from(invoices_made).unwrap_or(u64::MAX);
    Ok(Some(NextClose { month, ends, begun, invoices_made, is_over, writers_behind }))
}

pub(super) fn newest(work: &mut Work<'_>) -> Result<Option<MonthClose>, Problem> {
    let one = PageRequest { limit: 1, ..PageRequest::FIRST };
    Ok(work.find("all", "all", true, one)?.items.pop())
}

/// When the oldest row was decided.
fn oldest(office: &Office) -> Result<Option<Timestamp>, Problem> {
    let query = RowQuery { limit: 1, ..RowQuery::default() };
    Ok(block_on(office.ledger.rows(query))?.first().map(|row| row.at))
}

/// Freezes what the close of a month covers, once.
fn freeze(office: &Office, actor: &Actor, month: Month, now: Timestamp, is_first: bool) -> Result<MonthClose, Problem> {
    if let Some(frozen) = office.run(actor, now, |work| work.look::<MonthClose>(RecordId(month.number())))? {
        return Ok(frozen);
    }
    let zone = &office.settings.zone;
    let end = month.ends(zone);
    if end > now {
        return Err(Problem::not_now(format!("{month} is not over yet")));
    }
    let before = office.run(actor, now, newest)?;
    may_follow(office, month, before.as_ref(), is_first)?;
    let waited_for = waited_for(office, month, now)?;
    if !waited_for.is_empty() {
        let writers: Vec<String> = waited_for.iter().map(ToString::to_string).collect();
        let writers = writers.join(", ");
        return Err(Problem::not_now(format!(
            "writer {writers} has not passed the end of {month} yet; it counts as gone after {} minutes of silence",
            SILENT_AFTER.as_mins()
        )));
    }
    let ends = ends(office, before.as_ref())?;
    let before = match before {
        Some(close) => Some(close.covered),
        None if is_first => Some(Covered { end: month.begins(zone), chains: chained(&ends, None) }),
        None => None,
    };
    let covered = Covered { end, chains: chained(&ends, before.as_ref()) };
    let billing = &office.settings.billing;
    let close = MonthClose {
        month,
        frozen: now,
        covered,
        before,
        tax_basis_points: billing.tax_basis_points,
        payment_days: billing.payment_days,
        is_done: false,
    };
    office.run(actor, now, |work| {
        // Two that close at once: the marks are those of the first.
        if let Some(frozen) = work.look::<MonthClose>(close.id())? {
            return Ok(frozen);
        }
        work.put(&close)?;
        work.note("month.freeze", None, month, "");
        Ok(close.clone())
    })
}

/// Months are closed one after the other.
fn may_follow(office: &Office, month: Month, before: Option<&MonthClose>, is_first: bool) -> Result<(), Problem> {
    let expected = match before {
        Some(close) if !close.is_done => Some(close.month),
        Some(close) => Some(close.month.next()),
        None if is_first => None,
        None => oldest(office)?.map(|at| Month::of(at, &office.settings.zone)),
    };
    match expected {
        Some(_) if is_first && before.is_some() => {
            Err(Problem::not_now("the first month was closed already; close the next one"))
        }
        Some(expected) if expected < month => Err(Problem::not_now(format!(
            "{expected} comes first: close it, or say that {month} is the first one that is invoiced here"
        ))),
        Some(expected) if expected > month && before.is_some() => {
            Err(Problem::not_now(format!("{month} lies before the first month that was closed")))
        }
        _ => Ok(()),
    }
}

/// The ends of chains, of every writer that wrote since the close before.
fn ends(office: &Office, before: Option<&MonthClose>) -> Result<Vec<WriterEnd>, Problem> {
    let after = before.map(|close| CheckId::floor(close.covered.end - LATE_ROWS));
    Ok(block_on(office.ledger.ends(after))?)
}

/// Writers that may still record what was decided before the month's end.
fn waited_for(office: &Office, month: Month, now: Timestamp) -> Result<Vec<u32>, Problem> {
    let passed = month.ends(&office.settings.zone) + PASSED_AFTER;
    let since = CheckId::floor(month.ends(&office.settings.zone) - LATE_ROWS);
    let ends = block_on(office.ledger.ends(Some(since)))?;
    let is_behind = |end: &&WriterEnd| end.at < passed && now.duration_since(end.at) < SILENT_AFTER;
    Ok(ends.iter().filter(is_behind).map(|end| end.writer).collect())
}

/// How far each chain is; a writer that wrote nothing since is where it was.
fn chained(ends: &[WriterEnd], before: Option<&Covered>) -> Vec<Chained> {
    let mut chains: Vec<Chained> = before.map(|covered| covered.chains.clone()).unwrap_or_default();
    for end in ends {
        let chain = Chained { writer: end.writer, seq: end.seq, mac: end.mac.hex() };
        match chains.iter_mut().find(|known| known.writer == end.writer) {
            Some(known) if known.seq < chain.seq => *known = chain,
            Some(_) => {}
            None => chains.push(chain),
        }
    }
    chains.sort_by_key(|chain| chain.writer);
    chains
}
