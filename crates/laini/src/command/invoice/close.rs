use clap::Args;
use laini_core::billing::Month;
use laini_office::billing::{CloseReport, close_due, close_month};
use serde::Serialize;

use super::{month, office};
use crate::command::Context;
use crate::command::context::{console, now};

/// `laini invoice close`
#[derive(Args)]
pub(crate) struct CloseArgs {
    /// The month (2026-11); without it, every month that is over and that all writers have passed.
    #[arg(value_parser = month)]
    month: Option<Month>,
    /// It is the first month that is invoiced here: what lies before it was invoiced elsewhere.
    #[arg(long, requires = "month")]
    first: bool,
}

#[derive(Serialize)]
struct ClosedMonth {
    month: String,
    invoices_made: u64,
    was_closed: bool,
}

impl From<CloseReport> for ClosedMonth {
    fn from(report: CloseReport) -> Self {
        Self { month: report.month.to_string(), invoices_made: report.made, was_closed: report.was_done }
    }
}

/// Closes.
pub(crate) fn run(context: &Context, args: &CloseArgs) -> anyhow::Result<()> {
    let office = office(context)?;
    let closed: Vec<ClosedMonth> = match args.month {
        Some(month) => vec![close_month(&office, &console(), month, now(), args.first)?.into()],
        None => close_due(&office, now())?.into_iter().map(ClosedMonth::from).collect(),
    };
    context.out.data(&closed, |closed| {
        if closed.is_empty() {
            return "no month is to be closed now".to_owned();
        }
        let line = |one: &ClosedMonth| {
            if one.was_closed {
                format!("{} was closed already", one.month)
            } else {
                format!("{} is closed: {} invoices made", one.month, one.invoices_made)
            }
        };
        closed.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
