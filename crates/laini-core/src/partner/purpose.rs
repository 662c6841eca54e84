use super::WordError;

/// Why a partner asks; each is a lawful purpose that an agreement can allow. Stands in every ledger row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// Before a risky transaction.
    #[default]
    FraudPrevention,
    /// When a customer is taken on.
    Onboarding,
    /// Before a cheque is cleared.
    ChequeConfirmation,
}

impl Purpose {
    /// Every purpose; engines store the word.
    pub const ALL: [Self; 3] = [Self::FraudPrevention, Self::Onboarding, Self::ChequeConfirmation];

    /// The word in requests and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::FraudPrevention => "fraud_prevention",
            Self::Onboarding => "onboarding",
            Self::ChequeConfirmation => "cheque_confirmation",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|purpose| purpose.word() == word);
        found.ok_or(WordError { expected: "fraud_prevention, onboarding, cheque_confirmation" })
    }

    /// Reads words separated by commas; at least one.
    pub fn parse_list(words: &str) -> Result<Vec<Self>, WordError> {
        words.split(',').map(|word| Self::parse(word.trim())).collect()
    }
}
