use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use laini_core::access::KeyTree;
use laini_core::partner::{ResultAddress, ResultAddressId};
use laini_wire::delivery::SECRET_PREFIX;
use standardwebhooks::Webhook;
use zeroize::Zeroizing;

/// A message as it goes out in one attempt: signed for its receiver (Standard Webhooks).
pub struct SignedMessage {
    /// The same on every attempt.
    pub id: String,
    /// When the attempt is made.
    pub at: Timestamp,
    /// `v1,…`, twice while a rolled secret overlaps with the next.
    pub signature: String,
    /// What is signed.
    pub body: String,
}

impl SignedMessage {
    /// Signs `body` for `address` as it stands at `at`.
    pub fn sign(keys: &KeyTree, address: &ResultAddress, at: Timestamp, id: String, body: String) -> Self {
        let generation = address.secret_generation;
        let previous = address.overlap_at(at).map(|_| generation.saturating_sub(1));
        let signatures = [Some(generation), previous].into_iter().flatten().filter_map(|generation| {
            let webhook = Webhook::from_bytes(keys.delivery(address.id, generation).to_vec()).ok()?;
            // A text as body is all that signing asks for.
            webhook.sign(&id, at.as_second(), body.as_bytes()).ok()
        });
        let signature = signatures.collect::<Vec<_>>().join(" ");
        Self { id, at, signature, body }
    }

    /// The time of the attempt as its header says it.
    pub fn timestamp(&self) -> String {
        self.at.as_second().to_string()
    }
}

/// The signing secret of an address as its owner is shown it once: `whsec_…`.
pub fn signing_secret(keys: &KeyTree, address: ResultAddressId, generation: u32) -> Zeroizing<String> {
    let key = keys.delivery(address, generation);
    let secret = Zeroizing::new(STANDARD.encode(key.as_slice()));
    Zeroizing::new(format!("{SECRET_PREFIX}{}", *secret))
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use laini_core::access::RootKey;
    use laini_core::partner::AppId;
    use sha2::Sha256;

    use super::*;

    const AT: Timestamp = Timestamp::constant(1_795_000_000, 0);

    fn address(generation: u32, previous_until: Option<Timestamp>) -> ResultAddress {
        ResultAddress {
            id: ResultAddressId::from_stored(7),
            app: AppId::from_stored(1),
            url: "https://bank.example/".to_owned(),
            proven: None,
            secret_generation: generation,
            previous_until,
        }
    }

    /// The scheme by hand: HMAC-SHA-256 over `id.timestamp.body` under the secret that its owner was shown.
    fn expected(secret: &str, message: &SignedMessage) -> String {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{}", message.id, message.timestamp(), message.body).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn a_message_is_signed_under_the_secret_that_was_shown() {
        let keys = KeyTree::new(RootKey::new([7; 32]));
        let sign = |address: &ResultAddress| {
            SignedMessage::sign(&keys, address, AT, "971f-4359".to_owned(), "{\"é\":1}".to_owned())
        };
        let secret = |generation| signing_secret(&keys, ResultAddressId::from_stored(7), generation);
        let message = sign(&address(1, None));
        assert_eq!(message.signature, expected(&secret(1), &message));
        assert_ne!(*secret(1), *secret(2));

        let rolled = sign(&address(2, Some(AT + jiff::SignedDuration::from_secs(1))));
        assert_eq!(rolled.signature, format!("{} {}", expected(&secret(2), &rolled), expected(&secret(1), &rolled)));
        let after = sign(&address(2, Some(AT)));
        assert_eq!(after.signature, expected(&secret(2), &after), "the overlap has ended");
    }
}
