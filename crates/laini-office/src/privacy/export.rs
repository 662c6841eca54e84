use futures_executor::block_on;
use jiff::Timestamp;

use super::dossier::DossierError;
use super::{Dossier, PrivacyRequest, Sources, Span, Subject, dossier};
use crate::desk::kept_numbers;
use crate::{Actor, Office, Problem};

/// Puts together what is held about a number in a span. Reads the whole span of the ledger; `progress` is told how many
/// rows more were read.
pub fn export(
    office: &Office,
    subject: &Subject,
    span: Span,
    at: Timestamp,
    progress: impl FnMut(u64),
) -> Result<Dossier, Problem> {
    let stores = office.subjects()?;
    let hash = subject.hash.hex();
    let requests = office.run(&Actor::System, at, |work| work.all::<PrivacyRequest>("number", &hash))?;
    let desks = kept_numbers(office, subject.number, span, at)?;
    let sources = Sources {
        found: &subject.found,
        feed: &*stores.feed,
        ledger: &*office.ledger,
        refusals: &*office.refusals,
        desks: &desks,
        accounts: &*office.accounts,
    };
    Ok(block_on(dossier(&sources, (subject.number, subject.hash), span, &requests, at, progress))?)
}

impl From<DossierError> for Problem {
    fn from(error: DossierError) -> Self {
        match error {
            DossierError::TooMany => Self::not_now(error.to_string()),
            DossierError::Ledger(error) => error.into(),
            DossierError::Accounts(error) => error.into(),
            DossierError::Feed(_) | DossierError::Refusals(_) => Self::Store(error.to_string()),
        }
    }
}

impl From<laini_core::store::FeedError> for Problem {
    fn from(error: laini_core::store::FeedError) -> Self {
        Self::Store(error.to_string())
    }
}
