use clap::{Args, ValueEnum};
use laini_core::partner::{OnboardingEvent, Side};
use laini_office::onboarding::{self, Onboarding};
use laini_office::organisation::Missing;
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// `laini partner onboarding`
#[derive(Args)]
pub(crate) struct OnboardingArgs {
    /// The partner: its name or id.
    partner: String,
    /// Move it on.
    #[arg(long = "move", value_name = "MOVE", value_enum)]
    to: Option<Move>,
    /// Why: needed where it is returned or rejected, and seen by both sides.
    #[arg(long, default_value = "", requires = "to")]
    reason: String,
    /// Say something that both sides see.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// What moves an onboarding on. Steps of the agreement come with the agreement.
#[derive(Clone, Copy, ValueEnum)]
enum Move {
    /// Look at its papers.
    TakeUp,
    /// Something has to be put right.
    Return,
    /// It is not taken on.
    Reject,
    /// It asks in production.
    GoLive,
}

impl Move {
    fn event(self) -> OnboardingEvent {
        match self {
            Self::TakeUp => OnboardingEvent::TakeUp,
            Self::Return => OnboardingEvent::Return,
            Self::Reject => OnboardingEvent::Reject,
            Self::GoLive => OnboardingEvent::GoLive,
        }
    }
}

#[derive(Serialize)]
struct OnboardingReport {
    partner: String,
    step: &'static str,
    owner: Option<&'static str>,
    missing: Vec<String>,
    history: Vec<StepReport>,
    comments: Vec<String>,
}

#[derive(Serialize)]
struct StepReport {
    at: String,
    step: &'static str,
    by: String,
    reason: String,
}

impl OnboardingReport {
    fn of(onboarding: &Onboarding, missing: Vec<Missing>) -> Self {
        let history = onboarding.history.iter().map(|moved| StepReport {
            at: moved.at.to_string(),
            step: moved.step.word(),
            by: moved.by.clone(),
            reason: moved.reason.clone(),
        });
        let comments = onboarding.comments.iter();
        let comments = comments.map(|said| format!("{} {} ({}): {}", said.at, said.side.word(), said.by, said.text));
        Self {
            partner: onboarding.partner.to_string(),
            step: onboarding.step.word(),
            owner: onboarding.step.owner().map(Side::word),
            missing: missing.into_iter().map(Missing::word).collect(),
            history: history.collect(),
            comments: comments.collect(),
        }
    }

    fn in_words(&self) -> String {
        let turn = self.owner.map_or("nothing more is to come".to_owned(), |owner| format!("the {owner}'s turn"));
        let mut lines = vec![format!("{}: {turn}", self.step)];
        if !self.missing.is_empty() {
            lines.push(format!("missing: {}", self.missing.join(", ")));
        }
        lines.extend(self.history.iter().map(|one| format!("{} {} by {} {}", one.at, one.step, one.by, one.reason)));
        lines.extend(self.comments.iter().cloned());
        lines.join("\n")
    }
}

/// Shows the way of a partner, and moves it on.
pub(crate) fn run(context: &Context, args: &OnboardingArgs) -> anyhow::Result<()> {
    let report = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        if let Some(to) = args.to {
            onboarding::move_on(work, partner, to.event(), &args.reason)?;
        }
        if let Some(text) = &args.comment {
            onboarding::comment(work, partner, text)?;
        }
        let (onboarding, missing) = onboarding::timeline(work, partner)?;
        Ok(OnboardingReport::of(&onboarding, missing))
    })?;
    context.out.data(&report, OnboardingReport::in_words)
}
