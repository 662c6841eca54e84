use laini_core::line::BrokenSeal;
use laini_core::store::{FeedError, RegistryError};

use crate::sql::StoreError;

/// Why a step of the registry failed, before a port puts it into its own words.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a registry database failed: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error("a temporary file of the snapshot failed: {0}")]
    Spill(#[from] std::io::Error),
    #[error(transparent)]
    Seal(#[from] BrokenSeal),
    #[error("a registry database is damaged ({0}); load a snapshot, or restore a backup")]
    Damaged(&'static str),
    #[error("a step of the load ended early")]
    Interrupted,
    #[error(transparent)]
    Refused(#[from] FeedError),
}

impl From<Failure> for FeedError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            other => Self::Engine(other.to_string()),
        }
    }
}

impl From<Failure> for RegistryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Seal(_) | Failure::Damaged(_) => Self::Bad(failure.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        const FILE: &str = "registry";
        match failure {
            Failure::Store(error) => error,
            Failure::Sql(source) => Self::Sqlite { file: FILE.to_owned(), source },
            other => Self::File { file: FILE.to_owned(), source: std::io::Error::other(other.to_string()) },
        }
    }
}
