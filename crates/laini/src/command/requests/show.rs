use anyhow::Context as _;
use clap::Args;
use laini_core::billing::CheckId;
use laini_office::requests::{StepState, open};
use serde::Serialize;

use super::Told;
use crate::command::Context;
use crate::command::context::{in_office, partner_of};
use crate::failure::WithHint as _;

/// `laini requests show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// Whose: the partner's name or id.
    partner: String,
    /// The id that the call's answer named.
    request_ref_id: String,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    request: Told,
    steps: Vec<StepShown>,
    is_reversed: bool,
}

#[derive(Serialize)]
struct StepShown {
    stage: &'static str,
    state: &'static str,
}

/// Shows one call.
pub(crate) fn run(context: &Context, args: &ShowArgs) -> anyhow::Result<()> {
    let id = CheckId::parse_request_ref(&args.request_ref_id).context("the id of the call");
    let id = id.hint("it is the requestRefID (or requestId) of the answer")?;
    let shown = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        let opened = open(work, partner, id)?;
        let is_reversed = opened.request.recorded.is_some_and(|recorded| recorded.is_reversed);
        let step =
            |step: &laini_office::requests::Step| StepShown { stage: step.stage.word(), state: step.state.word() };
        let steps = opened.steps.iter().map(step).collect();
        Ok(Shown { request: Told::of(opened.request, work, partner)?, steps, is_reversed })
    })?;
    context.out.data(&shown, |shown| {
        let mut text = shown.request.line();
        for step in &shown.steps {
            let is_failed = step.state == StepState::Failed.word();
            let why = shown.request.error_message.as_deref().filter(|_| is_failed);
            text.push_str(&format!("\n  {:<11} {} {}", step.stage, step.state, why.unwrap_or_default()));
        }
        text
    })
}
