use std::fmt;

use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::base62;
use crate::mac::keyed;
use crate::partner::{AppId, Environment};

/// How long a token lives: the published 3,599 seconds.
pub const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_secs(3_599);

const FORMAT: u8 = 1;

/// A bearer token as it leaves: 55 letters and digits.
pub struct Token(String);

impl Token {
    /// The text, for the one it is made for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenClaims {
    /// The app that it was given to.
    pub app: AppId,
    /// The environment of that app.
    pub environment: Environment,
    /// The app's epoch when it was given; a later one revokes it.
    pub epoch: u32,
    /// Its last second.
    pub expires: Timestamp,
    /// 48 random bits that tell tokens apart.
    pub nonce: u64,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not made here, or altered.
    #[error("not issued by this service")]
    Unknown,
    /// Past its time.
    #[error("expired")]
    Expired,
}

/// Signs and reads tokens. Layout before base 62, in 8-byte blocks: app · expiry (s) and epoch ·
/// format, environment and nonce · 16 bytes of HMAC-SHA-256 over those.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

impl TokenKey {
    /// A key of 256 bits.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(keyed(key))
    }

    /// Signs claims. The expiry is cut to whole seconds, the nonce to 48 bits.
    pub fn sign(&self, claims: &TokenClaims) -> Token {
        let expires = u32::try_from(claims.expires.as_second()).unwrap_or(u32::MAX);
        let environment: u8 = match claims.environment {
            Environment::Sandbox => 0,
            Environment::Production => 1,
        };
        let body = [
            claims.app.as_u64(),
            u64::from(expires) << 32 | u64::from(claims.epoch),
            u64::from(FORMAT) << 56 | u64::from(environment) << 48 | claims.nonce & 0xffff_ffff_ffff,
        ];
        let [first, second] = self.mac(&body);
        Token(base62::encode(&[body[0], body[1], body[2], first, second]))
    }

    /// Reads and verifies a token. Whether its app still is what it was is for the caller to ask.
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<TokenClaims, TokenError> {
        let claims = self.read(text)?;
        if now > claims.expires { Err(TokenError::Expired) } else { Ok(claims) }
    }

    /// What a genuine token says, be it expired: to know whose it was, never to let anybody in.
    pub fn read(&self, text: &str) -> Result<TokenClaims, TokenError> {
        let [app, times, flags, first, second] = base62::decode::<5>(text).ok_or(TokenError::Unknown)?;
        let expected = self.mac(&[app, times, flags]);
        let genuine = expected[0].ct_eq(&first) & expected[1].ct_eq(&second);
        if !bool::from(genuine) || flags >> 56 != u64::from(FORMAT) {
            return Err(TokenError::Unknown);
        }
        let environment = match flags >> 48 & 0xff {
            0 => Environment::Sandbox,
            1 => Environment::Production,
            _ => return Err(TokenError::Unknown),
        };
        let seconds = i64::try_from(times >> 32).map_err(|_| TokenError::Unknown)?;
        let expires = Timestamp::from_second(seconds).map_err(|_| TokenError::Unknown)?;
        Ok(TokenClaims {
            app: AppId::from_stored(app),
            environment,
            epoch: u32::try_from(times & 0xffff_ffff).map_err(|_| TokenError::Unknown)?,
            expires,
            nonce: flags & 0xffff_ffff_ffff,
        })
    }

    fn mac(&self, body: &[u64; 3]) -> [u64; 2] {
        let mut mac = self.0.clone();
        for block in body {
            mac.update(&block.to_be_bytes());
        }
        let bytes = mac.finalize().into_bytes();
        let block = |from: usize| bytes[from..from + 8].iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        [block(0), block(8)]
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn claims() -> TokenClaims {
        TokenClaims {
            app: AppId::from_random(0x1234_5678_9abc_def0),
            environment: Environment::Production,
            epoch: 7,
            expires: "2026-11-22T10:00:00Z".parse().unwrap(),
            nonce: 0xabc_def,
        }
    }

    #[test]
    fn a_token_says_what_was_signed_until_its_last_second() {
        let key = TokenKey::new(&[3; 32]);
        let token = key.sign(&claims());
        assert!(token.reveal().bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(key.verify(token.reveal(), claims().expires), Ok(claims()));
        let later = claims().expires + SignedDuration::from_secs(1);
        assert_eq!(key.verify(token.reveal(), later), Err(TokenError::Expired));
        assert_eq!(TokenKey::new(&[4; 32]).verify(token.reveal(), claims().expires), Err(TokenError::Unknown));
    }

    #[test]
    fn every_alteration_and_truncation_is_refused() {
        let key = TokenKey::new(&[3; 32]);
        let token = key.sign(&claims());
        let now = claims().expires;
        for at in 0..token.reveal().len() {
            assert_eq!(key.verify(&token.reveal()[..at], now), Err(TokenError::Unknown));
            for bit in 0..7 {
                let mut bytes = token.reveal().as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let forged = String::from_utf8(bytes).unwrap();
                assert_eq!(key.verify(&forged, now), Err(TokenError::Unknown), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn every_bit_of_what_a_token_says_and_of_its_proof_is_held_by_the_key() {
        let key = TokenKey::new(&[3; 32]);
        let token = key.sign(&claims());
        let blocks = base62::decode::<5>(token.reveal()).unwrap();
        for (block, bit) in (0..5).flat_map(|block| (0..64).map(move |bit| (block, bit))) {
            let mut forged = blocks;
            forged[block] ^= 1 << bit;
            let forged = base62::encode(&forged);
            assert_eq!(key.verify(&forged, Timestamp::MIN), Err(TokenError::Unknown), "block {block} bit {bit}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn no_text_is_a_token_by_chance(text in "\\PC{0,60}|[0-9A-Za-z]{55}") {
            let key = TokenKey::new(&[3; 32]);
            prop_assert_eq!(key.verify(&text, claims().expires), Err(TokenError::Unknown));
        }
    }
}
