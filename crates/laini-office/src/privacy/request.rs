use jiff::Timestamp;
use laini_core::partner::{PartnerId, PrivacyRequestId};
use laini_core::privacy::{IdentityProof, LAWFUL_TIME, PrivacyAction, RequestState, Standing};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{Kept, key};

/// What somebody asks about a number, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivacyRequest {
    /// Its id.
    pub id: PrivacyRequestId,
    /// The keyed hash of the number, in hexadecimal.
    pub number: String,
    /// The number with its middle hidden.
    pub masked: String,
    /// What is asked for.
    pub action: PrivacyAction,
    /// The partner that filed it for a customer; `None` = the operator received it.
    pub partner: Option<PartnerId>,
    /// Whether a restriction is to hold for whoever has the number later.
    pub any_holder: bool,
    /// When it came.
    pub received: Timestamp,
    /// Who took it.
    pub received_by: String,
    /// Why, as whoever took it wrote.
    pub reason: String,
    /// How far it is.
    pub state: RequestState,
    /// Until when nothing is done, if at all.
    pub held_until: Option<Timestamp>,
    /// How it was made sure who asks.
    pub identity: Option<IdentityCheck>,
    /// Who approved it.
    pub approval: Option<Approval>,
    /// How it ended.
    pub ending: Option<Ending>,
}

/// How it was made sure who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityCheck {
    /// By what.
    pub how: IdentityProof,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Who approved a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Whether it was held then.
    pub overrode_hold: bool,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What was done, or why nothing was.
    pub what: String,
}

impl PrivacyRequest {
    /// Until when the law wants it answered.
    pub fn deadline(&self) -> Timestamp {
        self.received + LAWFUL_TIME
    }

    /// Whether its approval carries it out: a restriction is made and lifted at once, everything else by an order.
    pub fn takes_effect_with_approval(&self) -> bool {
        matches!(self.action, PrivacyAction::Restrict | PrivacyAction::Unrestrict)
    }

    /// What the rules need of it.
    pub fn standing(&self) -> Standing {
        Standing { state: self.state, held_until: self.held_until }
    }

    /// How far it is, in a word: `held` where only time is wanted.
    pub fn status(&self, now: Timestamp) -> &'static str {
        if self.standing().is_held(now) { "held" } else { self.state.word() }
    }
}

impl Kept for PrivacyRequest {
    const KIND: RecordKind = RecordKind("privacy_request");
    const NOUN: &'static str = "privacy request";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let received = self.received.as_microsecond();
        let mut keys = vec![key("received", "all", received), key("number", &self.number, received)];
        keys.extend(self.partner.map(|partner| key("partner", partner, received)));
        // The oldest first: it is due first.
        keys.extend(self.state.is_open().then(|| key("open", "all", received)));
        keys
    }
}
