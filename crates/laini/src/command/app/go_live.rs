//! `laini app go-live …`: requests for production credentials, as the operator decides about them.
//!
//! Owns how they are listed, approved, returned and, for a partner without people of its own, collected. Must never
//! decide past the checklist.

use clap::{Args, Subcommand};
use laini_core::partner::{GoLiveId, GoLiveState};
use laini_office::going_live::{GoLive, approve, checklist, collect, return_request};
use laini_office::{Office, PageRequest, Problem, Work};
use serde::Serialize;
use std::sync::Arc;

use crate::command::Context;
use crate::command::context::{console, now};
use crate::failure::WithHint as _;

/// What to do with requests to go live.
#[derive(Subcommand)]
pub(crate) enum GoLiveCommand {
    /// List the requests in a state, oldest first.
    List(ListArgs),
    /// Approve a request; its checklist is looked at anew.
    Approve(DecideArgs),
    /// Give a request back to the partner, with a reason.
    Return(DecideArgs),
    /// Take the credentials of an approved request for a partner that cannot; the secret is shown once.
    Collect(CollectArgs),
}

/// `laini app go-live list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// preparing, awaiting_approval, returned, approved, live or withdrawn.
    #[arg(long, default_value = "awaiting_approval", value_parser = GoLiveState::parse)]
    state: GoLiveState,
}

/// `laini app go-live approve` and `laini app go-live return`
#[derive(Args)]
pub(crate) struct DecideArgs {
    /// The request's id.
    request: String,
    /// Why; the partner sees it.
    #[arg(long, default_value = "")]
    reason: String,
}

/// `laini app go-live collect`
#[derive(Args)]
pub(crate) struct CollectArgs {
    /// The request's id.
    request: String,
}

#[derive(Serialize)]
struct RequestReport {
    go_live: String,
    partner: String,
    name: String,
    products: String,
    state: &'static str,
    began: String,
    open: Vec<&'static str>,
}

#[derive(Serialize)]
struct CredentialsReport {
    app: String,
    name: String,
    consumer_key: String,
    consumer_secret: String,
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &GoLiveCommand) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let office = house.office(&config, &house.ledger_beside()?)?;
    match command {
        GoLiveCommand::List(args) => list(context, &office, args.state),
        GoLiveCommand::Approve(args) => decide(context, &office, args, approve),
        GoLiveCommand::Return(args) => decide(context, &office, args, return_request),
        GoLiveCommand::Collect(args) => take(context, &office, args),
    }
}

fn report(work: &mut Work<'_>, request: &GoLive) -> Result<RequestReport, Problem> {
    let partners = work.book()?.partners;
    let named = partners.into_iter().find(|partner| partner.id == request.partner);
    let found = checklist(work, request)?;
    Ok(RequestReport {
        go_live: request.id.to_string(),
        partner: named.map_or_else(|| request.partner.to_string(), |partner| partner.name),
        name: request.name.clone(),
        products: request.product_set().to_string(),
        state: request.state.word(),
        began: format!("{:.0}", request.began),
        open: found.iter().filter(|item| !item.is_done).map(|item| item.item.word()).collect(),
    })
}

fn list(context: &Context, office: &Arc<Office>, state: GoLiveState) -> anyhow::Result<()> {
    let listed = office.run(&console(), now(), |work| {
        let found = work.find::<GoLive>("state", state.word(), false, PageRequest::LONGEST)?;
        found.items.iter().map(|request| report(work, request)).collect::<Result<Vec<_>, _>>()
    })?;
    context.out.data(&listed, |listed| {
        if listed.is_empty() {
            return format!("no request is in the state {}", state.word());
        }
        let rows = listed.iter().map(|one| {
            let open = if one.open.is_empty() { "done".to_owned() } else { format!("open: {}", one.open.join(", ")) };
            format!(
                "{} {:<20} {:<16} {:<13} {:<20} {open}",
                one.go_live, one.partner, one.name, one.products, one.began
            )
        });
        let header =
            format!("{:<16} {:<20} {:<16} {:<13} {:<20} checklist", "request", "partner", "app", "products", "began");
        std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n")
    })
}

type Decide = fn(&mut Work<'_>, laini_core::partner::PartnerId, GoLiveId, &str) -> Result<GoLive, Problem>;

fn decide(context: &Context, office: &Arc<Office>, args: &DecideArgs, decide: Decide) -> anyhow::Result<()> {
    let id = id(&args.request)?;
    let decided = office.run(&console(), now(), |work| {
        let request: GoLive = work.get(id)?;
        let request = decide(work, request.partner, id, &args.reason)?;
        report(work, &request)
    })?;
    context.out.data(&decided, |one| format!("{} of {} is {}", one.name, one.partner, one.state))
}

fn take(context: &Context, office: &Arc<Office>, args: &CollectArgs) -> anyhow::Result<()> {
    let id = id(&args.request)?;
    let (request, app, secret) = office.run(&console(), now(), |work| {
        let request: GoLive = work.get(id)?;
        collect(work, request.partner, id)
    })?;
    let report = CredentialsReport {
        app: app.id.to_string(),
        name: request.name,
        consumer_key: app.consumer_key.as_str().to_owned(),
        consumer_secret: secret.reveal().to_owned(),
    };
    context.out.data(&report, |report| {
        format!(
            "{} is live\nconsumer key     {}\nconsumer secret  {}\nThe secret is shown this once: keep it where secrets are kept.",
            report.name, report.consumer_key, report.consumer_secret
        )
    })
}

fn id(text: &str) -> anyhow::Result<GoLiveId> {
    GoLiveId::parse(text).hint("`laini app go-live list` shows the ids of requests")
}
