use laini_core::partner::{May, MemberRole, PartnerId, PersonId, StaffRole};

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Whoever runs commands on the operator's machine.
    Console {
        /// The account of the machine.
        user: String,
    },
    /// Somebody who has not signed in.
    Stranger,
    /// laini itself, at its time.
    System,
    /// Somebody of the operator's staff.
    Staff {
        /// Who.
        person: PersonId,
        /// What they may do.
        role: StaffRole,
    },
    /// Somebody of a partner.
    Member {
        /// Who.
        person: PersonId,
        /// Whose.
        partner: PartnerId,
        /// What they may do.
        role: MemberRole,
    },
}

impl Actor {
    /// How the audit trail names them: people by their id, never by their e-mail address.
    pub fn in_trail(&self) -> String {
        match self {
            Self::Console { user } => format!("cli:{user}"),
            Self::Stranger => "stranger".to_owned(),
            Self::System => "laini".to_owned(),
            Self::Staff { person, .. } => format!("staff:{person}"),
            Self::Member { person, .. } => format!("member:{person}"),
        }
    }

    /// The partner that they belong to.
    pub fn partner(&self) -> Option<PartnerId> {
        match self {
            Self::Member { partner, .. } => Some(*partner),
            Self::Console { .. } | Self::Stranger | Self::System | Self::Staff { .. } => None,
        }
    }

    /// The person that they are.
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Member { person, .. } | Self::Staff { person, .. } => Some(*person),
            Self::Console { .. } | Self::Stranger | Self::System => None,
        }
    }

    /// Whether they are of the operator's side.
    pub fn is_operator(&self) -> bool {
        !matches!(self, Self::Member { .. } | Self::Stranger)
    }

    /// Whether they may do what `may` says. Whoever has the operator's machine has everything.
    pub fn is_allowed(&self, may: &May) -> bool {
        match self {
            Self::Console { .. } | Self::System => true,
            Self::Stranger => false,
            Self::Staff { role, .. } => may.staff.contains(role),
            Self::Member { role, .. } => may.members.contains(role),
        }
    }
}
