//! How an organisation becomes a partner that asks.

use serde::{Deserialize, Serialize};

/// A move of an onboarding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OnboardingMove {
    /// submit, take_up, return, reject, go_live.
    #[serde(rename = "move")]
    pub to: String,
    /// Why: needed where it is returned or rejected, and seen by both sides.
    #[serde(default)]
    pub reason: String,
}

/// Something to say to both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CommentRequest {
    /// At most 2,000 characters.
    pub text: String,
}

/// Where a partner stands on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnboardingAnswer {
    /// The partner's id.
    pub partner: String,
    /// submitted, under_review, agreement_sent, signed, live, returned, rejected.
    pub step: String,
    /// Whose turn it is: partner, operator. Absent where nothing more is to come, or only a day has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What an agreement cannot be sent without.
    pub missing: Vec<String>,
    /// What is missing on the way, in the order in which it is done: what is missing of the papers, `submission`,
    /// `review`, `agreement`, `signature:partner`, `signature:operator`, `beginning` (of the agreement), `go_live`.
    pub needs: Vec<String>,
    /// Every step, in order.
    pub history: Vec<OnboardingStepItem>,
    /// What both sides said, in order.
    pub comments: Vec<CommentItem>,
}

/// A step that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnboardingStepItem {
    /// When (RFC 3339).
    pub at: String,
    /// Which.
    pub step: String,
    /// Who moved it.
    pub by: String,
    /// Why, where a reason was given.
    pub reason: String,
}

/// Something that somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommentItem {
    /// When (RFC 3339).
    pub at: String,
    /// For which side: partner, operator.
    pub side: String,
    /// Who.
    pub by: String,
    /// What.
    pub text: String,
}

/// A page of onboardings, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnboardingsAnswer {
    /// What is on it.
    pub onboardings: Vec<OnboardingItem>,
    /// Where the next page begins, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An onboarding in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnboardingItem {
    /// The partner's id.
    pub partner: String,
    /// Where it stands.
    pub step: String,
    /// Whose turn it is: partner, operator. Absent where nothing more is to come, or only a day has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What is missing on the way, as in the partner's own onboarding.
    pub needs: Vec<String>,
    /// When it began (RFC 3339).
    pub began: String,
    /// Since when it stands so: at that step, or with one signature (RFC 3339).
    pub since: String,
}
