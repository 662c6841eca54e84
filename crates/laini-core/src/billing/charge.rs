use super::Money;

/// What became of a check that reached the registry; one word per ledger row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Facts were answered.
    Answered,
    /// Facts were answered again within the time in which a repeat is free (contract §5).
    Repeated,
    /// The number is not served here.
    NotServed,
    /// The registry could not say (no history, stale, refused by the feed).
    Unknown,
    /// The holder's data is restricted.
    Withheld,
    /// Takes back the charge of a check whose caller was told that its record is not confirmed.
    Reversal,
}

impl Outcome {
    /// Every outcome; engines store the word.
    pub const ALL: [Self; 6] =
        [Self::Answered, Self::Repeated, Self::NotServed, Self::Unknown, Self::Withheld, Self::Reversal];

    /// The word in exports and filters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Repeated => "repeated",
            Self::NotServed => "not_served",
            Self::Unknown => "unknown",
            Self::Withheld => "withheld",
            Self::Reversal => "reversal",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }

    /// Why a check of this outcome is free; `None` for the one that is charged, and for its reversal.
    pub fn free_reason(self) -> Option<FreeReason> {
        match self {
            Self::Answered | Self::Reversal => None,
            Self::Repeated => Some(FreeReason::Repeat),
            Self::NotServed => Some(FreeReason::NotServed),
            Self::Unknown => Some(FreeReason::Unknown),
            Self::Withheld => Some(FreeReason::Withheld),
        }
    }
}

/// What a check costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// So much.
    Charged(Money),
    /// Nothing.
    Free(FreeReason),
}

/// Why a check is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeReason {
    /// The same question again within its time.
    Repeat,
    /// Not served here.
    NotServed,
    /// The registry could not say.
    Unknown,
    /// Restricted.
    Withheld,
    /// Refused before the registry was asked.
    Refused,
}

impl FreeReason {
    /// The word in the `Laini-Charge` header.
    pub fn word(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::NotServed => "not-served",
            Self::Unknown => "unknown",
            Self::Withheld => "withheld",
            Self::Refused => "refused",
        }
    }
}
