use super::WordError;

/// On what ground of the Data Protection Act (section 30) a partner asks for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LawfulBasis {
    /// The subscriber agreed.
    Consent,
    /// It is needed for a contract with the subscriber.
    Contract,
    /// A law asks for it.
    LegalObligation,
    /// It is in the public interest.
    PublicInterest,
    /// The partner's or the subscriber's interest, which outweighs.
    LegitimateInterests,
}

impl LawfulBasis {
    /// Every basis.
    pub const ALL: [Self; 5] =
        [Self::Consent, Self::Contract, Self::LegalObligation, Self::PublicInterest, Self::LegitimateInterests];

    /// The word in requests and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Contract => "contract",
            Self::LegalObligation => "legal_obligation",
            Self::PublicInterest => "public_interest",
            Self::LegitimateInterests => "legitimate_interests",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let expected = "consent, contract, legal_obligation, public_interest, legitimate_interests";
        Self::ALL.into_iter().find(|basis| basis.word() == word).ok_or(WordError { expected })
    }
}
