use jiff::Timestamp;
use laini_core::line::{FeedLine, Msisdn, RefusedRow, SealedFeedLine};
use laini_core::store::{KeptLine, RejectId};
use laini_store::registry::RefusedEntry;
use laini_store::registry::columns::{count, key, micros, msisdn};
use rusqlite::params;

use super::failure::Failure;
use super::history::History;

const REFUSED: &str = "SELECT seq, at, received, msisdn, place, reason, line IS NOT NULL FROM refused";

impl History<'_> {
    /// Adds a refused row; its `seq` is given here. One that says the same again about the number, or that was
    /// not kept and names the same place, number and instant again, is the same.
    pub(super) fn add_refused(&self, row: &RefusedEntry, line: Option<&FeedLine>) -> Result<(), Failure> {
        const SQL: &str =
            "INSERT INTO refused(msisdn, at, place, reason, received, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        const KEPT: &str = "SELECT EXISTS
            (SELECT 1 FROM refused
             WHERE line IS NOT NULL AND substr(line, 1, 12) = substr(?1, 1, 12) AND line = ?1 AND msisdn IS ?2)";
        const NAMED: &str = "SELECT EXISTS
            (SELECT 1 FROM refused WHERE msisdn IS ?1 AND at = ?2 AND place = ?3 AND line IS NULL AND is_settled = 0)";
        let line = line.map(|line| self.seal.seal_feed_line(line).0);
        let number = row.msisdn.map(key);
        let is_known: bool = match &line {
            Some(line) => {
                self.connection.prepare_cached(KEPT)?.query_row(params![line, number], |found| found.get(0))?
            }
            None => self
                .connection
                .prepare_cached(NAMED)?
                .query_row(params![number, row.at.as_microsecond(), row.place], |found| found.get(0))?,
        };
        if is_known {
            return Ok(());
        }
        let (at, received) = (row.at.as_microsecond(), row.received.as_microsecond());
        self.connection.prepare_cached(SQL)?.execute(params![number, at, row.place, row.reason, received, line])?;
        Ok(())
    }

    /// Refused rows after a place, settled ones too, at most `limit`.
    pub(super) fn refused_after(&self, seq: i64, limit: i64) -> Result<Vec<RefusedEntry>, Failure> {
        self.select_refused("seq > ?1 ORDER BY seq LIMIT ?2", [seq, limit])
    }

    /// The newest refused rows before a place, at most `limit`.
    pub(super) fn refused_before(&self, seq: i64, limit: i64) -> Result<Vec<RefusedEntry>, Failure> {
        self.select_refused("is_settled = 0 AND seq < ?1 ORDER BY seq DESC LIMIT ?2", [seq, limit])
    }

    /// Refused rows about a line.
    pub(super) fn rows_about(&self, number: Msisdn) -> Result<Vec<RefusedRow>, Failure> {
        let rows = self.select_refused("msisdn = ?1 AND is_settled = 0", [key(number)])?;
        Ok(rows.iter().map(|row| RefusedRow { msisdn: number, at: row.at }).collect())
    }

    /// The place of the newest refused row, settled ones too.
    pub(super) fn last_refused(&self) -> Result<i64, Failure> {
        let mut statement = self.connection.prepare_cached("SELECT ifnull(max(seq), 0) FROM refused")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// How many refused rows there are.
    pub(super) fn count_refused(&self) -> Result<i64, Failure> {
        let sql = "SELECT count(*) FROM refused WHERE is_settled = 0";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// Rows that were kept as they came, after a place, at most `limit`.
    pub(super) fn kept_after(&self, seq: i64, limit: i64) -> Result<Vec<KeptLine>, Failure> {
        const SQL: &str =
            "SELECT seq, place, line FROM refused WHERE line IS NOT NULL AND seq > ?1 ORDER BY seq LIMIT ?2";
        let mut statement = self.connection.prepare_cached(SQL)?;
        let mut rows = statement.query([seq, limit])?;
        let mut kept = Vec::new();
        while let Some(row) = rows.next()? {
            let line = self.seal.open_feed_line(&SealedFeedLine(row.get(2)?))?;
            kept.push(KeptLine { id: RejectId(count(row.get(0)?)), place: row.get(1)?, line });
        }
        Ok(kept)
    }

    /// Whether a row is kept still.
    pub(super) fn is_kept(&self, seq: i64) -> Result<bool, Failure> {
        const SQL: &str = "SELECT EXISTS (SELECT 1 FROM refused WHERE seq = ?1 AND line IS NOT NULL)";
        Ok(self.connection.prepare_cached(SQL)?.query_row([seq], |row| row.get(0))?)
    }

    /// Forgets what a kept row says, and has its line derived anew: the mark it leaves is news to every
    /// generation.
    pub(super) fn settle(&self, seq: i64) -> Result<(), Failure> {
        const MARK: &str = "INSERT INTO refused(msisdn, at, place, reason, received, is_settled)
            SELECT msisdn, at, place, '', received, 1 FROM refused WHERE seq = ?1 AND msisdn IS NOT NULL";
        self.connection.prepare_cached(MARK)?.execute([seq])?;
        self.connection.prepare_cached("DELETE FROM refused WHERE seq = ?1")?.execute([seq])?;
        Ok(())
    }

    /// Forgets the refused rows about a number that are not newer than an instant, and what they say where it
    /// is kept about another number, too.
    pub(super) fn erase_refused(&self, number: Msisdn, until: Timestamp) -> Result<(), Failure> {
        const SAID: &str = "WITH gone AS
            (SELECT line FROM refused WHERE msisdn = ?1 AND at <= ?2 AND line IS NOT NULL)
            UPDATE refused SET line = NULL WHERE line IS NOT NULL
                AND substr(line, 1, 12) IN (SELECT substr(line, 1, 12) FROM gone) AND line IN (SELECT line FROM gone)";
        let about = [key(number), until.as_microsecond()];
        self.connection.prepare_cached(SAID)?.execute(about)?;
        self.connection.prepare_cached("DELETE FROM refused WHERE msisdn = ?1 AND at <= ?2")?.execute(about)?;
        Ok(())
    }

    /// Forgets the refused rows that a snapshot cut at `cut` settles.
    pub(super) fn forget_refused(&self, cut: Timestamp) -> Result<(), Failure> {
        self.connection.prepare_cached("DELETE FROM refused WHERE at <= ?1")?.execute([cut.as_microsecond()])?;
        Ok(())
    }

    fn select_refused(&self, condition: &str, parameters: impl rusqlite::Params) -> Result<Vec<RefusedEntry>, Failure> {
        let mut statement = self.connection.prepare_cached(&format!("{REFUSED} WHERE {condition}"))?;
        let mut rows = statement.query(parameters)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(RefusedEntry {
                seq: row.get(0)?,
                at: micros(row.get(1)?)?,
                received: micros(row.get(2)?)?,
                msisdn: row.get::<_, Option<i64>>(3)?.map(msisdn).transpose()?,
                place: row.get(4)?,
                reason: row.get(5)?,
                is_kept: row.get(6)?,
            });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use laini_core::line::RegistrySeal;
    use rusqlite::Connection;

    use super::*;
    use crate::registry::history::MIGRATIONS;
    use crate::sql::open_writer;

    #[test]
    fn a_history_of_the_release_before_keeps_its_refused_rows() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("registry-events.db");
        let old = open_writer(&path, &MIGRATIONS[..1]).unwrap();
        let insert =
            "INSERT INTO refused(msisdn, at, place, reason, received) VALUES (254722000001, 5, 'line 1', 'why', 6)";
        old.execute(insert, []).unwrap();
        drop(old);
        let connection: Connection = open_writer(&path, MIGRATIONS).unwrap();
        let history = History { connection: &connection, seal: &RegistrySeal::new(&[7; 32]) };
        let rows = history.refused_before(i64::MAX, 10).unwrap();
        assert_eq!(rows.iter().map(|row| (row.place.as_str(), row.is_kept)).collect::<Vec<_>>(), [("line 1", false)]);
        assert_eq!(history.rows_about(msisdn(254_722_000_001).unwrap()).unwrap().len(), 1);
        assert_eq!(history.kept_after(0, 10).unwrap(), []);
        assert!(!history.is_kept(1).unwrap());
    }
}
