use clap::Args;
use laini_core::billing::{Currency, Money};
use laini_core::partner::{App, Budget};
use laini_core::store::{AccountBook, AppChange};

use super::change::apply;
use super::show::budget_in_words;
use crate::command::Context;
use crate::command::context::{because, now};
use crate::failure::WithHint as _;

/// The most shares of a budget at which a warning is given.
const WARNINGS_MAX: usize = 16;

/// `laini app budget`
#[derive(Args)]
pub(crate) struct BudgetArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// What it may spend in a calendar month before tax, in the agreement's currency (50000 or 1999.50),
    /// or none. May be left out to change only how the present budget acts.
    #[arg(required_unless_present_any = ["warn_at", "overrun", "hard_stop"])]
    amount: Option<String>,
    /// At which shares a warning is given, in per cent (default: 50,80,100).
    #[arg(long, value_name = "PERCENTS", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=100))]
    warn_at: Option<Vec<u8>>,
    /// How far beyond the budget checks are still answered, in per cent (default: 20).
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    overrun: Option<u16>,
    /// Whether checks stop at the budget itself (default: false).
    #[arg(long)]
    hard_stop: Option<bool>,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// Changes what an app may spend.
pub(crate) fn run(context: &Context, args: &BudgetArgs) -> anyhow::Result<()> {
    let change = |app: &App, book: &AccountBook| {
        let budget = budget(args, app, book)?;
        let words = budget.as_ref().map_or("none".to_owned(), budget_in_words);
        Ok((AppChange::Budget(budget), because(&words, &args.reason)))
    };
    apply(context, &args.app, "app.budget", change, |report| format!("{}: {}", report.name, report.budget_in_words))
}

/// The budget that `args` ask for: the present one with what they name changed, or the standard one.
fn budget(args: &BudgetArgs, app: &App, book: &AccountBook) -> anyhow::Result<Option<Budget>> {
    let mut budget = match (args.amount.as_deref(), &app.limits.budget) {
        (Some("none"), _) => return Ok(None),
        (Some(amount), present) => {
            let month = Money::parse_amount(amount, currency(app, book)?)?;
            present.clone().map_or_else(|| Budget::standard(month), |present| Budget { month, ..present })
        }
        (None, Some(present)) => present.clone(),
        (None, None) => {
            return Err(anyhow::anyhow!("{} has no budget yet", app.name)).hint("name an amount as well");
        }
    };
    if let Some(shares) = &args.warn_at {
        budget.warn_at_percent.clone_from(shares);
        budget.warn_at_percent.sort_unstable();
        budget.warn_at_percent.dedup();
        anyhow::ensure!(budget.warn_at_percent.len() <= WARNINGS_MAX, "at most {WARNINGS_MAX} warnings are given");
    }
    budget.overrun_percent = args.overrun.unwrap_or(budget.overrun_percent);
    budget.hard_stop = args.hard_stop.unwrap_or(budget.hard_stop);
    Ok(Some(budget))
}

/// The currency in which the app is charged.
fn currency(app: &App, book: &AccountBook) -> anyhow::Result<Currency> {
    // One that is to come will do.
    let agreements = book.agreements_of(app.partner);
    let agreement = agreements.at(now()).ok().or(agreements.versions().last());
    agreement
        .and_then(|agreement| agreement.prices.first())
        .map(|(_, price)| price.currency)
        .ok_or_else(|| anyhow::anyhow!("there is no agreement with prices, so nothing is charged"))
}
