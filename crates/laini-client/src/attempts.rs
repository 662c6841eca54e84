use laini_wire::header;
use uuid::Uuid;

use crate::error::{ErrorKind, Failure, Retry};

const REQUEST_ID_MAX_BYTES: usize = 128;
const IDEMPOTENCY_KEY_MAX_BYTES: usize = 255;

/// What all attempts at one check have in common, and how many were made.
pub(crate) struct Attempts {
    pub(crate) request_id: String,
    pub(crate) idempotency_key: String,
    pub(crate) made: u32,
}

impl Attempts {
    /// Uses the caller's ids, or random ones.
    pub(crate) fn new(request_id: Option<String>, idempotency_key: Option<String>) -> Self {
        let random = || Uuid::new_v4().to_string();
        Self {
            request_id: request_id.unwrap_or_else(random),
            idempotency_key: idempotency_key.unwrap_or_else(random),
            made: 0,
        }
    }

    /// Refuses ids that the server would ignore or that cannot stand in a header.
    pub(crate) fn check_ids(&self) -> Result<(), Failure> {
        for (name, id, max_bytes) in [
            (header::X_REQUEST_ID, &self.request_id, REQUEST_ID_MAX_BYTES),
            (header::IDEMPOTENCY_KEY, &self.idempotency_key, IDEMPOTENCY_KEY_MAX_BYTES),
        ] {
            let fits = (1..=max_bytes).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
            if !fits {
                let message = format!("{name} has 1 to {max_bytes} visible ASCII characters");
                return Err(Failure::local(ErrorKind::InvalidId, Retry::Never, message));
            }
        }
        Ok(())
    }
}
