use jiff::Timestamp;
use laini_core::line::EventText;
use laini_core::store::FeedStatus;
use laini_store::registry::columns::micros;
use laini_store::registry::{Broken, Present, as_of};
use tokio_postgres::Row;

use crate::columns::Columns;
use crate::database::{Transaction, params};
use crate::error::DbError;

/// The columns of [`State`].
macro_rules! state_columns {
    () => {
        "s.version, s.generation, s.cut, s.history_since, s.lines, s.refused_rows, s.last_event, s.last_refused"
    };
}

/// The state with every feed that has said until when it is complete, as of one moment.
pub(super) const WITH_FEEDS: &str = concat!(
    "SELECT ",
    state_columns!(),
    ", f.source, f.complete_until FROM registry_state s LEFT JOIN feed f ON true ORDER BY f.source"
);

/// The row that every writer of the feed locks.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) version: i64,
    pub(super) generation: Option<i64>,
    pub(super) cut: Option<Timestamp>,
    pub(super) history_since: Timestamp,
    pub(super) lines: i64,
    pub(super) refused_rows: i64,
    pub(super) last_event: i64,
    pub(super) last_refused: i64,
}

impl State {
    fn read(row: &Row) -> Result<Self, DbError> {
        let columns = Columns(row);
        Ok(Self {
            version: columns.get("version")?,
            generation: columns.get("generation")?,
            cut: columns.optional_instant("cut")?,
            history_since: micros(columns.get("history_since")?)?,
            lines: columns.get("lines")?,
            refused_rows: columns.get("refused_rows")?,
            last_event: columns.get("last_event")?,
            last_refused: columns.get("last_refused")?,
        })
    }

    /// The state, which nobody else changes until the transaction ends.
    pub(super) async fn lock(transaction: &Transaction<'_>) -> Result<Self, DbError> {
        let sql = concat!("SELECT ", state_columns!(), " FROM registry_state s FOR UPDATE");
        let row = transaction.query_opt(sql, &[]).await?.ok_or(DbError::Damaged("registry_state"))?;
        Self::read(&row)
    }

    /// The state as the transaction sees it.
    pub(super) async fn read_in(transaction: &Transaction<'_>) -> Result<Self, DbError> {
        let sql = concat!("SELECT ", state_columns!(), " FROM registry_state s");
        let row = transaction.query_opt(sql, &[]).await?.ok_or(DbError::Damaged("registry_state"))?;
        Self::read(&row)
    }

    /// Replaces it, under its lock.
    pub(super) async fn write(&self, transaction: &Transaction<'_>) -> Result<(), DbError> {
        let sql = "UPDATE registry_state SET version = $1, generation = $2, cut = $3, history_since = $4, lines = $5,
            refused_rows = $6, last_event = $7, last_refused = $8";
        let (cut, history_since) = (self.cut.map(Timestamp::as_microsecond), self.history_since.as_microsecond());
        let row = params![
            self.version,
            self.generation,
            cut,
            history_since,
            self.lines,
            self.refused_rows,
            self.last_event,
            self.last_refused,
        ];
        transaction.execute(sql, row).await.map(drop)
    }

    /// The instant after which events count.
    pub(super) fn events_after(&self) -> Timestamp {
        self.cut.unwrap_or(Timestamp::MIN)
    }

    pub(super) fn present(&self) -> Present {
        Present { cut: self.cut, has_events: self.last_event > 0 }
    }
}

/// What serves, and how far the feeds are, as of one moment.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) state: State,
    pub(super) feeds: Vec<FeedStatus>,
}

impl View {
    /// Reads the rows of [`WITH_FEEDS`].
    pub(super) fn read(rows: &[Row]) -> Result<Self, DbError> {
        let state = State::read(rows.first().ok_or(DbError::Damaged("registry_state"))?)?;
        let mut feeds = Vec::new();
        for row in rows {
            let columns = Columns(row);
            let Some(source) = columns.get::<Option<&str>>("source")? else { continue };
            let source = EventText::parse(source).map_err(|_| Broken::Damaged("the name of a feed"))?;
            feeds.push(FeedStatus { source, complete_until: columns.instant("complete_until")? });
        }
        Ok(Self { state, feeds })
    }

    /// What the registry is complete to, where these feeds count.
    pub(super) fn as_of(&self, required: &[EventText]) -> Option<Timestamp> {
        self.state.generation.and_then(|_| as_of(self.state.cut, required, &self.feeds))
    }
}
