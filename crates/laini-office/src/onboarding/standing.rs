use laini_core::partner::{OnboardingStep, Side};

use super::Onboarding;
use crate::agreements::{AgreementState, list_agreements};
use crate::organisation::{Missing, missing};
use crate::{PageRequest, Problem, Work};

/// What the next step of a partner needs, and whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose turn it is; `None` where nothing more is to come.
    pub turn: Option<Side>,
    /// What is needed, in the order in which it is done.
    pub needs: Vec<Need>,
}

/// Something without which the next step does not come.
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

/// What the next step of a partner needs. Of two signatures that are needed, the partner's is the first.
pub fn standing(work: &mut Work<'_>, onboarding: &Onboarding) -> Result<Standing, Problem> {
    let partner = onboarding.partner;
    let needs = match onboarding.step {
        OnboardingStep::Submitted => papers_and(work, onboarding, Need::Review)?,
        OnboardingStep::UnderReview => papers_and(work, onboarding, Need::Agreement)?,
        OnboardingStep::Returned => papers_and(work, onboarding, Need::Submission)?,
        OnboardingStep::AgreementSent => signatures(work, onboarding)?,
        OnboardingStep::Signed if work.read_book()?.agreements_of(partner).at(work.at).is_err() => {
            vec![Need::Beginning]
        }
        OnboardingStep::Signed => vec![Need::GoLive],
        OnboardingStep::Live | OnboardingStep::Rejected => Vec::new(),
    };
    let is_signed =
        onboarding.step == OnboardingStep::AgreementSent && !needs.contains(&Need::Signature(Side::Partner));
    let turn = if is_signed { Some(Side::Operator) } else { onboarding.step.owner() };
    Ok(Standing { turn, needs })
}

/// What is missing of the papers; where nothing is, the step that comes next.
fn papers_and(work: &mut Work<'_>, onboarding: &Onboarding, next: Need) -> Result<Vec<Need>, Problem> {
    let missing = missing(work, onboarding.partner)?;
    Ok(if missing.is_empty() { vec![next] } else { missing.into_iter().map(Need::Paper).collect() })
}

/// Who has not signed what lies before both sides.
fn signatures(work: &mut Work<'_>, onboarding: &Onboarding) -> Result<Vec<Need>, Problem> {
    let newest = list_agreements(work, onboarding.partner, PageRequest::FIRST)?.items;
    let signed = newest.into_iter().find(|record| record.state == AgreementState::Sent).map(|sent| sent.signatures);
    let has = |side| signed.iter().flatten().any(|signature| signature.side == side);
    Ok([Side::Partner, Side::Operator].into_iter().filter(|side| !has(*side)).map(Need::Signature).collect())
}
