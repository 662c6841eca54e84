//! The way to the database: one thread, its connections, transactions with a deadline, the tables.
//!
//! Owns finding the server that takes writes, TLS, the pool, and telling what was certainly not
//! committed from what may have been. Must never retry past a deadline, cancel a commit, or leave state
//! in a session: the next transaction of the same client may run on another one.

mod connect;
mod link;
mod migrate;
mod params;

use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::Instant;

pub(crate) use connect::{LOCK_TIMEOUT, Opened};
pub(crate) use link::{Link, Shared, Stop, Transaction, within};
pub(crate) use params::{Sql, params};

use crate::error::{DbError, StoreError};
use connect::Connector;

/// Where the database is and how it is used.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `postgresql://user:password@host:port/name`, or `host=… port=…` pairs; several hosts with commas
    /// between them, and the one that takes writes is found.
    pub url: String,
    /// The password, where the address does not hold it.
    pub password: Option<String>,
    /// Certificate authorities in PEM instead of the system's, for `sslmode=require`.
    pub authorities: Option<Vec<u8>>,
    /// Connections beside the two of the hot path (look-ups, ledger).
    pub connections: u32,
    /// How long work waits for one of them.
    pub connection_wait: Duration,
    /// How long connecting to one host may take.
    pub connect_timeout: Duration,
    /// Whether statements of the hot path are prepared once per connection; false behind a pooler that
    /// does not know prepared statements in transaction mode.
    pub prepared: bool,
    /// For so long a node that sets up the tables holds the others off, without a sign of life.
    pub setup_lease: Duration,
    /// How long opening may take, the setting up of tables included.
    pub open_timeout: Duration,
}

impl DatabaseSettings {
    /// The defaults, for the database at `url`.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            password: None,
            authorities: None,
            connections: 8,
            connection_wait: Duration::from_millis(200),
            connect_timeout: Duration::from_secs(2),
            prepared: true,
            setup_lease: Duration::from_secs(10),
            open_timeout: Duration::from_mins(1),
        }
    }
}

/// The database, as everything in the engine reaches it.
pub struct Database {
    jobs: Option<UnboundedSender<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A small piece of work may take so long: a second more than the server waits for a lock, so that its refusal
/// comes first. Were the work given up before, its connection would be closed, and the server would keep
/// waiting on it beside the one that takes its place.
pub(crate) const SMALL_WORK: Duration = LOCK_TIMEOUT.saturating_add(Duration::from_secs(1));

/// Milliseconds of the database's clock, which all nodes share.
pub(crate) const NOW_MS: &str = "(extract(epoch from clock_timestamp()) * 1000)::bigint";

type Job = Box<dyn FnOnce(&Rc<Shared>) + Send>;

impl Database {
    /// Connects to the server that takes writes, sets up the tables where that is needed, and starts
    /// the thread that everything runs on.
    pub fn open(settings: DatabaseSettings) -> Result<Arc<Self>, StoreError> {
        let connector = Connector::new(&settings)?;
        let (jobs, receiver) = unbounded_channel();
        let (opened, opening) = mpsc::channel();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => LocalSet::new().block_on(&runtime, serve(settings, connector, opened, receiver)),
                Err(error) => drop(opened.send(Err(StoreError::Unreachable(error.to_string())))),
            }
        };
        let spawned = thread::Builder::new().name("laini-postgres".to_owned()).spawn(run);
        let thread = spawned.map_err(|error| StoreError::Unreachable(error.to_string()))?;
        let stopped = |_| Err(StoreError::Unreachable("its thread stopped".to_owned()));
        opening.recv().unwrap_or_else(stopped)?;
        Ok(Arc::new(Self { jobs: Some(jobs), thread: Mutex::new(Some(thread)) }))
    }

    /// Has `work` done on the database's thread, with so long for all of it. It goes on where the caller
    /// stops waiting.
    pub(crate) async fn run<T, F>(&self, within: Duration, work: F) -> Result<T, DbError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Link) -> Result<T, DbError> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        self.spawn(async move |shared: Rc<Shared>| {
            let link = Link::new(shared, Instant::now() + within);
            let _ = sender.send(work(&link).await);
        });
        answer.await.unwrap_or_else(|_| Err(DbError::Unavailable("the engine has stopped".to_owned())))
    }

    /// Starts something that runs on the database's thread by itself.
    pub(crate) fn spawn<F>(&self, work: F)
    where
        F: AsyncFnOnce(Rc<Shared>) + Send + 'static,
    {
        let job = move |shared: &Rc<Shared>| {
            let shared = Rc::clone(shared);
            tokio::task::spawn_local(async move { work(shared).await });
        };
        if let Some(jobs) = &self.jobs {
            // Refused only by a thread that is gone; the caller learns it by its dropped channel.
            let _ = jobs.send(Box::new(job));
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.jobs = None;
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

async fn serve(
    settings: DatabaseSettings,
    connector: Connector,
    opened: mpsc::Sender<Result<(), StoreError>>,
    mut jobs: UnboundedReceiver<Job>,
) {
    let (lease, patience) = (settings.setup_lease, settings.open_timeout);
    let shared = Rc::new(Shared::new(settings, connector));
    let result = migrate::set_up(&shared, lease, Instant::now() + patience).await;
    let has_failed = result.is_err();
    if opened.send(result).is_err() || has_failed {
        return;
    }
    while let Some(job) = jobs.recv().await {
        job(&shared);
    }
}
