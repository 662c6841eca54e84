//! What stands in the tables, read after a commit took something else for granted.

use std::collections::HashMap;

use laini_core::billing::CheckId;
use laini_core::partner::PartnerId;
use laini_core::store::{AnswerKey, LedgerRow, RepeatKey, Repeatable, RequestHash};
use laini_store::ledger::SealedAnswer;
use tokio::time::Instant;

use super::repeats::{Question, Repeats};
use super::rows;
use crate::columns::Columns;
use crate::database::{Opened, params, within};
use crate::error::DbError;

/// Rows and answers that stand there already. Empty = none is expected to.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Each with its writer, by position.
    rows: HashMap<u64, Vec<(LedgerRow, u32)>>,
    answers: HashMap<AnswerKey, SealedAnswer>,
}

impl Known {
    /// The row of an id, or what keeps `writer` from writing one at its position.
    pub(super) fn row(&self, id: CheckId, writer: u32) -> Option<&LedgerRow> {
        let at = self.rows.get(&id.position())?;
        let own = at.iter().find(|(row, _)| row.id == id);
        own.or_else(|| at.iter().find(|(_, by)| *by == writer)).map(|(row, _)| row)
    }

    pub(super) fn answer(&self, key: AnswerKey) -> Option<&SealedAnswer> {
        self.answers.get(&key)
    }

    /// Notes what this very commit is about to write.
    pub(super) fn add_row(&mut self, row: LedgerRow, writer: u32) {
        self.rows.entry(row.id.position()).or_default().push((row, writer));
    }

    pub(super) fn add_answer(&mut self, key: AnswerKey, answer: SealedAnswer) {
        self.answers.insert(key, answer);
    }
}

/// Reads what stands there of these ids, answers and questions; the questions go into `repeats`.
pub(super) async fn examine(
    connection: &Opened,
    (ids, keys, questions): (&[CheckId], &[AnswerKey], &[Question]),
    repeats: &mut Repeats,
    until: Instant,
) -> Result<Known, DbError> {
    let mut known = Known::default();
    for (row, writer) in rows_at(connection, ids, until).await? {
        known.add_row(row, writer);
    }
    let sql = "SELECT key, request, at, sealed FROM answer WHERE key = ANY($1)";
    let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.0.to_vec()).collect();
    for row in within(until, connection.query_typed(sql, params![keys])).await? {
        let columns = Columns(&row);
        let answer = SealedAnswer {
            request: RequestHash(columns.bytes("request")?),
            at: columns.instant("at")?,
            sealed: columns.get("sealed")?,
        };
        known.add_answer(AnswerKey(columns.bytes("key")?), answer);
    }
    for question in questions {
        repeats.set(*question, None);
    }
    for (question, now) in repeatable(connection, questions, until).await? {
        repeats.set(question, Some(now));
    }
    Ok(known)
}

/// The rows at the positions of these ids, with their writers.
pub(super) async fn rows_at(
    connection: &Opened,
    ids: &[CheckId],
    until: Instant,
) -> Result<Vec<(LedgerRow, u32)>, DbError> {
    let positions: Vec<i64> = ids.iter().map(|id| id.position().cast_signed()).collect();
    let sql = format!("SELECT {} FROM ledger WHERE position = ANY($1)", rows::COLUMNS);
    let found = within(until, connection.query_typed(&sql, params![positions])).await?;
    found.iter().map(|row| rows::read(row).map(|(row, link)| (row, link.writer))).collect()
}

async fn repeatable(
    connection: &Opened,
    questions: &[Question],
    until: Instant,
) -> Result<Vec<(Question, Repeatable)>, DbError> {
    let partners: Vec<i64> = questions.iter().map(|(partner, _)| partner.as_u64().cast_signed()).collect();
    let keys: Vec<Vec<u8>> = questions.iter().map(|(_, key)| key.0.to_vec()).collect();
    let sql = "SELECT partner, repeat_key, charged_at, repeats FROM repeatable
               JOIN unnest($1::bigint[], $2::bytea[]) AS q(partner, repeat_key) USING (partner, repeat_key)";
    let found = within(until, connection.query_typed(sql, params![partners, keys])).await?;
    let read = |row: &tokio_postgres::Row| {
        let columns = Columns(row);
        let repeats: i16 = columns.get("repeats")?;
        let now = Repeatable {
            charged_at: columns.instant("charged_at")?,
            repeats: u8::try_from(repeats).map_err(|_| DbError::Damaged("repeats"))?,
        };
        let partner = PartnerId::from_stored(columns.bits("partner", 63)?);
        Ok(((partner, RepeatKey(columns.bytes("repeat_key")?)), now))
    };
    found.iter().map(read).collect()
}
