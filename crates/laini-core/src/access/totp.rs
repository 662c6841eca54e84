use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha1::Sha1;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// How long a code is shown.
const STEP_S: i64 = 30;
/// A code of a clock that goes so many steps wrong, either way, is taken.
const STEPS_ASTRAY: i64 = 1;
/// Digits of a code,
const DIGITS: usize = 6;
/// and how many codes there are.
const CODES: u32 = 1_000_000;

/// The secret of a second factor: what an authenticator app and this server both know (RFC 6238, with SHA-1, six
/// digits and 30 seconds: what every app speaks).
pub struct TotpSecret(Zeroizing<[u8; 20]>);

impl TotpSecret {
    /// Takes over 160 random bits.
    pub fn new(bytes: [u8; 20]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bits, to be sealed.
    pub fn reveal(&self) -> &[u8; 20] {
        &self.0
    }

    /// The bits as a person types them into an app: 32 letters and digits of Base32.
    pub fn in_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(base32(&*self.0))
    }

    /// What an app reads from a QR code. `issuer` = who asks for it, `account` = whose it is.
    pub fn uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let (issuer, account) = (escaped(issuer), escaped(account));
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}",
            *self.in_base32()
        ))
    }

    /// The step whose code this is, where it is one of now and later than `used`, the step of the last code that was
    /// taken: a code is good once.
    pub fn step_of(&self, code: &str, at: Timestamp, used: Option<i64>) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let now = at.as_second().div_euclid(STEP_S);
        let steps = now - STEPS_ASTRAY..=now + STEPS_ASTRAY;
        let mut found = None;
        // All are compared, so that time tells nothing.
        for step in steps {
            if bool::from(self.code(step).as_bytes().ct_eq(code.as_bytes())) {
                found = Some(step);
            }
        }
        found.filter(|step| used.is_none_or(|used| *step > used))
    }

    /// The code of an instant, as an app shows it.
    pub fn code_at(&self, at: Timestamp) -> Zeroizing<String> {
        self.code(at.as_second().div_euclid(STEP_S))
    }

    fn code(&self, step: i64) -> Zeroizing<String> {
        // RFC 2104: a key shorter than the block is padded with zeros.
        let mut block = Zeroizing::new([0; 64]);
        block[..20].copy_from_slice(&*self.0);
        let mut mac = Hmac::<Sha1>::new((&*block).into());
        mac.update(&step.to_be_bytes());
        let hash: [u8; 20] = mac.finalize().into_bytes().into();
        let offset = usize::from(hash[19] & 0x0f);
        let word = hash[offset..].first_chunk().map_or(0, |word| u32::from_be_bytes(*word)) & 0x7fff_ffff;
        Zeroizing::new(format!("{:0DIGITS$}", word % CODES))
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

/// A code for the day that the app is lost: 80 random bits, in four groups of Base32. Good once.
pub fn recovery_code(random: [u8; 10]) -> Zeroizing<String> {
    let text = Zeroizing::new(base32(&random).to_lowercase());
    let groups: Vec<&str> = [0, 4, 8, 12].iter().filter_map(|from| text.get(*from..from + 4)).collect();
    Zeroizing::new(groups.join("-"))
}

/// A recovery code as somebody types it, in the form that is hashed.
pub fn normal_recovery_code(typed: &str) -> Zeroizing<String> {
    Zeroizing::new(typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect())
}

/// RFC 4648 without padding. Whole groups of 5 bytes only: 20 and 10 bytes are.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len() / 5 * 8);
    for group in bytes.as_chunks::<5>().0 {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let digits = (0..8).rev().map(|place| ALPHABET[usize::try_from(bits >> (5 * place) & 31).unwrap_or(0)]);
        text.extend(digits.map(char::from));
    }
    text
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = TotpSecret::new(*b"12345678901234567890");
        // Appendix B, the last six of the eight digits.
        let cases = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (second, code) in cases {
            assert_eq!(*secret.code_at(at(second)), code, "{second}");
        }
        assert_eq!(*secret.in_base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = secret.uri("Test Mobile", "a+b@bank.example");
        assert!(uri.starts_with("otpauth://totp/Test%20Mobile:a%2Bb@bank.example?secret=GEZDG"), "{}", *uri);
        assert!(!format!("{secret:?}").contains("GEZDG"));
    }

    #[test]
    fn a_code_is_good_for_a_step_before_and_after_and_once() {
        let secret = TotpSecret::new([7; 20]);
        let now = 1_795_000_000_i64 / 30 * 30;
        let code = secret.code_at(at(now));
        for (second, is_good) in [(now - 31, false), (now - 30, true), (now + 59, true), (now + 60, false)] {
            assert_eq!(secret.step_of(&code, at(second), None).is_some(), is_good, "{}", second - now);
        }
        let step = secret.step_of(&code, at(now), None);
        assert_eq!(step, Some(now / 30));
        assert_eq!(secret.step_of(&code, at(now), step), None, "again");
        let (before, after) = (secret.code_at(at(now - 30)), secret.code_at(at(now + 30)));
        assert_eq!(secret.step_of(&before, at(now), step), None, "an earlier one after a later one");
        assert_eq!(secret.step_of(&after, at(now), step), Some(now / 30 + 1));
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        assert_eq!(secret.step_of(&spaced, at(now), None), step);
        for wrong in ["", "0", "00000000", "abcdef", &code[..5]] {
            assert_eq!(secret.step_of(wrong, at(now), None), None, "{wrong}");
        }
    }

    #[test]
    fn a_recovery_code_is_read_however_it_is_typed() {
        let code = recovery_code([0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(code.len(), 19);
        let typed = format!(" {} ", code.to_uppercase().replace('-', " "));
        assert_eq!(*normal_recovery_code(&typed), *normal_recovery_code(&code));
        assert_eq!(normal_recovery_code(&code).len(), 16);
    }
}
