use clap::Args;
use serde::Serialize;

use crate::command::Context;
use crate::command::app::find;
use crate::command::context::block_on;

/// `laini app result-address list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only those of this app: its id, consumer key or name.
    #[arg(long)]
    app: Option<String>,
}

#[derive(Serialize)]
struct AddressLine {
    address: String,
    app: String,
    url: String,
    proven_at: Option<String>,
    secret_generation: u32,
    /// Until when the secret before signs as well.
    previous_until: Option<String>,
}

/// Lists addresses.
pub(crate) fn run(context: &Context, args: &ListArgs) -> anyhow::Result<()> {
    let (house, _) = context.house()?;
    let book = block_on(house.accounts()?.load())??;
    let only = args.app.as_ref().map(|app| find(&book, app)).transpose()?.map(|app| app.id);
    let name = |id| book.apps.iter().find(|app| app.id == id).map_or(String::new(), |app| app.name.clone());
    let wanted = book.result_addresses.iter().filter(|address| only.is_none_or(|app| app == address.app));
    let mut lines: Vec<AddressLine> = wanted
        .map(|address| AddressLine {
            address: address.id.to_string(),
            app: name(address.app),
            url: address.url.clone(),
            proven_at: address.proven.map(|at| at.to_string()),
            secret_generation: address.secret_generation,
            previous_until: address.previous_until.map(|at| at.to_string()),
        })
        .collect();
    lines.sort_by(|a, b| (&a.app, &a.url).cmp(&(&b.app, &b.url)));
    context.out.data(&lines, |lines| {
        if lines.is_empty() {
            return "no result addresses yet: laini app result-address add APP https://…".to_owned();
        }
        let rows = lines.iter().map(|line| {
            let state = if line.proven_at.is_some() { "proven" } else { "not proven" };
            format!("{} {:<16} {state:<10} {}", line.address, line.app, line.url)
        });
        let header = format!("{:<16} {:<16} {:<10} address", "id", "app", "state");
        std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n")
    })
}
