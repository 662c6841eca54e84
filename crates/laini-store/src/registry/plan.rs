use jiff::{SignedDuration, Timestamp};
use laini_core::store::{FeedError, SnapshotPlan};

/// How far ahead of the clock a cut may be.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What a snapshot must not roll back or forget.
#[derive(Debug, Clone, Copy)]
pub struct Present {
    /// The cut of the generation that serves.
    pub cut: Option<Timestamp>,
    /// Whether the history has any event.
    pub has_events: bool,
}

impl Present {
    /// Refuses a snapshot that would roll back, or forget, what is known. `cut` is `None` while only the
    /// rows can tell it.
    pub fn check(self, plan: &SnapshotPlan, cut: Option<Timestamp>) -> Result<(), FeedError> {
        if plan.cut.is_none() && self.has_events {
            return Err(FeedError::CutNeeded);
        }
        let Some(cut) = cut else { return Ok(()) };
        if cut > plan.now.saturating_add(CLOCK_TOLERANCE).unwrap_or(Timestamp::MAX) {
            return Err(FeedError::FutureCut { cut });
        }
        match self.cut.filter(|present| cut < *present) {
            Some(present) => Err(FeedError::OlderCut { cut, present }),
            None => Ok(()),
        }
    }
}

/// Refuses a number of lines that is smaller by 0.5 % or more, unless that is all right.
pub fn check_lines(plan: &SnapshotPlan, lines: u64, before: u64) -> Result<(), FeedError> {
    let is_shrunk = before.saturating_sub(lines).saturating_mul(200) >= before.max(1);
    if is_shrunk && !plan.allow_shrink {
        return Err(FeedError::Shrunk { lines, before });
    }
    Ok(())
}
