use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use laini_core::line::Msisdn;
use laini_core::store::RegistryError;
use laini_store::registry::Row;
use laini_store::registry::columns::key;
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use super::rows::{self, line_columns};
use super::state::{View, WITH_FEEDS};
use super::{RegistrySettings, generations};
use crate::columns::Columns;
use crate::database::{Database, Link, Opened, Shared, params};
use crate::error::DbError;

/// Numbers that one statement asks for at most.
const BATCH_LIMIT: usize = 512;
/// Statements under way at once, on one connection.
const STATEMENTS_AHEAD: usize = 4;
/// With so many look-ups waiting a further statement goes out while others are under way; fewer wait for
/// the first answer, so that batches grow with the load.
const ENOUGH_FOR_ANOTHER: usize = 64;
/// So many may wait whatever happens; beyond them nobody joins those who wait for a database that stands still.
const WAITING_MIN: usize = 16;
/// A statement that is under way for so long is more than a hiccup.
const STALLED_US: u64 = 250_000;
/// For so long a statement waits for company; the grain of a timer is a millisecond.
const PAUSE: Duration = Duration::from_millis(1);
/// How often a look-up follows a state that changes under it.
const CHANGES_FOLLOWED: u32 = 5;
/// Making a connection may take so long, however long those wait that need it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Removing what was replaced may take so long.
const TIDY_TIMEOUT: Duration = Duration::from_secs(30);

/// The lines of some numbers, and the state that they are of.
const SQL: &str = concat!(
    "SELECT s.version, l.msisdn, ",
    line_columns!("l"),
    " FROM registry_state s LEFT JOIN line l ON l.generation = $1 AND l.msisdn = ANY($2)",
);

/// What a look-up finds.
pub(super) struct Found {
    pub(super) row: Option<Row>,
    pub(super) view: Arc<View>,
}

/// A look-up that waits.
struct Asked {
    number: i64,
    answer: oneshot::Sender<Result<Found, RegistryError>>,
}

/// The way to the node's look-ups: all that wait go as one statement.
pub(super) struct LookUps {
    waiting: Sender<Asked>,
    patience: Duration,
    patience_in_trouble: Duration,
    progress: Arc<Progress>,
}

/// How the statements go, for those who may want to ask for more.
struct Progress {
    began: Instant,
    /// Sent so far.
    statements: AtomicU64,
    /// Look-ups that those under way ask for.
    asked: AtomicUsize,
    /// When one of them ended last, or the first of them began, since `began`; 0 = none is under way.
    moved_us: AtomicU64,
    /// What the last one took that gave an answer.
    took_us: AtomicU64,
    /// The last one gave no answer. The next one finds out whether that is over; nobody waits for it as long
    /// as it may take.
    is_in_trouble: AtomicBool,
}

impl Progress {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            statements: AtomicU64::new(0),
            asked: AtomicUsize::new(0),
            moved_us: AtomicU64::new(0),
            took_us: AtomicU64::new(0),
            is_in_trouble: AtomicBool::new(false),
        }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX).max(1)
    }

    /// Whether who comes now would wait in vain: many wait, and for none of them anything has come for a while;
    /// or the statement under way and the next one together take longer than the patience.
    fn is_stalled(&self, queued: usize, patience: Duration) -> bool {
        let moved_us = self.moved_us.load(Ordering::Relaxed);
        if moved_us == 0 {
            return false;
        }
        let (since_us, both_us) = (self.now_us().saturating_sub(moved_us), self.took_us.load(Ordering::Relaxed) * 2);
        let are_many = queued + self.asked.load(Ordering::Relaxed) >= WAITING_MIN;
        (are_many && since_us > STALLED_US) || u128::from(both_us.saturating_sub(since_us)) > patience.as_micros()
    }

    /// Statements that may be under way at once: a database that is slow already gets one.
    fn ahead(&self) -> usize {
        let is_slow = self.is_in_trouble() || self.took_us.load(Ordering::Relaxed) > STALLED_US;
        if is_slow { 1 } else { STATEMENTS_AHEAD }
    }

    fn begins(&self, asked: usize) {
        if self.asked.fetch_add(asked, Ordering::Relaxed) == 0 {
            self.moved_us.store(self.now_us(), Ordering::Relaxed);
        }
    }

    fn ended(&self, asked: usize) {
        let was_last = self.asked.fetch_sub(asked, Ordering::Relaxed) == asked;
        self.moved_us.store(if was_last { 0 } else { self.now_us() }, Ordering::Relaxed);
    }

    fn is_in_trouble(&self) -> bool {
        self.is_in_trouble.load(Ordering::Relaxed)
    }
}

impl LookUps {
    pub(super) fn start(database: &Database, settings: &RegistrySettings) -> Self {
        let (waiting, asked) = channel(settings.look_ups_waiting_limit.max(1));
        let progress = Arc::new(Progress::new());
        let (patience, patience_in_trouble) = (settings.look_up_timeout, settings.look_up_timeout_in_trouble);
        let (seen, settings) = (Arc::clone(&progress), settings.clone());
        database.spawn(async move |shared| Batcher::new(shared, settings, seen).run(asked).await);
        Self { waiting, patience, patience_in_trouble, progress }
    }

    pub(super) async fn ask(&self, number: Msisdn) -> Result<Found, RegistryError> {
        let queued = self.waiting.max_capacity() - self.waiting.capacity();
        if self.progress.is_stalled(queued, self.patience) {
            return Err(RegistryError::Busy);
        }
        let is_in_trouble = self.progress.is_in_trouble();
        let patience = if is_in_trouble { self.patience_in_trouble } else { self.patience };
        let (answer, answered) = oneshot::channel();
        self.waiting.try_send(Asked { number: key(number), answer }).map_err(|refused| match refused {
            TrySendError::Full(_) => RegistryError::Busy,
            TrySendError::Closed(_) => RegistryError::Unavailable(STOPPED.to_owned()),
        })?;
        match timeout(patience, answered).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => Err(RegistryError::Unavailable(STOPPED.to_owned())),
            Err(_) if is_in_trouble => Err(RegistryError::Busy),
            Err(_) => Err(RegistryError::Unavailable(TOO_SLOW.to_owned())),
        }
    }

    /// Statements sent so far.
    pub(super) fn statements(&self) -> u64 {
        self.progress.statements.load(Ordering::Relaxed)
    }
}

const STOPPED: &str = "the engine has stopped";
/// "Too slow" is said of an operator's back end; a database that stands still is one that cannot be reached.
const TOO_SLOW: &str = "the database did not answer in time";

/// Asks the database for all look-ups of the node. Lives on the database's thread.
struct Batcher {
    shared: Rc<Shared>,
    settings: RegistrySettings,
    progress: Arc<Progress>,
    connection: RefCell<Option<Rc<Asking>>>,
    /// Whether a connection is being made, and why the last one was not.
    is_connecting: Cell<bool>,
    made: watch::Sender<String>,
    view: RefCell<Option<Arc<View>>>,
}

/// A connection, with its statement where that is prepared.
struct Asking {
    connection: Opened,
    statement: Option<Statement>,
}

impl Batcher {
    fn new(shared: Rc<Shared>, settings: RegistrySettings, progress: Arc<Progress>) -> Rc<Self> {
        Rc::new(Self {
            shared,
            settings,
            progress,
            connection: RefCell::new(None),
            is_connecting: Cell::new(false),
            made: watch::Sender::new(String::new()),
            view: RefCell::new(None),
        })
    }

    async fn run(self: Rc<Self>, mut asked: Receiver<Asked>) {
        let mut under_way = JoinSet::new();
        let (mut waiting, mut before) = (Vec::<Asked>::with_capacity(BATCH_LIMIT), 0);
        loop {
            while under_way.try_join_next().is_some() {}
            if under_way.is_empty() && before > 1 && !waiting.is_empty() {
                gather(&mut asked, &mut waiting, before).await;
            }
            let enough = if under_way.is_empty() { 1 } else { ENOUGH_FOR_ANOTHER };
            if waiting.len() >= enough && under_way.len() < self.progress.ahead() {
                before = waiting.len();
                let mut batch = std::mem::replace(&mut waiting, Vec::with_capacity(BATCH_LIMIT));
                batch.retain(|asked| !asked.answer.is_closed());
                if !batch.is_empty() {
                    under_way.spawn_local(Rc::clone(&self).answer(batch));
                }
                continue;
            }
            let room = BATCH_LIMIT - waiting.len();
            tokio::select! {
                Some(_) = under_way.join_next() => {}
                came = asked.recv_many(&mut waiting, room), if room > 0 => {
                    if came == 0 && waiting.is_empty() {
                        return;
                    }
                }
            }
        }
    }

    async fn answer(self: Rc<Self>, batch: Vec<Asked>) {
        let count = batch.len();
        self.progress.begins(count);
        let mut numbers: Vec<i64> = batch.iter().map(|asked| asked.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let began = Instant::now();
        let found = self.find(&numbers, began + self.settings.look_up_timeout).await;
        if found.is_ok() {
            let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.progress.took_us.store(took_us, Ordering::Relaxed);
        }
        let is_in_trouble = matches!(&found, Err(lost) if lost.is_trouble());
        self.progress.is_in_trouble.store(is_in_trouble, Ordering::Relaxed);
        self.progress.ended(count);
        for asked in batch {
            let answer = match &found {
                Ok((rows, view)) if view.state.generation.is_some() => {
                    Ok(Found { row: rows.get(&asked.number).cloned(), view: Arc::clone(view) })
                }
                Ok(_) => Err(RegistryError::Empty),
                Err(lost) => Err(lost.error()),
            };
            // Whoever does not wait any more needs none.
            let _ = asked.answer.send(answer);
        }
    }

    /// The rows of some numbers, and the state that they are of: a generation that was replaced meanwhile,
    /// or a feed that said more, is seen by the same statement, and then all is asked again.
    async fn find(self: &Rc<Self>, numbers: &Vec<i64>, until: Instant) -> Result<(HashMap<i64, Row>, Arc<View>), Lost> {
        let known = self.view.borrow().clone();
        let mut view = match known {
            Some(view) => view,
            None => self.refresh(until).await?,
        };
        for _ in 0..CHANGES_FOLLOWED {
            let (version, rows) = self.ask(view.state.generation.unwrap_or_default(), numbers, until).await?;
            if version == view.state.version {
                return Ok((rows, view));
            }
            view = self.refresh(until).await?;
        }
        Err(unavailable("the registry changes faster than it is read"))
    }

    async fn ask(
        self: &Rc<Self>,
        generation: i64,
        numbers: &Vec<i64>,
        until: Instant,
    ) -> Result<(i64, HashMap<i64, Row>), Lost> {
        let asking = self.asking(until).await?;
        let sent = async {
            match &asking.statement {
                Some(statement) => asking.connection.query(statement, &[&generation, numbers]).await,
                None => asking.connection.query_typed(SQL, params![generation, *numbers]).await,
            }
        };
        let found = self.said(&asking, timeout_at(until, sent).await)?;
        let mut rows = HashMap::with_capacity(numbers.len());
        for row in &found {
            if let Some(row_of) = rows::line(row, 2)? {
                rows.insert(Columns(row).get("msisdn")?, row_of);
            }
        }
        let first = found.first().ok_or(DbError::Damaged("registry_state"))?;
        Ok((Columns(first).get("version")?, rows))
    }

    /// Takes up what changed, here or elsewhere.
    async fn refresh(self: &Rc<Self>, until: Instant) -> Result<Arc<View>, Lost> {
        let asking = self.asking(until).await?;
        let found = timeout_at(until, asking.connection.query_typed(WITH_FEEDS, &[])).await;
        let view = Arc::new(View::read(&self.said(&asking, found)?)?);
        let before = self.view.replace(Some(Arc::clone(&view)));
        if before.is_none_or(|before| before.state.generation != view.state.generation) {
            self.tidy_later();
        }
        Ok(view)
    }

    /// Reads an answer; a connection that gave none is not used again.
    fn said<T>(
        &self,
        asking: &Rc<Asking>,
        answer: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Lost> {
        self.progress.statements.fetch_add(1, Ordering::Relaxed);
        let lost = match answer {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(error)) => Lost::Failed(DbError::of(&error)),
            Err(_) => Lost::TooSlow,
        };
        if !matches!(&lost, Lost::Failed(error) if !error.ends_connection()) {
            let mut open = self.connection.borrow_mut();
            open.take_if(|open| Rc::ptr_eq(open, asking));
        }
        Err(lost)
    }

    /// The connection, made anew where it is gone. Making one goes on where nobody waits for it any more.
    async fn asking(self: &Rc<Self>, until: Instant) -> Result<Rc<Asking>, Lost> {
        if let Some(asking) = self.open() {
            return Ok(asking);
        }
        let mut made = self.made.subscribe();
        if !self.is_connecting.replace(true) {
            tokio::task::spawn_local(Rc::clone(self).connect());
        }
        timeout_at(until, made.changed()).await.map_err(|_| Lost::TooSlow)?.map_err(|_| unavailable(STOPPED))?;
        let reason = made.borrow().clone();
        self.open().ok_or_else(|| unavailable(&reason))
    }

    fn open(&self) -> Option<Rc<Asking>> {
        self.connection.borrow().as_ref().filter(|asking| !asking.connection.is_closed()).cloned()
    }

    async fn connect(self: Rc<Self>) {
        let making = async {
            let connection = self.shared.connector.connect().await?;
            let statement = if self.shared.settings.prepared {
                let prepared = connection.prepare_typed(SQL, &[Type::INT8, Type::INT8_ARRAY]).await;
                Some(prepared.map_err(|error| DbError::of(&error))?)
            } else {
                None
            };
            Ok::<_, DbError>(Rc::new(Asking { connection, statement }))
        };
        let made = timeout(CONNECT_TIMEOUT, making).await;
        let made = made.unwrap_or_else(|_| Err(DbError::Unavailable("no connection was made in time".to_owned())));
        self.is_connecting.set(false);
        let failure = made.as_ref().err().map(DbError::to_string).unwrap_or_default();
        self.connection.replace(made.ok());
        self.made.send_replace(failure);
    }

    /// Removes what was replaced, once nobody can be reading it any more. Every node does, at a moment of
    /// its own; who comes later finds nothing.
    fn tidy_later(&self) {
        let (shared, wait) =
            (Rc::clone(&self.shared), self.settings.keep_replaced.mul_f64(1.0 + fastrand::f64() / 4.0));
        tokio::task::spawn_local(async move {
            sleep(wait).await;
            if let Err(error) = generations::remove_others(&Link::within(shared, TIDY_TIMEOUT), None).await {
                tracing::info!(%error, "generations of lines that were replaced are removed by the next load");
            }
        });
    }
}

/// Waits for as much company as the statement before had, until there is enough or the pause is over: most
/// of what a small statement costs is not its rows. Who comes alone never waits.
async fn gather(asked: &mut Receiver<Asked>, waiting: &mut Vec<Asked>, before: usize) {
    let (until, company) = (Instant::now() + PAUSE, before.min(ENOUGH_FOR_ANOTHER));
    while waiting.len() < company {
        let room = company - waiting.len();
        if !timeout_at(until, asked.recv_many(waiting, room)).await.is_ok_and(|came| came > 0) {
            return;
        }
    }
}

/// Why a batch got no answer.
enum Lost {
    TooSlow,
    Failed(DbError),
}

fn unavailable(reason: &str) -> Lost {
    Lost::Failed(DbError::Unavailable(reason.to_owned()))
}

impl From<DbError> for Lost {
    fn from(error: DbError) -> Self {
        Self::Failed(error)
    }
}

impl Lost {
    /// Whether the next statement is likely to be in vain as well.
    fn is_trouble(&self) -> bool {
        match self {
            Self::TooSlow | Self::Failed(DbError::Unavailable(_)) => true,
            Self::Failed(error) => error.is_locked_out(),
        }
    }

    fn error(&self) -> RegistryError {
        match self {
            Self::TooSlow => RegistryError::Unavailable(TOO_SLOW.to_owned()),
            Self::Failed(damaged @ DbError::Damaged(_)) => RegistryError::Bad(damaged.to_string()),
            Self::Failed(error) => RegistryError::Unavailable(error.to_string()),
        }
    }
}
