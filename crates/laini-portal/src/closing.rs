use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use laini_core::billing::Month;
use laini_office::billing::{CloseReport, close_month};
use laini_office::{Actor, Office, Problem};

/// What came of the close of a month; `None` = none was begun, or it is under way.
type CameTo = Option<(Month, Result<CloseReport, Problem>)>;

/// The close that a page has begun: it goes on by itself, and pages look how far it is.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    /// What came of the newest one.
    came_to: Arc<Mutex<CameTo>>,
}

impl Closing {
    /// Begins to close a month.
    pub(crate) fn begin(&self, office: &Arc<Office>, actor: Actor, month: Month, at: Timestamp) -> Result<(), Problem> {
        let place = office.jobs.close()?;
        let (office, came_to) = (Arc::clone(office), Arc::clone(&self.came_to));
        *came_to.lock().unwrap_or_else(PoisonError::into_inner) = None;
        tokio::task::spawn_blocking(move || {
            let done = close_month(&office, &actor, month, at, false);
            if let Err(Problem::Store(error)) = &done {
                tracing::error!(error, "a month could not be closed");
            }
            *came_to.lock().unwrap_or_else(PoisonError::into_inner) = Some((month, done));
            drop(place);
        });
        Ok(())
    }

    /// What came of the newest one that a page of this process began.
    pub(crate) fn came_to(&self) -> CameTo {
        self.came_to.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
