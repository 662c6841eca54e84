//! Sealing texts whose writer keeps no count of nonces.

use aes_gcm::aead::{Aead, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::mac::keyed;

/// Of AES-GCM.
pub(crate) const NONCE_BYTES: usize = 12;

/// AES-256-GCM whose nonce is a keyed hash of context and text: it repeats only where everything does
/// (a synthetic nonce, as in RFC 8452's idea). Equal texts in one context look equal, and nothing else
/// shows.
#[derive(Clone)]
pub(crate) struct SyntheticSeal {
    cipher: Aes256Gcm,
    nonces: Hmac<Sha256>,
}

impl SyntheticSeal {
    /// A seal under a 256-bit key; the key of the nonces is derived from it under `label`.
    pub(crate) fn new(key: &[u8; 32], label: &[u8]) -> Self {
        let mut nonce_key = keyed(key);
        nonce_key.update(label);
        let nonce_key: [u8; 32] = nonce_key.finalize().into_bytes().into();
        Self { cipher: Aes256Gcm::new(key.into()), nonces: keyed(&nonce_key) }
    }

    /// The cipher alone, for what brings a nonce of its own.
    pub(crate) fn cipher(&self) -> &Aes256Gcm {
        &self.cipher
    }

    /// Seals `text` to `context`: the nonce, then the sealed text with its tag.
    pub(crate) fn seal(&self, context: &[u8], text: &[u8]) -> Vec<u8> {
        let mut mac = self.nonces.clone();
        mac.update(context);
        mac.update(text);
        let hash = mac.finalize().into_bytes();
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hash[..NONCE_BYTES]);
        let mut sealed = nonce.to_vec();
        // Fails only for messages of 64 GiB and more.
        let payload = Payload { msg: text, aad: context };
        sealed.extend(self.cipher.encrypt(&Nonce::from(nonce), payload).unwrap_or_default());
        sealed
    }

    /// Opens what [`SyntheticSeal::seal`] made in the same context; `None` for anything else.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher.decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: context }).ok()
    }
}
