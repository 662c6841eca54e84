use crate::partner::{Side, WordError};

/// How a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TicketState {
    /// Nobody has answered it yet.
    Open,
    /// The operator answered: the partner has the word.
    WaitingForPartner,
    /// The partner said more: the operator has the word.
    WaitingForOperator,
    /// It is over, until the partner says that it is not.
    Solved,
}

/// Why a ticket does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketRefusal {
    /// It is over.
    #[error("the ticket is solved; the partner opens it again by replying")]
    Solved,
}

impl TicketState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::WaitingForPartner, Self::WaitingForOperator, Self::Solved];

    /// The word in requests and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::WaitingForPartner => "waiting_for_partner",
            Self::WaitingForOperator => "waiting_for_operator",
            Self::Solved => "solved",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|state| state.word() == word);
        found.ok_or(WordError { expected: "open, waiting_for_partner, waiting_for_operator, solved" })
    }

    /// Who has the word: whose clock runs. `None` = nobody.
    pub fn waits_for(self) -> Option<Side> {
        match self {
            Self::Open | Self::WaitingForOperator => Some(Side::Operator),
            Self::WaitingForPartner => Some(Side::Partner),
            Self::Solved => None,
        }
    }

    /// The state after a side has said something.
    pub fn after_reply(self, side: Side) -> Result<Self, TicketRefusal> {
        match (self, side) {
            (Self::Open, Side::Partner) => Ok(Self::Open),
            (Self::WaitingForPartner | Self::WaitingForOperator | Self::Solved, Side::Partner) => {
                Ok(Self::WaitingForOperator)
            }
            (Self::Open | Self::WaitingForPartner | Self::WaitingForOperator, Side::Operator) => {
                Ok(Self::WaitingForPartner)
            }
            (Self::Solved, Side::Operator) => Err(TicketRefusal::Solved),
        }
    }

    /// The state after a side has called it solved.
    pub fn solved(self) -> Result<Self, TicketRefusal> {
        match self {
            Self::Open | Self::WaitingForPartner | Self::WaitingForOperator => Ok(Self::Solved),
            Self::Solved => Err(TicketRefusal::Solved),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_goes_from_side_to_side_and_only_the_partner_takes_up_what_was_solved() {
        use TicketState::{Open, Solved, WaitingForOperator, WaitingForPartner};
        let cases = [
            (Open, Ok(Open), Ok(WaitingForPartner), Ok(Solved), Some(Side::Operator)),
            (WaitingForPartner, Ok(WaitingForOperator), Ok(WaitingForPartner), Ok(Solved), Some(Side::Partner)),
            (WaitingForOperator, Ok(WaitingForOperator), Ok(WaitingForPartner), Ok(Solved), Some(Side::Operator)),
            (Solved, Ok(WaitingForOperator), Err(TicketRefusal::Solved), Err(TicketRefusal::Solved), None),
        ];
        assert_eq!(cases.map(|(state, ..)| state), TicketState::ALL);
        for (state, partner, operator, solved, waits) in cases {
            assert_eq!(state.after_reply(Side::Partner), partner, "{state:?}");
            assert_eq!(state.after_reply(Side::Operator), operator, "{state:?}");
            assert_eq!((state.solved(), state.waits_for()), (solved, waits), "{state:?}");
            assert_eq!(TicketState::parse(state.word()), Ok(state));
        }
    }
}
