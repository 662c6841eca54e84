use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::partner::{AppId, Product, Purpose, ResultAddressId};
use laini_core::store::{
    AcceptedCheck, AnswerKey, BodyOwner, DayKey, DayKeys, Delivery, LedgerError, RepeatKey, RepeatWindow, RequestHash,
    StoredAnswer,
};

use super::existing_day_key;

/// An accepted check with its number, reference and question still sealed.
#[derive(Debug)]
pub struct SealedCheck {
    /// Its identity.
    pub id: CheckId,
    /// When it was accepted; the day of its key.
    pub at: Timestamp,
    /// Who asked.
    pub app: AppId,
    /// What.
    pub product: Product,
    /// What for.
    pub purpose: Purpose,
    /// What makes it the same question as another.
    pub repeat: (RepeatKey, RepeatWindow),
    /// Where the result goes.
    pub address: ResultAddressId,
    /// The rest.
    pub sealed: Vec<u8>,
}

impl SealedCheck {
    /// Seals what must not lie in the clear.
    pub fn seal(day_key: &DayKey, check: &AcceptedCheck) -> Vec<u8> {
        day_key.seal_body(BodyOwner::Accepted(check.id), &check.sealed_part())
    }

    /// The check, opened.
    pub fn open(&self, day_keys: &dyn DayKeys) -> Result<AcceptedCheck, LedgerError> {
        let unreadable =
            || LedgerError::Unreadable("an accepted check does not open; its day's key is another one".into());
        let day_key = existing_day_key(day_keys, self.at)?.ok_or_else(unreadable)?;
        let plain = day_key.open_body(BodyOwner::Accepted(self.id), &self.sealed).map_err(|_| unreadable())?;
        let (msisdn, reference, asked) = AcceptedCheck::read_sealed_part(&plain).ok_or_else(unreadable)?;
        Ok(AcceptedCheck {
            id: self.id,
            at: self.at,
            app: self.app,
            product: self.product,
            asked,
            msisdn,
            purpose: self.purpose,
            reference,
            repeat: self.repeat,
            address: self.address,
        })
    }
}

/// A delivery with its body still sealed; `None` = forgotten.
pub type SealedDelivery = (Delivery, Option<Vec<u8>>);

/// The delivery with its body, where that is there.
pub fn open_delivery(day_keys: &dyn DayKeys, (delivery, sealed): SealedDelivery) -> Result<Delivery, LedgerError> {
    let Some(sealed) = sealed else { return Ok(delivery) };
    let unreadable = || LedgerError::Unreadable("a delivery does not open; its day's key is another one".into());
    let day_key = existing_day_key(day_keys, delivery.at)?.ok_or_else(unreadable)?;
    let body = day_key.open_body(BodyOwner::Delivery(delivery.id), &sealed).map_err(|_| unreadable())?;
    Ok(Delivery { body, ..delivery })
}

/// An answer under an idempotency key as it is stored.
#[derive(Debug, Clone)]
pub struct SealedAnswer {
    /// For which request.
    pub request: RequestHash,
    /// When it was answered; the day of its key.
    pub at: Timestamp,
    /// What was answered.
    pub sealed: Vec<u8>,
}

impl SealedAnswer {
    /// The answer, opened.
    pub fn open(&self, key: AnswerKey, day_keys: &dyn DayKeys) -> Result<StoredAnswer, LedgerError> {
        let day_key = existing_day_key(day_keys, self.at)?
            .ok_or_else(|| LedgerError::Unreadable("the key of a stored answer is gone".to_owned()))?;
        let answer = day_key.open_body(BodyOwner::Answer(key), &self.sealed);
        let answer = answer.map_err(|error| LedgerError::Unreadable(error.to_string()))?;
        Ok(StoredAnswer { request: self.request, at: self.at, answer })
    }

    /// Whether it is known still at an instant.
    pub fn is_known_at(&self, at: Timestamp) -> bool {
        at.duration_since(self.at) <= StoredAnswer::KNOWN_FOR
    }
}
