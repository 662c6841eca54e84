//! A ledger that a test makes up, where a real one would take long to fill.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::partner::Prepaid;
use laini_core::store::{
    AskedCheck, AskedPage, AskedQuery, BoxFuture, ChainHead, ChainPage, ChainRow, Draft, FoundCheck, Ledger,
    LedgerError, LedgerRow, Mac, PlacedRow, Recorded, RowQuery, Submission, Submitted, Usage, WriterEnd,
};

/// A ledger of made-up rows and counters, which need not belong to one another; it notes which counters are read.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) rows: Mutex<Vec<PlacedRow>>,
    pub(crate) usage: Mutex<Vec<Usage>>,
    pub(crate) newest: Mutex<Option<CheckId>>,
    pub(crate) usage_read: Mutex<Vec<(Timestamp, Timestamp)>>,
}

impl Made {
    fn sorted(&self, keep: impl Fn(&PlacedRow) -> bool, limit: usize) -> Vec<PlacedRow> {
        let mut rows: Vec<PlacedRow> = self.rows.lock().unwrap().iter().filter(|row| keep(row)).cloned().collect();
        rows.sort_by_key(|placed| placed.row.id);
        rows.truncate(limit);
        rows
    }
}

fn not_here<T: Send + 'static>() -> BoxFuture<'static, Result<T, LedgerError>> {
    Box::pin(async { Err(LedgerError::Unreadable("nothing of the kind is asked here".to_owned())) })
}

impl Ledger for Made {
    fn record(&self, _: Draft) -> BoxFuture<'_, Result<Recorded, LedgerError>> {
        not_here()
    }

    fn submit(&self, _: Submission) -> BoxFuture<'_, Result<Submitted, LedgerError>> {
        not_here()
    }

    fn find(&self, _: CheckId) -> BoxFuture<'_, Result<Option<FoundCheck>, LedgerError>> {
        not_here()
    }

    fn usage(&self, from: Timestamp, until: Timestamp) -> BoxFuture<'_, Result<Vec<Usage>, LedgerError>> {
        self.usage_read.lock().unwrap().push((from, until));
        let is_asked = |one: &&Usage| one.from >= Prepaid::begins(from) && one.from < until;
        let found = self.usage.lock().unwrap().iter().filter(is_asked).copied().collect();
        Box::pin(async { Ok(found) })
    }

    fn newest(&self) -> BoxFuture<'_, Result<Option<CheckId>, LedgerError>> {
        let newest = *self.newest.lock().unwrap();
        Box::pin(async move { Ok(newest) })
    }

    fn rows(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<LedgerRow>, LedgerError>> {
        Box::pin(async { Ok(self.placed(query).await?.into_iter().map(|placed| placed.row).collect()) })
    }

    fn asked(&self, query: AskedQuery) -> BoxFuture<'_, Result<AskedPage, LedgerError>> {
        Box::pin(async move {
            let AskedQuery { after, from, until, partner, outcome, .. } = query;
            // Pages end wherever they do, as those of a long ledger.
            let query = RowQuery { after, from, until, partner, limit: 2, ..RowQuery::default() };
            let rows = self.rows(query).await?;
            let (looked_at, after) = (rows.len() as u64, rows.last().map(|row| row.id));
            let fits = |row: &LedgerRow| outcome.is_none_or(|outcome| row.outcome == outcome);
            let check = |row| AskedCheck { row, number: None, subject: None };
            Ok(AskedPage { checks: rows.into_iter().filter(fits).map(check).collect(), looked_at, after })
        })
    }

    fn chain(&self, after: Option<CheckId>, limit: usize) -> BoxFuture<'_, Result<ChainPage, LedgerError>> {
        let rows = self.sorted(|placed| Some(placed.row.id) > after, limit);
        let link =
            |PlacedRow { row, writer, seq }| ChainRow { row, writer, seq, mac: Mac::GENESIS, side_digest_now: None };
        let page = ChainPage { rows: rows.into_iter().map(link).collect() };
        Box::pin(async { Ok(page) })
    }

    fn placed(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<PlacedRow>, LedgerError>> {
        let is_asked = |placed: &PlacedRow| {
            Some(placed.row.id) > query.after
                && query.partner.is_none_or(|partner| placed.row.partner == partner)
                && query.from.is_none_or(|from| placed.row.at >= from)
                && query.until.is_none_or(|until| placed.row.at < until)
        };
        let rows = self.sorted(is_asked, query.limit);
        Box::pin(async { Ok(rows) })
    }

    fn ends(&self, _: Option<CheckId>) -> BoxFuture<'_, Result<Vec<WriterEnd>, LedgerError>> {
        let mut ends: BTreeMap<u32, WriterEnd> = BTreeMap::new();
        for PlacedRow { row, writer, seq } in self.rows.lock().unwrap().iter() {
            let (writer, seq) = (*writer, *seq);
            ends.insert(writer, WriterEnd { writer, seq, at: row.at, mac: Mac::GENESIS });
        }
        Box::pin(async { Ok(ends.into_values().collect()) })
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<ChainHead>, LedgerError>> {
        not_here()
    }
}
