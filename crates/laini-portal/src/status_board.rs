use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use laini_office::status::{Picture, picture};
use laini_office::{Actor, Problem};
use tokio::time::timeout;

use crate::portal::Portal;

/// A picture is shown for so long before a newer one is taken.
const SHOWN_FOR: SignedDuration = SignedDuration::from_secs(10);
/// Whoever looks waits so long for a newer one; then the last known one is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// The picture of the service that everybody is shown: one for all, taken by one at a time, so that a crowd costs the
/// store nothing, and one that does not answer leaves the last known picture.
#[derive(Default)]
pub(crate) struct StatusBoard {
    held: Mutex<Option<Arc<Picture>>>,
    taking: Arc<tokio::sync::Mutex<()>>,
}

impl StatusBoard {
    fn held(&self) -> Option<Arc<Picture>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, picture: Picture) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(picture));
    }
}

impl Portal {
    /// The newest picture that can be had soon.
    pub(crate) async fn picture(self: &Arc<Self>, now: Timestamp) -> Result<Arc<Picture>, Problem> {
        let is_new = |picture: &Arc<Picture>| now.duration_since(picture.at) < SHOWN_FOR;
        if let Some(picture) = self.board.held().filter(is_new) {
            return Ok(picture);
        }
        let taking = Arc::clone(&self.board.taking);
        let place = match (taking.clone().try_lock_owned(), self.board.held()) {
            (Ok(place), _) => Some(place),
            // Somebody takes one already.
            (Err(_), Some(picture)) => return Ok(picture),
            (Err(_), None) => timeout(PATIENCE, taking.lock_owned()).await.ok(),
        };
        if let Some(place) = place.filter(|_| self.board.held().is_none_or(|held| !is_new(&held))) {
            let portal = Arc::clone(self);
            let take = tokio::spawn(async move {
                let _place = place;
                let every = portal.office.settings.probe_every;
                let take =
                    move |office: &laini_office::Office| office.run(&Actor::Stranger, now, |work| picture(work, every));
                match portal.blocking(take).await {
                    Ok(Ok(taken)) => portal.board.hold(taken),
                    Ok(Err(problem)) | Err(problem) => {
                        tracing::warn!(%problem, "a newer picture of the status cannot be taken");
                    }
                }
            });
            // Where it lasts longer it goes on, for whoever looks next.
            let _ = timeout(PATIENCE, take).await;
        }
        self.board.held().ok_or_else(|| Problem::Store("there is no picture of the status yet".to_owned()))
    }
}
