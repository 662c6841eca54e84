use laini_core::line::{HashedImsi, Msisdn, Refusal};
use laini_store::registry::Row;
use laini_store::registry::columns::{key, position};

use super::picture::{Events, Touched};
use crate::database::{Transaction, params};
use crate::error::DbError;

/// Writes what feed items added to the history.
pub(super) async fn write_events(transaction: &Transaction<'_>, events: &Events) -> Result<(), DbError> {
    write_erased(transaction, events).await?;
    write_added(transaction, events).await?;
    write_refused(transaction, events).await?;
    if events.heartbeats.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO feed AS f (source, complete_until) SELECT * FROM unnest($1, $2)
        ON CONFLICT (source) DO UPDATE SET complete_until = greatest(f.complete_until, excluded.complete_until)";
    let sources: Vec<&str> = events.heartbeats.keys().map(String::as_str).collect();
    let until: Vec<i64> = events.heartbeats.values().copied().collect();
    transaction.execute(sql, params![sources, until]).await.map(drop)
}

async fn write_erased(transaction: &Transaction<'_>, events: &Events) -> Result<(), DbError> {
    const SAID: &str = "WITH gone AS (
            SELECT r.line FROM refused r JOIN unnest($1, $2) e(msisdn, until) ON r.msisdn = e.msisdn AND r.at <= e.until
            WHERE r.line IS NOT NULL)
        UPDATE refused SET line = NULL WHERE line IS NOT NULL
            AND substr(line, 1, 12) IN (SELECT substr(line, 1, 12) FROM gone) AND line IN (SELECT line FROM gone)";
    const REFUSED: &str = "DELETE FROM refused r USING unnest($1, $2) e(msisdn, until)
        WHERE r.msisdn = e.msisdn AND r.at <= e.until";
    if events.gone.is_empty() {
        return Ok(());
    }
    transaction.execute("DELETE FROM unapplied WHERE event = ANY($1)", params![events.gone]).await?;
    transaction.execute("DELETE FROM event WHERE seq = ANY($1)", params![events.gone]).await?;
    let (numbers, until): (Vec<i64>, Vec<i64>) = events.gone_until.iter().copied().unzip();
    // What they say goes where it is kept about another number, too.
    transaction.execute(SAID, params![numbers, until]).await?;
    transaction.execute(REFUSED, params![numbers, until]).await.map(drop)
}

async fn write_added(transaction: &Transaction<'_>, events: &Events) -> Result<(), DbError> {
    const SQL: &str = "
        INSERT INTO event (seq, id, source, at, recorded, received, kind, msisdn, new_msisdn, imsi, amends)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let added = &events.added;
    if added.is_empty() {
        return Ok(());
    }
    let seqs: Vec<i64> = added.iter().map(|row| row.seq).collect();
    let ids: Vec<&str> = added.iter().map(|row| row.id.as_str()).collect();
    let sources: Vec<&str> = added.iter().map(|row| row.source.as_str()).collect();
    let at: Vec<i64> = added.iter().map(|row| row.at).collect();
    let recorded: Vec<i64> = added.iter().map(|row| row.recorded).collect();
    let received: Vec<i64> = added.iter().map(|row| row.received).collect();
    let kinds: Vec<i64> = added.iter().map(|row| row.kind).collect();
    let numbers: Vec<Option<i64>> = added.iter().map(|row| row.msisdn).collect();
    let new_numbers: Vec<Option<i64>> = added.iter().map(|row| row.new_msisdn).collect();
    let imsis: Vec<Option<&[u8]>> = added.iter().map(|row| row.imsi.as_ref().map(<[u8; 16]>::as_slice)).collect();
    let amends: Vec<Option<&str>> = added.iter().map(|row| row.amends.as_deref()).collect();
    let columns = params![seqs, ids, sources, at, recorded, received, kinds, numbers, new_numbers, imsis, amends];
    transaction.execute(SQL, columns).await.map(drop)
}

async fn write_refused(transaction: &Transaction<'_>, events: &Events) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO refused (seq, msisdn, at, place, reason, received, line, is_settled)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)";
    let refused = &events.refused;
    if refused.is_empty() {
        return Ok(());
    }
    let seqs: Vec<i64> = refused.iter().map(|row| row.entry.seq).collect();
    let numbers: Vec<Option<i64>> = refused.iter().map(|row| row.entry.msisdn.map(key)).collect();
    let at: Vec<i64> = refused.iter().map(|row| row.entry.at.as_microsecond()).collect();
    let places: Vec<&str> = refused.iter().map(|row| row.entry.place.as_str()).collect();
    let reasons: Vec<&str> = refused.iter().map(|row| row.entry.reason.as_str()).collect();
    let received: Vec<i64> = refused.iter().map(|row| row.entry.received.as_microsecond()).collect();
    let lines: Vec<Option<&[u8]>> = refused.iter().map(|row| row.line.as_deref()).collect();
    let settled: Vec<i64> = refused.iter().map(|row| i64::from(row.is_settled)).collect();
    let columns = params![seqs, numbers, at, places, reasons, received, lines, settled];
    transaction.execute(SQL, columns).await.map(drop)
}

/// Writes what became of the lines of a generation.
pub(super) async fn write_lines(
    transaction: &Transaction<'_>,
    generation: i64,
    touched: &Touched,
) -> Result<(), DbError> {
    const BASES: &str = "INSERT INTO line_base
        (generation, msisdn, registered, flags, swapped, holder, paired, imsi, hashed_imsi)
        SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    const LINES: &str = "INSERT INTO line
        (generation, msisdn, registered, flags, swapped, holder, paired, imsi, hashed_imsi)
        SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (generation, msisdn) DO UPDATE SET registered = excluded.registered, flags = excluded.flags,
            swapped = excluded.swapped, holder = excluded.holder, paired = excluded.paired, imsi = excluded.imsi,
            hashed_imsi = excluded.hashed_imsi";
    let row_of = |rows: &'_ std::collections::HashMap<Msisdn, Option<Row>>, number: &Msisdn| {
        rows.get(number).and_then(Option::as_ref).cloned()
    };
    let bases: Vec<(Msisdn, Option<Row>)> =
        touched.kept.iter().map(|number| (*number, row_of(&touched.bases, number))).collect();
    insert(transaction, BASES, generation, &bases).await?;
    let changed = touched.changed.iter().map(|number| (*number, row_of(&touched.lines, number)));
    let (lines, gone): (Vec<_>, Vec<_>) = changed.partition(|(_, row)| row.is_some());
    insert(transaction, LINES, generation, &lines).await?;
    if !gone.is_empty() {
        let numbers: Vec<i64> = gone.iter().map(|(number, _)| key(*number)).collect();
        let sql = "DELETE FROM line WHERE generation = $1 AND msisdn = ANY($2)";
        transaction.execute(sql, params![generation, numbers]).await?;
    }
    write_refusals(transaction, generation, touched).await
}

async fn insert(
    transaction: &Transaction<'_>,
    sql: &str,
    generation: i64,
    lines: &[(Msisdn, Option<Row>)],
) -> Result<(), DbError> {
    if lines.is_empty() {
        return Ok(());
    }
    let rows = || lines.iter().map(|(_, row)| row.as_ref());
    let numbers: Vec<i64> = lines.iter().map(|(number, _)| key(*number)).collect();
    let registered: Vec<Option<i64>> = rows().map(|row| row.map(|row| row.registered)).collect();
    let flags: Vec<Option<i64>> = rows().map(|row| row.map(|row| row.flags)).collect();
    let swapped: Vec<Option<i64>> = rows().map(|row| row.and_then(|row| row.swapped)).collect();
    let holder: Vec<Option<i64>> = rows().map(|row| row.and_then(|row| row.holder)).collect();
    let paired: Vec<Option<i64>> = rows().map(|row| row.and_then(|row| row.paired)).collect();
    let imsi = |row: &'_ Row| row.imsi.map(|sealed| sealed.to_vec());
    let imsis: Vec<Option<Vec<u8>>> = rows().map(|row| row.and_then(imsi)).collect();
    let hashed: Vec<Option<&str>> =
        rows().map(|row| row.and_then(|row| row.hashed.as_ref()).map(HashedImsi::as_str)).collect();
    let columns = params![generation, numbers, registered, flags, swapped, holder, paired, imsis, hashed];
    transaction.execute(sql, columns).await.map(drop)
}

async fn write_refusals(transaction: &Transaction<'_>, generation: i64, touched: &Touched) -> Result<(), DbError> {
    let applied: Vec<i64> =
        touched.refusals.iter().filter(|(_, refusal)| refusal.is_none()).map(|(seq, _)| *seq).collect();
    if !applied.is_empty() {
        let sql = "DELETE FROM unapplied WHERE generation = $1 AND event = ANY($2)";
        transaction.execute(sql, params![generation, applied]).await?;
    }
    let (events, refusals): (Vec<i64>, Vec<i64>) = touched
        .refusals
        .iter()
        .filter_map(|(seq, refusal)| Some((*seq, position(&Refusal::ALL, refusal.as_ref()?))))
        .unzip();
    if !events.is_empty() {
        let sql = "INSERT INTO unapplied (generation, event, refusal) SELECT $1, * FROM unnest($2, $3)
            ON CONFLICT (generation, event) DO UPDATE SET refusal = excluded.refusal";
        transaction.execute(sql, params![generation, events, refusals]).await?;
    }
    Ok(())
}
