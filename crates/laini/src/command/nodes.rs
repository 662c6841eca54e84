//! `laini nodes`: who serves from the store.

use clap::Args;
use serde::Serialize;

use super::Context;
use super::context::block_on;
use crate::failure::WithHint as _;

/// `laini nodes`
#[derive(Args)]
pub(crate) struct NodesArgs {
    /// Also those that were not heard of lately.
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct NodeReport {
    name: String,
    release: String,
    alive: bool,
    /// When it was started and heard of last, by the store's clock.
    started: String,
    seen: String,
    /// Its number in the ledger's chain, and the rows of its chain.
    writer: Option<u32>,
    rows: u64,
}

/// Lists the nodes.
pub(crate) fn run(context: &Context, args: &NodesArgs) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let Some(nodes) = house.nodes() else {
        return Err(anyhow::anyhow!("the embedded engine serves one node, that of the data directory"))
            .hint("several nodes need store.kind = \"postgres\": docs/guide/scale.md");
    };
    let nodes = block_on(nodes.nodes())??;
    let reports: Vec<NodeReport> = nodes
        .into_iter()
        .filter(|node| args.all || node.is_alive)
        .map(|node| NodeReport {
            name: node.name,
            release: node.release,
            alive: node.is_alive,
            started: node.started.to_string(),
            seen: node.seen.to_string(),
            writer: node.writer,
            rows: node.rows,
        })
        .collect();
    context.out.data(&reports, |reports| {
        if reports.is_empty() {
            return "no node is alive; --all lists those that were".to_owned();
        }
        let lines = reports.iter().map(|node| {
            let writer = node.writer.map_or_else(|| "-".to_owned(), |writer| writer.to_string());
            let state = if node.alive { "alive" } else { "gone" };
            let seen = node.seen.get(..19).unwrap_or_default();
            format!(
                "{:<24} {:<8} {state:<6} seen {seen}  writer {writer:>3}  {} rows",
                node.name, node.release, node.rows
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}
