use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use laini_office::payments::import;
use laini_office::payments::statement::{Format, STATEMENT_BYTES_MAX};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::in_office;
use crate::failure::WithHint as _;

/// `laini payment import`
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The statement, as the bank or the M-PESA portal gave it.
    file: PathBuf,
    /// What it is: csv (a header with date, amount, reference, description, id), camt053, or mpesa (a paybill's);
    /// without it, its beginning tells.
    #[arg(long, value_parser = |word: &str| Format::parse(word).map_err(|error| error.to_string()))]
    format: Option<Format>,
}

#[derive(Serialize)]
struct ImportReport {
    added: usize,
    matched: usize,
    known: usize,
    passed_over: usize,
    bad: usize,
    problems: Vec<ProblemReport>,
}

#[derive(Serialize)]
struct ProblemReport {
    place: usize,
    reason: String,
}

/// Records the payments of a statement.
pub(crate) fn run(context: &Context, args: &ImportArgs) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    let file = File::open(&args.file).with_context(|| format!("{} cannot be read", args.file.display()))?;
    file.take(STATEMENT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    let format = args.format.unwrap_or_else(|| Format::told_by(&bytes));
    let imported = in_office(context, |work| import(work, format, &bytes))
        .hint("--format says what the file is: csv, camt053 or mpesa")?;
    let problem = |problem: &laini_office::payments::statement::LineProblem| ProblemReport {
        place: problem.place,
        reason: problem.reason.to_string(),
    };
    let report = ImportReport {
        added: imported.added,
        matched: imported.matched,
        known: imported.known,
        passed_over: imported.passed_over,
        bad: imported.bad,
        problems: imported.problems.iter().map(problem).collect(),
    };
    context.out.data(&report, |report| {
        let ImportReport { added, matched, known, passed_over, bad, problems } = report;
        let mut lines = vec![format!(
            "{added} payments added, {matched} of them matched; {known} were known, {passed_over} lines are no payments, \
             {bad} could not be read"
        )];
        let place = if format == Format::Camt053 { "entry" } else { "line" };
        lines.extend(problems.iter().map(|problem| format!("{place} {}: {}", problem.place, problem.reason)));
        if matched < added {
            lines.push("next: laini payment list --unmatched".to_owned());
        }
        lines.join("\n")
    })
}
