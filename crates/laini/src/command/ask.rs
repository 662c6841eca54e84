//! `laini ask`: what the documentation says to a question.

use clap::Args;
use laini_guide::{QUESTION_CHARS_MAX, answer, error_passage};
use laini_office::assistant::{FoundRequest, ids_in, named_requests};
use serde::Serialize;

use super::context::{console, now};
use super::{Context, invoice};

/// Passages of an answer.
const PASSAGES_MAX: usize = 3;

/// `laini ask`
#[derive(Args)]
pub(crate) struct AskArgs {
    /// What you want to know; a requestRefID in it is looked up in the data directory's ledger.
    #[arg(required = true)]
    question: Vec<String>,
}

#[derive(Serialize)]
struct Answered {
    is_known: bool,
    passages: Vec<Quoted>,
    requests: Vec<Looked>,
}

#[derive(Serialize)]
struct Quoted {
    page: String,
    heading: String,
    href: String,
    quote: String,
}

/// A request that the question names.
#[derive(Serialize)]
struct Looked {
    id: String,
    found: Option<Call>,
}

/// What is known of it.
#[derive(Serialize)]
struct Call {
    at: String,
    app: String,
    status: Option<u16>,
    failure: Option<Failed>,
    /// Absent where it was not recorded, and so cost nothing.
    outcome: Option<&'static str>,
    charge: Option<String>,
}

/// Where it ended, and why.
#[derive(Serialize)]
struct Failed {
    stage: &'static str,
    error_code: String,
    error_message: String,
    /// What the page of the error says.
    guide: Vec<String>,
}

/// Answers from the documentation in this binary; no server and no model is asked.
pub(crate) fn run(context: &Context, args: &AskArgs) -> anyhow::Result<()> {
    let question: String = args.question.join(" ").chars().take(QUESTION_CHARS_MAX).collect();
    let found = answer(&question, PASSAGES_MAX);
    let passages = found.iter().map(|found| Quoted {
        page: found.passage.page.clone(),
        heading: found.passage.heading.clone(),
        href: found.passage.href.clone(),
        quote: found.quote.clone(),
    });
    let ids = ids_in(&question);
    let requests = if ids.is_empty() { Vec::new() } else { looked_up(context, &question)? };
    let answered = Answered { is_known: !found.is_empty(), passages: passages.collect(), requests };
    context.out.data(&answered, told)
}

fn looked_up(context: &Context, question: &str) -> anyhow::Result<Vec<Looked>> {
    let office = invoice::office(context)?;
    let requests = office.run(&console(), now(), |work| named_requests(work, &console(), question))?;
    let looked = requests.into_iter().map(|named| Looked { id: named.id.request_ref(), found: named.found.map(call) });
    Ok(looked.collect())
}

fn call(found: FoundRequest) -> Call {
    let FoundRequest { app, request, .. } = found;
    let status = request.status();
    let failure = request.failure.map(|failure| Failed {
        stage: failure.stage.word(),
        guide: error_passage(&failure.code).map(|passage| passage.blocks.clone()).unwrap_or_default(),
        error_code: failure.code,
        error_message: failure.reason,
    });
    Call {
        at: request.at.to_string(),
        app,
        status,
        failure,
        outcome: request.recorded.map(|recorded| recorded.outcome.word()),
        charge: request.recorded.map(|recorded| recorded.charge.to_string()),
    }
}

fn told(answered: &Answered) -> String {
    let mut text = String::new();
    for request in &answered.requests {
        text += &looked(request);
    }
    for passage in &answered.passages {
        text += &format!("{} › {}  {}\n", passage.page, passage.heading, passage.href);
        for line in passage.quote.lines() {
            text += &format!("    {line}\n");
        }
        text.push('\n');
    }
    if !answered.is_known && answered.requests.is_empty() {
        text += "The documentation has no answer to that. Try other words, or ask support.\n";
    }
    text
}

/// A request in words: where it failed, with what the page of the error says.
fn looked(request: &Looked) -> String {
    let id = &request.id;
    let Some(Call { at, app, failure, outcome, charge, .. }) = &request.found else {
        return format!("{id}: not known. A failed call is kept for 30 days.\n\n");
    };
    let (outcome, charge) = (outcome.unwrap_or("not recorded"), charge.as_deref().unwrap_or("not billed"));
    let mut text = format!("{id}: {outcome}, {at}, {app}, {charge}\n");
    if let Some(Failed { stage, error_code, error_message, guide }) = failure {
        text += &format!("    failed at the step {stage}: {error_message} ({error_code})\n");
        text.extend(guide.iter().map(|line| format!("    {line}\n")));
    }
    text.push('\n');
    text
}
