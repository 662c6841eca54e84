//! Rows of the ledger on their way out, in the order of ids.

use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{CheckId, Currency, Money, Outcome};
use laini_core::partner::{AgreementId, AppId, PartnerId, Product, Purpose};
use laini_core::store::{
    ChainPage, ChainRow, DayKey, LedgerRow, Mac, PlacedRow, RepeatKey, RowQuery, SubjectHash, Usage, WriterEnd,
};
use laini_store::ledger::{
    ENVIRONMENTS, Link, QUARTER_S, environment_code, outcome_code, product_code, purpose_code, quarters,
};
use tokio_postgres::Row;

use crate::columns::{Columns, place};
use crate::database::{Link as Database, params};
use crate::error::DbError;

/// Every column of a row.
pub(super) const COLUMNS: &str = "ledger.position, ledger.tail, ledger.writer, ledger.seq, ledger.at, ledger.partner, \
     ledger.app, ledger.agreement, ledger.product, ledger.environment, ledger.purpose, ledger.outcome, \
     ledger.price_version, ledger.list_minor, ledger.charge_minor, ledger.currency, ledger.as_of, \
     ledger.policy_version, ledger.side_digest, ledger.mac, ledger.reverses";

/// Rows that one statement reads: a filter is answered by reading along, for no index but the id's is kept.
const ROWS_PER_STATEMENT: usize = 4_000;
/// Rows that a caller gets at most, whatever it asks for.
const ROWS_PER_PAGE: usize = 100_000;
/// How long after its minting a check can be decided: longer than any request lives.
const MINTED_BEFORE_S: i64 = 60;
/// How far a clock that is set back can leave ids ahead of the instants of their rows.
const CLOCK_SET_BACK_S: i64 = 86_400;
/// Beyond every position.
const END_OF_POSITIONS: i64 = 1 << crate::columns::POSITION_BITS;

/// Reads [`COLUMNS`].
pub(super) fn read(row: &Row) -> Result<(LedgerRow, Link), DbError> {
    let columns = Columns(row);
    let currency = columns.word("currency", |word| Currency::parse(word).ok())?;
    let reverses = columns.optional_bytes("reverses")?.map(uuid::Uuid::from_bytes);
    let reverses = reverses.map(|uuid| CheckId::from_uuid(uuid).ok_or(DbError::Damaged("reverses"))).transpose()?;
    let row = LedgerRow {
        id: columns.check_id()?,
        at: columns.instant("at")?,
        partner: PartnerId::from_stored(columns.bits("partner", 63)?),
        app: AppId::from_stored(columns.bits("app", 63)?),
        agreement: columns.optional_bits("agreement", 63)?.map(AgreementId::from_stored),
        product: columns.code("product", &Product::ALL, product_code)?,
        environment: columns.code("environment", &ENVIRONMENTS, environment_code)?,
        purpose: columns.code("purpose", &Purpose::ALL, purpose_code)?,
        outcome: columns.code("outcome", &Outcome::ALL, outcome_code)?,
        price_version: columns.small("price_version")?,
        list_price: Money::new(columns.get("list_minor")?, currency),
        charge: Money::new(columns.get("charge_minor")?, currency),
        as_of: columns.optional_instant("as_of")?,
        policy_version: columns.small("policy_version")?,
        side_digest: columns.bytes("side_digest")?,
        reverses,
    };
    Ok((row, link(&columns)?))
}

fn link(columns: &Columns<'_>) -> Result<Link, DbError> {
    let writer: i32 = columns.get("writer")?;
    let writer = u32::try_from(writer).map_err(|_| DbError::Damaged("writer"))?;
    Ok(Link { writer, seq: columns.bits("seq", 63)?, mac: Mac(columns.bytes("mac")?) })
}

/// Reads [`COLUMNS`] and the side row as it lies there now.
fn read_chained(row: &Row) -> Result<ChainRow, DbError> {
    let columns = Columns(row);
    let Ok((ledger_row, Link { writer, seq, mac })) = read(row) else { return unlinkable(&columns) };
    let side = || -> Result<[u8; 32], DbError> {
        let hash = SubjectHash(columns.bytes("number_hash")?);
        Ok(DayKey::digest(hash, RepeatKey(columns.bytes("repeat_key")?), columns.get("sealed")?))
    };
    // A side row of other sizes than are ever written is an altered one, so its digest is wrong.
    let is_there = columns.get::<Option<&[u8]>>("sealed")?.is_some();
    let side_digest_now = is_there.then(|| side().unwrap_or_default());
    Ok(ChainRow { row: ledger_row, writer, seq, mac, side_digest_now })
}

/// A row with a value that the ledger never writes, in a form that no link fits: a verification must
/// name it and go on, not end at it.
fn unlinkable(columns: &Columns<'_>) -> Result<ChainRow, DbError> {
    let position = columns.bits("position", crate::columns::POSITION_BITS)?;
    let link = link(columns).unwrap_or(Link { writer: u32::MAX, seq: u64::MAX >> 1, mac: Mac::GENESIS });
    Ok(ChainRow {
        row: LedgerRow::unreadable(CheckId::from_parts(position, 0)),
        writer: link.writer,
        seq: link.seq,
        mac: link.mac,
        side_digest_now: None,
    })
}

pub(super) async fn newest(link: &Database) -> Result<Option<CheckId>, DbError> {
    let sql = "SELECT position, tail FROM ledger WHERE position < $1 ORDER BY position DESC, tail DESC LIMIT 1";
    let row = link.query_opt(sql, params![END_OF_POSITIONS]).await?;
    row.map(|row| Columns(&row).check_id()).transpose()
}

/// Rows that fit the query, statement by statement.
pub(super) async fn rows(link: &Database, query: &RowQuery) -> Result<Vec<PlacedRow>, DbError> {
    let limit = query.limit.min(ROWS_PER_PAGE);
    let sql = format!(
        "SELECT {COLUMNS} FROM ledger
         WHERE position >= $1 AND (position > $1 OR tail > $2) AND position < $3
             AND ($5::bigint IS NULL OR partner = $5)
         ORDER BY position, tail LIMIT $4"
    );
    let (mut after, until) = bounds(query.after, (query.from, query.until));
    let partner = query.partner.map(|partner| partner.as_u64().cast_signed());
    let mut found = Vec::new();
    while found.len() < limit {
        let read_now = ROWS_PER_STATEMENT.cast_signed() as i64;
        let page = link.query(&sql, params![after.0, after.1, until, read_now, partner]).await?;
        for row in &page {
            let (row, Link { writer, seq, .. }) = read(row)?;
            after = place(row.id);
            if found.len() < limit && fits(&row, query) {
                found.push(PlacedRow { row, writer, seq });
            }
        }
        if page.len() < ROWS_PER_STATEMENT {
            break;
        }
    }
    Ok(found)
}

/// Where each writer's chain ends: each of its commits moves its row.
pub(super) async fn ends(link: &Database) -> Result<Vec<WriterEnd>, DbError> {
    let sql = "SELECT writer, seq, mac, newest_at FROM writer WHERE seq > 0 ORDER BY writer";
    let rows = link.query(sql, params![]).await?;
    let end = |row: &Row| {
        let columns = Columns(row);
        let writer: i32 = columns.get("writer")?;
        Ok(WriterEnd {
            writer: u32::try_from(writer).map_err(|_| DbError::Damaged("writer"))?,
            seq: columns.bits("seq", 63)?,
            at: columns.instant("newest_at")?,
            mac: Mac(columns.bytes("mac")?),
        })
    };
    rows.iter().map(end).collect()
}

/// The ids between which rows can fit: `at` follows the minting of the id closely.
pub(super) fn bounds(
    after: Option<CheckId>,
    (from, until): (Option<Timestamp>, Option<Timestamp>),
) -> ((i64, i64), i64) {
    let shifted = |at: Timestamp, seconds: i64| {
        let at = at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(at);
        CheckId::floor(at).position().cast_signed()
    };
    let from = from.map_or((-1, 0), |from| (shifted(from, -MINTED_BEFORE_S), -1));
    let after = after.map_or((-1, 0), place);
    let until = until.map_or(END_OF_POSITIONS, |until| shifted(until, CLOCK_SET_BACK_S));
    (from.max(after), until)
}

fn fits(row: &LedgerRow, query: &RowQuery) -> bool {
    query.from.is_none_or(|from| row.at >= from)
        && query.until.is_none_or(|until| row.at < until)
        && query.partner.is_none_or(|wanted| row.partner == wanted)
        && query.app.is_none_or(|wanted| row.app == wanted)
        && query.outcome.is_none_or(|wanted| row.outcome == wanted)
}

pub(super) async fn chain(link: &Database, after: Option<CheckId>, limit: usize) -> Result<ChainPage, DbError> {
    let sql = format!(
        "SELECT {COLUMNS}, number_hash, repeat_key, sealed
         FROM ledger LEFT JOIN subject USING (partner, position, tail)
         WHERE ledger.position >= $1 AND (ledger.position > $1 OR ledger.tail > $2) AND ledger.position < $3
         ORDER BY ledger.position, ledger.tail LIMIT $4"
    );
    let (position, tail) = after.map_or((-1, 0), place);
    let limit = i64::try_from(limit.min(ROWS_PER_PAGE)).unwrap_or(i64::MAX);
    let rows = link.query(&sql, params![position, tail, END_OF_POSITIONS, limit]).await?;
    Ok(ChainPage { rows: rows.iter().map(read_chained).collect::<Result<_, _>>()? })
}

/// The row of an id, its side row as it lies there, and whether its charge was reversed.
pub(super) struct Found {
    pub(super) row: LedgerRow,
    /// The hash of its number.
    pub(super) number: Option<SubjectHash>,
    /// Its sealed side row, until that is forgotten.
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) is_reversed: bool,
}

pub(super) async fn find(link: &Database, id: CheckId) -> Result<Option<Found>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS}, coalesce(subject.number_hash, forgotten.number_hash) AS number_hash, subject.sealed,
             EXISTS (SELECT 1 FROM reversed WHERE (reversed.partner, reversed.position, reversed.tail)
                                                = (ledger.partner, ledger.position, ledger.tail)) AS is_reversed
         FROM ledger
             LEFT JOIN subject ON (subject.partner, subject.position, subject.tail)
                                = (ledger.partner, ledger.position, ledger.tail)
             LEFT JOIN forgotten ON (forgotten.partner, forgotten.position, forgotten.tail)
                                  = (ledger.partner, ledger.position, ledger.tail)
         WHERE ledger.position = $1 AND ledger.tail = $2"
    );
    let (position, tail) = place(id);
    let Some(row) = link.query_opt(&sql, params![position, tail]).await? else { return Ok(None) };
    let columns = Columns(&row);
    let number = columns.optional_bytes("number_hash")?.map(SubjectHash);
    let sealed = columns.get("sealed")?;
    Ok(Some(Found { row: read(&row)?.0, number, sealed, is_reversed: columns.get("is_reversed")? }))
}

/// The counters of whole quarters, those of all writers together.
pub(super) async fn usage(link: &Database, from: Timestamp, until: Timestamp) -> Result<Vec<Usage>, DbError> {
    let sql = "SELECT quarter, app, product, environment, outcome, sum(checks)::bigint AS checks,
                   sum(charged_minor)::bigint AS charged_minor
               FROM usage WHERE quarter >= $1 AND quarter < $2
               GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5";
    let (first, end) = quarters(from, until);
    let rows = link.query(sql, params![first, end]).await?;
    let one = |row: &Row| {
        let columns = Columns(row);
        let quarter: i64 = columns.get("quarter")?;
        let from = Timestamp::from_second(quarter.saturating_mul(QUARTER_S));
        Ok(Usage {
            app: AppId::from_stored(columns.bits("app", 63)?),
            product: columns.code("product", &Product::ALL, product_code)?,
            environment: columns.code("environment", &ENVIRONMENTS, environment_code)?,
            outcome: columns.code("outcome", &Outcome::ALL, outcome_code)?,
            from: from.map_err(|_| DbError::Damaged("quarter"))?,
            checks: columns.bits("checks", 63)?,
            charged_minor: columns.get("charged_minor")?,
        })
    };
    rows.iter().map(one).collect()
}
