use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// For how long one failure counts against readiness. Afterwards traffic may try again.
const FAILURE_COUNTS_MS: u64 = 5_000;

/// Whether the newest record failed, and not long ago.
#[derive(Debug, Default)]
pub(super) struct LedgerHealth {
    /// Read on every check; the instant only after a failure.
    failed: AtomicBool,
    failed_at: Mutex<Option<Instant>>,
}

impl LedgerHealth {
    /// Notes how a record ended.
    pub(super) fn note(&self, ok: bool) {
        if !ok {
            *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            self.failed.store(true, Ordering::Relaxed);
        } else if self.failed.load(Ordering::Relaxed) {
            self.failed.store(false, Ordering::Relaxed);
        }
    }

    /// Whether checks are likely to fail now.
    pub(super) fn is_failing(&self) -> bool {
        let failed_at = *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        self.failed.load(Ordering::Relaxed)
            && failed_at.is_some_and(|at| at.elapsed() < Duration::from_millis(FAILURE_COUNTS_MS))
    }
}
