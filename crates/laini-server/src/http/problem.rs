use std::borrow::Cow;

use laini_core::partner::{NoAgreement, OperatorScope, Product};

/// Why a bearer token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenProblem {
    /// None came.
    Missing,
    /// Two `Authorization` headers came.
    Ambiguous,
    /// Not made here, altered, or of an app that is gone.
    Unknown,
    /// Past its time.
    Expired,
    /// Revoked, alone or with its app.
    Revoked,
}

/// Why a known caller is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForbiddenReason {
    /// Its credentials belong to the other environment.
    WrongEnvironment,
    /// What it asks for is there for sandbox apps alone.
    SandboxOnly,
    /// No agreement of its partner is in force.
    NoAgreement(NoAgreement),
    /// The agreement does not cover this product.
    NotInAgreement(Product),
    /// The app may not ask from this address.
    WrongAddress,
    /// The app asks under another client certificate than its own, or under none.
    WrongCertificate,
    /// The agreement does not allow the purpose.
    PurposeNotAllowed,
    /// Its partner is suspended.
    PartnerSuspended,
    /// The app is suspended.
    AppSuspended,
    /// The operator key does not hold this scope.
    MissingScope(OperatorScope),
    /// The person's role may not do this.
    NotOfThatRole,
    /// The operator wants a second factor of its staff, and this person has none yet.
    NoSecondFactor,
}

/// Why somebody at the office's door is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInProblem {
    /// The e-mail address or the password; which of them is nobody's business.
    Wrong,
    /// A code of the second factor is missing.
    CodeNeeded,
    /// The code is wrong.
    CodeWrong,
}

impl SignInProblem {
    /// What its caller is told.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Wrong => "Unauthorized - the e-mail address or the password is wrong",
            Self::CodeNeeded => "Unauthorized - a code of the second factor is needed as well",
            Self::CodeWrong => "Unauthorized - the code is wrong, was used already, or has passed",
        }
    }
}

/// What may help where a number cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberHint {
    /// Nothing.
    None,
    /// The number that was probably meant.
    DidYouMean(String),
    /// The field came under a name that is often confused with the right one.
    WrongName(&'static str),
}

/// Why results cannot go to the address that a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultAddressProblem {
    /// It came as something else than a string.
    NotText,
    /// The app has not registered it.
    NotRegistered,
    /// It has not answered its challenge yet.
    NotProven,
    /// The app has no listener's address.
    NoListenAddress,
}

impl TokenProblem {
    /// What its caller is told.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Missing => "Error Occurred - Invalid Access Token - no bearer token was sent",
            Self::Ambiguous => "Error Occurred - Invalid Access Token - more than one Authorization header was sent",
            Self::Unknown => "Error Occurred - Invalid Access Token - not issued by this service",
            Self::Expired => "Error Occurred - Invalid Access Token - expired, request a new one",
            Self::Revoked => "Error Occurred - Invalid Access Token - revoked, request a new one",
        }
    }
}

impl ForbiddenReason {
    /// What its caller is told.
    pub(super) fn message(self) -> Cow<'static, str> {
        match self {
            Self::NoAgreement(NoAgreement::NotBegun(at)) => {
                format!("Forbidden - the agreement begins at {at:.0}; wait until then, or ask the operator").into()
            }
            Self::NoAgreement(NoAgreement::Ended(at)) => {
                format!("Forbidden - the agreement ended at {at:.0}; ask the operator for a new one").into()
            }
            _ => self.fixed_message().into(),
        }
    }

    fn fixed_message(self) -> &'static str {
        match self {
            Self::WrongEnvironment => {
                "Forbidden - these credentials belong to another environment; use an app of this one"
            }
            Self::SandboxOnly => "Forbidden - worlds belong to sandbox apps; use the token of a sandbox app",
            Self::NoAgreement(_) => "Forbidden - there is no agreement in force; ask the operator for one",
            Self::PurposeNotAllowed => {
                "Forbidden - the agreement does not allow this purpose; name one that it allows, or ask the operator"
            }
            Self::PartnerSuspended => "Forbidden - this partner is suspended; ask the operator why",
            Self::AppSuspended => "Forbidden - this app is suspended; ask the operator why",
            Self::MissingScope(OperatorScope::FeedWrite) => {
                "Forbidden - this operator key may not write the feed; it needs the scope feed:write"
            }
            Self::MissingScope(OperatorScope::FeedRead) => {
                "Forbidden - this operator key may not read the feed's state; it needs the scope feed:read"
            }
            Self::NotOfThatRole => "Forbidden - your role may not do this; ask an owner or administrator",
            Self::NoSecondFactor => "Forbidden - set up a second factor first; staff need one here",
            Self::NotInAgreement(Product::Imsi) => {
                "Forbidden - the agreement does not cover the product imsi; ask the operator to add it: \
                 the app's page in the portal begins a ticket"
            }
            Self::NotInAgreement(Product::Swap) => {
                "Forbidden - the agreement does not cover the product swap; ask the operator to add it: \
                 the app's page in the portal begins a ticket"
            }
            Self::NotInAgreement(Product::Age) => {
                "Forbidden - the agreement does not cover the product age; ask the operator to add it: \
                 the app's page in the portal begins a ticket"
            }
            Self::WrongAddress => {
                "Forbidden - address not allowed; call from a registered address, or ask the operator to add this one"
            }
            Self::WrongCertificate => {
                "Forbidden - client certificate not allowed; present the one that is registered for this app"
            }
        }
    }
}

impl NumberHint {
    /// What its caller is told.
    pub(super) fn message(&self) -> Cow<'static, str> {
        const INVALID: &str = "Bad Request - Invalid customerNumber";
        match self {
            Self::None => INVALID.into(),
            Self::DidYouMean(number) => format!("{INVALID} - did you mean {number}?").into(),
            Self::WrongName(found) => format!("{INVALID} - the field is named customerNumber, not {found}").into(),
        }
    }
}

impl ResultAddressProblem {
    /// What its caller is told.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::NotText => "Bad Request - Invalid resultURL - it must be a string",
            Self::NotRegistered => {
                "Bad Request - Invalid resultURL - register the address for this app first, and send it as registered"
            }
            Self::NoListenAddress => {
                "Bad Request - this app has no result address laini:listen; have it registered to listen"
            }
            Self::NotProven => {
                "Bad Request - Invalid resultURL - the address has not answered its challenge; have it proven first"
            }
        }
    }
}
