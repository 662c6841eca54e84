use jiff::Timestamp;
use laini_core::partner::{NoAgreement, OnboardingStep, Side};

use super::Onboarding;
use crate::agreements::before_both_sides;
use crate::organisation::{Missing, missing};
use crate::{Problem, Work};

/// What the next step of a partner needs, and whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose turn it is; `None` where nothing more is to come, or only a day has to.
    pub turn: Option<Side>,
    /// Since when it stands so: since its step was reached, or the partner has signed.
    pub since: Timestamp,
    /// What is needed, in the order in which it is done.
    pub needs: Vec<Need>,
}

/// Something that is missing on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A paper or a detail that no agreement is sent without.
    Paper(Missing),
    /// What was returned, handed in again.
    Submission,
    /// Somebody of the operator's who takes it up.
    Review,
    /// An agreement that lies before both sides.
    Agreement,
    /// The signature of a side.
    Signature(Side),
    /// The day on which the agreement begins.
    Beginning,
    /// The operator's word that it goes live.
    GoLive,
}

impl Need {
    /// The word in answers: that of what is missing of the papers, or `submission`, `review`, `agreement`,
    /// `signature:partner`, `signature:operator`, `beginning`, `go_live`.
    pub fn word(self) -> String {
        match self {
            Self::Paper(missing) => missing.word(),
            Self::Submission => "submission".to_owned(),
            Self::Review => "review".to_owned(),
            Self::Agreement => "agreement".to_owned(),
            Self::Signature(side) => format!("signature:{}", side.word()),
            Self::Beginning => "beginning".to_owned(),
            Self::GoLive => "go_live".to_owned(),
        }
    }
}

/// What the next step of a partner needs.
pub fn standing(work: &mut Work<'_>, onboarding: &Onboarding) -> Result<Standing, Problem> {
    let partner = onboarding.partner;
    let mut since = onboarding.history.last().map_or(onboarding.began, |moved| moved.at);
    let papers = |work: &mut Work<'_>| missing(work, partner).map(|missing| missing.into_iter().map(Need::Paper));
    let (turn, needs) = match onboarding.step {
        OnboardingStep::Submitted => {
            (Some(Side::Operator), [Need::Review].into_iter().chain(papers(work)?).collect::<Vec<_>>())
        }
        OnboardingStep::UnderReview => {
            let needs: Vec<_> = papers(work)?.chain([Need::Agreement]).collect();
            let is_complete = needs.len() == 1;
            (Some(if is_complete { Side::Operator } else { Side::Partner }), needs)
        }
        OnboardingStep::Returned => (Some(Side::Partner), papers(work)?.chain([Need::Submission]).collect()),
        OnboardingStep::AgreementSent => {
            let sent = before_both_sides(work, partner)?;
            let signature = |side| sent.as_ref().and_then(|record| record.signature_of(side));
            // Of two signatures that are needed, the partner's is the first: before it, the operator's changes no turn.
            since = signature(Side::Partner).map_or(since, |signature| signature.at);
            let open: Vec<_> =
                [Side::Partner, Side::Operator].into_iter().filter(|&side| signature(side).is_none()).collect();
            (open.first().copied(), open.into_iter().map(Need::Signature).collect())
        }
        OnboardingStep::Signed => match work.read_book()?.agreements_of(partner).at(work.at) {
            Ok(_) => (Some(Side::Operator), vec![Need::GoLive]),
            // A day has to come, and nobody has to do anything.
            Err(NoAgreement::NotBegun(_)) => (None, vec![Need::Beginning]),
            Err(NoAgreement::Never | NoAgreement::Ended(_)) => (Some(Side::Operator), vec![Need::Agreement]),
        },
        OnboardingStep::Live | OnboardingStep::Rejected => (None, Vec::new()),
    };
    Ok(Standing { turn, since, needs })
}
