use std::fmt;

use aes_gcm::Nonce;
use aes_gcm::aead::{Aead as _, Payload};
use hmac::{Hmac, Mac as _};
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::{AnswerKey, DeliveryId, RepeatKey, RepeatWindow, RequestHash};
use crate::billing::CheckId;
use crate::line::Msisdn;
use crate::mac::keyed;
use crate::partner::{AppId, Product};
use crate::synthetic::{NONCE_BYTES, SyntheticSeal};

/// What a ledger row must lose one day: the number and what was said about it. Lies sealed in a side
/// table, under the key of its day.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject {
    /// The number that was asked about.
    pub msisdn: Msisdn,
    /// What was told: [`crate::disclosure::Told`] as text.
    pub facts: String,
    /// The caller's own reference, where one came.
    pub reference: Option<String>,
    /// Finds the rows about one number without opening any.
    pub hash: SubjectHash,
}

/// Keyed hash of a number, for reports and subject access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SubjectHash(pub [u8; 16]);

impl SubjectHash {
    /// 32 hexadecimal digits.
    pub fn hex(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// Reads what [`SubjectHash::hex`] writes.
    pub fn parse(hex: &str) -> Option<Self> {
        let fits = hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        let value = if fits { u128::from_str_radix(hex, 16).ok() } else { None };
        value.map(|value| Self(value.to_be_bytes()))
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(…)")
    }
}

/// Hashes numbers and repeat keys of the ledger's side tables.
#[derive(Clone)]
pub struct SubjectHasher(Hmac<Sha256>);

impl SubjectHasher {
    /// A hasher under a 256-bit key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(keyed(key))
    }

    /// The keyed hash of a number.
    pub fn number(&self, msisdn: Msisdn) -> SubjectHash {
        SubjectHash(self.hash(b'n', &[&msisdn.as_u64().to_be_bytes()]))
    }

    /// The keyed hash of a question.
    pub fn repeat(
        &self,
        app: AppId,
        product: Product,
        msisdn: Msisdn,
        request_id: Option<&[u8]>,
    ) -> (RepeatKey, RepeatWindow) {
        let window = if request_id.is_some() { RepeatWindow::SameRequestId } else { RepeatWindow::NoRequestId };
        let product = product.word().as_bytes();
        let parts = [
            &app.as_u64().to_be_bytes(),
            &msisdn.as_u64().to_be_bytes(),
            product,
            b":",
            request_id.unwrap_or_default(),
        ];
        let kind = if request_id.is_some() { b'i' } else { b'r' };
        (RepeatKey(self.hash(kind, &parts)), window)
    }

    /// The keyed hash of a caller's idempotency key: of one app, for one method and path.
    pub fn answer_key(&self, app: AppId, endpoint: &str, key: &[u8]) -> AnswerKey {
        AnswerKey(self.hash(b'a', &[&app.as_u64().to_be_bytes(), endpoint.as_bytes(), b":", key]))
    }

    /// The keyed hash of a request in its one canonical form.
    pub fn request(&self, canonical: &[u8]) -> RequestHash {
        RequestHash(self.hash(b'q', &[canonical]))
    }

    fn hash(&self, kind: u8, parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.0.clone();
        mac.update(&[kind]);
        for part in parts {
            mac.update(part);
        }
        let mut hash = [0; 16];
        hash.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        hash
    }
}

impl fmt::Debug for SubjectHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectHasher(…)")
    }
}

/// The key of one day's side rows. Destroying it is how retention forgets, in backups too.
#[derive(Clone)]
pub struct DayKey(SyntheticSeal);

/// A sealed side row that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed row does not open: it is damaged, or its day's key is another one")]
pub struct OpenError;

impl DayKey {
    /// A key of 256 random bits.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(SyntheticSeal::new(bytes, b"laini/body-nonce/v1"))
    }

    /// Seals a subject to its check. The nonce is made of the check's whole id, which never repeats.
    pub fn seal(&self, id: CheckId, subject: &Subject) -> Vec<u8> {
        let reference = subject.reference.as_deref().unwrap_or_default();
        let mut plain = Vec::with_capacity(12 + subject.facts.len() + reference.len());
        plain.extend_from_slice(&subject.msisdn.as_u64().to_be_bytes());
        plain.push(u8::from(subject.reference.is_some()));
        plain.extend_from_slice(&u16::try_from(subject.facts.len()).unwrap_or(u16::MAX).to_be_bytes());
        plain.extend_from_slice(subject.facts.as_bytes());
        plain.extend_from_slice(reference.as_bytes());
        let uuid = id.uuid();
        let payload = Payload { msg: &plain, aad: uuid.as_bytes() };
        // Fails only for messages of 64 GiB and more.
        self.0.cipher().encrypt(&nonce(id), payload).unwrap_or_default()
    }

    /// Opens what [`DayKey::seal`] made for the same check.
    pub fn open(&self, id: CheckId, sealed: &[u8], hash: SubjectHash) -> Result<Subject, OpenError> {
        let uuid = id.uuid();
        let payload = Payload { msg: sealed, aad: uuid.as_bytes() };
        let plain = self.0.cipher().decrypt(&nonce(id), payload).map_err(|_| OpenError)?;
        let (number, rest) = plain.split_first_chunk::<8>().ok_or(OpenError)?;
        let (&[has_reference], rest) = rest.split_first_chunk::<1>().ok_or(OpenError)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(OpenError)?;
        let (facts, reference) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(OpenError)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| OpenError);
        Ok(Subject {
            msisdn: Msisdn::from_stored(u64::from_be_bytes(*number)).ok_or(OpenError)?,
            facts: text(facts)?,
            reference: if has_reference == 1 { Some(text(reference)?) } else { None },
            hash,
        })
    }

    /// Seals a body (an answer, a delivery) to what it belongs to. A transaction that failed may be
    /// written again with another body for the same owner, so the nonce is a keyed hash of both.
    pub fn seal_body(&self, owner: BodyOwner, body: &[u8]) -> Vec<u8> {
        self.0.seal(&owner.context(), body)
    }

    /// Opens what [`DayKey::seal_body`] made for the same owner.
    pub fn open_body(&self, owner: BodyOwner, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        self.0.open(&owner.context(), sealed).ok_or(OpenError)
    }

    /// What the ledger row keeps of its side row for ever.
    pub fn digest(hash: SubjectHash, repeat: RepeatKey, sealed: &[u8]) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(hash.0);
        digest.update(repeat.0);
        digest.update(sealed);
        digest.finalize().into()
    }
}

impl fmt::Debug for DayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DayKey(…)")
    }
}

/// What a sealed body belongs to: it opens for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyOwner {
    /// The answer stored under this key.
    Answer(AnswerKey),
    /// An accepted check.
    Accepted(CheckId),
    /// A delivery.
    Delivery(DeliveryId),
}

impl BodyOwner {
    fn context(self) -> [u8; 17] {
        let (kind, id) = match self {
            Self::Answer(key) => (b'a', key.0),
            Self::Accepted(id) => (b'c', *id.uuid().as_bytes()),
            Self::Delivery(id) => (b'd', *id.0.uuid().as_bytes()),
        };
        let mut context = [kind; 17];
        context[1..].copy_from_slice(&id);
        context
    }
}

/// Of the whole id, for only the whole of it is unique wherever it was minted ([`CheckId::position`]).
fn nonce(id: CheckId) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut bytes = [0; NONCE_BYTES];
    bytes.copy_from_slice(&Sha256::digest(id.uuid().as_bytes())[..NONCE_BYTES]);
    bytes.into()
}

/// Where the keys of days live: apart from the data.
pub trait DayKeys: Send + Sync {
    /// The key of a day (UTC), made and made durable if it is the first use.
    fn key(&self, day: Date) -> Result<DayKey, DayKeyError>;

    /// The key of a day if it exists still.
    fn existing(&self, day: Date) -> Result<Option<DayKey>, DayKeyError>;

    /// Destroys the keys of all days before `day`, for good; returns how many there were.
    fn destroy_before(&self, day: Date) -> Result<u64, DayKeyError>;
}

/// A day's key that cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[error("the key of {day} cannot be used: {reason}")]
pub struct DayKeyError {
    /// The day.
    pub day: Date,
    /// Why.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::NumberPlan;

    #[test]
    fn a_subject_opens_only_for_its_check_and_day() {
        let hasher = SubjectHasher::new(&[5; 32]);
        let msisdn = NumberPlan::KENYA.parse("254722000000").unwrap();
        let subject = Subject {
            msisdn,
            facts: "active swap=none".into(),
            reference: Some("cheque 17".into()),
            hash: hasher.number(msisdn),
        };
        let key = DayKey::new(&[6; 32]);
        let (id, other) = (CheckId::from_parts(1 << 40, 9), CheckId::from_parts(1 << 40, 10));
        let sealed = key.seal(id, &subject);
        assert!(!sealed.windows(8).any(|w| w == msisdn.as_u64().to_be_bytes()));
        assert_eq!(key.open(id, &sealed, subject.hash), Ok(subject.clone()));
        assert_eq!(key.open(other, &sealed, subject.hash), Err(OpenError));
        assert_eq!(DayKey::new(&[7; 32]).open(id, &sealed, subject.hash), Err(OpenError));
        assert_eq!(key.open(id, &sealed[..10], subject.hash), Err(OpenError));
    }

    #[test]
    fn checks_that_share_a_position_share_no_nonce() {
        let hasher = SubjectHasher::new(&[5; 32]);
        let msisdn = NumberPlan::KENYA.parse("254722000000").unwrap();
        let subject = Subject { msisdn, facts: "withheld".into(), reference: None, hash: hasher.number(msisdn) };
        let key = DayKey::new(&[6; 32]);
        let sealed = [9, 9 | 1 << 40].map(|tail| key.seal(CheckId::from_parts(1 << 40, tail), &subject));
        // Under one nonce all but the tag would be the same.
        assert_ne!(sealed[0][..16], sealed[1][..16]);
    }

    #[test]
    fn a_body_opens_only_for_its_owner_and_day() {
        let key = DayKey::new(&[6; 32]);
        let id = CheckId::from_parts(1 << 40, 9);
        let owner = BodyOwner::Delivery(DeliveryId(id));
        let sealed = key.seal_body(owner, b"a body");
        assert_eq!(key.open_body(owner, &sealed).as_deref(), Ok(&b"a body"[..]));
        for other in [BodyOwner::Accepted(id), BodyOwner::Answer(AnswerKey(*id.uuid().as_bytes()))] {
            assert_eq!(key.open_body(other, &sealed), Err(OpenError));
        }
        assert_eq!(DayKey::new(&[7; 32]).open_body(owner, &sealed), Err(OpenError));
        assert_eq!(key.open_body(owner, &sealed[..11]), Err(OpenError));
        // Another body of the same owner has another nonce.
        assert_ne!(sealed[..12], key.seal_body(owner, b"b body")[..12]);
        assert_eq!(key.open_body(owner, &key.seal_body(owner, b"")), Ok(vec![]));
    }

    #[test]
    fn debug_shows_nothing_of_a_subject() {
        let hasher = SubjectHasher::new(&[5; 32]);
        let msisdn = NumberPlan::KENYA.parse("254722000000").unwrap();
        let hash = hasher.number(msisdn);
        let subject = Subject { msisdn, facts: "withheld".into(), reference: Some("cheque 17".into()), hash };
        assert_eq!(format!("{subject:?}"), "Subject(…)");
    }

    #[test]
    fn a_request_id_makes_another_question() {
        let hasher = SubjectHasher::new(&[5; 32]);
        let msisdn = NumberPlan::KENYA.parse("254722000000").unwrap();
        let app = AppId::from_stored(1);
        let plain = hasher.repeat(app, Product::Imsi, msisdn, None);
        assert_ne!(plain.0, hasher.repeat(app, Product::Imsi, msisdn, Some(b"")).0);
        assert_ne!(plain.0, hasher.repeat(app, Product::Swap, msisdn, None).0);
        assert_ne!(plain.0, hasher.repeat(AppId::from_stored(2), Product::Imsi, msisdn, None).0);
        assert_eq!(plain, hasher.repeat(app, Product::Imsi, msisdn, None));
    }
}
