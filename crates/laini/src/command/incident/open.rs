use clap::Args;
use jiff::Timestamp;
use laini_core::partner::{AppId, Product};
use laini_core::support::{Affected, Component, IncidentState, Severity};
use laini_office::incidents::{self, NewIncident};

use super::IncidentReport;
use crate::command::Context;
use crate::command::context::in_office;

/// `laini incident open`
#[derive(Args)]
pub(crate) struct OpenArgs {
    /// What it is called.
    title: String,
    /// What is said of it, in plain words.
    #[arg(long)]
    text: String,
    /// minor, major or critical.
    #[arg(long, value_parser = severity)]
    severity: Severity,
    /// tokens, checks, deliveries, feed, portal; several with commas between.
    #[arg(long, value_delimiter = ',', required = true, value_parser = component)]
    component: Vec<Component>,
    /// It reaches whoever has an app with one of these: imsi, swap, age. Without it, and without --app: everyone.
    #[arg(long, value_delimiter = ',', value_parser = product, conflicts_with = "app")]
    product: Vec<Product>,
    /// It reaches whoever has one of these apps: their ids.
    #[arg(long, value_delimiter = ',', value_parser = app)]
    app: Vec<AppId>,
    /// Only whom it reaches reads of it; otherwise it is on the status page.
    #[arg(long)]
    private: bool,
    /// When it began, as 2026-11-28T09:40:00Z; now, without it.
    #[arg(long, value_name = "INSTANT")]
    started: Option<Timestamp>,
    /// investigating, identified or monitoring.
    #[arg(long, default_value = "investigating", value_parser = state)]
    state: IncidentState,
}

fn severity(word: &str) -> Result<Severity, String> {
    Severity::parse(word).map_err(|error| error.to_string())
}

fn component(word: &str) -> Result<Component, String> {
    Component::parse(word).map_err(|error| error.to_string())
}

fn product(word: &str) -> Result<Product, String> {
    Product::parse(word).map_err(|error| error.to_string())
}

fn app(text: &str) -> Result<AppId, String> {
    AppId::parse(text).map_err(|error| error.to_string())
}

pub(super) fn state(word: &str) -> Result<IncidentState, String> {
    IncidentState::parse(word).map_err(|error| error.to_string())
}

/// Opens an incident.
pub(crate) fn run(context: &Context, args: &OpenArgs) -> anyhow::Result<()> {
    let affected = match (args.product.as_slice(), args.app.as_slice()) {
        ([], []) => Affected::Everyone,
        ([], apps) => Affected::Apps(apps.to_vec()),
        (products, _) => Affected::Products(products.to_vec()),
    };
    let new = NewIncident {
        title: args.title.clone(),
        severity: args.severity,
        components: args.component.clone(),
        affected,
        is_public: !args.private,
        started: args.started,
        state: args.state,
        text: args.text.clone(),
    };
    let report = in_office(context, |work| Ok(IncidentReport::of(&incidents::open(work, &new)?)))?;
    context.out.data(&report, IncidentReport::in_words)
}
