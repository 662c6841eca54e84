use jiff::Timestamp;
use laini_core::line::{Event, EventKey, EventKind, EventText, Happening, Imsi, Msisdn, RegistrySeal, SealedImsi};
use laini_core::store::FeedStatus;
use rusqlite::{Connection, params};

use super::columns::{key, micros, msisdn, nth, position};
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
"];

const EVENT: &str = "SELECT seq, id, source, at, recorded, received, kind, msisdn, new_msisdn, imsi, amends FROM event";

/// Numbers start here, so that this plus an event's place is a number of its own.
const ANCHOR: i64 = 10_000;

/// The history as one connection sees it. Transactions are the caller's.
pub(super) struct History<'a> {
    pub(super) connection: &'a Connection,
    pub(super) seal: &'a RegistrySeal,
}

/// An event of the history.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its place in the order of arrival.
    pub(super) seq: i64,
    pub(super) received: Timestamp,
    pub(super) event: Event,
}

impl Entry {
    /// Whether a snapshot cut at `cut` may lack it: it happened, or only became known, later.
    pub(super) fn is_news_after(&self, cut: Timestamp) -> bool {
        self.event.at.max(self.received) > cut
    }

    /// The number that it links to the one it is about.
    pub(super) fn new_msisdn(&self) -> Option<Msisdn> {
        new_msisdn(&self.event.happening)
    }
}

fn new_msisdn(happening: &Happening) -> Option<Msisdn> {
    match happening {
        Happening::NumberChanged { new_msisdn } => Some(*new_msisdn),
        Happening::Correction { new_msisdn, .. } => *new_msisdn,
        _ => None,
    }
}

/// What became of an event that was to be added.
pub(super) enum Added {
    /// It stands at this place now.
    New(i64),
    /// It was there.
    Same,
    /// Another event has its key.
    Other,
}

impl History<'_> {
    /// Adds an event once. The same key again is the same event where it says that the same happened;
    /// when it was written down does not matter.
    pub(super) fn add(&self, event: &Event, received: Timestamp) -> Result<Added, Failure> {
        const SQL: &str = "
            INSERT INTO event(seq, id, source, at, recorded, received, kind, msisdn, new_msisdn, imsi, amends)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        if let Some(known) = self.by_key(&event.key)? {
            let same = known.event.at == whole_micros(event.at)?
                && known.event.msisdn == event.msisdn
                && known.event.happening == event.happening;
            return Ok(if same { Added::Same } else { Added::Other });
        }
        let seq = self.last_event()? + 1;
        let imsi = imsi(&event.happening).map(|imsi| anchor(event.msisdn, seq).map(|to| self.seal.seal(to, imsi)));
        self.connection.prepare_cached(SQL)?.execute(params![
            seq,
            event.key.id.as_str(),
            event.key.source.as_str(),
            event.at.as_microsecond(),
            event.recorded.as_microsecond(),
            received.as_microsecond(),
            position(&EventKind::ALL, &event.happening.kind()),
            event.msisdn.map(key),
            new_msisdn(&event.happening).map(key),
            imsi.transpose()?.map(|sealed| sealed.0),
            event.happening.amends().map(EventText::as_str),
        ])?;
        Ok(Added::New(seq))
    }

    /// Takes back the newest event, within the transaction that added it.
    pub(super) fn take_back(&self, seq: i64) -> Result<(), Failure> {
        self.connection.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([seq])?;
        Ok(())
    }

    /// The place of the newest event; events are never removed, so it is their number too.
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

    /// The event of a key.
    pub(super) fn by_key(&self, key: &EventKey) -> Result<Option<Entry>, Failure> {
        Ok(self.select("id = ?1 AND source = ?2", [key.id.as_str(), key.source.as_str()])?.pop())
    }

    /// Corrections and retractions of the event of a key.
    pub(super) fn amendments(&self, key: &EventKey) -> Result<Vec<Entry>, Failure> {
        self.select("amends = ?1 AND source = ?2", [key.id.as_str(), key.source.as_str()])
    }

    /// Events that name a number, as the one they are about or the new one.
    pub(super) fn naming(&self, number: Msisdn) -> Result<Vec<Entry>, Failure> {
        self.select("msisdn = ?1 OR new_msisdn = ?1", [key(number)])
    }

    /// How many events name a number.
    pub(super) fn count_naming(&self, number: Msisdn) -> Result<i64, Failure> {
        const SQL: &str = "SELECT count(*) FROM event WHERE msisdn = ?1 OR new_msisdn = ?1";
        Ok(self.connection.prepare_cached(SQL)?.query_row([key(number)], |row| row.get(0))?)
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
        let seq = row.get(0)?;
        let number = row.get::<_, Option<i64>>(7)?.map(msisdn).transpose()?;
        let sealed: Option<[u8; 16]> = row.get(9)?;
        let imsi = match sealed {
            Some(sealed) => Some(self.seal.open(anchor(number, seq)?, SealedImsi(sealed))?),
            None => None,
        };
        let amends = row.get::<_, Option<String>>(10)?.map(|of| text(&of)).transpose()?;
        let event = Event {
            key: EventKey { id: text(&row.get::<_, String>(1)?)?, source: text(&row.get::<_, String>(2)?)? },
            at: micros(row.get(3)?)?,
            recorded: micros(row.get(4)?)?,
            msisdn: number,
            happening: happening(row.get(6)?, imsi, row.get::<_, Option<i64>>(8)?.map(msisdn).transpose()?, amends)
                .ok_or(Failure::Damaged("an event"))?,
        };
        Ok(Entry { seq, received: micros(row.get(5)?)?, event })
    }

    /// Moves a feed's completeness forward, never back.
    pub(super) fn heartbeat(&self, source: &EventText, until: Timestamp) -> Result<(), Failure> {
        const SQL: &str = "INSERT INTO feed(source, complete_until) VALUES (?1, ?2)
            ON CONFLICT (source) DO UPDATE SET complete_until = max(complete_until, excluded.complete_until)";
        self.connection.prepare_cached(SQL)?.execute(params![source.as_str(), until.as_microsecond()])?;
        Ok(())
    }

    /// Each feed and how far it is complete.
    pub(super) fn feeds(&self) -> Result<Vec<FeedStatus>, Failure> {
        let mut statement =
            self.connection.prepare_cached("SELECT source, complete_until FROM feed ORDER BY source")?;
        let mut rows = statement.query([])?;
        let mut feeds = Vec::new();
        while let Some(row) = rows.next()? {
            let source = text(&row.get::<_, String>(0)?)?;
            feeds.push(FeedStatus { source, complete_until: micros(row.get(1)?)? });
        }
        Ok(feeds)
    }
}

/// An IMSI is sealed to the number that its event states, or else to the event's own place.
fn anchor(stated: Option<Msisdn>, seq: i64) -> Result<Msisdn, Failure> {
    stated.map_or_else(|| msisdn(ANCHOR + seq), Ok)
}

/// An instant as the history keeps it.
fn whole_micros(at: Timestamp) -> Result<Timestamp, Failure> {
    micros(at.as_microsecond())
}

fn text(stored: &str) -> Result<EventText, Failure> {
    EventText::parse(stored).map_err(|_| Failure::Damaged("the name of an event"))
}

fn imsi(happening: &Happening) -> Option<Imsi> {
    match happening {
        Happening::Registered(imsi)
        | Happening::SimReplaced(imsi)
        | Happening::EsimIssued(imsi)
        | Happening::PortedIn(imsi)
        | Happening::Recycled(imsi) => Some(*imsi),
        Happening::Correction { imsi, .. } => *imsi,
        _ => None,
    }
}

/// The happening made of its columns; `None` where one is missing.
fn happening(
    kind: i64,
    imsi: Option<Imsi>,
    new_msisdn: Option<Msisdn>,
    amends: Option<EventText>,
) -> Option<Happening> {
    Some(match nth(&EventKind::ALL, kind)? {
        EventKind::Registered => Happening::Registered(imsi?),
        EventKind::SimReplaced => Happening::SimReplaced(imsi?),
        EventKind::EsimIssued => Happening::EsimIssued(imsi?),
        EventKind::PortedIn => Happening::PortedIn(imsi?),
        EventKind::DeviceChanged => Happening::DeviceChanged,
        EventKind::Suspended => Happening::Suspended,
        EventKind::Resumed => Happening::Resumed,
        EventKind::PortedOut => Happening::PortedOut,
        EventKind::Terminated => Happening::Terminated,
        EventKind::Recycled => Happening::Recycled(imsi?),
        EventKind::NumberChanged => Happening::NumberChanged { new_msisdn: new_msisdn? },
        EventKind::Correction => Happening::Correction { of: amends?, imsi, new_msisdn },
        EventKind::Retraction => Happening::Retraction { of: amends? },
        EventKind::Heartbeat => return None,
    })
}
