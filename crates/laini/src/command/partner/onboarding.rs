use clap::{Args, ValueEnum};
use laini_core::partner::{OnboardingEvent, OnboardingStep, Side};
use laini_office::onboarding::{self, Need, Onboarding, Standing};
use laini_office::organisation::Missing;
use laini_office::{Problem, Work};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// `laini partner onboarding`
#[derive(Args)]
pub(crate) struct OnboardingArgs {
    /// The partner: its name or id. Without one, those are listed who are on the way, the newest first.
    partner: Option<String>,
    /// List those who stand at this step: submitted, under_review, agreement_sent, signed, live, returned, rejected.
    #[arg(long, conflicts_with = "partner", value_parser = OnboardingStep::parse)]
    step: Option<OnboardingStep>,
    /// Move it on.
    #[arg(long = "move", value_name = "MOVE", value_enum, requires = "partner")]
    to: Option<Move>,
    /// Why: needed where it is returned or rejected, and seen by both sides.
    #[arg(long, default_value = "", requires = "to")]
    reason: String,
    /// Say something that both sides see.
    #[arg(long, value_name = "TEXT", requires = "partner")]
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
    needs: Vec<String>,
    /// What an agreement cannot be sent without.
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
    fn of(onboarding: &Onboarding, missing: Vec<Missing>, standing: &Standing) -> Self {
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
            owner: standing.turn.map(Side::word),
            needs: standing.needs.iter().copied().map(Need::word).collect(),
            missing: missing.into_iter().map(Missing::word).collect(),
            history: history.collect(),
            comments: comments.collect(),
        }
    }

    fn in_words(&self) -> String {
        let mut lines = vec![format!("{}: {}", self.step, whose_turn(self.owner))];
        if !self.needs.is_empty() {
            lines.push(format!("needs: {}", self.needs.join(", ")));
        }
        lines.extend(self.history.iter().map(|one| format!("{} {} by {} {}", one.at, one.step, one.by, one.reason)));
        lines.extend(self.comments.iter().cloned());
        lines.join("\n")
    }
}

fn whose_turn(owner: Option<&str>) -> String {
    owner.map_or("nobody's turn".to_owned(), |owner| format!("the {owner}'s turn"))
}

/// A partner in the list.
#[derive(Serialize)]
struct ListedReport {
    partner: String,
    name: String,
    step: &'static str,
    owner: Option<&'static str>,
    since: String,
    needs: Vec<String>,
}

/// Shows who is on the way, or the way of a partner, and moves it on.
pub(crate) fn run(context: &Context, args: &OnboardingArgs) -> anyhow::Result<()> {
    match &args.partner {
        Some(partner) => show(context, partner, args),
        None => list(context, args.step),
    }
}

fn list(context: &Context, step: Option<OnboardingStep>) -> anyhow::Result<()> {
    let listed = in_office(context, |work| {
        let mut found: Vec<Onboarding> = match step {
            Some(step) => work.all("step", step.word())?,
            None => work.all("all", "all")?,
        };
        // Whoever has arrived is on no way any more, unless one asks for them.
        found.retain(|one| step.is_some() || !matches!(one.step, OnboardingStep::Live | OnboardingStep::Rejected));
        found.iter().rev().map(|one| listed(work, one)).collect::<Result<Vec<_>, _>>()
    })?;
    context.out.data(&listed, |listed| {
        if listed.is_empty() {
            return "nobody is on the way: laini partner add NAME --agreement none".to_owned();
        }
        let header = format!("{:<20} {:<14} {:<24} {:<20} needs", "partner", "step", "turn", "since");
        let rows = listed.iter().map(|one| {
            let needs = one.needs.join(", ");
            format!("{:<20} {:<14} {:<24} {:<20} {needs}", one.name, one.step, whose_turn(one.owner), one.since)
        });
        std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n")
    })
}

fn listed(work: &mut Work<'_>, one: &Onboarding) -> Result<ListedReport, Problem> {
    let standing = onboarding::standing(work, one)?;
    let named = work.book()?.partners.into_iter().find(|partner| partner.id == one.partner);
    Ok(ListedReport {
        partner: one.partner.to_string(),
        name: named.map(|partner| partner.name).unwrap_or_default(),
        step: one.step.word(),
        owner: standing.turn.map(Side::word),
        since: format!("{:.0}", standing.since),
        needs: standing.needs.into_iter().map(Need::word).collect(),
    })
}

fn show(context: &Context, partner: &str, args: &OnboardingArgs) -> anyhow::Result<()> {
    let report = in_office(context, |work| {
        let partner = partner_of(work, partner)?;
        if let Some(to) = args.to {
            onboarding::move_on(work, partner, to.event(), &args.reason)?;
        }
        if let Some(text) = &args.comment {
            onboarding::comment(work, partner, text)?;
        }
        let (onboarding, missing) = onboarding::timeline(work, partner)?;
        let standing = onboarding::standing(work, &onboarding)?;
        Ok(OnboardingReport::of(&onboarding, missing, &standing))
    })?;
    context.out.data(&report, OnboardingReport::in_words)
}
