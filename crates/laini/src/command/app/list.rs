use clap::Args;
use serde::Serialize;

use crate::command::Context;
use crate::command::context::block_on;

/// `laini app list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only the apps of this partner.
    #[arg(long)]
    partner: Option<String>,
}

#[derive(Serialize)]
struct AppLine {
    app: String,
    name: String,
    partner: String,
    environment: &'static str,
    products: String,
    status: &'static str,
    consumer_key: String,
}

/// Lists the apps.
pub(crate) fn run(context: &Context, args: &ListArgs) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let book = block_on(house.accounts()?.load())??;
    let partner_name = |id| book.partners.iter().find(|p| p.id == id).map_or(String::new(), |p| p.name.clone());
    let mut lines: Vec<AppLine> = book
        .apps
        .iter()
        .map(|app| AppLine {
            app: app.id.to_string(),
            name: app.name.clone(),
            partner: partner_name(app.partner),
            environment: app.environment.word(),
            products: app.products.to_string(),
            status: app.status.word(),
            consumer_key: app.consumer_key.as_str().to_owned(),
        })
        .filter(|line| args.partner.as_ref().is_none_or(|partner| *partner == line.partner))
        .collect();
    lines.sort_by(|a, b| (&a.partner, &a.name).cmp(&(&b.partner, &b.name)));
    context.out.data(&lines, |lines| {
        if lines.is_empty() {
            return "no apps yet: laini app add --partner NAME --environment sandbox --products imsi,swap,age"
                .to_owned();
        }
        let rows = lines.iter().map(|l| {
            format!(
                "{:<20} {:<16} {:<10} {:<13} {:<9} {} {}",
                l.partner, l.name, l.environment, l.products, l.status, l.app, l.consumer_key
            )
        });
        let header = format!(
            "{:<20} {:<16} {:<10} {:<13} {:<9} {:<16} consumer key",
            "partner", "app", "environment", "products", "status", "id"
        );
        std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n")
    })
}
