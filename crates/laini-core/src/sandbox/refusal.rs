use super::{CLOCK_AHEAD_DAYS_MAX, WORLD_EVENTS_MAX, WORLD_LINES_MAX};
use crate::line::Refusal;

/// Why a world cannot be changed like that; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldRefusal {
    /// The world has no line of its own under that number.
    #[error("the world has no such line; put it first")]
    NoSuchLine,
    /// The number is not served, so there is nothing to withhold.
    #[error("the number is not served; register it first, or put a line")]
    NotServed,
    /// The published sample is the one fixed answer.
    #[error("the published sample is fixed; use another number")]
    SampleIsFixed,
    /// An instant that the world's clock has not reached.
    #[error("{0} lies in the future of the world; advance its clock first")]
    Future(&'static str),
    /// Something that would have happened before what the line states.
    #[error("it would have happened before the registration or swap that the line states; put the line anew")]
    BeforeStated,
    /// A swap before the line existed.
    #[error("last_swap_at lies before registered_at")]
    SwapBeforeRegistration,
    /// A cause of no swap.
    #[error("swap_cause says why the swap at last_swap_at happened; state both")]
    CauseWithoutSwap,
    /// The clock moves forward only.
    #[error("the clock moves forward only; reset the world to begin anew")]
    ClockBack,
    /// The clock would be too far ahead.
    #[error("the clock may be at most {CLOCK_AHEAD_DAYS_MAX} days ahead; reset the world to begin anew")]
    ClockTooFar,
    /// A stopped feed tells of nothing.
    #[error("the world's feed is stopped, so nothing new can be told; start it first")]
    FeedStopped,
    /// Too many lines.
    #[error("the world has {WORLD_LINES_MAX} lines of its own, the most there may be; remove some, or reset it")]
    LinesFull,
    /// Too many events.
    #[error("the world has {WORLD_EVENTS_MAX} events, the most there may be; put lines anew, or reset it")]
    EventsFull,
    /// What the feed's rules say to it.
    #[error(transparent)]
    ByRule(#[from] Refusal),
}
