use super::WordError;

/// Where a partner stands on its way from papers to a signed agreement and its first check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnboardingStep {
    /// It has asked to be taken on.
    Submitted,
    /// The operator looks at its papers.
    UnderReview,
    /// The agreement lies before both sides.
    AgreementSent,
    /// Both have signed.
    Signed,
    /// It asks in production.
    Live,
    /// Something has to be put right first.
    Returned,
    /// It is not taken on.
    Rejected,
}

/// What moves it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnboardingEvent {
    /// What was returned is handed in again.
    Submit,
    /// Somebody of the operator's takes it up.
    TakeUp,
    /// Something has to be put right.
    Return,
    /// It is not taken on.
    Reject,
    /// The agreement is laid before both sides.
    SendAgreement,
    /// It is taken back, to be written anew.
    TakeBackAgreement,
    /// The second of both has signed.
    Sign,
    /// It goes live.
    GoLive,
}

/// One of the two sides of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The partner.
    Partner,
    /// The operator.
    Operator,
}

/// Why a partner does not move on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OnboardingError {
    /// It cannot come after where it stands.
    #[error("onboarding stands at {}: that does not come next", .0.word())]
    NotNext(OnboardingStep),
    /// The other side does this.
    #[error("that is for the {} to do", .0.word())]
    OtherSide(Side),
}

impl OnboardingStep {
    /// Every step.
    pub const ALL: [Self; 7] = [
        Self::Submitted,
        Self::UnderReview,
        Self::AgreementSent,
        Self::Signed,
        Self::Live,
        Self::Returned,
        Self::Rejected,
    ];

    /// The word in lists and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::UnderReview => "under_review",
            Self::AgreementSent => "agreement_sent",
            Self::Signed => "signed",
            Self::Live => "live",
            Self::Returned => "returned",
            Self::Rejected => "rejected",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let expected = "submitted, under_review, agreement_sent, signed, live, returned, rejected";
        Self::ALL.into_iter().find(|step| step.word() == word).ok_or(WordError { expected })
    }

    /// Whose turn it is; `None` where nothing more is to come.
    pub fn owner(self) -> Option<Side> {
        match self {
            Self::Submitted | Self::UnderReview | Self::Signed => Some(Side::Operator),
            Self::AgreementSent | Self::Returned => Some(Side::Partner),
            Self::Live | Self::Rejected => None,
        }
    }

    /// Where it stands after `event`, which `side` made happen.
    pub fn after(self, event: OnboardingEvent, side: Side) -> Result<Self, OnboardingError> {
        use OnboardingEvent as E;
        let next = match (self, event) {
            (Self::Returned, E::Submit) => Self::Submitted,
            (Self::Submitted, E::TakeUp) | (Self::AgreementSent, E::TakeBackAgreement) => Self::UnderReview,
            (Self::Submitted | Self::UnderReview | Self::AgreementSent, E::Return) => Self::Returned,
            (Self::Submitted | Self::UnderReview | Self::AgreementSent | Self::Returned, E::Reject) => Self::Rejected,
            (Self::UnderReview, E::SendAgreement) => Self::AgreementSent,
            (Self::AgreementSent, E::Sign) => Self::Signed,
            (Self::Signed, E::GoLive) => Self::Live,
            _ => return Err(OnboardingError::NotNext(self)),
        };
        match event.side() {
            Some(expected) if expected != side => Err(OnboardingError::OtherSide(expected)),
            _ => Ok(next),
        }
    }
}

impl OnboardingEvent {
    /// Every event.
    pub const ALL: [Self; 8] = [
        Self::Submit,
        Self::TakeUp,
        Self::Return,
        Self::Reject,
        Self::SendAgreement,
        Self::TakeBackAgreement,
        Self::Sign,
        Self::GoLive,
    ];

    /// Who alone makes it happen; `None` = either may be the one.
    fn side(self) -> Option<Side> {
        match self {
            Self::Submit => Some(Side::Partner),
            Self::TakeUp
            | Self::Return
            | Self::Reject
            | Self::SendAgreement
            | Self::TakeBackAgreement
            | Self::GoLive => Some(Side::Operator),
            Self::Sign => None,
        }
    }
}

impl Side {
    /// The word in lists and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Operator => "operator",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = [Self::Partner, Self::Operator].into_iter().find(|side| side.word() == word);
        found.ok_or(WordError { expected: "partner, operator" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OnboardingEvent as E;
    use OnboardingStep as S;

    /// Everything that may happen, and who may make it happen; nothing else may.
    const TABLE: [(S, E, &[Side], S); 14] = [
        (S::Submitted, E::TakeUp, &[Side::Operator], S::UnderReview),
        (S::Submitted, E::Return, &[Side::Operator], S::Returned),
        (S::Submitted, E::Reject, &[Side::Operator], S::Rejected),
        (S::UnderReview, E::SendAgreement, &[Side::Operator], S::AgreementSent),
        (S::UnderReview, E::Return, &[Side::Operator], S::Returned),
        (S::UnderReview, E::Reject, &[Side::Operator], S::Rejected),
        (S::AgreementSent, E::TakeBackAgreement, &[Side::Operator], S::UnderReview),
        (S::AgreementSent, E::Sign, &[Side::Partner, Side::Operator], S::Signed),
        (S::AgreementSent, E::Return, &[Side::Operator], S::Returned),
        (S::AgreementSent, E::Reject, &[Side::Operator], S::Rejected),
        (S::Signed, E::GoLive, &[Side::Operator], S::Live),
        (S::Returned, E::Submit, &[Side::Partner], S::Submitted),
        (S::Returned, E::Reject, &[Side::Operator], S::Rejected),
        // The end.
        (S::Live, E::GoLive, &[], S::Live),
    ];

    #[test]
    fn no_other_way_leads_from_a_step_to_another() {
        let mut cases = 0;
        for step in S::ALL {
            for event in E::ALL {
                for side in [Side::Partner, Side::Operator] {
                    let row = TABLE.iter().find(|(from, by, ..)| (*from, *by) == (step, event));
                    let expected = row.filter(|(_, _, sides, _)| sides.contains(&side)).map(|(.., next)| *next);
                    assert_eq!(step.after(event, side).ok(), expected, "{step:?} {event:?} {side:?}");
                    cases += 1;
                }
            }
        }
        println!("family=\"steps of onboarding\" cases={cases} failures=0 seed=none");
    }

    #[test]
    fn live_is_reached_through_every_step_alone() {
        // Whatever happens in whatever order: who is live was under review, was sent an agreement and signed it.
        let mut paths = vec![vec![S::Submitted]];
        for _ in 0..7 {
            let longer = paths.iter().flat_map(|path| {
                let from = path[path.len() - 1];
                let events = E::ALL.into_iter().flat_map(move |event| {
                    [Side::Partner, Side::Operator].map(|side| from.after(event, side).ok()).into_iter().flatten()
                });
                events.map(move |next| path.iter().copied().chain([next]).collect::<Vec<_>>())
            });
            paths = longer.collect();
            for path in paths.iter().filter(|path| path.last() == Some(&S::Live)) {
                for needed in [S::UnderReview, S::AgreementSent, S::Signed] {
                    assert!(path.contains(&needed), "{path:?}");
                }
            }
        }
    }

    #[test]
    fn a_step_that_somebody_can_leave_has_an_owner() {
        for step in S::ALL {
            let mut all = E::ALL.into_iter().flat_map(|event| [Side::Partner, Side::Operator].map(|s| (event, s)));
            let can_leave = all.any(|(event, side)| step.after(event, side).is_ok());
            assert_eq!(step.owner().is_some(), can_leave, "{step:?}");
            assert_eq!(S::parse(step.word()), Ok(step));
        }
    }
}
