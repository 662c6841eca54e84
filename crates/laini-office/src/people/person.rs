use jiff::Timestamp;
use laini_core::partner::{MemberRole, PartnerId, PersonId, StaffRole};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{Actor, Kept, key, unique};

/// Somebody who signs in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Their e-mail address in small letters; nobody else has it.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// For whom they act, and as what.
    pub seat: Seat,
    /// Since when they are known.
    pub created: Timestamp,
    /// Whether they may not sign in any more.
    pub is_disabled: bool,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({})", self.id)
    }
}

/// For whom somebody acts, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seat {
    /// For the operator.
    Staff {
        /// As what.
        role: StaffRole,
    },
    /// For a partner.
    Member {
        /// Which.
        partner: PartnerId,
        /// As what.
        role: MemberRole,
    },
}

impl Seat {
    /// The partner that it is for; `None` = the operator.
    pub fn partner(self) -> Option<PartnerId> {
        match self {
            Self::Staff { .. } => None,
            Self::Member { partner, .. } => Some(partner),
        }
    }

    /// The role in words.
    pub fn role_word(self) -> &'static str {
        match self {
            Self::Staff { role } => role.word(),
            Self::Member { role, .. } => role.word(),
        }
    }
}

impl Person {
    /// What they act as.
    pub fn actor(&self) -> Actor {
        match self.seat {
            Seat::Staff { role } => Actor::Staff { person: self.id, role },
            Seat::Member { partner, role } => Actor::Member { person: self.id, partner, role },
        }
    }
}

impl Kept for Person {
    const KIND: RecordKind = RecordKind("person");
    const NOUN: &'static str = "person";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let created = self.created.as_microsecond();
        let of = match self.seat {
            Seat::Staff { .. } => key("staff", "all", created),
            Seat::Member { partner, .. } => key("partner", partner, created),
        };
        vec![unique("email", &self.email), of]
    }
}
