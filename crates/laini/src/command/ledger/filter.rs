use std::collections::HashMap;

use clap::Args;
use jiff::{Timestamp, civil::Date};
use laini_core::billing::{CheckId, Outcome};
use laini_core::partner::{AppId, PartnerId};
use laini_core::store::{AccountBook, PlacedRow, RowQuery};
use serde::Serialize;

use crate::command::Context;
use crate::command::app::find;
use crate::command::context::block_on;
use crate::command::registry::sample::midnight;
use crate::compose::House;
use crate::config::Config;

/// Rows read from the ledger at a time.
pub(super) const PAGE_ROWS: usize = 5_000;

/// Which rows.
#[derive(Args)]
pub(crate) struct Filter {
    /// Only the rows of this app: its id, consumer key or name.
    #[arg(long)]
    app: Option<String>,
    /// Only the rows of this day (2026-11-22), in the operator's zone.
    #[arg(long)]
    day: Option<Date>,
    /// Only the rows of this outcome: answered, repeated, not_served, unknown, withheld, reversal.
    #[arg(long, value_parser = outcome)]
    outcome: Option<Outcome>,
}

fn outcome(word: &str) -> Result<Outcome, String> {
    Outcome::parse(word).ok_or_else(|| format!("expected one of: {}", Outcome::ALL.map(Outcome::word).join(", ")))
}

/// One row with names for ids; the columns of every export, in their order.
#[derive(Debug, Serialize)]
pub(crate) struct NamedRow {
    #[serde(rename = "requestRefID")]
    pub(super) request_ref_id: String,
    pub(super) at: String,
    pub(super) partner: String,
    pub(super) app: String,
    pub(super) product: &'static str,
    pub(super) environment: &'static str,
    pub(super) outcome: &'static str,
    pub(super) charge_minor: i64,
    pub(super) currency: String,
    pub(super) list_price_minor: i64,
    pub(super) price_version: u32,
    pub(super) purpose: &'static str,
    pub(super) as_of: String,
    pub(super) policy_version: u32,
    /// Of a reversal: the check whose charge it takes back.
    pub(super) reverses: String,
    /// Which writer wrote it,
    pub(super) writer: u32,
    /// and its place in that writer's chain.
    pub(super) seq: u64,
}

/// Turns ids into names.
pub(crate) struct Names {
    partners: HashMap<PartnerId, String>,
    apps: HashMap<AppId, String>,
}

impl Names {
    pub(crate) fn of(book: AccountBook) -> Self {
        Self {
            partners: book.partners.into_iter().map(|p| (p.id, p.name)).collect(),
            apps: book.apps.into_iter().map(|a| (a.id, a.name)).collect(),
        }
    }

    pub(crate) fn row(&self, placed: &PlacedRow) -> NamedRow {
        let row = &placed.row;
        NamedRow {
            request_ref_id: row.id.request_ref(),
            at: row.at.to_string(),
            partner: self.partners.get(&row.partner).cloned().unwrap_or_else(|| row.partner.to_string()),
            app: self.apps.get(&row.app).cloned().unwrap_or_else(|| row.app.to_string()),
            product: row.product.word(),
            environment: row.environment.word(),
            outcome: row.outcome.word(),
            charge_minor: row.charge.minor,
            currency: row.charge.currency.as_str().to_owned(),
            list_price_minor: row.list_price.minor,
            price_version: row.price_version,
            purpose: row.purpose.word(),
            as_of: row.as_of.map(|at| at.to_string()).unwrap_or_default(),
            policy_version: row.policy_version,
            reverses: row.reverses.map(CheckId::request_ref).unwrap_or_default(),
            writer: placed.writer,
            seq: placed.seq,
        }
    }
}

impl Filter {
    /// The query for the first page, and the names.
    pub(super) fn query(&self, house: &House, config: &Config) -> anyhow::Result<(RowQuery, Names)> {
        let book = block_on(house.accounts()?.load())??;
        let app = self.app.as_deref().map(|wanted| find(&book, wanted)).transpose()?.map(|app| app.id);
        let zone = config.zone()?;
        let (from, until) = match self.day {
            Some(day) => (Some(midnight(day, &zone)?), Some(midnight(day.tomorrow()?, &zone)?)),
            None => (None, None),
        };
        let query = RowQuery { after: None, from, until, app, outcome: self.outcome, limit: PAGE_ROWS };
        Ok((query, Names::of(book)))
    }
}

/// Calls `take` with each page of rows in order, from an instant on where one is given.
pub(super) fn pages(
    context: &Context,
    filter: &Filter,
    from: Option<Timestamp>,
    mut take: impl FnMut(Vec<NamedRow>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let ledger = house.ledger_reader()?;
    let (mut query, names) = filter.query(&house, &config)?;
    query.from = query.from.max(from);
    loop {
        let rows = block_on(ledger.placed(query.clone()))??;
        let Some(last) = rows.last() else { return Ok(()) };
        query.after = Some(last.row.id);
        take(rows.iter().map(|row| names.row(row)).collect())?;
    }
}
