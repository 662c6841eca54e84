use std::borrow::Cow;

use laini_core::store::{AccountsError, LedgerError, OfficeError};

/// Why something was not done. Texts are for people, in our own words, and hold no personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no such thing, or none that the caller may know of.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field, and what is wrong with it.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field's name, as the caller sent it.
        field: &'static str,
        /// What is wrong, and what would be right.
        reason: Cow<'static, str>,
    },
    /// It is not such that this can be done now: why, and what to do first.
    #[error("{0}")]
    NotNow(Cow<'static, str>),
    /// Another one has the name.
    #[error("{0}")]
    Taken(Cow<'static, str>),
    /// The caller may not.
    #[error("{0}")]
    Forbidden(Cow<'static, str>),
    /// The caller has not proved who they are.
    #[error("{0}")]
    Unproven(Unproven),
    /// Too often: not before so many seconds.
    #[error("too many attempts; try again in {retry_after_s} seconds")]
    TooOften {
        /// At least 1.
        retry_after_s: u64,
    },
    /// What came is larger than this.
    #[error("larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// Others changed it again and again meanwhile.
    #[error("it is being changed by others; try again")]
    Contended,
    /// The store failed: for the log; callers are told that it cannot be reached.
    #[error("{0}")]
    Store(String),
}

/// Why somebody at the door is not let in. An unknown e-mail address is a wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The e-mail address or the password.
    #[error("the e-mail address or the password is wrong")]
    Wrong,
    /// They are right, and a code of the second factor is missing.
    #[error("a code of the second factor is needed as well")]
    CodeNeeded,
    /// They are right, and the code is not.
    #[error("the code is wrong, was used already, or has passed")]
    CodeWrong,
}

impl Problem {
    /// A field, and what is wrong with it.
    pub fn invalid(field: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }

    /// Why it cannot be done now.
    pub fn not_now(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::NotNow(reason.into())
    }
}

impl From<OfficeError> for Problem {
    fn from(error: OfficeError) -> Self {
        match error {
            OfficeError::Conflict(..) => Self::Contended,
            OfficeError::Taken { .. } => Self::Taken(error.to_string().into()),
            OfficeError::Accounts(error) => error.into(),
            OfficeError::Engine(reason) => Self::Store(reason),
        }
    }
}

impl From<AccountsError> for Problem {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Exists(_) => Self::Taken(error.to_string().into()),
            AccountsError::NotFound(_) => Self::NotNow(error.to_string().into()),
            AccountsError::Changed(_) => Self::Contended,
            AccountsError::Engine(reason) => Self::Store(reason),
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        Self::Store(error.to_string())
    }
}
