use super::WordError;

/// What a person may do for a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberRole {
    /// Everything, and who else may do what.
    Owner,
    /// Apps, addresses, deliveries, the sandbox.
    Developer,
    /// Usage, budgets, invoices, payments.
    Billing,
    /// Checks by hand, and who was asked about.
    FraudDesk,
    /// Looks only.
    Viewer,
}

impl MemberRole {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Developer, Self::Billing, Self::FraudDesk, Self::Viewer];

    /// The word in requests and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Developer => "developer",
            Self::Billing => "billing",
            Self::FraudDesk => "fraud_desk",
            Self::Viewer => "viewer",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|role| role.word() == word);
        found.ok_or(WordError { expected: "owner, developer, billing, fraud_desk, viewer" })
    }
}

/// What a person may do for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StaffRole {
    /// Everything, and who else may do what.
    Admin,
    /// Partners, agreements and going live.
    Onboarding,
    /// Apps, limits, incidents and tickets of partners.
    Support,
    /// Prices, invoices and payments.
    Finance,
    /// Looks only, at everything.
    Auditor,
}

impl StaffRole {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Admin, Self::Onboarding, Self::Support, Self::Finance, Self::Auditor];

    /// The word in requests and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Onboarding => "onboarding",
            Self::Support => "support",
            Self::Finance => "finance",
            Self::Auditor => "auditor",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|role| role.word() == word);
        found.ok_or(WordError { expected: "admin, onboarding, support, finance, auditor" })
    }
}

/// Who may do something. Roles that are not named may not; nobody else has a way around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct May {
    /// Members of the partner that it concerns.
    pub members: &'static [MemberRole],
    /// The operator's staff.
    pub staff: &'static [StaffRole],
}

impl May {
    /// Whoever signed in.
    pub const ANYBODY: Self = Self { members: &MemberRole::ALL, staff: &StaffRole::ALL };

    /// Members of any role, no staff.
    pub const MEMBERS: Self = Self { members: &MemberRole::ALL, staff: &[] };

    /// Staff of any role, no members.
    pub const STAFF: Self = Self { members: &[], staff: &StaffRole::ALL };
}
