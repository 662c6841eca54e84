use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use laini_core::partner::{AppId, SecretUse};
use laini_core::store::AccountStore;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The last uses are written down so often: so old is what people see at most.
const WRITE_EVERY_S: u64 = 60;
/// Writing them may take so long; what could not be written waits for the next time.
const WRITE_TIMEOUT_MS: u64 = 5_000;

/// When secrets were last used, until that is written down. Holds an entry for each secret that is good at most, for
/// only those are noted; a token request waits for nothing.
#[derive(Default)]
pub(super) struct SecretUses(Mutex<HashMap<(AppId, u32), SecretUse>>);

impl SecretUses {
    /// A secret got a token.
    pub(super) fn note(&self, used: SecretUse) {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).entry((used.app, used.secret)) {
            Entry::Vacant(vacant) => {
                vacant.insert(used);
            }
            Entry::Occupied(mut there) => {
                let latest = there.get().at.max(used.at);
                there.get_mut().at = latest;
            }
        }
    }

    /// Writes them down for ever, now and then.
    pub(super) async fn keep(&self, accounts: &dyn AccountStore) {
        let mut ticks = interval(Duration::from_secs(WRITE_EVERY_S));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.write(accounts).await;
        }
    }

    /// Writes down what was noted since the last time.
    pub(super) async fn write(&self, accounts: &dyn AccountStore) {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if noted.is_empty() {
            return;
        }
        let uses: Vec<SecretUse> = noted.into_values().collect();
        let written = timeout(Duration::from_millis(WRITE_TIMEOUT_MS), accounts.note_secret_uses(uses.clone())).await;
        let why = match written {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(why, "when secrets were last used could not be written down; it is tried again");
        for used in uses {
            self.note(used);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_latest_use_of_each_secret_is_kept() {
        let uses = SecretUses::default();
        let used = |app, secret, second| SecretUse {
            app: AppId::from_stored(app),
            secret,
            at: Timestamp::from_second(second).unwrap(),
        };
        for one in [used(1, 0, 5), used(1, 1, 3), used(1, 0, 9), used(1, 0, 7), used(2, 0, 1)] {
            uses.note(one);
        }
        let mut noted: Vec<_> = uses.0.lock().unwrap().values().copied().collect();
        noted.sort_by_key(|one| (one.app, one.secret));
        assert_eq!(noted, [used(1, 0, 9), used(1, 1, 3), used(2, 0, 1)]);
    }
}
