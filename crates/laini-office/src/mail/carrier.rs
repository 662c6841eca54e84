use jiff::Timestamp;
use laini_core::partner::LetterId;

use super::Letter;

/// What brings letters to people. Blocks its thread.
pub trait Carrier: Send + Sync {
    /// Carries a letter. The same id may come twice, where a crash came in between.
    fn carry(&self, id: LetterId, letter: &Letter, at: Timestamp) -> Result<(), CarryError>;
}

/// Why a letter was not carried: in our words, without the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct CarryError {
    /// Whether trying again is of no use.
    pub is_final: bool,
    /// Why.
    pub reason: String,
}
