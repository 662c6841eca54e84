//! What comes from outside of the rules, as traits: the composing program hands them in.

use jiff::Timestamp;

/// The time of day. Asked once per request.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// Cryptographically secure randomness. Asked once or twice per request, so it must be cheap.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// 64 random bits.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_ne_bytes(bytes)
    }
}
