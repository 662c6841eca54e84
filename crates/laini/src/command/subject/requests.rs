use clap::Args;
use laini_office::PageRequest;
use laini_office::privacy::PrivacyRequest;
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{console, now};

/// `laini subject requests`
#[derive(Args)]
pub(crate) struct RequestsArgs {
    /// Those that have ended, too, newest first.
    #[arg(long)]
    all: bool,
    /// How many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

#[derive(Serialize)]
struct RequestReport {
    id: String,
    number: String,
    action: &'static str,
    status: &'static str,
    received: String,
    deadline: String,
    held_until: Option<String>,
    received_by: String,
    identity_checked: Option<&'static str>,
    ended: Option<String>,
}

/// Shows privacy requests.
pub(crate) fn run(context: &Context, args: &RequestsArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let office = house.office(&config, &house.ledger_beside()?)?;
    let page = PageRequest { limit: args.limit.into(), ..PageRequest::FIRST };
    let index = if args.all { "received" } else { "open" };
    let found = office.run(&console(), now(), |work| work.find::<PrivacyRequest>(index, "all", args.all, page))?;
    let reports: Vec<_> = found.items.iter().map(report).collect();
    context.out.data(&reports, |reports| {
        if reports.is_empty() {
            return "no requests".to_owned();
        }
        let line = |r: &RequestReport| {
            let held = r.held_until.as_ref().filter(|_| r.status == "held");
            let held = held.map(|until| format!(", held until {until}")).unwrap_or_default();
            format!(
                "{} {:<14} {:<10} {:<16} due {}{held}",
                r.id,
                r.number,
                r.action,
                r.status,
                r.deadline.get(..10).unwrap_or(&r.deadline)
            )
        };
        reports.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

fn report(request: &PrivacyRequest) -> RequestReport {
    RequestReport {
        id: request.id.to_string(),
        number: request.masked.clone(),
        action: request.action.word(),
        status: request.status(now()),
        received: request.received.to_string(),
        deadline: request.deadline().to_string(),
        held_until: request.held_until.map(|until| until.to_string()),
        received_by: request.received_by.clone(),
        identity_checked: request.identity.as_ref().map(|identity| identity.how.word()),
        ended: request.ending.as_ref().map(|ending| ending.what.clone()),
    }
}
