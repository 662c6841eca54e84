use std::sync::{Condvar, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use laini_core::Entropy;
use laini_core::access::SecretHash;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Problem;

/// What one hash takes: memory in KiB, passes, lanes.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Hashes at once in one process: each keeps a core busy for tens of milliseconds and takes 19 MiB.
const AT_ONCE: usize = 2;
/// The longest text that is hashed at all.
pub(super) const PASSWORD_BYTES_MAX: usize = 1024;

/// What is kept of a password: Argon2id under a salt of its own, with what it cost.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash {
    cost: (u32, u32, u32),
    /// 16 random bytes in Base64.
    salt: String,
    /// 32 bytes in Base64.
    hash: String,
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl PasswordHash {
    /// Hashes a password that was judged before. Blocks for tens of milliseconds, and longer where others hash.
    pub fn of(password: &str, entropy: &dyn Entropy) -> Result<Self, Problem> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        let hash = hashed(COST, password, &salt)?;
        Ok(Self { cost: COST, salt: STANDARD_NO_PAD.encode(salt), hash: STANDARD_NO_PAD.encode(*hash) })
    }

    /// Whether `password` is the one of `kept`. Takes as long where there is none.
    pub fn proves(kept: Option<&Self>, password: &str) -> Result<bool, Problem> {
        let none = Self { cost: COST, salt: String::new(), hash: String::new() };
        let of = kept.unwrap_or(&none);
        let salt = STANDARD_NO_PAD.decode(&of.salt).unwrap_or_default();
        let salt = salt.first_chunk::<16>().copied().unwrap_or_default();
        let hash = hashed(of.cost, password, &salt)?;
        let expected = STANDARD_NO_PAD.decode(&of.hash).unwrap_or_default();
        let expected = expected.first_chunk::<32>().copied();
        Ok(expected.is_some_and(|expected| SecretHash(expected) == SecretHash(*hash)))
    }
}

fn hashed(
    (memory, passes, lanes): (u32, u32, u32),
    password: &str,
    salt: &[u8],
) -> Result<Zeroizing<[u8; 32]>, Problem> {
    let failed = |error: argon2::Error| Problem::Store(format!("a password cannot be hashed: {error}"));
    let params = Params::new(memory, passes, lanes, Some(32)).map_err(failed)?;
    let _place = GATE.enter();
    let mut hash = Zeroizing::new([0; 32]);
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(password.as_bytes(), salt, &mut *hash).map_err(failed)?;
    Ok(hash)
}

/// Of the whole process, as its memory and its cores are.
static GATE: Gate = Gate { inside: Mutex::new(0), left: Condvar::new() };

/// Lets so many in at once; the others wait. How many can wait is bounded by whoever calls.
struct Gate {
    inside: Mutex<usize>,
    left: Condvar,
}

struct Place<'g>(&'g Gate);

impl Gate {
    fn enter(&self) -> Place<'_> {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inside =
            self.left.wait_while(inside, |inside| *inside >= AT_ONCE).unwrap_or_else(PoisonError::into_inner);
        *inside += 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.inside.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sevens;
    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_password_is_proved_by_itself_alone_and_is_nowhere_to_be_read() {
        let kept = PasswordHash::of("four words walk home", &Sevens).unwrap();
        assert_eq!(PasswordHash::proves(Some(&kept), "four words walk home"), Ok(true));
        assert_eq!(PasswordHash::proves(Some(&kept), "four words walk Home"), Ok(false));
        assert_eq!(PasswordHash::proves(None, ""), Ok(false));
        let text = format!("{kept:?}{}", serde_json::to_string(&kept).unwrap());
        assert!(!text.contains("walk"), "{text}");
        assert!(text.contains("[19456,2,1]"), "{text}");
    }

    #[test]
    fn few_hash_at_once_and_the_others_wait() {
        let gate = Gate { inside: Mutex::new(0), left: Condvar::new() };
        let most = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let _place = gate.enter();
                    let inside = *gate.inside.lock().unwrap();
                    most.fetch_max(inside, std::sync::atomic::Ordering::Relaxed);
                    std::thread::yield_now();
                });
            }
        });
        assert!((1..=AT_ONCE).contains(&most.into_inner()));
        assert_eq!(*gate.inside.lock().unwrap(), 0);
    }
}
