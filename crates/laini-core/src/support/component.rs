use crate::partner::WordError;

/// A part of the service that works, or does not, by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// The doors where apps get their tokens.
    Tokens,
    /// Checks and their answers.
    Checks,
    /// Results that are sent.
    Deliveries,
    /// How fresh the registry is.
    Feed,
    /// The pages for people.
    Portal,
}

impl Component {
    /// Every component, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Tokens, Self::Checks, Self::Deliveries, Self::Feed, Self::Portal];

    /// The word in requests and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Checks => "checks",
            Self::Deliveries => "deliveries",
            Self::Feed => "feed",
            Self::Portal => "portal",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|component| component.word() == word);
        found.ok_or(WordError { expected: "tokens, checks, deliveries, feed, portal" })
    }
}
