use laini_core::billing::Outcome;
use laini_core::store::RepeatWindow;
use laini_store::copy::{CopyError, TABLES};
use laini_store::ledger::outcome_code;

use super::begin::{hold, told};
use crate::columns::Columns;
use crate::database::{Link, Transaction, params};
use crate::registry::generations;

/// The end of each chain. No node ever takes one of them: a node has a name.
const WRITERS: &str = "INSERT INTO writer (writer, node, holder, fence, seq, mac, newest_at)
    SELECT DISTINCT ON (writer) writer, '', '', 0, seq, mac, at FROM ledger ORDER BY writer, seq DESC";

/// What can be repeated for free: of each question the newest charge that was not taken back, and how
/// often it was repeated since.
const REPEATABLE: &str = "INSERT INTO repeatable (partner, repeat_key, repeat_window_s, charged_at, repeats)
    SELECT partner, repeat_key, max(repeat_window_s) FILTER (WHERE position = charge),
        max(at) FILTER (WHERE position = charge),
        least(count(*) FILTER (WHERE position > charge), 32767)::smallint
    FROM (
        SELECT l.partner, l.position, s.repeat_key, s.repeat_window_s, l.at,
            max(l.position) FILTER (WHERE l.outcome = $2) OVER (PARTITION BY l.partner, s.repeat_key) AS charge
        FROM ledger l JOIN subject s ON (s.partner, s.position, s.tail) = (l.partner, l.position, l.tail)
        WHERE l.position >= $1 AND l.outcome IN ($2, $3) AND NOT EXISTS (
            SELECT 1 FROM reversed r WHERE (r.partner, r.position, r.tail) = (l.partner, l.position, l.tail))
    ) AS recent
    WHERE position >= charge GROUP BY partner, repeat_key";

/// An id is minted at most so long before its row is written.
const MINTED_BEFORE_MS: i64 = 60_000;

/// Writes what follows from the rows, and lets the database look at them, so that it plans well.
pub(super) async fn complete(link: &Link, generation: i64, fence: i64) -> Result<(), CopyError> {
    let written = link.transact_or(async |transaction: &Transaction<'_>| {
        hold(transaction, fence).await?;
        for sql in ["DELETE FROM writer", "DELETE FROM repeatable", WRITERS] {
            transaction.execute(sql, &[]).await?;
        }
        let newest = transaction.query_opt("SELECT max(position) AS newest FROM ledger", &[]).await?;
        let newest = newest.map(|row| Columns(&row).get::<Option<i64>>("newest")).transpose()?.flatten();
        let window_ms = i64::try_from(RepeatWindow::LONGEST.as_millis()).unwrap_or(i64::MAX);
        // The lower bits of a position are no part of its instant.
        let since = newest.unwrap_or(0).saturating_sub((window_ms + MINTED_BEFORE_MS) << 12);
        let (charged, repeated) = (outcome_code(Outcome::Answered), outcome_code(Outcome::Repeated));
        transaction.execute(REPEATABLE, params![since, charged, repeated]).await?;
        let counts = [
            "UPDATE accounts_meta SET audits = coalesce((SELECT max(number) FROM audit), 0)",
            "UPDATE registry_state SET last_event = coalesce((SELECT max(seq) FROM event), 0),
                last_refused = coalesce((SELECT max(seq) FROM refused), 0)",
        ];
        for sql in counts {
            transaction.execute(sql, &[]).await?;
        }
        Ok(())
    });
    written.await.map_err(told)?;
    let lines = generations::table(generation);
    for table in TABLES.iter().map(|table| if table.name == "line" { lines.as_str() } else { table.name }) {
        let look = format!("ANALYZE {table}");
        link.transact(async |transaction: &Transaction<'_>| transaction.execute(&look, &[]).await).await?;
    }
    Ok(())
}

/// Takes the mark away.
pub(super) async fn finish(link: &Link, fence: i64) -> Result<(), CopyError> {
    let finished = link.transact_or(async |transaction: &Transaction<'_>| {
        hold(transaction, fence).await?;
        Ok(transaction.execute("UPDATE installation SET is_whole = true", &[]).await?)
    });
    finished.await.map(drop).map_err(told)
}
