use jiff::Timestamp;
use laini_core::line::{Event, EventKey, EventKind, EventText, FeedLine, Msisdn, RefusedRow, RegistrySeal};
use laini_core::store::FeedStatus;
use laini_store::registry::columns::{key, micros};
use laini_store::registry::{self, Broken, Entering, Entry, EventColumns, RecordedSpan, RefusedEntry};
use rusqlite::{Connection, params};

use super::failure::Failure;

/// The schema of the history's file.
pub(crate) const MIGRATIONS: &[&str] = &["
-- Every event, in order of arrival. Instants in microseconds since 1970.
CREATE TABLE event(
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, source TEXT NOT NULL, at INTEGER NOT NULL,
    recorded INTEGER NOT NULL, received INTEGER NOT NULL, kind INTEGER NOT NULL, msisdn INTEGER,
    new_msisdn INTEGER, imsi BLOB, amends TEXT, UNIQUE (id, source)
);
CREATE INDEX event_msisdn ON event(msisdn);
CREATE INDEX event_new_msisdn ON event(new_msisdn) WHERE new_msisdn IS NOT NULL;
CREATE INDEX event_amends ON event(amends, source) WHERE amends IS NOT NULL;
CREATE INDEX event_known ON event(max(at, received));
CREATE TABLE feed(source TEXT PRIMARY KEY, complete_until INTEGER NOT NULL);
-- Rows of a feed that could not be read.
CREATE TABLE refused(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, msisdn INTEGER, at INTEGER NOT NULL, place TEXT NOT NULL, reason TEXT NOT NULL,
    received INTEGER NOT NULL
);
CREATE INDEX refused_msisdn ON refused(msisdn) WHERE msisdn IS NOT NULL;
", "
-- What a refused row says, sealed, so that it can be read again; its first bytes tell one from another. A row
-- that was read after all stays as a mark that its line is to be derived anew, until the next snapshot.
ALTER TABLE refused ADD COLUMN line BLOB;
ALTER TABLE refused ADD COLUMN is_settled INTEGER NOT NULL DEFAULT 0;
CREATE INDEX refused_line ON refused(substr(line, 1, 12)) WHERE line IS NOT NULL;
", "
-- Erasures (EventKind::Erased), which each event that comes is held against. To make it reads every event once.
CREATE INDEX event_erased ON event(msisdn, at) WHERE kind = 14;
"];

/// What the index of erasures and its query write out.
const _: () = assert!(matches!(EventKind::ALL[14], EventKind::Erased));

const EVENT: &str = "SELECT seq, id, source, at, recorded, received, kind, msisdn, new_msisdn, imsi, amends FROM event";

/// The history as one connection sees it. Transactions are the caller's.
pub(super) struct History<'a> {
    pub(super) connection: &'a Connection,
    pub(super) seal: &'a RegistrySeal,
}

impl History<'_> {
    /// The place of the newest event. It is the number of events that ever came: an erasure, which is one itself, is all
    /// that removes some.
    pub(super) fn last_event(&self) -> Result<i64, Failure> {
        let mut statement = self.connection.prepare_cached("SELECT ifnull(max(seq), 0) FROM event")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// The place before the first event that a snapshot cut at `cut` may lack.
    pub(super) fn last_before_news(&self, cut: Timestamp) -> Result<i64, Failure> {
        let mut statement =
            self.connection.prepare_cached("SELECT min(seq) FROM event WHERE max(at, received) > ?1")?;
        let first: Option<i64> = statement.query_row([cut.as_microsecond()], |row| row.get(0))?;
        first.map_or_else(|| self.last_event(), |first| Ok(first - 1))
    }

    /// The event at a place.
    pub(super) fn at(&self, seq: i64) -> Result<Option<Entry>, Failure> {
        Ok(self.select("seq = ?1", [seq])?.pop())
    }

    /// Whether nothing was recorded that is about a line.
    pub(super) fn is_silent(&self) -> Result<bool, Failure> {
        const SQL: &str = "SELECT NOT EXISTS (SELECT 1 FROM event)
            AND NOT EXISTS (SELECT 1 FROM refused WHERE msisdn IS NOT NULL)";
        Ok(self.connection.prepare_cached(SQL)?.query_row([], |row| row.get(0))?)
    }

    /// Events after a place in the order of arrival, at most `limit`.
    pub(super) fn after(&self, seq: i64, limit: i64) -> Result<Vec<Entry>, Failure> {
        self.select("seq > ?1 ORDER BY seq LIMIT ?2", [seq, limit])
    }

    /// What feeds told, or one of them, among these places, the newest first.
    pub(super) fn recorded(&self, span: RecordedSpan, source: Option<&EventText>) -> Result<Vec<Entry>, Failure> {
        // The kind of an erasure, which no feed tells, is written out as in the index of erasures.
        self.select(
            "seq >= ?1 AND seq < ?2 AND kind <> 14 AND (?3 IS NULL OR source = ?3) ORDER BY seq DESC LIMIT ?4",
            params![span.first, span.end, source.map(EventText::as_str), span.rows],
        )
    }

    /// Events that a snapshot cut at `cut` may lack, by ascending place after `seq`, at most `limit`.
    pub(super) fn news_after(&self, cut: Timestamp, seq: i64, limit: i64) -> Result<Vec<Entry>, Failure> {
        self.select("seq > ?2 AND max(at, received) > ?1 ORDER BY seq LIMIT ?3", [cut.as_microsecond(), seq, limit])
    }

    fn select(&self, condition: &str, parameters: impl rusqlite::Params) -> Result<Vec<Entry>, Failure> {
        let mut statement = self.connection.prepare_cached(&format!("{EVENT} WHERE {condition}"))?;
        let mut rows = statement.query(parameters)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(self.entry(row)?);
        }
        Ok(found)
    }

    fn entry(&self, row: &rusqlite::Row<'_>) -> Result<Entry, Failure> {
        let columns = EventColumns {
            seq: row.get(0)?,
            id: row.get(1)?,
            source: row.get(2)?,
            at: row.get(3)?,
            recorded: row.get(4)?,
            received: row.get(5)?,
            kind: row.get(6)?,
            msisdn: row.get(7)?,
            new_msisdn: row.get(8)?,
            imsi: row.get(9)?,
            amends: row.get(10)?,
        };
        Ok(columns.open(self.seal)?)
    }

    /// Each feed and how far it is complete.
    pub(super) fn feeds(&self) -> Result<Vec<FeedStatus>, Failure> {
        let mut statement =
            self.connection.prepare_cached("SELECT source, complete_until FROM feed ORDER BY source")?;
        let mut rows = statement.query([])?;
        let mut feeds = Vec::new();
        while let Some(row) = rows.next()? {
            let source =
                EventText::parse(&row.get::<_, String>(0)?).map_err(|_| Broken::Damaged("the name of a feed"))?;
            feeds.push(FeedStatus { source, complete_until: micros(row.get(1)?)? });
        }
        Ok(feeds)
    }
}

impl registry::History for History<'_> {
    type Error = Failure;

    fn by_key(&self, key: &EventKey) -> Result<Option<Entry>, Failure> {
        Ok(self.select("id = ?1 AND source = ?2", [key.id.as_str(), key.source.as_str()])?.pop())
    }

    fn amendments(&self, key: &EventKey) -> Result<Vec<Entry>, Failure> {
        self.select("amends = ?1 AND source = ?2", [key.id.as_str(), key.source.as_str()])
    }

    fn naming(&self, number: Msisdn) -> Result<Vec<Entry>, Failure> {
        self.select("msisdn = ?1 OR new_msisdn = ?1", [key(number)])
    }

    fn count_naming(&self, number: Msisdn) -> Result<i64, Failure> {
        const SQL: &str = "SELECT count(*) FROM event WHERE msisdn = ?1 OR new_msisdn = ?1";
        Ok(self.connection.prepare_cached(SQL)?.query_row([key(number)], |row| row.get(0))?)
    }

    fn erased_until(&self, number: Msisdn) -> Result<Option<Timestamp>, Failure> {
        // The position is written out, as in the index.
        const SQL: &str = "SELECT max(at) FROM event WHERE msisdn = ?1 AND kind = 14";
        let until: Option<i64> = self.connection.prepare_cached(SQL)?.query_row([key(number)], |row| row.get(0))?;
        Ok(until.map(micros).transpose()?)
    }

    fn refused_about(&self, number: Msisdn) -> Result<Vec<RefusedRow>, Failure> {
        self.rows_about(number)
    }
}

impl Entering for History<'_> {
    fn add(&mut self, event: &Event, received: Timestamp) -> Result<i64, Failure> {
        const SQL: &str = "
            INSERT INTO event(seq, id, source, at, recorded, received, kind, msisdn, new_msisdn, imsi, amends)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let row = EventColumns::of(self.last_event()? + 1, event, received, self.seal)?;
        self.connection.prepare_cached(SQL)?.execute(params![
            row.seq,
            row.id,
            row.source,
            row.at,
            row.recorded,
            row.received,
            row.kind,
            row.msisdn,
            row.new_msisdn,
            row.imsi,
            row.amends,
        ])?;
        Ok(row.seq)
    }

    fn take_back(&mut self, seq: i64) -> Result<(), Failure> {
        self.connection.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([seq])?;
        Ok(())
    }

    fn erase(&mut self, events: &[i64], number: Msisdn, until: Timestamp) -> Result<(), Failure> {
        let mut delete = self.connection.prepare_cached("DELETE FROM event WHERE seq = ?1")?;
        for seq in events {
            delete.execute([seq])?;
        }
        self.erase_refused(number, until)
    }

    fn refuse(&mut self, row: RefusedEntry, line: Option<&FeedLine>) -> Result<(), Failure> {
        self.add_refused(&row, line)
    }

    fn heartbeat(&mut self, source: &EventText, until: Timestamp) -> Result<(), Failure> {
        const SQL: &str = "INSERT INTO feed(source, complete_until) VALUES (?1, ?2)
            ON CONFLICT (source) DO UPDATE SET complete_until = max(complete_until, excluded.complete_until)";
        self.connection.prepare_cached(SQL)?.execute(params![source.as_str(), until.as_microsecond()])?;
        Ok(())
    }
}
