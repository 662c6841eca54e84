//! A registry, whatever engine keeps it: its rows, its sorted snapshots, and how a feed becomes lines.
//!
//! Owns the columns of a line and of an event, the sorting and settling of a snapshot in bounded memory,
//! and the steps from a feed item to the lines that it changes, over what an engine reads and writes for
//! them ([`History`], [`Lines`]). Must never let an unsealed IMSI touch a disk, temporary files included,
//! and never decide what an event does: laini-core derives.

mod apply;
mod broken;
pub mod columns;
mod enter;
mod erase;
mod event;
mod group;
mod horizon;
mod plan;
mod recorded;
mod rejects;
mod row;
mod settle;
mod sort;

pub use apply::{AtCut, Lines, Step, Taken};
pub use broken::Broken;
pub use enter::{Entered, Entering, enter_item, new_number_place, result_of};
pub use event::{Entry, EventColumns, KnownEvent, RefusedEntry};
pub use group::{Group, History, Seed};
pub use horizon::as_of;
pub use plan::{Present, check_lines};
pub use recorded::RecordedSpan;
pub use rejects::{in_order, newest, unapplied_event, unread_line};
pub use row::Row;
pub use settle::{Batch, KnownLine, Settling, Tally};
pub use sort::{Merged, Packed, Sorter};
