//! `laini incident …`: what goes wrong, told to whom it reaches.
//!
//! Owns how incidents are opened, updated and resolved from the operator's machine. Must never tell anybody by itself: the
//! server sends what was queued.

mod list;
mod open;
mod show;
mod update;

use clap::Subcommand;
use laini_core::partner::IncidentId;
use laini_office::incidents::Incident;
use serde::Serialize;

use super::Context;

/// What to do with incidents.
#[derive(Subcommand)]
pub(crate) enum IncidentCommand {
    /// Open one: whom it reaches is told by letter and by delivery.
    Open(open::OpenArgs),
    /// Say how far it is.
    Update(update::UpdateArgs),
    /// End it.
    Resolve(update::ResolveArgs),
    /// List them, newest first.
    List(list::ListArgs),
    /// Show one, with all that was said.
    Show(show::ShowArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &IncidentCommand) -> anyhow::Result<()> {
    match command {
        IncidentCommand::Open(args) => open::run(context, args),
        IncidentCommand::Update(args) => update::run(context, args),
        IncidentCommand::Resolve(args) => update::resolve(context, args),
        IncidentCommand::List(args) => list::run(context, args),
        IncidentCommand::Show(args) => show::run(context, args),
    }
}

fn id(text: &str) -> Result<IncidentId, String> {
    IncidentId::parse(text).map_err(|error| error.to_string())
}

/// An incident as it is shown.
#[derive(Serialize)]
struct IncidentReport {
    id: String,
    title: String,
    severity: &'static str,
    state: &'static str,
    components: Vec<&'static str>,
    public: bool,
    started: String,
    resolved: Option<String>,
    updates: Vec<UpdateReport>,
}

#[derive(Serialize)]
struct UpdateReport {
    at: String,
    state: &'static str,
    text: String,
}

impl IncidentReport {
    fn of(incident: &Incident) -> Self {
        let updates = incident.updates.iter();
        Self {
            id: incident.id.to_string(),
            title: incident.title.clone(),
            severity: incident.severity.word(),
            state: incident.state.word(),
            components: incident.components.iter().map(|component| component.word()).collect(),
            public: incident.is_public,
            started: incident.started.to_string(),
            resolved: incident.resolved.map(|at| at.to_string()),
            updates: updates
                .map(|one| UpdateReport { at: one.at.to_string(), state: one.state.word(), text: one.text.clone() })
                .collect(),
        }
    }

    fn line(&self) -> String {
        let (at, components) = (self.started.get(..16).unwrap_or(&self.started), self.components.join(","));
        format!("{} {at}Z {:<8} {:<13} {components}: {}", self.id, self.severity, self.state, self.title)
    }

    fn in_words(&self) -> String {
        let said = self.updates.iter().map(|one| format!("{} {}: {}", one.at, one.state, one.text));
        std::iter::once(self.line()).chain(said).collect::<Vec<_>>().join("\n")
    }
}
