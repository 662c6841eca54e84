use std::fs::File;
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use laini_core::store::{FeedError, RegistryFeed, SnapshotPlan, SnapshotSummary};
use laini_server::operator::feed::{
    Instants, LoadError, MaxRejects, RejectedRow, RowCounts, SnapshotLoading, SnapshotRules,
};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{now, runtime};
use crate::command::progress::{Counted, bar};
use crate::config::Config;
use crate::failure::{WithHint as _, hinted};

/// `laini registry import FILE…`
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The extract: CSV, plain, gzip or zstd. All files are one snapshot.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The instant at which the extract was cut (default: the newest instant in it; needed once events
    /// have been applied).
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,
    /// Since when the extract's swap history is complete (default: always with a last_swap_at column,
    /// since the cut without one).
    #[arg(long, value_name = "INSTANT")]
    history_since: Option<String>,
    /// How much may be refused before nothing is loaded: a share or a number of rows.
    #[arg(long, default_value_t)]
    max_rejects: MaxRejects,
    /// Accept far fewer lines than before.
    #[arg(long)]
    allow_shrink: bool,
    /// Where refused rows are listed (default: registry-rejects.csv in the data directory).
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

/// What an import did.
#[derive(Debug, Serialize)]
pub(crate) struct ImportReport {
    generation: u64,
    as_of: String,
    lines: u64,
    lines_before: u64,
    rejected: u64,
    repeated: u64,
    contradicted: u64,
    events_reapplied: u64,
    seconds: f64,
    lines_per_second: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejects_file: Option<String>,
}

/// Loads the files.
pub(crate) fn run(context: &Context, args: &ImportArgs) -> anyhow::Result<()> {
    let (house, config) = context.house()?;
    let rejects = args.rejects.clone().unwrap_or_else(|| house.data.path().join("registry-rejects.csv"));
    let instants = Instants::new(config.zone()?, now());
    let instant = |text: &Option<String>, flag: &str| {
        text.as_deref().map(|text| instants.parse(text).map_err(|e| anyhow::anyhow!("{flag} {e}"))).transpose()
    };
    let extract = Extract {
        sources: args.files.iter().map(|file| open(file)).collect::<anyhow::Result<_>>()?,
        cut: instant(&args.as_of, "--as-of")?,
        history_since: instant(&args.history_since, "--history-since")?,
        max_rejects: args.max_rejects,
        allow_shrink: args.allow_shrink,
        rejects,
    };
    let feed = house.registry(&config)?.feed;
    let report = load(context, &config, &*feed, extract)?;
    context.out.data(&report, in_words)
}

/// Something to load.
pub(crate) struct Extract<'a> {
    pub(crate) sources: Vec<Source<'a>>,
    pub(crate) cut: Option<Timestamp>,
    pub(crate) history_since: Option<Timestamp>,
    pub(crate) max_rejects: MaxRejects,
    pub(crate) allow_shrink: bool,
    pub(crate) rejects: PathBuf,
}

/// A stream with its name, and its length where that is known.
pub(crate) struct Source<'a> {
    pub(crate) name: String,
    pub(crate) bytes: Option<u64>,
    pub(crate) input: Box<dyn Read + Send + 'a>,
}

/// Opens a file of the feed; `-` is standard input.
pub(super) fn open(path: &Path) -> anyhow::Result<Source<'static>> {
    if path == Path::new("-") {
        return Ok(Source { name: "standard input".into(), bytes: None, input: Box::new(std::io::stdin()) });
    }
    let file = File::open(path)
        .with_context(|| format!("{} cannot be read", path.display()))
        .hint("name a file that is there, or `-` for standard input")?;
    let bytes = file.metadata().ok().map(|about| about.len());
    Ok(Source { name: path.display().to_string(), bytes, input: Box::new(file) })
}

/// Loads an extract: all or nothing.
pub(crate) fn load(
    context: &Context,
    config: &Config,
    feed: &dyn RegistryFeed,
    extract: Extract<'_>,
) -> anyhow::Result<ImportReport> {
    let started = std::time::Instant::now();
    let now = now();
    let rules = SnapshotRules {
        plan: config.plan()?,
        instants: Instants::new(config.zone()?, now),
        workers: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    let total = extract.sources.iter().map(|source| source.bytes).sum::<Option<u64>>();
    let reading = bar(context.out, "reading", "bytes", total);
    let plan = SnapshotPlan {
        cut: extract.cut,
        history_since: extract.history_since,
        has_swaps: true,
        allow_shrink: extract.allow_shrink,
        now,
    };
    let runtime = runtime()?;
    let mut loading = SnapshotLoading::new(feed, &rules, runtime.handle(), plan);
    let mut rejects = RejectsFile::at(&extract.rejects);
    for source in extract.sources {
        let name = source.name;
        let bytes = Arc::new(AtomicU64::new(0));
        let before = reading.position();
        let watch = |rows: RowCounts, rejected: &[RejectedRow]| {
            reading.set_position(before + bytes.load(Ordering::Relaxed));
            reading.set_message(format!("{} rows", rows.accepted));
            rejected.iter().try_for_each(|row| rejects.add(&name, row))
        };
        let read = loading.read(Counted::new(source.input, Arc::clone(&bytes)), watch);
        read.map_err(|error| explained(error, &name, &extract.rejects))?;
    }
    reading.finish_and_clear();
    let rows = loading.rows();
    let rejects_file = rejects.finish().with_context(|| format!("{} cannot be written", extract.rejects.display()))?;
    let writing = bar(context.out, "writing", "rows", Some(rows.accepted));
    let summary = loading
        .finish(extract.max_rejects, &|lines| writing.set_position(lines))
        .map_err(|error| explained(error, "", &extract.rejects))?;
    writing.finish_and_clear();
    Ok(report(&summary, rows.rejected, rejects_file, started.elapsed()))
}

/// What went wrong with `file`, and what to do.
fn explained(error: LoadError, file: &str, rejects: &Path) -> anyhow::Error {
    let hint = match &error {
        LoadError::Input(_) | LoadError::Read(_) => {
            let hint = "nothing was changed; mend the file or fetch it anew, then import it again";
            return hinted(anyhow::Error::new(error).context(file.to_owned()), hint);
        }
        LoadError::OtherColumns => "nothing was changed; import extracts of one kind together",
        LoadError::TooManyRejects { .. } => {
            let rejects = rejects.display();
            let hint =
                format!("{rejects} lists them with their reasons; mend the extract, or allow more with --max-rejects");
            return hinted(error, hint);
        }
        LoadError::Listing(_) => "nothing was changed; name another file with --rejects",
        LoadError::Feed(FeedError::Busy) => "wait for the other `laini registry import` to end",
        LoadError::Feed(FeedError::OlderCut { .. }) => {
            "import the newest extract; `laini registry status` shows the present cut"
        }
        LoadError::Feed(FeedError::CutNeeded | FeedError::FutureCut { .. }) => {
            "state when the extract was cut, e.g. --as-of 2026-01-31T04:30:00+03:00"
        }
        LoadError::Feed(FeedError::Shrunk { .. }) => {
            "nothing was changed; see whether the extract was cut short, or say --allow-shrink"
        }
        LoadError::Feed(FeedError::NoLines) => "nothing was changed; see whether the extract was cut short",
        LoadError::Feed(FeedError::Engine(_)) => {
            "nothing was changed; see that the data directory has space and can be written"
        }
    };
    hinted(error, hint)
}

/// The list of refused rows: file, line and reason, never what stood there. Made with its first row.
struct RejectsFile {
    path: PathBuf,
    writer: Option<csv::Writer<BufWriter<File>>>,
}

impl RejectsFile {
    fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), writer: None }
    }

    fn add(&mut self, file: &str, row: &RejectedRow) -> io::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let writer = none.insert(csv::Writer::from_writer(BufWriter::new(File::create(&self.path)?)));
                writer.write_record(["file", "line", "reason"])?;
                writer
            }
        };
        Ok(writer.write_record([file, &row.line.to_string(), &row.reason])?)
    }

    /// The name of the list, where there is one.
    fn finish(self) -> io::Result<Option<String>> {
        let Some(mut writer) = self.writer else { return Ok(None) };
        writer.flush()?;
        Ok(Some(self.path.display().to_string()))
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate for people"
)]
fn report(
    summary: &SnapshotSummary,
    rejected: u64,
    rejects_file: Option<String>,
    took: std::time::Duration,
) -> ImportReport {
    let seconds = took.as_secs_f64();
    ImportReport {
        generation: summary.generation,
        as_of: summary.cut.to_string(),
        lines: summary.lines,
        lines_before: summary.lines_before,
        rejected,
        repeated: summary.repeated,
        contradicted: summary.contradicted,
        events_reapplied: summary.events_reapplied,
        seconds,
        lines_per_second: (summary.lines as f64 / seconds.max(0.001)) as u64,
        rejects_file,
    }
}

fn in_words(report: &ImportReport) -> String {
    let mut text = format!(
        "{} lines loaded as generation {} (before: {}), cut at {}\n{:.1} s, {} lines/s",
        report.lines, report.generation, report.lines_before, report.as_of, report.seconds, report.lines_per_second
    );
    if let Some(file) = &report.rejects_file {
        text.push_str(&format!("\n{} rows refused, listed in {file}", report.rejected));
    }
    if report.repeated + report.contradicted > 0 {
        text.push_str(&format!(
            "\n{} rows stated twice, {} numbers stated with two contents (they answer \"unknown\")",
            report.repeated, report.contradicted
        ));
    }
    if report.events_reapplied > 0 {
        text.push_str(&format!("\n{} events after the cut applied on top", report.events_reapplied));
    }
    text
}
