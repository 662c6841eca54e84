//! How organisations become partners that ask: a timeline that both sides see.

use axum::http::Method;
use laini_core::partner::{May, OnboardingEvent, OnboardingStep, Side, StaffRole};
use laini_office::onboarding::{self, Need, Onboarding, Standing};
use laini_office::organisation::Missing;
use laini_office::{Problem, Work};
use laini_wire::office::onboarding::{
    CommentItem, CommentRequest, OnboardingAnswer, OnboardingItem, OnboardingMove, OnboardingStepItem,
    OnboardingsAnswer,
};
use serde_json::json;

use super::described::{LOOKERS, PAPERS, asking, in_query, operation, paged, taking};
use super::{Call, Endpoint, Noun, Reply};
use crate::openapi::{Answer, Operation, Schemas, collect};

const PATH: &str = "/office/v1/partners/{partner}/onboarding";

pub(super) const NOUN: Noun = Noun {
    tag: "onboarding",
    description: "The way from an organisation's papers to a signed agreement, with whose turn it is and what is missing.",
    endpoints: || {
        vec![
            Endpoint::new(list_operation(), list_onboardings),
            Endpoint::new(show_operation(), show_onboarding),
            Endpoint::new(move_operation(), move_onboarding),
            Endpoint::new(comment_operation(), comment_onboarding),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<OnboardingAnswer>(&mut schemas);
    collect::<OnboardingsAnswer>(&mut schemas);
    collect::<OnboardingMove>(&mut schemas);
    collect::<CommentRequest>(&mut schemas);
    schemas
}

fn answer() -> Answer {
    let (at, by) = ("2026-11-28T08:00:00Z", "staff:0000000000000001");
    let example = json!({
        "partner": "0000000000000002", "step": "returned", "owner": "partner", "missing": ["document:tax_pin"],
        "needs": ["document:tax_pin"],
        "history": [{"at": at, "step": "returned", "by": by, "reason": "the certificate has expired"}],
        "comments": [{"at": at, "side": "operator", "by": by, "text": "Please send the new one."}],
    });
    Answer::ok("Where it stands.", &["OnboardingAnswer"], example)
}

fn list_operation() -> Operation {
    let example = json!({"onboardings": [{
        "partner": "0000000000000002", "step": "submitted", "owner": "operator", "needs": ["review"],
        "began": "2026-11-28T08:00:00Z", "since": "2026-11-28T08:00:00Z",
    }]});
    let answer = Answer::ok("A page of them, the newest first.", &["OnboardingsAnswer"], example);
    let may = May { members: &[], staff: &StaffRole::ALL };
    let list = (Method::GET, "/office/v1/onboardings");
    let list = operation("list_onboardings", list, "Who is on the way, and where", may, answer);
    let steps = json!({"type": "string", "enum": OnboardingStep::ALL.map(OnboardingStep::word)});
    paged(asking(list, [in_query("step", "Only those that stand there.", steps)]))
}

fn show_operation() -> Operation {
    let summary = "Where a partner stands on its way, and what is missing";
    operation("show_onboarding", (Method::GET, PATH), summary, LOOKERS, answer())
}

fn move_operation() -> Operation {
    let path = (Method::POST, "/office/v1/partners/{partner}/onboarding/moves");
    let summary = "Hand in again what was returned; take up, return, reject, let go live";
    let example = json!({"move": "return", "reason": "the certificate has expired"});
    taking(operation("move_onboarding", path, summary, PAPERS, answer()), "OnboardingMove", example)
}

fn comment_operation() -> Operation {
    let path = (Method::POST, "/office/v1/partners/{partner}/onboarding/comments");
    let operation = operation("comment_onboarding", path, "Say something that both sides see", PAPERS, answer());
    taking(operation, "CommentRequest", json!({"text": "The new certificate is among the documents."}))
}

fn show_onboarding(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (onboarding, missing) = onboarding::timeline(work, call.partner()?)?;
    let standing = onboarding::standing(work, &onboarding)?;
    Reply::ok(&answer_of(&onboarding, missing, &standing))
}

fn list_onboardings(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let step = call.query("step").map(OnboardingStep::parse).transpose();
    let step = step.map_err(|error| Problem::invalid("step", error.to_string()))?;
    let page = onboarding::list(work, step, call.page()?)?;
    let items = page.items.iter().map(|one| {
        let standing = onboarding::standing(work, one)?;
        Ok(OnboardingItem {
            partner: one.partner.to_string(),
            step: one.step.word().to_owned(),
            owner: owner(&standing),
            needs: needs(&standing),
            began: one.began.to_string(),
            since: standing.since.to_string(),
        })
    });
    let onboardings = items.collect::<Result<_, Problem>>()?;
    Reply::ok(&OnboardingsAnswer { onboardings, next: page.next.map(|next| next.to_string()) })
}

fn move_onboarding(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: OnboardingMove = call.json()?;
    let event = match asked.to.as_str() {
        "submit" => OnboardingEvent::Submit,
        "take_up" => OnboardingEvent::TakeUp,
        "return" => OnboardingEvent::Return,
        "reject" => OnboardingEvent::Reject,
        "go_live" => OnboardingEvent::GoLive,
        _ => return Err(Problem::invalid("move", "expected one of: submit, take_up, return, reject, go_live")),
    };
    onboarding::move_on(work, call.partner()?, event, &asked.reason)?;
    show_onboarding(work, call)
}

fn comment_onboarding(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: CommentRequest = call.json()?;
    onboarding::comment(work, call.partner()?, &asked.text)?;
    show_onboarding(work, call)
}

fn owner(standing: &Standing) -> Option<String> {
    standing.turn.map(Side::word).map(str::to_owned)
}

fn needs(standing: &Standing) -> Vec<String> {
    standing.needs.iter().copied().map(Need::word).collect()
}

fn answer_of(onboarding: &Onboarding, missing: Vec<Missing>, standing: &Standing) -> OnboardingAnswer {
    let history = onboarding.history.iter().map(|moved| OnboardingStepItem {
        at: moved.at.to_string(),
        step: moved.step.word().to_owned(),
        by: moved.by.clone(),
        reason: moved.reason.clone(),
    });
    let comments = onboarding.comments.iter().map(|comment| CommentItem {
        at: comment.at.to_string(),
        side: comment.side.word().to_owned(),
        by: comment.by.clone(),
        text: comment.text.clone(),
    });
    OnboardingAnswer {
        partner: onboarding.partner.to_string(),
        step: onboarding.step.word().to_owned(),
        owner: owner(standing),
        missing: missing.into_iter().map(Missing::word).collect(),
        needs: needs(standing),
        history: history.collect(),
        comments: comments.collect(),
    }
}
