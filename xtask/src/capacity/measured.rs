/// CPU of a node for one whole check, its part of everything shared with 63 others.
pub(super) const NODE_US_PER_CHECK: f64 = 48.0;
/// CPU of the database for one whole check: look-up, repeat, row, side row, counters.
pub(super) const DATABASE_US_PER_CHECK: f64 = 48.0;
/// One commit of a node's chain: so much whatever it holds,
pub(super) const COMMIT_FIXED_MS: f64 = 0.42;
/// and so much for each row in it. The inverse is the most that one chain can carry.
pub(super) const COMMIT_US_PER_ROW: f64 = 27.0;
/// The most rows of one commit, and the most that wait for it (`ledger.queue_checks_max`).
pub(super) const ROWS_WAITING_MAX: usize = 8_192;
/// A line with its key.
pub(super) const BYTES_PER_LINE: f64 = 127.0;
/// A ledger row with both of its keys.
pub(super) const LEDGER_BYTES_PER_CHECK: f64 = 316.0;
/// Its side row: sealed number and facts, until they are forgotten.
pub(super) const SIDE_BYTES_PER_CHECK: f64 = 233.0;
/// The write-ahead log of a check, in steady state.
pub(super) const WAL_BYTES_PER_CHECK: f64 = 1_000.0;
/// A snapshot's COPY.
pub(super) const LINES_LOADED_PER_S: f64 = 450_000.0;
/// Connections of a node at the most: its pool, look-ups, and the chain's own.
pub(super) const CONNECTIONS_PER_NODE: f64 = 8.0 + 1.0 + 1.0;
/// No writes while a standby takes over, after the death of the primary's machine.
pub(super) const FAILOVER_S: f64 = 8.8;
