//! Partners: the organisations that ask, what they agreed to, and their apps.
//!
//! Owns the vocabulary and the immutable picture of it that every check is decided on. Must never
//! read a credential's plain text after it was hashed: that is [`crate::access`].

mod accounts;
mod agreement;
mod app;
mod app_secret;
mod document;
mod email;
mod going_live;
mod id;
mod kra_pin;
mod lawful_basis;
mod limits;
mod onboarding;
mod operator_key;
mod product_state;
mod purpose;
mod result_address;
mod role;
mod scripted_run;
mod words;

pub use accounts::{Accounts, AppView};
pub use agreement::{Agreement, Agreements, NoAgreement};
pub use app::{App, AppProfile, AppStatus, Environment, Partner, PartnerStatus, Product, ProductSet, WordError};
pub use app_secret::{AppSecret, SecretUse};
pub use document::{DocumentError, DocumentFormat, DocumentPurpose};
pub use email::{EmailAddress, EmailError};
pub use going_live::{GoLiveEvent, GoLiveItem, GoLiveRefusal, GoLiveState, next_go_live_state};
pub use id::{
    AgreementId, AppId, CertificateId, DebtNoticeId, DeskAlarmId, DeskBatchId, DeskCheckId, DisputeId, DocumentId,
    GoLiveId, IdError, IncidentEventId, IncidentId, LetterId, OnceTokenId, OperatorKeyId, PartnerId, PaymentId,
    PersonId, PrivacyRequestId, ResultAddressId, ScriptedRunId, SessionId, SignOnId, TicketId, TopUpId,
};
pub use kra_pin::{KraPin, KraPinError};
pub use lawful_basis::LawfulBasis;
pub use limits::{AppLimits, Budget, Limits, Prepaid, Probing, Rate};
pub use onboarding::{OnboardingError, OnboardingEvent, OnboardingStep, Side};
pub use operator_key::{OperatorKey, OperatorScope, OperatorScopes};
pub use product_state::{ProductState, product_state};
pub use purpose::Purpose;
pub use result_address::ResultAddress;
pub use role::{May, MemberRole, StaffRole};
pub use scripted_run::{Observation, Observed, RunStep, StepResult, judge_run};
