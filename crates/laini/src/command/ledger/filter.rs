use clap::Args;
use jiff::{Timestamp, civil::Date};
use laini_core::billing::Outcome;
use laini_core::store::RowQuery;
use laini_office::billing::{NamedRow, Names};

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
        let query = RowQuery { from, until, app, outcome: self.outcome, limit: PAGE_ROWS, ..RowQuery::default() };
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
