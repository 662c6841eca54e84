//! The one file that names the engine, the clock and the source of randomness.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use laini_core::access::KeyTree;
use laini_core::store::{
    AccountStore, AnswerMemory, CommitObserver, Ledger, Outbox, Registry, RegistryFeed, Retention, WorldStore,
};
use laini_server::{Clock, Entropy};
pub(crate) use laini_store_sqlite::FileState;
use laini_store_sqlite::{
    LedgerSettings, RegistrySettings, SqliteAccounts, SqliteLedger, SqliteRegistry, SqliteWorlds,
};
use laini_upstream::HttpRegistry;

use crate::back_end;
use crate::config::{Config, RegistryKind};
use crate::data_dir::DataDir;
use crate::failure::WithHint as _;
use crate::keys::KeyDir;

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the clock is composed")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The kernel's randomness, drawn a page at a time per thread: a system call per check would cost
/// more than its hashes.
pub(crate) struct SystemEntropy;

const POOL_BYTES: usize = 4096;

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL_BYTES], used: POOL_BYTES }) };
}

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        POOL.with_borrow_mut(|pool| {
            for byte in out {
                if pool.used == POOL_BYTES {
                    refill(&mut pool.bytes);
                    pool.used = 0;
                }
                *byte = std::mem::take(&mut pool.bytes[pool.used]);
                pool.used += 1;
            }
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "this is where randomness is composed; a kernel without it must stop us"
)]
fn refill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the kernel gives no randomness");
}

/// The operator's back end, on this machine's clock.
pub(crate) fn back_end(config: &Config) -> anyhow::Result<HttpRegistry> {
    back_end::open(config, Arc::new(|| SystemClock.now()))
}

/// Both sides of the registry.
#[derive(Clone)]
pub(crate) struct RegistryHandle {
    /// What checks ask.
    pub(crate) reader: Arc<dyn Registry>,
    /// How truth comes in.
    pub(crate) feed: Arc<dyn RegistryFeed>,
}

/// The ledger, and what commits with it.
#[derive(Clone)]
pub(crate) struct LedgerHandle {
    /// What was asked.
    pub(crate) ledger: Arc<dyn Ledger>,
    /// What was answered under idempotency keys.
    pub(crate) answers: Arc<dyn AnswerMemory>,
    /// What is delivered.
    pub(crate) outbox: Arc<dyn Outbox>,
    /// What must go one day.
    pub(crate) retention: Arc<dyn Retention>,
}

impl LedgerHandle {
    fn of(ledger: SqliteLedger) -> Self {
        let ledger = Arc::new(ledger);
        Self {
            answers: Arc::clone(&ledger) as Arc<dyn AnswerMemory>,
            outbox: Arc::clone(&ledger) as Arc<dyn Outbox>,
            retention: Arc::clone(&ledger) as Arc<dyn Retention>,
            ledger,
        }
    }
}

/// Everything that is remembered, and the keys it is kept under.
pub(crate) struct House {
    /// The data directory.
    pub(crate) data: DataDir,
    /// The keys of the installation.
    pub(crate) keys: Arc<KeyTree>,
    key_dir: KeyDir,
}

impl House {
    /// Opens the keys of a data directory (made on first use).
    pub(crate) fn open(data: DataDir, config: &Config) -> anyhow::Result<Self> {
        let key_dir = KeyDir::open(&data, &config.keys.dir, Arc::new(SystemEntropy))?;
        let keys = Arc::new(key_dir.tree(&data)?);
        Ok(Self { data, keys, key_dir })
    }

    /// What checks are answered from: the built-in registry, or the operator's back end with the
    /// built-in one's feed beside it.
    pub(crate) fn answering_registry(&self, config: &Config) -> anyhow::Result<RegistryHandle> {
        let built_in = self.registry(config)?;
        match config.registry.kind {
            RegistryKind::BuiltIn => Ok(built_in),
            RegistryKind::Http => Ok(RegistryHandle { reader: Arc::new(back_end(config)?), ..built_in }),
        }
    }

    /// The built-in registry.
    pub(crate) fn registry(&self, config: &Config) -> anyhow::Result<RegistryHandle> {
        let mut settings = RegistrySettings::new(self.data.path());
        settings.required_feeds = config.required_feeds()?;
        settings.sort_chunk_rows = config.registry.sort_chunk_rows;
        let registry = Arc::new(SqliteRegistry::open(settings, self.keys.registry_seal())?);
        Ok(RegistryHandle { reader: Arc::clone(&registry) as Arc<dyn Registry>, feed: registry })
    }

    /// The ledger, for the one server of the data directory.
    pub(crate) fn ledger_writer(
        &self,
        config: &Config,
        observer: Option<Arc<dyn CommitObserver>>,
    ) -> anyhow::Result<LedgerHandle> {
        let settings = LedgerSettings {
            queue_limit: config.ledger.queue_checks_max,
            pause_us: config.ledger.pause_us_max,
            observer,
            ..LedgerSettings::default()
        };
        let days = Arc::new(self.key_dir.days());
        let ledger = SqliteLedger::open(self.data.path(), self.keys.chain(), days, settings)
            .hint("one server serves a data directory; stop the other, or use another --data")?;
        Ok(LedgerHandle::of(ledger))
    }

    /// The ledger for commands beside the server: they read, redeliver and forget, and record nothing.
    pub(crate) fn ledger_beside(&self) -> anyhow::Result<LedgerHandle> {
        let days = Arc::new(self.key_dir.days());
        Ok(LedgerHandle::of(SqliteLedger::open_beside(self.data.path(), days)?))
    }

    /// The ledger, for commands beside the server.
    pub(crate) fn ledger_reader(&self) -> anyhow::Result<Arc<dyn Ledger>> {
        Ok(self.ledger_beside()?.ledger)
    }

    /// The worlds of sandbox apps.
    pub(crate) fn worlds(&self) -> anyhow::Result<Arc<dyn WorldStore>> {
        Ok(Arc::new(SqliteWorlds::open(self.data.path())?))
    }

    /// Partners and apps.
    pub(crate) fn accounts(&self) -> anyhow::Result<Arc<dyn AccountStore>> {
        Ok(Arc::new(SqliteAccounts::open(self.data.path())?))
    }
}

/// Copies the engine's files into an empty directory, while others write; their names.
pub(crate) fn back_up(data: &Path, into: &Path, begin: &dyn Fn(&str, u64)) -> anyhow::Result<Vec<String>> {
    Ok(laini_store_sqlite::back_up(data, into, begin)?)
}

/// The process that last served a data directory; it may be gone.
pub(crate) fn last_server(data: &Path) -> Option<u32> {
    laini_store_sqlite::last_holder(data)
}

/// The state that the engine's files are in.
pub(crate) fn inspect(data: &Path) -> anyhow::Result<Vec<FileState>> {
    Ok(laini_store_sqlite::inspect(data)?)
}
