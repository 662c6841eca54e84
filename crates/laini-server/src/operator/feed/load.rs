use std::cell::RefCell;
use std::io::{self, Read};

use laini_core::store::{FeedError, RefusedLine, RegistryFeed, SnapshotLoad, SnapshotPlan, SnapshotSummary};
use tokio::runtime::Handle;

use super::{
    InputError, MaxRejects, ParsedBlock, RejectedRow, SnapshotError, SnapshotRules, decompressed, read_snapshot,
};

/// A snapshot on its way into a registry: all or nothing. Blocks its thread, which must not be one of
/// the runtime's own.
pub struct SnapshotLoading<'a> {
    feed: &'a dyn RegistryFeed,
    rules: &'a SnapshotRules,
    runtime: &'a Handle,
    plan: SnapshotPlan,
    load: Option<Box<dyn SnapshotLoad>>,
    rows: RowCounts,
}

/// How many rows were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowCounts {
    /// Good ones.
    pub accepted: u64,
    /// Refused ones.
    pub rejected: u64,
}

/// Why a snapshot was not loaded. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be unpacked.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] SnapshotError),
    /// The registry refuses it, or failed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// Its files differ.
    #[error("the files of one snapshot must agree on having a last_swap_at column")]
    OtherColumns,
    /// Too many rows were refused.
    #[error("{rejected} of {rows} rows were refused, more than {max}; nothing was changed")]
    TooManyRejects {
        /// Refused rows.
        rejected: u64,
        /// All rows.
        rows: u64,
        /// What was allowed.
        max: MaxRejects,
    },
    /// What is told of refused rows cannot be written down.
    #[error("the list of refused rows cannot be written: {0}")]
    Listing(#[source] io::Error),
}

impl<'a> SnapshotLoading<'a> {
    /// Nothing is begun before the first file's header was read: it decides on [`SnapshotPlan::has_swaps`].
    pub fn new(feed: &'a dyn RegistryFeed, rules: &'a SnapshotRules, runtime: &'a Handle, plan: SnapshotPlan) -> Self {
        Self { feed, rules, runtime, plan, load: None, rows: RowCounts::default() }
    }

    /// Reads one file of it, plain or packed. `watch` hears of every block, with the rows refused in it.
    pub fn read(
        &mut self,
        input: impl Read + Send,
        mut watch: impl FnMut(RowCounts, &[RejectedRow]) -> io::Result<()>,
    ) -> Result<(), LoadError> {
        let rules = self.rules;
        // Both ends of the reading need the state: one begins the load, the other fills it.
        let state = RefCell::new(self);
        read_snapshot(
            decompressed(input)?,
            rules,
            |columns| state.borrow_mut().begin(columns.has_swaps()),
            |block| {
                let rejected = state.borrow_mut().take(block)?;
                watch(state.borrow().rows, &rejected).map_err(LoadError::Listing)
            },
        )
    }

    /// What was read so far.
    pub fn rows(&self) -> RowCounts {
        self.rows
    }

    /// Switches to it, unless too much of it was refused. `progress` hears how many lines were written.
    pub fn finish(self, max: MaxRejects, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<SnapshotSummary, LoadError> {
        let RowCounts { accepted, rejected } = self.rows;
        let rows = accepted + rejected;
        if max.exceeded(rejected, rows) {
            return Err(LoadError::TooManyRejects { rejected, rows, max });
        }
        let load = self.load.ok_or(FeedError::NoLines)?;
        Ok(self.runtime.block_on(load.finish(progress))?)
    }

    fn begin(&mut self, has_swaps: bool) -> Result<(), LoadError> {
        if self.load.is_none() {
            self.plan.has_swaps = has_swaps;
            self.load = Some(self.runtime.block_on(self.feed.begin_snapshot(self.plan.clone()))?);
        } else if has_swaps != self.plan.has_swaps {
            return Err(LoadError::OtherColumns);
        }
        Ok(())
    }

    fn take(&mut self, block: ParsedBlock) -> Result<Vec<RejectedRow>, LoadError> {
        self.rows.accepted += block.rows.len() as u64;
        self.rows.rejected += block.rejected.len() as u64;
        let Some(load) = &mut self.load else { return Ok(block.rejected) };
        let refused: Vec<_> = block.rejected.iter().map(|row| RefusedLine { msisdn: row.msisdn }).collect();
        self.runtime.block_on(async {
            load.push(block.rows).await?;
            if refused.is_empty() { Ok(()) } else { load.refuse(refused).await }
        })?;
        Ok(block.rejected)
    }
}
