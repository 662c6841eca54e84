use std::fmt;

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hmac::Mac as _;

use super::{Imsi, Msisdn};
use crate::mac::keyed;
use crate::synthetic::SyntheticSeal;

/// An IMSI as it lies on disk: one AES-256 block over IMSI and MSISDN.
///
/// Equal only where IMSI and MSISDN are equal under one key, so an engine can tell "same SIM" without
/// opening it. Without the key it reveals nothing else; moved to another line it does not open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealedImsi(pub [u8; 16]);

impl fmt::Debug for SealedImsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedImsi(…)")
    }
}

/// Something sealed that is damaged, does not belong to its line, or was sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "what is sealed in the registry does not open: the data is damaged, or the keys are not the ones it was written with"
)]
pub struct BrokenSeal;

/// A refused line of the feed as it lies on disk. Equal only where the lines are equal under one key, so
/// that an engine can tell that one came again.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedFeedLine(pub Vec<u8>);

impl fmt::Debug for SealedFeedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedFeedLine(…)")
    }
}

/// A line of the feed as it came; it may say anything, personal data too.
#[derive(Clone, PartialEq, Eq)]
pub struct FeedLine(pub Vec<u8>);

impl fmt::Debug for FeedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FeedLine({} bytes)", self.0.len())
    }
}

/// Seals and opens what the registry keeps of subscribers: IMSIs (decision 0004: encode-then-encipher on
/// one block, with the MSISDN as 64 bits of redundancy that authenticate it), and lines of the feed that
/// were refused.
#[derive(Clone)]
pub struct RegistrySeal {
    imsis: Aes256,
    feed_lines: SyntheticSeal,
}

/// What a sealed line of the feed belongs to.
const FEED_LINE: &[u8] = b"laini/refused-line/v1";

impl RegistrySeal {
    /// A seal under a 256-bit key.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut feed_line_key = keyed(key);
        feed_line_key.update(b"laini/feed-line/v1");
        let feed_line_key: [u8; 32] = feed_line_key.finalize().into_bytes().into();
        let feed_lines = SyntheticSeal::new(&feed_line_key, b"laini/feed-line-nonce/v1");
        Self { imsis: Aes256::new(key.into()), feed_lines }
    }

    /// Seals `imsi` to the line of `msisdn`.
    pub fn seal(&self, msisdn: Msisdn, imsi: Imsi) -> SealedImsi {
        let mut block = Block::<Aes256>::default();
        block[..8].copy_from_slice(&imsi.as_u64().to_be_bytes());
        block[8..].copy_from_slice(&msisdn.as_u64().to_be_bytes());
        self.imsis.encrypt_block(&mut block);
        SealedImsi(block.into())
    }

    /// Opens what [`RegistrySeal::seal`] made for the same line under the same key.
    pub fn open(&self, msisdn: Msisdn, sealed: SealedImsi) -> Result<Imsi, BrokenSeal> {
        let mut block = Block::<Aes256>::from(sealed.0);
        self.imsis.decrypt_block(&mut block);
        let (imsi, line) = block.split_at(8);
        if line != msisdn.as_u64().to_be_bytes() {
            return Err(BrokenSeal);
        }
        let value = imsi.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        Imsi::from_stored(value).ok_or(BrokenSeal)
    }

    /// Seals a refused line of the feed.
    pub fn seal_feed_line(&self, line: &FeedLine) -> SealedFeedLine {
        SealedFeedLine(self.feed_lines.seal(FEED_LINE, &line.0))
    }

    /// Opens what [`RegistrySeal::seal_feed_line`] made under the same key.
    pub fn open_feed_line(&self, sealed: &SealedFeedLine) -> Result<FeedLine, BrokenSeal> {
        self.feed_lines.open(FEED_LINE, &sealed.0).map(FeedLine).ok_or(BrokenSeal)
    }
}

impl fmt::Debug for RegistrySeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrySeal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::NumberPlan;

    #[test]
    fn opens_only_for_its_own_line_and_key() {
        let line = NumberPlan::KENYA.parse("254722000000").unwrap();
        let other = NumberPlan::KENYA.parse("254722000001").unwrap();
        let imsi = Imsi::parse("639021860913909").unwrap();
        let seal = RegistrySeal::new(&[7; 32]);
        let sealed = seal.seal(line, imsi);
        assert_eq!(seal.open(line, sealed), Ok(imsi));
        assert_eq!(seal.open(other, sealed), Err(BrokenSeal));
        assert_eq!(RegistrySeal::new(&[8; 32]).open(line, sealed), Err(BrokenSeal));
        assert_ne!(seal.seal(other, imsi), sealed);
        for bit in 0..128 {
            let mut bytes = sealed.0;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(seal.open(line, SealedImsi(bytes)), Err(BrokenSeal));
        }
    }

    #[test]
    fn a_feed_line_opens_under_its_key_and_shows_only_that_it_came_again() {
        let (seal, other) = (RegistrySeal::new(&[7; 32]), RegistrySeal::new(&[8; 32]));
        let line = FeedLine(br#"{"msisdn":"254722000000"}"#.to_vec());
        let sealed = seal.seal_feed_line(&line);
        assert_eq!(seal.open_feed_line(&sealed), Ok(line.clone()));
        assert_eq!(seal.seal_feed_line(&line), sealed);
        assert!(!sealed.0.windows(6).any(|bytes| line.0.windows(6).any(|plain| plain == bytes)));
        assert_ne!(other.seal_feed_line(&line).0[..12], sealed.0[..12]);
        assert_eq!(other.open_feed_line(&sealed), Err(BrokenSeal));
        assert_eq!(seal.open_feed_line(&SealedFeedLine(sealed.0[..20].to_vec())), Err(BrokenSeal));
        assert_eq!(format!("{line:?} {sealed:?}"), "FeedLine(25 bytes) SealedFeedLine(…)");
    }
}
