//! Partners: the organisations that ask, what they agreed to, and their apps.
//!
//! Owns the vocabulary and the immutable picture of it that every check is decided on. Must never
//! read a credential's plain text after it was hashed: that is [`crate::access`].

mod accounts;
mod agreement;
mod app;
mod document;
mod email;
mod id;
mod kra_pin;
mod lawful_basis;
mod limits;
mod onboarding;
mod operator_key;
mod purpose;
mod result_address;
mod role;
mod words;

pub use accounts::{Accounts, AppView};
pub use agreement::{Agreement, Agreements, NoAgreement};
pub use app::{App, AppProfile, AppStatus, Environment, Partner, PartnerStatus, Product, ProductSet, WordError};
pub use document::{DocumentError, DocumentFormat, DocumentPurpose};
pub use email::{EmailAddress, EmailError};
pub use id::{
    AgreementId, AppId, CertificateId, DocumentId, IdError, LetterId, OnceTokenId, OperatorKeyId, PartnerId, PaymentId,
    PersonId, ResultAddressId, SessionId, TopUpId,
};
pub use kra_pin::{KraPin, KraPinError};
pub use lawful_basis::LawfulBasis;
pub use limits::{AppLimits, Budget, Limits, Prepaid, Probing, Rate};
pub use onboarding::{OnboardingError, OnboardingEvent, OnboardingStep, Side};
pub use operator_key::{OperatorKey, OperatorScope, OperatorScopes};
pub use purpose::Purpose;
pub use result_address::ResultAddress;
pub use role::{May, MemberRole, StaffRole};
