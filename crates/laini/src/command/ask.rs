//! `laini ask`: what the documentation says to a question.

use clap::Args;
use laini_core::billing::CheckId;
use laini_guide::{QUESTION_CHARS_MAX, answer};
use laini_office::assistant::{ids_in, named_requests};
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

/// A request that the question names; without an outcome where it is not known.
#[derive(Serialize)]
struct Looked {
    id: String,
    at: Option<String>,
    app: Option<String>,
    outcome: Option<&'static str>,
    charge: Option<String>,
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
    let looked = requests.into_iter().map(|request| {
        let id = CheckId::request_ref(request.id);
        match request.found {
            None => Looked { id, at: None, app: None, outcome: None, charge: None },
            Some(found) => Looked {
                id,
                at: Some(found.at.to_string()),
                app: Some(found.app),
                outcome: Some(found.outcome.word()),
                charge: Some(found.charge.to_string()),
            },
        }
    });
    Ok(looked.collect())
}

fn told(answered: &Answered) -> String {
    let mut text = String::new();
    for request in &answered.requests {
        let Looked { id, at, app, outcome, charge } = request;
        text += &match (at, app, outcome, charge) {
            (Some(at), Some(app), Some(outcome), Some(charge)) => format!("{id}: {outcome}, {at}, {app}, {charge}\n\n"),
            _ => format!(
                "{id}: not in the ledger. What was refused before the registry was asked is told by `laini requests`.\n\n"
            ),
        };
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
