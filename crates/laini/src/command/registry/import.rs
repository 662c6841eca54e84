use std::fs::File;
use std::io::{BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::ProgressBar;
use jiff::Timestamp;
use laini_core::store::{FeedError, RefusedLine, RegistryFeed, SnapshotLoad, SnapshotPlan, SnapshotSummary};
use laini_server::operator::feed::{Instants, ParsedBlock, SnapshotError, SnapshotRules, decompressed, read_snapshot};
use serde::Serialize;

use super::max_rejects::MaxRejects;
use crate::command::Context;
use crate::command::context::{block_on, now};
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
    let mut loading = Loading {
        feed,
        plan: SnapshotPlan {
            cut: extract.cut,
            history_since: extract.history_since,
            has_swaps: true,
            allow_shrink: extract.allow_shrink,
            now,
        },
        load: None,
        rejects: RejectsFile::at(&extract.rejects),
        accepted: 0,
        rejected: 0,
    };
    for source in extract.sources {
        loading.read(source, &rules, &reading)?;
    }
    reading.finish_and_clear();
    let (accepted, rejected) = (loading.accepted, loading.rejected);
    let rejects_file = loading.rejects.finish()?;
    if extract.max_rejects.exceeded(rejected, accepted + rejected) {
        let listed = rejects_file.unwrap_or_default();
        let error = anyhow::anyhow!(
            "{rejected} of {} rows were refused, more than {}; nothing was changed",
            accepted + rejected,
            extract.max_rejects
        );
        return Err(error).hint(format!(
            "{listed} lists them with their reasons; mend the extract, or allow more with --max-rejects"
        ));
    }
    let Some(load) = loading.load else { bail!("no file was named") };
    let writing = bar(context.out, "writing", "rows", Some(accepted));
    let summary = block_on(load.finish(&|lines| writing.set_position(lines)))?.map_err(explained)?;
    writing.finish_and_clear();
    Ok(report(&summary, rejected, rejects_file, started.elapsed()))
}

struct Loading<'a> {
    feed: &'a dyn RegistryFeed,
    plan: SnapshotPlan,
    load: Option<Box<dyn SnapshotLoad>>,
    rejects: RejectsFile,
    accepted: u64,
    rejected: u64,
}

/// Why one file could not be loaded.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("{0}")]
    Other(anyhow::Error),
}

impl Loading<'_> {
    fn read(&mut self, source: Source<'_>, rules: &SnapshotRules, bar: &ProgressBar) -> anyhow::Result<()> {
        let name = source.name;
        let bytes = Arc::new(AtomicU64::new(0));
        let before = bar.position();
        let input = decompressed(Counted::new(source.input, Arc::clone(&bytes))).with_context(|| name.clone())?;
        // Both ends of the reading need the state: one begins the load, the other fills it.
        let state = std::cell::RefCell::new(self);
        let begin =
            |columns: &laini_server::operator::feed::SnapshotColumns| state.borrow_mut().begin(columns.has_swaps());
        let take = |block: ParsedBlock| {
            let mut state = state.borrow_mut();
            state.take(&name, block)?;
            bar.set_position(before + bytes.load(Ordering::Relaxed));
            bar.set_message(format!("{} rows", state.accepted));
            Ok(())
        };
        read_snapshot(input, rules, begin, take).map_err(|error| match error {
            ReadError::Snapshot(error) => hinted(
                anyhow::Error::new(error).context(name.clone()),
                "nothing was changed; mend the file or fetch it anew, then import it again",
            ),
            ReadError::Other(error) => error,
        })
    }

    fn begin(&mut self, has_swaps: bool) -> Result<(), ReadError> {
        if self.load.is_none() {
            self.plan.has_swaps = has_swaps;
            let load = block_on(self.feed.begin_snapshot(self.plan.clone())).map_err(ReadError::Other)?;
            self.load = Some(load.map_err(|error| ReadError::Other(explained(error)))?);
        } else if has_swaps != self.plan.has_swaps {
            return Err(ReadError::Other(anyhow::anyhow!(
                "the files of one snapshot must agree on having a last_swap_at column"
            )));
        }
        Ok(())
    }

    fn take(&mut self, file: &str, block: ParsedBlock) -> Result<(), ReadError> {
        let Some(load) = &mut self.load else { return Ok(()) };
        self.accepted += block.rows.len() as u64;
        self.rejected += block.rejected.len() as u64;
        let refused: Vec<_> = block.rejected.iter().map(|row| RefusedLine { msisdn: row.msisdn }).collect();
        let push = block_on(async {
            load.push(block.rows).await?;
            if refused.is_empty() { Ok(()) } else { load.refuse(refused).await }
        });
        push.map_err(ReadError::Other)?.map_err(|error| ReadError::Other(explained(error)))?;
        for row in &block.rejected {
            self.rejects.add(file, row.line, &row.reason).map_err(ReadError::Other)?;
        }
        Ok(())
    }
}

fn explained(error: FeedError) -> anyhow::Error {
    let hint = match error {
        FeedError::Busy => "wait for the other `laini registry import` to end",
        FeedError::OlderCut { .. } => "import the newest extract; `laini registry status` shows the present cut",
        FeedError::CutNeeded | FeedError::FutureCut { .. } => {
            "state when the extract was cut, e.g. --as-of 2026-01-31T04:30:00+03:00"
        }
        FeedError::Shrunk { .. } | FeedError::NoLines => "nothing was changed; see whether the extract was cut short",
        FeedError::Engine(_) => "nothing was changed; see that the data directory has space and can be written",
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

    fn add(&mut self, file: &str, line: u64, reason: &str) -> anyhow::Result<()> {
        let path = &self.path;
        let mut write = || -> anyhow::Result<()> {
            let writer = match &mut self.writer {
                Some(writer) => writer,
                none => {
                    let writer = none.insert(csv::Writer::from_writer(BufWriter::new(File::create(path)?)));
                    writer.write_record(["file", "line", "reason"])?;
                    writer
                }
            };
            Ok(writer.write_record([file, &line.to_string(), reason])?)
        };
        write().with_context(|| format!("{} cannot be written", path.display()))
    }

    fn finish(self) -> anyhow::Result<Option<String>> {
        let Some(writer) = self.writer else { return Ok(None) };
        let name = self.path.display().to_string();
        let mut inner = writer.into_inner().map_err(|e| anyhow::anyhow!("{name} cannot be written: {}", e.error()))?;
        inner.flush().with_context(|| format!("{name} cannot be written"))?;
        Ok(Some(name))
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
