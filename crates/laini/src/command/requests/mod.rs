//! `laini requests …`: the calls of a partner's apps, and why one failed.
//!
//! Owns how calls are told in a terminal. Must never show a number other than masked.

mod list;
mod show;

use clap::Subcommand;
use laini_core::partner::PartnerId;
use laini_office::requests::Request;
use laini_office::{Problem, Work};
use serde::Serialize;

use super::Context;

/// What to do.
#[derive(Subcommand)]
pub(crate) enum RequestsCommand {
    /// List calls, newest first.
    List(list::ListArgs),
    /// Show one call, step by step.
    Show(show::ShowArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &RequestsCommand) -> anyhow::Result<()> {
    match command {
        RequestsCommand::List(args) => list::run(context, args),
        RequestsCommand::Show(args) => show::run(context, args),
    }
}

/// A call, as it is told.
#[derive(Serialize)]
struct Told {
    request_ref_id: String,
    at: String,
    app: String,
    environment: &'static str,
    product: Option<&'static str>,
    number: Option<String>,
    status: Option<u16>,
    path: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
    stage: Option<&'static str>,
    micros: Option<u64>,
    outcome: Option<&'static str>,
    charge_minor: i64,
    currency: Option<String>,
}

impl Told {
    fn of(request: Request, work: &Work<'_>, partner: PartnerId) -> Result<Self, Problem> {
        let book = work.book()?;
        let named = book.apps.iter().find(|app| app.id == request.app && app.partner == partner);
        let status = request.status();
        let failure = request.failure;
        Ok(Self {
            request_ref_id: request.id.request_ref(),
            at: request.at.to_string(),
            app: named.map_or_else(|| request.app.to_string(), |app| app.name.clone()),
            environment: request.environment.word(),
            product: request.product.map(laini_core::partner::Product::word),
            number: request.number,
            status,
            path: failure.as_ref().map(|failure| failure.path.clone()),
            error_code: failure.as_ref().map(|failure| failure.code.clone()),
            error_message: failure.as_ref().map(|failure| failure.reason.clone()),
            stage: failure.as_ref().map(|failure| failure.stage.word()),
            micros: failure.as_ref().map(|failure| failure.micros),
            outcome: request.recorded.map(|recorded| recorded.outcome.word()),
            charge_minor: request.recorded.map_or(0, |recorded| recorded.charge.minor),
            currency: request.recorded.map(|recorded| recorded.charge.currency.as_str().to_owned()),
        })
    }

    fn line(&self) -> String {
        let status = self.status.map_or("-".to_owned(), |status| status.to_string());
        let what = self.error_code.as_deref().or(self.outcome).unwrap_or("-");
        format!(
            "{:<36} {:<20} {:<16} {:<10} {:<5} {:<13} {status:<4} {what}",
            self.request_ref_id,
            self.at.get(..19).unwrap_or(&self.at),
            self.app,
            self.environment,
            self.product.unwrap_or("-"),
            self.number.as_deref().unwrap_or("-"),
        )
    }
}
