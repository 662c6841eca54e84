//! People and their sessions.

use serde::{Deserialize, Serialize};

use super::going_live::AcceptTermsRequest;

/// `GET /office/v1/me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeAnswer {
    /// Their id.
    pub person: String,
    /// What they are called.
    pub name: String,
    /// The partner that they act for; null: the operator.
    pub partner: Option<String>,
    /// What they may do there.
    pub role: String,
}

/// `POST /office/v1/sessions`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: String,
    /// The code that the authenticator app shows, where there is a second factor.
    #[serde(default)]
    pub code: Option<String>,
    /// A recovery code, in its place.
    #[serde(default)]
    pub recovery_code: Option<String>,
}

/// A session that has just begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedInAnswer {
    /// The token of the session; shown once.
    pub token: String,
    /// Who signed in.
    pub person: String,
    /// The partner that they act for; null: the operator.
    pub partner: Option<String>,
    /// What they may do there.
    pub role: String,
    /// Whether they may do nothing but set up a second factor.
    pub must_set_up_factor: bool,
}

/// `POST /office/v1/single-sign-on`: a sign-on that has begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BegunSignOnAnswer {
    /// Where the browser goes to sign in; it comes back to the portal with `code` and `state`.
    pub url: String,
    /// What the browser keeps to itself until then, for ten minutes.
    pub sign_on: String,
}

/// `POST /office/v1/single-sign-on/finish`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FinishSignOnRequest {
    /// `code`, as the identity provider sent it back.
    pub code: String,
    /// `state`, as it sent it back.
    pub state: String,
    /// What this browser kept.
    pub sign_on: String,
    /// The code that the authenticator app shows, where there is a second factor here and the provider asked for none.
    #[serde(default)]
    pub factor_code: Option<String>,
    /// A recovery code, in its place.
    #[serde(default)]
    pub recovery_code: Option<String>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionAnswer {
    /// Its id.
    pub session: String,
    /// Whether it is the one that asks.
    pub is_current: bool,
    /// When it began.
    pub began: String,
    /// When it was last used, to the minute.
    pub seen: String,
    /// When it ends if it is not used again.
    pub ends: String,
    /// From where it was begun.
    pub address: String,
}

/// `GET /office/v1/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionsAnswer {
    /// Newest first.
    pub items: Vec<SessionAnswer>,
}

/// `POST /office/v1/invitations/accept`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptRequest {
    /// The token of the invitation.
    pub token: String,
    /// The password that is wanted: 8 to 128 characters, and not what is guessed first.
    pub password: String,
    /// What they want to be called, where it is not what they were invited as.
    #[serde(default)]
    pub name: Option<String>,
}

/// `POST /office/v1/registrations`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegistrationRequest {
    /// What the organisation is called, 1 to 100 characters.
    pub company: String,
    /// The e-mail address of whoever registers it.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// The terms that they accept for it: those of `GET /office/v1/terms`.
    pub terms: AcceptTermsRequest,
}

/// `POST /office/v1/registrations/confirm`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfirmRegistrationRequest {
    /// The token of the letter.
    pub token: String,
    /// The password that is wanted: 8 to 128 characters, and not what is guessed first.
    pub password: String,
    /// What they want to be called, where it is not what was said.
    #[serde(default)]
    pub name: Option<String>,
    /// What the organisation is called, where it is not what was said.
    #[serde(default)]
    pub company: Option<String>,
}

/// `POST /office/v1/password-resets`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResetRequest {
    /// The e-mail address.
    pub email: String,
}

/// `POST /office/v1/password-resets/complete`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CompleteResetRequest {
    /// The token of the letter.
    pub token: String,
    /// The password that is wanted.
    pub password: String,
}

/// `PUT /office/v1/password`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PasswordRequest {
    /// The present one.
    pub password: String,
    /// The one that is wanted.
    pub new_password: String,
}

/// `POST /office/v1/second-factor`: the present password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProofRequest {
    /// The present password.
    pub password: String,
}

/// A second factor to be put into an authenticator app; shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BegunFactorAnswer {
    /// To be typed.
    pub secret: String,
    /// To be shown as a QR code.
    pub uri: String,
}

/// `POST /office/v1/second-factor/confirm`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfirmFactorRequest {
    /// The code that the app shows.
    pub code: String,
}

/// `POST /office/v1/second-factor/remove`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RemoveFactorRequest {
    /// The present password.
    pub password: String,
    /// A code of the factor, or a recovery code.
    pub code: String,
}

/// `POST /office/v1/second-factor/recovery-codes`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RenewCodesRequest {
    /// The present password.
    pub password: String,
    /// A code of the factor, or a recovery code.
    pub code: String,
}

/// Codes for the day that the app is lost; each good once, shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecoveryCodesAnswer {
    /// Ten of them.
    pub codes: Vec<String>,
}

/// Whom to invite.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// The e-mail address; nobody else has it.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub role: String,
}

/// Another role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RoleRequest {
    /// What they may do from now on.
    pub role: String,
}

/// Somebody of a roster.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonAnswer {
    /// Their id.
    pub person: String,
    /// What they are called.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// The partner that they act for; null: the operator.
    pub partner: Option<String>,
    /// What they may do there.
    pub role: String,
    /// `invited` (has not come in yet), `active` or `disabled`.
    pub status: String,
    /// Whether they have a second factor.
    pub second_factor: bool,
    /// When they signed in last; null: not yet, or it is not known.
    #[serde(default)]
    pub signed_in: Option<String>,
    /// Since when they are known.
    pub created: String,
}

/// The people of a roster.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PeopleAnswer {
    /// Oldest first.
    pub items: Vec<PersonAnswer>,
    /// For `after` of the next page; null: there is none.
    pub next: Option<String>,
}

/// A row of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditRowAnswer {
    /// Grows with every row.
    pub number: u64,
    /// When.
    pub at: String,
    /// Who: people by their id. To a partner, the operator's side is `operator`.
    pub actor: String,
    /// What was done: noun.verb.
    pub action: String,
    /// To what.
    pub target: String,
    /// Why, or how.
    pub reason: String,
    /// The partner that it concerns.
    pub partner: Option<String>,
}

/// A page of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditAnswer {
    /// Newest first.
    pub items: Vec<AuditRowAnswer>,
    /// For `before` of the next page; null: there is none.
    pub next: Option<u64>,
}
