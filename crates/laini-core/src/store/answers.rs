use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{BoxFuture, LedgerError, Recorded};
use crate::partner::AppId;

/// The answers that are kept under callers' idempotency keys (contract §5): durable, per app, sealed,
/// written in the transaction of the charge ([`super::Ledger::submit`]).
pub trait AnswerMemory: Send + Sync {
    /// Takes a key for a request that is about to run, or says why it must not run. At most one caller
    /// holds a key at a time; it is free again when the [`Claimed::Mine`] is dropped, also by a crash.
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, LedgerError>>;
}

/// Keyed hash of app, method, path and the caller's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnswerKey(pub [u8; 16]);

/// Keyed hash of the parsed request: the same question gives the same hash, however it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestHash(pub [u8; 16]);

/// A request that wants its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Whose.
    pub app: AppId,
    /// Under which key.
    pub key: AnswerKey,
    /// For which request.
    pub request: RequestHash,
    /// When.
    pub at: Timestamp,
}

/// What became of a claim.
pub enum Claimed {
    /// The request may run; the key is given back when this is dropped.
    Mine(Box<dyn Send + Sync>),
    /// The same key is running already.
    Running,
    /// The key was used for another request.
    OtherRequest,
    /// Here is what was answered.
    Stored(Vec<u8>),
    /// It was answered too long ago to be told again: a stale "not swapped" must not be replayed.
    TooLate,
}

impl fmt::Debug for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mine(_) => "Mine",
            Self::Running => "Running",
            Self::OtherRequest => "OtherRequest",
            Self::Stored(_) => "Stored(…)",
            Self::TooLate => "TooLate",
        })
    }
}

/// Writes the answer once it is known how each check was recorded. Called inside the transaction, on
/// the engine's thread: pure and quick.
pub type AnswerWriter = Arc<dyn Fn(&[Recorded]) -> Vec<u8> + Send + Sync>;

/// An answer to be stored.
#[derive(Clone)]
pub struct KeyedAnswer {
    /// What claimed the key.
    pub claim: Claim,
    /// Writes it.
    pub write: AnswerWriter,
}

impl fmt::Debug for KeyedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedAnswer({:?})", self.claim)
    }
}

/// An answer that was stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// For which request.
    pub request: RequestHash,
    /// When it was answered.
    pub at: Timestamp,
    /// What was answered.
    pub answer: Vec<u8>,
}

impl fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredAnswer(at {})", self.at)
    }
}

impl StoredAnswer {
    /// For so long the stored answer is told again.
    pub const REPLAYED_FOR: SignedDuration = SignedDuration::from_mins(10);
    /// For so long the key is known; afterwards it is free.
    pub const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(24);
    /// After so long at the latest it is deleted.
    pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(25);

    /// What a claim finds where this was stored; `None` = the key is free again.
    pub fn found_by(self, claim: &Claim) -> Option<Claimed> {
        let age = claim.at.duration_since(self.at);
        if age > Self::KNOWN_FOR {
            return None;
        }
        Some(if self.request != claim.request {
            Claimed::OtherRequest
        } else if age > Self::REPLAYED_FOR {
            Claimed::TooLate
        } else {
            Claimed::Stored(self.answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_answer_is_told_for_ten_minutes_and_known_for_a_day() {
        let at = Timestamp::from_second(1_795_000_000).unwrap();
        let request = RequestHash([1; 16]);
        let found = |seconds, request| {
            let claim = Claim {
                app: AppId::from_stored(1),
                key: AnswerKey([2; 16]),
                request,
                at: at + SignedDuration::from_secs(seconds),
            };
            StoredAnswer { request: RequestHash([1; 16]), at, answer: vec![7] }.found_by(&claim)
        };
        assert!(matches!(found(0, request), Some(Claimed::Stored(answer)) if answer == [7]));
        assert!(matches!(found(600, request), Some(Claimed::Stored(_))));
        assert!(matches!(found(601, request), Some(Claimed::TooLate)));
        assert!(matches!(found(86_400, request), Some(Claimed::TooLate)));
        assert!(found(86_401, request).is_none());
        assert!(matches!(found(0, RequestHash([3; 16])), Some(Claimed::OtherRequest)));
        assert!(matches!(found(86_400, RequestHash([3; 16])), Some(Claimed::OtherRequest)));
        // A clock that was set back finds it fresh.
        assert!(matches!(found(-60, request), Some(Claimed::Stored(_))));
    }
}
