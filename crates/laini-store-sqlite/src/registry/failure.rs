use laini_core::line::BrokenSeal;
use laini_core::store::{FeedError, RegistryError};
use laini_store::registry::Broken;

use crate::sql::StoreError;

/// Why a step of the registry failed, before a port puts it into its own words.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a registry database failed: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    Refused(#[from] FeedError),
}

impl From<BrokenSeal> for Failure {
    fn from(broken: BrokenSeal) -> Self {
        Self::Broken(broken.into())
    }
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
            Failure::Broken(Broken::Seal(_) | Broken::Damaged(_)) => Self::Bad(failure.to_string()),
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
