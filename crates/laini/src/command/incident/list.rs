use clap::Args;
use laini_office::PageRequest;
use laini_office::incidents::{self, Which};

use super::IncidentReport;
use crate::command::Context;
use crate::command::context::in_office;

/// `laini incident list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// all, open or resolved.
    #[arg(long, default_value = "all", value_parser = which)]
    state: Which,
    /// How many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

fn which(word: &str) -> Result<Which, String> {
    Which::parse(word).map_err(|error| error.to_string())
}

/// Lists incidents.
pub(crate) fn run(context: &Context, args: &ListArgs) -> anyhow::Result<()> {
    let page = PageRequest { limit: args.limit.into(), ..PageRequest::FIRST };
    let found = in_office(context, |work| incidents::list(work, args.state, page))?;
    let reports: Vec<_> = found.items.iter().map(IncidentReport::of).collect();
    context.out.data(&reports, |reports| match reports.as_slice() {
        [] => "no incidents".to_owned(),
        some => some.iter().map(IncidentReport::line).collect::<Vec<_>>().join("\n"),
    })
}
