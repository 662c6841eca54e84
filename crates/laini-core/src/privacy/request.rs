use jiff::Timestamp;

use crate::partner::WordError;

/// What a privacy request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrivacyAction {
    /// What is held about the number, and who asked about it.
    Export,
    /// What is held is wrong.
    Rectify,
    /// Nothing is to be told about it.
    Restrict,
    /// It may be told again.
    Unrestrict,
    /// What was asked about it is to be forgotten.
    Erase,
}

impl PrivacyAction {
    /// Every action.
    pub const ALL: [Self; 5] = [Self::Export, Self::Rectify, Self::Restrict, Self::Unrestrict, Self::Erase];

    /// The word in requests and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Rectify => "rectify",
            Self::Restrict => "restrict",
            Self::Unrestrict => "unrestrict",
            Self::Erase => "erase",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|action| action.word() == word);
        found.ok_or(WordError { expected: "export, rectify, restrict, unrestrict, erase" })
    }
}

/// How it was made sure that whoever asks is the holder. That somebody has the SIM (a call or a code from it) is no proof:
/// whoever swapped it has it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityProof {
    /// An identity document, shown in person, that fits the registration of the SIM.
    DocumentInPerson,
    /// A certified copy of an identity document that fits the registration of the SIM.
    CertifiedCopy,
    /// Somebody who acts for the holder by law or by a power of attorney, with the papers of both.
    Representative,
    /// An order of a court or of the commissioner.
    Order,
}

impl IdentityProof {
    /// Every proof.
    pub const ALL: [Self; 4] = [Self::DocumentInPerson, Self::CertifiedCopy, Self::Representative, Self::Order];

    /// The word in requests and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::DocumentInPerson => "document_in_person",
            Self::CertifiedCopy => "certified_copy",
            Self::Representative => "representative",
            Self::Order => "order",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|proof| proof.word() == word);
        found.ok_or(WordError {
            expected: "document_in_person, certified_copy, representative, order (that somebody has the SIM proves nothing)",
        })
    }
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestState {
    /// It came.
    Received,
    /// Who asks is the holder.
    IdentityChecked,
    /// It may be carried out.
    Approved,
    /// It was carried out.
    Done,
    /// It will not be.
    Refused,
}

impl RequestState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Received, Self::IdentityChecked, Self::Approved, Self::Done, Self::Refused];

    /// The word in answers and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::IdentityChecked => "identity_checked",
            Self::Approved => "approved",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|state| state.word() == word);
        found.ok_or(WordError { expected: "received, identity_checked, approved, done, refused" })
    }

    /// Whether somebody still has to do something.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Received | Self::IdentityChecked | Self::Approved)
    }
}

/// Why a request does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    /// It has ended.
    #[error("the request has ended; make a new one")]
    Ended,
    /// Nobody made sure who asks.
    #[error("nobody has checked yet that whoever asks is the holder; check that first")]
    IdentityNotChecked,
    /// That was done before.
    #[error("who asks was checked already")]
    IdentityChecked,
    /// It was approved before.
    #[error("the request was approved already; carry it out")]
    Approved,
    /// Nobody approved it.
    #[error("the request is not approved yet")]
    NotApproved,
    /// The SIM was swapped or ported lately.
    #[error(
        "the SIM was swapped or ported within 30 days, or nobody can say that it was not: whoever holds it may be the \
         thief. The request is held until {0}"
    )]
    Held(Timestamp),
    /// Two people are needed.
    #[error("somebody else has to approve it than who received it or checked who asks")]
    SamePerson,
}

/// Where a request stands: what the rules need of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How far it is.
    pub state: RequestState,
    /// Until when it is held, if at all.
    pub held_until: Option<Timestamp>,
}

impl Standing {
    /// Whether it is held at `now`; what was approved is not any more.
    pub fn is_held(self, now: Timestamp) -> bool {
        let waits = matches!(self.state, RequestState::Received | RequestState::IdentityChecked);
        waits && self.held_until.is_some_and(|until| now < until)
    }

    /// The state after somebody made sure who asks; also while it is held.
    pub fn identity_checked(self) -> Result<RequestState, RequestRefusal> {
        match self.state {
            RequestState::Received => Ok(RequestState::IdentityChecked),
            RequestState::IdentityChecked | RequestState::Approved => Err(RequestRefusal::IdentityChecked),
            RequestState::Done | RequestState::Refused => Err(RequestRefusal::Ended),
        }
    }

    /// The state after its number was found to be held anew: what was approved waits for another approval.
    pub fn held_again(self) -> Result<RequestState, RequestRefusal> {
        match self.state {
            RequestState::Received => Ok(RequestState::Received),
            RequestState::IdentityChecked | RequestState::Approved => Ok(RequestState::IdentityChecked),
            RequestState::Done | RequestState::Refused => Err(RequestRefusal::Ended),
        }
    }

    /// The state after somebody approved it. `is_overridden` = it is not held any more, somebody answers for that.
    pub fn approved(
        self,
        now: Timestamp,
        is_overridden: bool,
        is_same_person: bool,
    ) -> Result<RequestState, RequestRefusal> {
        match self.state {
            RequestState::Received => Err(RequestRefusal::IdentityNotChecked),
            RequestState::Approved => Err(RequestRefusal::Approved),
            RequestState::Done | RequestState::Refused => Err(RequestRefusal::Ended),
            RequestState::IdentityChecked if is_same_person => Err(RequestRefusal::SamePerson),
            RequestState::IdentityChecked => match self.held_until.filter(|until| now < *until && !is_overridden) {
                Some(until) => Err(RequestRefusal::Held(until)),
                None => Ok(RequestState::Approved),
            },
        }
    }

    /// The state after it was carried out.
    pub fn done(self) -> Result<RequestState, RequestRefusal> {
        match self.state {
            RequestState::Approved => Ok(RequestState::Done),
            RequestState::Received => Err(RequestRefusal::IdentityNotChecked),
            RequestState::IdentityChecked => Err(RequestRefusal::NotApproved),
            RequestState::Done | RequestState::Refused => Err(RequestRefusal::Ended),
        }
    }

    /// The state after somebody refused it.
    pub fn refused(self) -> Result<RequestState, RequestRefusal> {
        if self.state.is_open() { Ok(RequestState::Refused) } else { Err(RequestRefusal::Ended) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_338_000, 0);
    const LATER: Timestamp = Timestamp::constant(1_795_338_001, 0);

    fn standing(state: RequestState) -> Standing {
        Standing { state, held_until: None }
    }

    #[test]
    fn nothing_is_done_before_it_was_checked_who_asks_and_somebody_approved() {
        use RequestRefusal as No;
        use RequestState::{Approved, Done, IdentityChecked, Received, Refused};
        let cases = [
            (Received, Ok(IdentityChecked), Err(No::IdentityNotChecked), Err(No::IdentityNotChecked), Ok(Refused)),
            (IdentityChecked, Err(No::IdentityChecked), Ok(Approved), Err(No::NotApproved), Ok(Refused)),
            (Approved, Err(No::IdentityChecked), Err(No::Approved), Ok(Done), Ok(Refused)),
            (Done, Err(No::Ended), Err(No::Ended), Err(No::Ended), Err(No::Ended)),
            (Refused, Err(No::Ended), Err(No::Ended), Err(No::Ended), Err(No::Ended)),
        ];
        for (state, checked, approved, done, refused) in cases {
            let standing = standing(state);
            assert_eq!(standing.identity_checked(), checked, "{state:?}");
            assert_eq!(standing.approved(NOW, false, false), approved, "{state:?}");
            assert_eq!(standing.done(), done, "{state:?}");
            assert_eq!(standing.refused(), refused, "{state:?}");
        }
    }

    #[test]
    fn a_held_request_is_approved_when_its_time_has_come_or_somebody_answers_for_it() {
        let held = Standing { held_until: Some(LATER), ..standing(RequestState::IdentityChecked) };
        assert!(held.is_held(NOW) && !held.is_held(LATER));
        assert_eq!(held.approved(NOW, false, false), Err(RequestRefusal::Held(LATER)));
        assert_eq!(held.approved(NOW, true, false), Ok(RequestState::Approved));
        assert_eq!(held.approved(LATER, false, false), Ok(RequestState::Approved));
        assert_eq!(held.approved(LATER, true, true), Err(RequestRefusal::SamePerson));
    }

    #[test]
    fn what_was_approved_is_approved_anew_where_it_is_held_again() {
        use RequestState::{Approved, Done, IdentityChecked, Received, Refused};
        for (state, expected) in [
            (Received, Ok(Received)),
            (IdentityChecked, Ok(IdentityChecked)),
            (Approved, Ok(IdentityChecked)),
            (Done, Err(RequestRefusal::Ended)),
            (Refused, Err(RequestRefusal::Ended)),
        ] {
            assert_eq!(standing(state).held_again(), expected, "{state:?}");
        }
    }

    #[test]
    fn the_sim_alone_proves_nothing() {
        for word in ["sim", "sms", "otp", "call", "ussd", ""] {
            assert!(IdentityProof::parse(word).is_err(), "{word}");
        }
        for proof in IdentityProof::ALL {
            assert_eq!(IdentityProof::parse(proof.word()), Ok(proof));
        }
        for action in PrivacyAction::ALL {
            assert_eq!(PrivacyAction::parse(action.word()), Ok(action));
        }
        for state in RequestState::ALL {
            assert_eq!(RequestState::parse(state.word()), Ok(state));
        }
    }
}
