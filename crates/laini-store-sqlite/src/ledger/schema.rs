//! The tables, and rows on their way in and out of them.

use jiff::Timestamp;
use laini_core::billing::{CheckId, Currency, Money, Outcome};
use laini_core::partner::{AgreementId, AppId, PartnerId, Product, Purpose};
use laini_core::store::{ChainRow, DayKey, LedgerRow, Mac, RepeatKey, SubjectHash};
use laini_store::ledger::{
    ENVIRONMENTS, Link, SealedDraft, environment_code, outcome_code, product_code, purpose_code,
};
use rusqlite::types::{FromSqlError, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};

pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("migration_2.sql"),
    include_str!("migration_3.sql"),
    include_str!("migration_4.sql"),
];

pub(super) const INSERT_ROW: &str = "INSERT INTO ledger VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
pub(super) const INSERT_SUBJECT: &str = "INSERT INTO subject VALUES (?,?,?,?,?)";

/// Every column of a row, in the order in which [`read`] takes them.
pub(super) const COLUMNS: &str = "ifnull((SELECT displaced.position FROM displaced \
         WHERE displaced.place = ledger.position), ledger.position), \
     ledger.tail, ledger.writer, ledger.seq, ledger.at, ledger.partner, ledger.app, ledger.agreement, \
     ledger.product, ledger.environment, ledger.purpose, ledger.outcome, ledger.price_version, ledger.list_minor, \
     ledger.charge_minor, ledger.currency, ledger.as_of, ledger.policy_version, ledger.side_digest, ledger.mac, \
     ledger.reverses";

/// The place at which the row of an id stands, or would: the id's position, or a later one where rows of
/// several writers were brought together.
pub(crate) fn place(connection: &Connection, id: CheckId) -> rusqlite::Result<i64> {
    let (position, tail) = (id.position().cast_signed(), id.tail().cast_signed());
    let sql = "SELECT place FROM displaced WHERE position = ?1 AND tail = ?2";
    let displaced = connection.prepare_cached(sql)?.query_row([position, tail], |row| row.get(0)).optional()?;
    Ok(displaced.unwrap_or(position))
}

/// Positions lie below 2⁶⁰ ([`CheckId::position`]).
pub(super) const POSITION_BITS: u32 = 60;

pub(super) fn insert_row(statement: &mut Statement<'_>, row: &LedgerRow, link: Link) -> rusqlite::Result<usize> {
    statement.execute(params![
        row.id.position().cast_signed(),
        row.id.tail().cast_signed(),
        link.writer,
        link.seq.cast_signed(),
        row.at.as_microsecond(),
        row.partner.as_u64().cast_signed(),
        row.app.as_u64().cast_signed(),
        row.agreement.map(|id| id.as_u64().cast_signed()),
        product_code(row.product),
        environment_code(row.environment),
        purpose_code(row.purpose),
        outcome_code(row.outcome),
        row.price_version,
        row.list_price.minor,
        row.charge.minor,
        row.list_price.currency.as_str(),
        row.as_of.map(Timestamp::as_microsecond),
        row.policy_version,
        row.side_digest.as_slice(),
        link.mac.0.as_slice(),
        row.reverses.map(|id| *id.uuid().as_bytes()),
    ])
}

pub(super) fn insert_subject(statement: &mut Statement<'_>, check: &SealedDraft) -> rusqlite::Result<usize> {
    let (key, window) = check.draft.repeat;
    statement.execute(params![
        check.draft.id.position().cast_signed(),
        check.draft.subject.hash.0.as_slice(),
        key.0.as_slice(),
        window.length().as_secs(),
        check.sealed.as_slice(),
    ])
}

/// Reads [`COLUMNS`]. A value that the ledger never writes (somebody altered the file) is an error.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(LedgerRow, Link)> {
    let currency = Currency::parse(row.get_ref(15)?.as_str()?).map_err(|_| damaged(15))?;
    let ledger_row = LedgerRow {
        id: read_id(row)?,
        at: instant(row, 4)?,
        partner: PartnerId::from_stored(bits(row, 5, 63)?),
        app: AppId::from_stored(bits(row, 6, 63)?),
        agreement: optional(row, 7)?.then(|| bits(row, 7, 63)).transpose()?.map(AgreementId::from_stored),
        product: decoded(row, 8, &Product::ALL, product_code)?,
        environment: decoded(row, 9, &ENVIRONMENTS, environment_code)?,
        purpose: decoded(row, 10, &Purpose::ALL, purpose_code)?,
        outcome: decoded(row, 11, &Outcome::ALL, outcome_code)?,
        price_version: row.get(12)?,
        list_price: Money::new(row.get(13)?, currency),
        charge: Money::new(row.get(14)?, currency),
        as_of: optional(row, 16)?.then(|| instant(row, 16)).transpose()?,
        policy_version: row.get(17)?,
        side_digest: row.get(18)?,
        reverses: optional(row, 20)?.then(|| read_reversed(row)).transpose()?,
    };
    Ok((ledger_row, read_link(row)?))
}

fn read_reversed(row: &Row<'_>) -> rusqlite::Result<CheckId> {
    let uuid = uuid::Uuid::from_bytes(row.get(20)?);
    CheckId::from_uuid(uuid).ok_or_else(|| damaged(20))
}

fn read_link(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link { writer: row.get(2)?, seq: bits(row, 3, 63)?, mac: Mac(row.get(19)?) })
}

/// Reads [`COLUMNS`] and then `number_hash`, `repeat_key` and `sealed` of the side row.
pub(super) fn read_chained(row: &Row<'_>) -> rusqlite::Result<ChainRow> {
    let Ok((ledger_row, Link { writer, seq, mac })) = read(row) else { return unlinkable(row) };
    let side = || -> rusqlite::Result<[u8; 32]> {
        Ok(DayKey::digest(SubjectHash(row.get(21)?), RepeatKey(row.get(22)?), row.get_ref(23)?.as_blob()?))
    };
    // A side row of other sizes than are ever written is an altered one, so its digest is wrong.
    let side_digest_now = optional(row, 23)?.then(|| side().unwrap_or_default());
    Ok(ChainRow { row: ledger_row, writer, seq, mac, side_digest_now })
}

/// A row with a value that the ledger never writes, in a form that no link fits: a verification must
/// name it and go on, not end at it.
fn unlinkable(row: &Row<'_>) -> rusqlite::Result<ChainRow> {
    let ledger_row = LedgerRow::unreadable(CheckId::from_parts(bits(row, 0, POSITION_BITS)?, 0));
    let link = read_link(row).unwrap_or(Link { writer: u32::MAX, seq: u64::MAX >> 1, mac: Mac::GENESIS });
    Ok(ChainRow { row: ledger_row, writer: link.writer, seq: link.seq, mac: link.mac, side_digest_now: None })
}

pub(super) fn read_id(row: &Row<'_>) -> rusqlite::Result<CheckId> {
    Ok(CheckId::from_parts(bits(row, 0, POSITION_BITS)?, bits(row, 1, 62)?))
}

/// An integer of so many bits.
pub(super) fn bits(row: &Row<'_>, column: usize, bits: u32) -> rusqlite::Result<u64> {
    let value = row.get::<_, i64>(column)?.cast_unsigned();
    if value >> bits == 0 { Ok(value) } else { Err(damaged(column)) }
}

pub(super) fn optional(row: &Row<'_>, column: usize) -> rusqlite::Result<bool> {
    Ok(row.get_ref(column)? != ValueRef::Null)
}

pub(super) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(row.get(column)?).map_err(|_| damaged(column))
}

pub(super) fn decoded<T: Copy>(row: &Row<'_>, column: usize, all: &[T], code: fn(T) -> i16) -> rusqlite::Result<T> {
    let found: i16 = row.get(column)?;
    all.iter().copied().find(|value| code(*value) == found).ok_or_else(|| damaged(column))
}

pub(super) fn damaged(column: usize) -> rusqlite::Error {
    FromSqlError::Other(format!("column {column} holds a value that is never written").into()).into()
}
