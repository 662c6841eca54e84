use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use jiff::ToSpan as _;
use jiff::civil::Date;
use laini_core::billing::{AccountStatement, Money};
use laini_office::payments::{entry_id, known_partner, statement_between, statement_csv, statement_paper, today};
use serde::Serialize;

use super::Context;
use super::context::{in_office, partner_of};
use crate::out::Out;

/// `laini statement`
#[derive(Args)]
pub(crate) struct StatementArgs {
    /// The partner: its name or id.
    partner: String,
    /// The first day (default: 90 days before the last).
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// The last day (default: today).
    #[arg(long, value_name = "DAY")]
    until: Option<Date>,
    /// How it is written; `--json` is for scripts.
    #[arg(long, value_enum, default_value_t = Written::Text)]
    format: Written,
    /// The file that it is written to; PDF needs one (default: standard output).
    #[arg(long, short, value_name = "FILE", required_if_eq("format", "pdf"))]
    out: Option<PathBuf>,
}

/// How a statement is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Written {
    /// For a terminal.
    Text,
    /// A table for programs.
    Csv,
    /// A page for a browser.
    Html,
    /// Pages to print.
    Pdf,
}

#[derive(Serialize)]
struct StatementReport {
    from: String,
    until: String,
    currency: String,
    opening_minor: i64,
    entries: Vec<EntryReport>,
    closing_minor: i64,
}

#[derive(Serialize)]
struct EntryReport {
    on: String,
    entry: &'static str,
    id: String,
    amount_minor: i64,
    balance_minor: i64,
}

/// Writes a statement of account.
pub(crate) fn run(context: &Context, args: &StatementArgs) -> anyhow::Result<()> {
    let (statement, paper) = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        let until = args.until.unwrap_or_else(|| today(work));
        let from = args.from.unwrap_or_else(|| until.saturating_sub(90.days()));
        let statement = statement_between(work, partner, from, until)?;
        let paper = statement_paper(&work.office.settings.operator, &known_partner(work, partner)?, &statement);
        Ok((statement, paper))
    })?;
    let written = match args.format {
        Written::Text if args.out.is_none() => return context.out.data(&report(&statement), |_| in_words(&statement)),
        Written::Text => in_words(&statement).into_bytes(),
        Written::Csv => statement_csv(&statement).into_bytes(),
        Written::Html => paper.html().into_bytes(),
        Written::Pdf => paper.pdf(),
    };
    match &args.out {
        Some(file) => fs::write(file, written).with_context(|| format!("{} cannot be written", file.display())),
        None => Out::line(&String::from_utf8_lossy(&written)),
    }
}

fn report(statement: &AccountStatement) -> StatementReport {
    let entries = statement.entries.iter().map(|entry| EntryReport {
        on: entry.on.to_string(),
        entry: entry.kind.word(),
        id: entry_id(entry),
        amount_minor: entry.amount_minor,
        balance_minor: entry.balance_minor,
    });
    StatementReport {
        from: statement.from.to_string(),
        until: statement.until.to_string(),
        currency: statement.currency.as_str().to_owned(),
        opening_minor: statement.opening_minor,
        entries: entries.collect(),
        closing_minor: statement.closing_minor,
    }
}

fn in_words(statement: &AccountStatement) -> String {
    let amount = |minor| Money::new(minor, statement.currency).to_string();
    let line = |on: &str, what: &str, id: &str, sum: &str, balance: i64| {
        format!("{on:<10} {what:<24} {id:<16} {sum:>18} {:>18}", amount(balance))
    };
    let opening = line(&statement.from.to_string(), "balance", "", "", statement.opening_minor);
    let entries = statement.entries.iter().map(|entry| {
        let on = entry.on.to_string();
        line(&on, entry.kind.word(), &entry_id(entry), &amount(entry.amount_minor), entry.balance_minor)
    });
    let closing = line(&statement.until.to_string(), "balance", "", "", statement.closing_minor);
    std::iter::once(opening).chain(entries).chain([closing]).collect::<Vec<_>>().join("\n")
}
