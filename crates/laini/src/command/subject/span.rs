use clap::Args;
use jiff::civil::Date;
use laini_office::privacy::Span;

use crate::command::registry::sample::midnight;
use crate::config::Config;

/// From when until when.
#[derive(Args)]
pub(super) struct SpanArgs {
    /// From this day on (2026-11-01), in the operator's zone.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Until this day, which is included.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
}

impl SpanArgs {
    /// The span that they name.
    pub(super) fn span(&self, config: &Config) -> anyhow::Result<Span> {
        let zone = config.zone()?;
        let from = self.from.map(|day| midnight(day, &zone)).transpose()?;
        let until = self.to.map(|day| midnight(day.tomorrow()?, &zone)).transpose()?;
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            anyhow::bail!("--from lies after --to");
        }
        Ok(Span { from, until })
    }
}
