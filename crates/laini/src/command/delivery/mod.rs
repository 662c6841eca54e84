//! `laini delivery …`: what was delivered, what waits, what was given up.
//!
//! Owns how deliveries are listed and made due again. Must never show a body: numbers and facts lie there.

mod list;
mod redeliver;
mod show;

use anyhow::Context as _;
use clap::Subcommand;
use laini_core::billing::CheckId;
use laini_core::store::{Delivery, DeliveryId, DeliveryQuery, DeliveryState, Outbox};
use serde::Serialize;

use super::Context;
use super::context::block_on;
use crate::failure::WithHint as _;

/// What to do with deliveries.
#[derive(Subcommand)]
pub(crate) enum DeliveryCommand {
    /// List deliveries, newest first.
    List(list::ListArgs),
    /// List those that were given up: the dead letters.
    Dead(list::ListArgs),
    /// Show one.
    Show(show::ShowArgs),
    /// Make one due again, whatever became of it.
    Redeliver(redeliver::RedeliverArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &DeliveryCommand) -> anyhow::Result<()> {
    match command {
        DeliveryCommand::List(args) => list::run(context, args, false),
        DeliveryCommand::Dead(args) => list::run(context, args, true),
        DeliveryCommand::Show(args) => show::run(context, args),
        DeliveryCommand::Redeliver(args) => redeliver::run(context, args),
    }
}

/// A delivery as it is shown.
#[derive(Serialize)]
struct DeliveryReport {
    id: String,
    kind: &'static str,
    app: String,
    address: String,
    made_at: String,
    /// due, delivered or dead.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempt_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_problem: Option<String>,
}

impl DeliveryReport {
    fn of(delivery: Delivery) -> Self {
        let (state, due) = match delivery.state {
            DeliveryState::Due(at) => ("due", Some(at)),
            DeliveryState::Delivered => ("delivered", None),
            DeliveryState::Dead => ("dead", None),
        };
        Self {
            id: delivery.id.0.request_ref(),
            kind: delivery.kind.word(),
            app: delivery.app.to_string(),
            address: delivery.address.to_string(),
            made_at: delivery.at.to_string(),
            state,
            due_at: due.map(|at| at.to_string()),
            attempts: delivery.attempts,
            last_attempt_at: delivery.last.as_ref().map(|last| last.at.to_string()),
            last_status: delivery.last.as_ref().and_then(|last| last.status),
            last_problem: delivery.last.map(|last| last.problem).filter(|problem| !problem.is_empty()),
        }
    }
}

/// The delivery of this id.
fn find(outbox: &dyn Outbox, wanted: &str) -> anyhow::Result<Delivery> {
    let id = CheckId::parse_request_ref(wanted).hint("`laini delivery list` shows ids")?;
    let next = CheckId::from_parts(id.position() + 1, 0);
    let query = DeliveryQuery { after: Some(DeliveryId(next)), limit: 1, ..DeliveryQuery::default() };
    let found = block_on(outbox.deliveries(query))??.into_iter().find(|delivery| delivery.id.0 == id);
    found.with_context(|| format!("there is no delivery {wanted}")).hint("`laini delivery list` shows them")
}
