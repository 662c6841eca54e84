//! The one file that names the engines, the clock and the source of randomness.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use laini_core::access::KeyTree;
use laini_core::store::{
    AccountStore, AnswerMemory, CommitObserver, DayKeys, Ledger, LimitShares, NodeStore, OfficeStore, Outbox,
    RefusalLog, Registry, RegistryFeed, Retention, WorldStore,
};
use laini_office::billing::CountedDays;
use laini_office::jobs::Jobs;
use laini_office::{Office, SubjectStores};
use laini_server::{Clock, Entropy};
use laini_store::copy::{CopyError, Source, Target};
use laini_store_postgres::{
    self as postgres, Database, DatabaseSettings, PostgresAccounts, PostgresCopy, PostgresDayKeys, PostgresLedger,
    PostgresNodes, PostgresRegistry, PostgresShares, PostgresWorlds,
};
pub(crate) use laini_store_sqlite::FileState;
use laini_store_sqlite::{self as sqlite, SqliteAccounts, SqliteCopy, SqliteLedger, SqliteRegistry, SqliteWorlds};
use laini_upstream::HttpRegistry;

use crate::back_end;
use crate::config::{Config, RegistryKind, StoreKind};
use crate::data_dir::{DataDir, create_private};
use crate::failure::{WithHint as _, hinted};
use crate::keys::{KeyDir, WithDayKeys};

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

impl RegistryHandle {
    fn of(registry: impl Registry + RegistryFeed + 'static) -> Self {
        let registry = Arc::new(registry);
        Self { reader: Arc::clone(&registry) as Arc<dyn Registry>, feed: registry }
    }
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
    /// Says that this node is there, where there are several.
    _presence: Option<Arc<PostgresNodes>>,
}

impl LedgerHandle {
    fn of(ledger: impl Ledger + AnswerMemory + Outbox + Retention + 'static) -> Self {
        let ledger = Arc::new(ledger);
        Self {
            answers: Arc::clone(&ledger) as Arc<dyn AnswerMemory>,
            outbox: Arc::clone(&ledger) as Arc<dyn Outbox>,
            retention: Arc::clone(&ledger) as Arc<dyn Retention>,
            ledger,
            _presence: None,
        }
    }
}

/// Where everything is remembered.
enum Engine {
    /// In files of the data directory.
    Embedded,
    /// In a database that other nodes use as well.
    Postgres(Arc<Database>),
}

/// Everything that is remembered, and the keys it is kept under.
pub(crate) struct House {
    /// The data directory.
    pub(crate) data: DataDir,
    /// The keys of the installation.
    pub(crate) keys: Arc<KeyTree>,
    key_dir: KeyDir,
    engine: Engine,
}

impl House {
    /// Opens the keys of a data directory (made on first use), and the database where there is one.
    pub(crate) fn open(data: DataDir, config: &Config) -> anyhow::Result<Self> {
        let key_dir = KeyDir::open(&data, &config.keys.dir, Arc::new(SystemEntropy))?;
        let keys = Arc::new(key_dir.tree(&data)?);
        let engine = match config.store.kind {
            StoreKind::Embedded if sqlite::is_half_copied(data.path()) => {
                return Err(CopyError::Unfinished).hint("run `laini store copy` again: it begins anew");
            }
            StoreKind::Embedded => Engine::Embedded,
            StoreKind::Postgres => {
                let database = Database::open(database_settings(config)?)
                    .hint("store.url names the database; `laini config check` shows what is in force")?;
                database.confirm_keys(keys.fingerprint()).map_err(|error| {
                    let hint = match error {
                        postgres::StoreError::HalfCopied => "run `laini store copy` again: it begins anew",
                        _ => "all nodes have the same keys: copy the key directory of another node, or name it with keys.dir",
                    };
                    hinted(error, hint)
                })?;
                Engine::Postgres(database)
            }
        };
        Ok(Self { data, keys, key_dir, engine })
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
        let (required_feeds, sort_chunk_rows) = (config.required_feeds()?, config.registry.sort_chunk_rows);
        Ok(match &self.engine {
            Engine::Embedded => {
                let mut settings = sqlite::RegistrySettings::new(self.data.path());
                (settings.required_feeds, settings.sort_chunk_rows) = (required_feeds, sort_chunk_rows);
                RegistryHandle::of(SqliteRegistry::open(settings, self.keys.registry_seal())?)
            }
            Engine::Postgres(database) => {
                let mut settings = postgres::RegistrySettings::new(self.data.path());
                (settings.required_feeds, settings.sort_chunk_rows) = (required_feeds, sort_chunk_rows);
                let database = Arc::clone(database);
                RegistryHandle::of(PostgresRegistry::open(database, settings, self.keys.registry_seal()))
            }
        })
    }

    /// The ledger, for the one server of the data directory.
    pub(crate) fn ledger_writer(
        &self,
        config: &Config,
        observer: Option<Arc<dyn CommitObserver>>,
    ) -> anyhow::Result<LedgerHandle> {
        let (queue_limit, pause_us) = (config.ledger.queue_checks_max, config.ledger.pause_us_max);
        let (dir, chain, days) = (self.data.path(), self.keys.chain(), self.day_keys());
        match &self.engine {
            Engine::Embedded => {
                let settings =
                    sqlite::LedgerSettings { queue_limit, pause_us, observer, ..sqlite::LedgerSettings::default() };
                let ledger = SqliteLedger::open(dir, chain, days, settings)
                    .hint("one server serves a data directory; stop the other, or use another --data")?;
                Ok(LedgerHandle::of(ledger))
            }
            Engine::Postgres(database) => {
                let node = self.node_name(config)?;
                let settings =
                    postgres::LedgerSettings { queue_limit, observer, ..postgres::LedgerSettings::new(&node) };
                let ledger = PostgresLedger::open(Arc::clone(database), dir, chain, days, settings)
                    .hint("each node has a data directory and a name of its own: see --data and store.node")?;
                let nodes = PostgresNodes::join(Arc::clone(database), &node, env!("CARGO_PKG_VERSION"));
                Ok(LedgerHandle { _presence: Some(Arc::new(nodes)), ..LedgerHandle::of(ledger) })
            }
        }
    }

    /// The ledger for commands beside the server: they read, redeliver and forget, and record nothing.
    pub(crate) fn ledger_beside(&self) -> anyhow::Result<LedgerHandle> {
        let (dir, days) = (self.data.path(), self.day_keys());
        Ok(match &self.engine {
            Engine::Embedded => LedgerHandle::of(SqliteLedger::open_beside(dir, days)?),
            Engine::Postgres(database) => {
                LedgerHandle::of(PostgresLedger::open_beside(Arc::clone(database), dir, days))
            }
        })
    }

    /// The ledger, for commands beside the server.
    pub(crate) fn ledger_reader(&self) -> anyhow::Result<Arc<dyn Ledger>> {
        Ok(self.ledger_beside()?.ledger)
    }

    /// The worlds of sandbox apps.
    pub(crate) fn worlds(&self) -> anyhow::Result<Arc<dyn WorldStore>> {
        Ok(match &self.engine {
            Engine::Embedded => Arc::new(SqliteWorlds::open(self.data.path())?),
            Engine::Postgres(database) => Arc::new(PostgresWorlds::open(Arc::clone(database))),
        })
    }

    /// Calls that were refused.
    pub(crate) fn refusals(&self) -> anyhow::Result<Arc<dyn RefusalLog>> {
        Ok(match &self.engine {
            Engine::Embedded => Arc::new(SqliteAccounts::open(self.data.path())?),
            Engine::Postgres(database) => Arc::new(PostgresAccounts::open(Arc::clone(database))),
        })
    }

    /// Partners and apps.
    pub(crate) fn accounts(&self) -> anyhow::Result<Arc<dyn AccountStore>> {
        Ok(match &self.engine {
            Engine::Embedded => Arc::new(SqliteAccounts::open(self.data.path())?),
            Engine::Postgres(database) => Arc::new(PostgresAccounts::open(Arc::clone(database))),
        })
    }

    /// What people do around the checks, for commands.
    pub(crate) fn office(&self, config: &Config, ledger: &LedgerHandle) -> anyhow::Result<Arc<Office>> {
        self.office_of(config, ledger, None)
    }

    /// The same, where checks are answered from `registry` and privacy requests carried out in it.
    pub(crate) fn office_of(
        &self,
        config: &Config,
        ledger: &LedgerHandle,
        registry: Option<&RegistryHandle>,
    ) -> anyhow::Result<Arc<Office>> {
        let (store, accounts, refusals): (Arc<dyn OfficeStore>, Arc<dyn AccountStore>, Arc<dyn RefusalLog>) =
            match &self.engine {
                Engine::Embedded => {
                    let accounts = Arc::new(SqliteAccounts::open(self.data.path())?);
                    (Arc::clone(&accounts) as _, Arc::clone(&accounts) as _, accounts)
                }
                Engine::Postgres(database) => {
                    let accounts = Arc::new(PostgresAccounts::open(Arc::clone(database)));
                    (Arc::clone(&accounts) as _, Arc::clone(&accounts) as _, accounts)
                }
            };
        Ok(Arc::new(Office {
            store,
            accounts,
            refusals,
            ledger: Arc::clone(&ledger.ledger),
            outbox: Arc::clone(&ledger.outbox),
            registry: registry.map(|registry| Arc::clone(&registry.reader)),
            subjects: registry.map(|registry| SubjectStores {
                feed: Arc::clone(&registry.feed),
                retention: Arc::clone(&ledger.retention),
                is_answered_elsewhere: config.registry.kind == RegistryKind::Http,
            }),
            keys: Arc::clone(&self.keys),
            entropy: Arc::new(SystemEntropy),
            settings: config.office()?,
            counted: CountedDays::default(),
            jobs: Jobs::default(),
        }))
    }

    /// The nodes of the installation; `None` where there can be but one.
    pub(crate) fn nodes(&self) -> Option<Arc<dyn NodeStore>> {
        match &self.engine {
            Engine::Embedded => None,
            Engine::Postgres(database) => Some(Arc::new(PostgresNodes::beside(Arc::clone(database)))),
        }
    }

    /// What the nodes share of limits and budgets; `None` where one counts alone.
    pub(crate) fn limit_shares(&self, config: &Config) -> anyhow::Result<Option<Arc<dyn LimitShares>>> {
        Ok(match &self.engine {
            Engine::Embedded => None,
            Engine::Postgres(database) => {
                Some(Arc::new(PostgresShares::new(Arc::clone(database), &self.node_name(config)?)))
            }
        })
    }

    /// The keys of days: files apart from the data, or beside it and sealed, so that all nodes have the
    /// same ones.
    fn day_keys(&self) -> Arc<dyn DayKeys> {
        match &self.engine {
            Engine::Embedded => Arc::new(self.key_dir.days()),
            Engine::Postgres(database) => {
                let random: postgres::Random = Arc::new(|bytes| SystemEntropy.fill(bytes));
                Arc::new(PostgresDayKeys::open(Arc::clone(database), self.keys.day_keys(), random))
            }
        }
    }

    /// What this node is called: as the settings say, or made once of the machine's name.
    fn node_name(&self, config: &Config) -> anyhow::Result<String> {
        if !config.store.node.is_empty() {
            return Ok(config.store.node.clone());
        }
        let file = self.data.path().join("node");
        if !file.exists() {
            let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
            let machine: String = machine.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
            let mut random = [0; 3];
            SystemEntropy.fill(&mut random);
            let [a, b, c] = random;
            create_private(&file, format!("{}-{a:02x}{b:02x}{c:02x}", &machine[..machine.len().min(60)]).as_bytes())
                .with_context(|| format!("{} cannot be written", file.display()))?;
        }
        let name = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        Ok(name.trim().to_owned())
    }
}

fn database_settings(config: &Config) -> anyhow::Result<DatabaseSettings> {
    let store = &config.store;
    Ok(DatabaseSettings {
        password: store.password()?,
        authorities: store.authorities()?,
        connections: store.connections_max,
        connection_wait: Duration::from_millis(store.connection_wait_ms),
        connect_timeout: Duration::from_millis(store.connect_timeout_ms),
        prepared: store.prepared_statements,
        ..DatabaseSettings::new(&store.url)
    })
}

/// Copies the engine's files into an empty directory, while others write; their names.
pub(crate) fn back_up(
    config: &Config,
    data: &Path,
    into: &Path,
    begin: &dyn Fn(&str, u64),
) -> anyhow::Result<Vec<String>> {
    match config.store.kind {
        StoreKind::Embedded => Ok(sqlite::back_up(data, into, begin)?),
        StoreKind::Postgres => Err(anyhow::anyhow!("what this node remembers lies in a database"))
            .hint("back the database up with its own tools, and the key directory apart from it: docs/guide/scale.md"),
    }
}

/// The process that last served a data directory; it may be gone.
pub(crate) fn last_server(data: &Path) -> Option<u32> {
    sqlite::last_holder(data)
}

/// The state that the engine's files are in.
pub(crate) fn inspect(data: &Path) -> anyhow::Result<Vec<FileState>> {
    Ok(sqlite::inspect(data)?)
}

/// Where everything is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the data directory.
    IntoDatabase,
    /// Into the data directory.
    IntoFiles,
}

/// Both sides of a copy: the files of a data directory, and the database that `store.url` names. Both are
/// kept under the keys of that directory.
pub(crate) fn copy_sides(
    data: &DataDir,
    config: &Config,
    direction: Direction,
) -> anyhow::Result<(Box<dyn Source>, Box<dyn Target>)> {
    let key_dir = KeyDir::open(data, &config.keys.dir, Arc::new(SystemEntropy))?;
    if !key_dir.has_root() {
        let missing = anyhow::anyhow!("the key directory of {} holds no root key", data.path().display());
        return Err(missing).hint("copy the key directory of the installation, or name it with keys.dir");
    }
    let keys = key_dir.tree(data)?;
    let database = Database::open(database_settings(config)?).hint("the URL names the database")?;
    let (days, seal, fingerprint) = (key_dir.days(), keys.day_keys(), keys.fingerprint());
    // The source first: what cannot be read must not cost a target anything.
    Ok(match direction {
        Direction::IntoDatabase => {
            let files = SqliteCopy::source(data.path())?;
            let source = Box::new(WithDayKeys::source(files, days, seal));
            (source, Box::new(PostgresCopy::target(database, fingerprint)?))
        }
        Direction::IntoFiles => {
            let source = Box::new(PostgresCopy::source(database, fingerprint)?);
            let files = SqliteCopy::target(data.path())?;
            (source, Box::new(WithDayKeys::target(files, days, seal)))
        }
    })
}
