use std::fmt;

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use super::{Imsi, Msisdn};

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

/// A sealed IMSI that does not belong to its line, or was sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed IMSI does not open: the data is damaged, or the keys are not the ones it was written with")]
pub struct BrokenSeal;

/// Seals and opens IMSIs (decision 0004: encode-then-encipher on one block, with the MSISDN as
/// 64 bits of redundancy that authenticate it).
#[derive(Clone)]
pub struct ImsiSeal(Aes256);

impl ImsiSeal {
    /// A seal under a 256-bit key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Aes256::new(key.into()))
    }

    /// Seals `imsi` to the line of `msisdn`.
    pub fn seal(&self, msisdn: Msisdn, imsi: Imsi) -> SealedImsi {
        let mut block = Block::<Aes256>::default();
        block[..8].copy_from_slice(&imsi.as_u64().to_be_bytes());
        block[8..].copy_from_slice(&msisdn.as_u64().to_be_bytes());
        self.0.encrypt_block(&mut block);
        SealedImsi(block.into())
    }

    /// Opens what [`ImsiSeal::seal`] made for the same line under the same key.
    pub fn open(&self, msisdn: Msisdn, sealed: SealedImsi) -> Result<Imsi, BrokenSeal> {
        let mut block = Block::<Aes256>::from(sealed.0);
        self.0.decrypt_block(&mut block);
        let (imsi, line) = block.split_at(8);
        if line != msisdn.as_u64().to_be_bytes() {
            return Err(BrokenSeal);
        }
        let value = imsi.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        Imsi::from_stored(value).ok_or(BrokenSeal)
    }
}

impl fmt::Debug for ImsiSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImsiSeal(…)")
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
        let seal = ImsiSeal::new(&[7; 32]);
        let sealed = seal.seal(line, imsi);
        assert_eq!(seal.open(line, sealed), Ok(imsi));
        assert_eq!(seal.open(other, sealed), Err(BrokenSeal));
        assert_eq!(ImsiSeal::new(&[8; 32]).open(line, sealed), Err(BrokenSeal));
        assert_ne!(seal.seal(other, imsi), sealed);
        for bit in 0..128 {
            let mut bytes = sealed.0;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(seal.open(line, SealedImsi(bytes)), Err(BrokenSeal));
        }
    }
}
