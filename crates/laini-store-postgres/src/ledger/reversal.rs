//! Charges that nobody learned of, taken back by rows of the writer's own.

use std::collections::HashSet;

use laini_core::billing::CheckId;
use laini_core::store::{ChainKey, LedgerRow, RepeatKey};
use laini_store::ledger::Counters;
use tokio::time::Instant;

use super::arrays::Counts;
use super::batch::chained;
use super::known::rows_at;
use super::repeats::Question;
use super::session::{Session, Tip};
use super::statement::Writes;
use crate::columns::{Columns, place};
use crate::database::{Opened, params, within};
use crate::error::DbError;

/// The rows that take charges back, and what nothing repeats from then on.
pub(super) struct Reversing {
    pub(super) writes: Writes,
    pub(super) after: Tip,
    pub(super) forgotten: Vec<Question>,
}

/// Finds what of `ids` is charged still, and links a reversal to each; an id that is not there was never
/// charged.
pub(super) async fn reverse(
    session: &Session,
    ids: &[CheckId],
    key: &ChainKey,
    until: Instant,
) -> Result<Reversing, DbError> {
    let connection = session.connection();
    let wanted: HashSet<CheckId> = ids.iter().copied().collect();
    let reversed = reversed(connection, ids, until).await?;
    let charged = rows_at(connection, ids, until).await?.into_iter().map(|(row, _)| row);
    let charged = charged.filter(|row| wanted.contains(&row.id) && row.is_charged() && !reversed.contains(&row.id));
    let mut charged: Vec<LedgerRow> = charged.collect();
    charged.sort_unstable_by_key(|row| row.id);
    let (mut writes, mut counters, mut forgotten) = (Writes::default(), Counters::default(), Vec::new());
    let (mut tip, writer) = (session.slot.tip, session.slot.writer.cast_unsigned());
    for found in charged {
        let last = tip.newest.map_or(found.id, |newest| newest.max(found.id));
        let row = found.reversal(CheckId::of_reversal(last, found.id), found.at.max(tip.newest_at));
        let question = repeat_key(connection, &found, until).await?;
        let link = chained(&mut tip, key, writer, &row);
        writes.checks.push(&row, link, None);
        writes.reversals.push(&found, row.id, question);
        counters.count(&row);
        forgotten.extend(question.map(|question| (found.partner, question)));
    }
    writes.counts = Counts::of(&counters);
    Ok(Reversing { writes, after: tip, forgotten })
}

async fn reversed(connection: &Opened, ids: &[CheckId], until: Instant) -> Result<HashSet<CheckId>, DbError> {
    let positions: Vec<i64> = ids.iter().map(|id| place(*id).0).collect();
    let sql = "SELECT position, tail FROM reversed WHERE position = ANY($1)";
    let rows = within(until, connection.query_typed(sql, params![positions])).await?;
    rows.iter().map(|row| Columns(row).check_id()).collect()
}

/// What makes it the same question as another, while its side row is there.
async fn repeat_key(connection: &Opened, row: &LedgerRow, until: Instant) -> Result<Option<RepeatKey>, DbError> {
    let sql = "SELECT repeat_key FROM subject WHERE partner = $1 AND position = $2 AND tail = $3";
    let (position, tail) = place(row.id);
    let partner = row.partner.as_u64().cast_signed();
    let rows = within(until, connection.query_typed(sql, params![partner, position, tail])).await?;
    rows.first().map(|row| Ok(RepeatKey(Columns(row).bytes("repeat_key")?))).transpose()
}
