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
/// charged. A charge that was repeated since, on another node, stays: its caller was answered after all.
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
        let question = match repeatable(connection, &found, until).await? {
            Some((_, repeats)) if repeats > 0 => continue,
            found => found.map(|(key, _)| key),
        };
        let last = tip.newest.map_or(found.id, |newest| newest.max(found.id));
        let row = found.reversal(CheckId::of_reversal(last, found.id), found.at.max(tip.newest_at));
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

/// What makes it the same question as another, and how often it was repeated; `None` = nothing can repeat
/// it any more.
async fn repeatable(connection: &Opened, row: &LedgerRow, until: Instant) -> Result<Option<(RepeatKey, i16)>, DbError> {
    let sql = "SELECT subject.repeat_key, repeats FROM subject
               JOIN repeatable ON repeatable.partner = subject.partner AND repeatable.repeat_key = subject.repeat_key
               WHERE subject.partner = $1 AND subject.position = $2 AND subject.tail = $3 AND charged_at = $4";
    let (position, tail) = place(row.id);
    let (partner, at) = (row.partner.as_u64().cast_signed(), row.at.as_microsecond());
    let rows = within(until, connection.query_typed(sql, params![partner, position, tail, at])).await?;
    let read = |row: &tokio_postgres::Row| {
        let columns = Columns(row);
        Ok((RepeatKey(columns.bytes("repeat_key")?), columns.get("repeats")?))
    };
    rows.first().map(read).transpose()
}
