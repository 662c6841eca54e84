use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;
use jiff::Timestamp;
use laini_core::line::{LineState, Msisdn, SnapshotRow};
use laini_core::store::Lookup;
use laini_server::operator::feed::{Instants, ParsedBlock, SnapshotError, SnapshotRules, decompressed, read_snapshot};
use serde::Serialize;

use super::import::open;
use crate::command::Context;
use crate::command::context::{block_on, now};
use crate::command::progress::{Counted, bar};
use crate::compose::RegistryHandle;
use crate::failure::WithHint as _;

/// Lines read from the registry at a time.
const SCAN_LINES: usize = 10_000;

/// `laini registry diff FILE`
#[derive(Args)]
pub(crate) struct DiffArgs {
    /// The extract to compare with.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many differing numbers are listed (masked).
    #[arg(long, default_value_t = 20)]
    list: usize,
}

#[derive(Debug, Default, Serialize)]
struct DiffReport {
    rows: u64,
    same: u64,
    /// In the extract, not in the registry.
    added: u64,
    /// In the registry, not in the extract.
    missing: u64,
    imsi: u64,
    status: u64,
    registered: u64,
    last_swap: u64,
    /// Differs, but the registry has heard of the line since the snapshot it was loaded from.
    newer_here: u64,
    rejected: u64,
    listed: Vec<Difference>,
}

#[derive(Debug, Serialize)]
struct Difference {
    msisdn: String,
    what: &'static str,
}

/// Compares an extract with the registry.
pub(crate) fn run(context: &Context, args: &DiffArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let registry = house.registry(&config)?;
    let cut = block_on(registry.feed.status())??.cut;
    let rules = SnapshotRules {
        plan: config.plan()?,
        instants: Instants::new(config.zone()?, now()),
        workers: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    let source = open(&args.file)?;
    let reading = bar(context.out, "comparing", "bytes", source.bytes);
    let bytes = Arc::new(AtomicU64::new(0));
    let input = decompressed(Counted::new(source.input, Arc::clone(&bytes)))?;
    let mut comparing =
        Comparing { registry: &registry, cut, list: args.list, seen: Vec::new(), report: DiffReport::default() };
    read_snapshot(
        input,
        &rules,
        |_| Ok(()),
        |block| {
            comparing.take(&block)?;
            reading.set_position(bytes.load(Ordering::Relaxed));
            Ok(())
        },
    )
    .map_err(|DiffError(error)| error)
    .hint("an extract is CSV with a header, as for `laini registry import`")?;
    comparing.missing()?;
    reading.finish_and_clear();
    context.out.data(&comparing.report, in_words)
}

struct DiffError(anyhow::Error);

impl From<SnapshotError> for DiffError {
    fn from(error: SnapshotError) -> Self {
        Self(error.into())
    }
}

struct Comparing<'a> {
    registry: &'a RegistryHandle,
    cut: Option<Timestamp>,
    list: usize,
    /// The numbers of the extract, eight bytes each.
    seen: Vec<Msisdn>,
    report: DiffReport,
}

impl Comparing<'_> {
    fn take(&mut self, block: &ParsedBlock) -> Result<(), DiffError> {
        self.report.rejected += block.rejected.len() as u64;
        self.seen.extend(block.rejected.iter().filter_map(|row| row.msisdn));
        let reader = Arc::clone(&self.registry.reader);
        let lookups = block_on(async {
            let mut lookups = Vec::with_capacity(block.rows.len());
            for row in &block.rows {
                lookups.push(reader.look_up(row.msisdn).await?);
            }
            Ok::<_, laini_core::store::RegistryError>(lookups)
        });
        let lookups = lookups.map_err(DiffError)?.map_err(|error| DiffError(error.into()))?;
        for (row, Lookup { state, .. }) in block.rows.iter().zip(lookups) {
            self.compare(row, &state);
            self.seen.push(row.msisdn);
        }
        Ok(())
    }

    fn compare(&mut self, row: &SnapshotRow, state: &LineState) {
        let report = &mut self.report;
        report.rows += 1;
        let Some(line) = &state.line else {
            report.added += 1;
            return self.list(row.msisdn, "not in the registry");
        };
        let heard_since =
            [Some(line.registered), line.last_swap.map(|swap| swap.at)].into_iter().flatten().max() > self.cut;
        let (count, what) = if line.sim != row.imsi.into() {
            (&mut report.imsi, "another SIM")
        } else if line.status != row.status {
            (&mut report.status, "another status")
        } else if line.registered.as_second() != row.registered.as_second() {
            (&mut report.registered, "another registration")
        } else if row
            .last_swap
            .is_some_and(|swap| swap.map(|s| s.at.as_second()) != line.last_swap.map(|s| s.at.as_second()))
        {
            (&mut report.last_swap, "another swap date")
        } else {
            report.same += 1;
            return;
        };
        *count += 1;
        report.newer_here += u64::from(heard_since);
        self.list(row.msisdn, what);
    }

    /// Walks the registry in order beside the extract's numbers in order.
    fn missing(&mut self) -> anyhow::Result<()> {
        self.seen.sort_unstable();
        let mut after = None;
        loop {
            let lines = block_on(self.registry.feed.scan(after, SCAN_LINES))??;
            let Some((last, _)) = lines.last() else { return Ok(()) };
            after = Some(*last);
            // A line that is not served any more need not be in an extract.
            let served = |state: &LineState| state.line.as_ref().is_some_and(|line| line.status.is_served());
            for (msisdn, _) in lines.into_iter().filter(|(_, state)| served(state)) {
                if self.seen.binary_search(&msisdn).is_err() {
                    self.report.missing += 1;
                    self.list(msisdn, "not in the extract");
                }
            }
        }
    }

    fn list(&mut self, msisdn: Msisdn, what: &'static str) {
        if self.report.listed.len() < self.list {
            self.report.listed.push(Difference { msisdn: msisdn.masked(), what });
        }
    }
}

fn in_words(report: &DiffReport) -> String {
    let mut text = format!(
        "{} rows compared ({} could not be read)\nsame                  {}\nnot in the registry   {}\nnot in the extract    {}\nanother SIM           {}\nanother status        {}\nanother registration  {}\nanother swap date     {}\nof these, newer here  {}",
        report.rows,
        report.rejected,
        report.same,
        report.added,
        report.missing,
        report.imsi,
        report.status,
        report.registered,
        report.last_swap,
        report.newer_here,
    );
    for difference in &report.listed {
        text.push_str(&format!("\n  {} {}", difference.msisdn, difference.what));
    }
    text
}
