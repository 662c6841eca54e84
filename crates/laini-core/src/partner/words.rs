//! Words of the vocabulary in what is serialised: the same ones as in commands, exports and tables.

/// Serialises a type by its `word` and reads it by its `parse`.
macro_rules! serialised_by_word {
    ($($name:ty),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&word).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

use super::{
    AppStatus, DocumentPurpose, Environment, GoLiveState, LawfulBasis, MemberRole, OnboardingStep, PartnerStatus,
    Product, Purpose, RunStep, Side, StaffRole,
};

serialised_by_word!(
    AppStatus,
    DocumentPurpose,
    Environment,
    GoLiveState,
    LawfulBasis,
    MemberRole,
    OnboardingStep,
    PartnerStatus,
    Product,
    Purpose,
    RunStep,
    Side,
    StaffRole,
);
use crate::privacy::{IdentityProof, PrivacyAction, RequestState};

serialised_by_word!(IdentityProof, PrivacyAction, RequestState);
use crate::support::{Component, Health, IncidentState, Severity, TicketState};

serialised_by_word!(Component, Health, IncidentState, Severity, TicketState);
