use laini_core::store::FeedError;
use laini_store::registry::Broken;
use tokio_postgres::error::SqlState;

/// Why the engine cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database cannot be read.
    #[error("the address of the database cannot be read: {0}")]
    Url(String),
    /// A certificate authority that cannot be read.
    #[error("the certificate authorities of the database cannot be read: {0}")]
    Authorities(String),
    /// No server that takes writes answered.
    #[error("no database that takes writes can be reached: {0}")]
    Unreachable(String),
    /// Tables of a newer release that this one cannot work beside.
    #[error(
        "the database was set up by a newer release (schema {found}, this one knows {known}); start that release, or restore a backup"
    )]
    Newer {
        /// The schema of the database.
        found: usize,
        /// The newest schema that this release knows.
        known: usize,
    },
    /// The tables cannot be made or changed.
    #[error("the tables cannot be set up: {0}")]
    Setup(String),
    /// Keys of another installation.
    #[error("the keys of this node are not those that the database was written under")]
    OtherKeys,
    /// Another installation was to be copied into it.
    #[error("a copy of another installation into the database was begun and not finished")]
    HalfCopied,
    /// The data directory cannot be served from.
    #[error(transparent)]
    Lock(#[from] laini_store::ledger::LockError),
    /// A file beside the database cannot be used.
    #[error("{file}: {source}")]
    File {
        /// The file's name.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Why something was not read from or written to the database.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum DbError {
    /// Nothing was done: no connection was to be had, it broke, or the time was over before a commit.
    #[error("{0}")]
    Unavailable(String),
    /// Nothing was done: the database refused a statement.
    #[error("{message} ({})", state.code())]
    Refused {
        /// The condition, as PostgreSQL codes it.
        state: SqlState,
        /// What the database said. Statements carry personal data as parameters only, never in their text.
        message: String,
    },
    /// A commit was sent, and whether it counts is not known.
    #[error("a commit was not confirmed: {0}")]
    Unknown(String),
    /// A row holds what is never written.
    #[error("column {0} holds a value that is never written")]
    Damaged(&'static str),
}

impl From<Broken> for DbError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Seal(_) => Self::Damaged("imsi"),
            Broken::Damaged(what) => Self::Damaged(what),
            broken @ (Broken::Spill(_) | Broken::Interrupted) => Self::Unavailable(broken.to_string()),
        }
    }
}

impl From<DbError> for FeedError {
    fn from(error: DbError) -> Self {
        Self::Engine(error.to_string())
    }
}

impl DbError {
    /// Reads an error of a statement before its commit.
    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            // A message of the server's own may quote a row ("Failing row contains …"), its detail above
            // all; the message alone never does.
            Some(refusal) => Self::Refused { state: refusal.code().clone(), message: refusal.message().to_owned() },
            None => Self::Unavailable(described(error)),
        }
    }

    /// Reads an error of a COMMIT, or of a statement that commits by itself.
    pub(crate) fn of_commit(error: &tokio_postgres::Error) -> Self {
        match Self::of(error) {
            Self::Refused { state, message } if is_undecided(&state) => Self::Unknown(message),
            Self::Unavailable(message) => Self::Unknown(message),
            refused => refused,
        }
    }

    /// Whether the same work may succeed when it is begun anew: the database gave it up in favour of others.
    pub(crate) fn is_passing(&self) -> bool {
        const PASSING: [SqlState; 3] =
            [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE];
        matches!(self, Self::Refused { state, .. } if PASSING.contains(state))
    }

    /// Whether somebody held a lock that it needed, for longer than is waited for one.
    pub(crate) fn is_locked_out(&self) -> bool {
        matches!(self, Self::Refused { state, .. } if *state == SqlState::LOCK_NOT_AVAILABLE)
    }

    /// Whether a constraint refused it.
    pub(crate) fn is_duplicate(&self) -> bool {
        matches!(self, Self::Refused { state, .. } if *state == SqlState::UNIQUE_VIOLATION)
    }

    /// Whether the connection that it came over is of no use any more.
    pub(crate) fn ends_connection(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Unknown(_) => true,
            // A server that was demoted stays reachable, and read-only.
            Self::Refused { state, .. } => {
                *state == SqlState::READ_ONLY_SQL_TRANSACTION || is_undecided(state) || state.code().starts_with("53")
            }
            Self::Damaged(_) => false,
        }
    }
}

/// What came of a commit that ended with this condition is not known: the session was ended under it
/// (57, 08), or the server itself failed (58, XX).
fn is_undecided(state: &SqlState) -> bool {
    *state == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
        || ["57", "08", "58", "XX"].iter().any(|class| state.code().starts_with(class))
}

/// An error with what lies under it: tokio-postgres says the cause only there.
pub(crate) fn described(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
