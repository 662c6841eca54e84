//! Work on the database with a deadline: reads, and transactions that say whether they count.

use std::convert::Infallible;
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult, Timeouts};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::DatabaseSettings;
use super::connect::{Connector, LOCK_TIMEOUT, Opened};
use crate::error::DbError;

/// What everything on the database's thread shares.
pub(crate) struct Shared {
    pub(crate) settings: DatabaseSettings,
    pub(crate) connector: Connector,
    pool: Pool<Connections>,
}

impl Shared {
    pub(super) fn new(settings: DatabaseSettings, connector: Connector) -> Self {
        let connections = Connections { connector: connector.clone() };
        let size = usize::try_from(settings.connections).unwrap_or(usize::MAX).max(1);
        let pool = Pool::builder(connections).max_size(size).runtime(deadpool::Runtime::Tokio1);
        // Built without timeouts, which is all that it could refuse.
        #[expect(clippy::expect_used, reason = "a pool with a runtime is never refused")]
        let pool = pool.build().expect("a pool with a runtime");
        Self { settings, connector, pool }
    }
}

/// Makes and tries the connections of the pool.
struct Connections {
    connector: Connector,
}

impl Manager for Connections {
    type Type = Opened;
    type Error = DbError;

    async fn create(&self) -> Result<Opened, DbError> {
        self.connector.connect().await
    }

    async fn recycle(&self, connection: &mut Opened, _: &Metrics) -> RecycleResult<DbError> {
        if connection.is_closed() || connection.confirmed().is_err() {
            return Err(RecycleError::message("it was closed"));
        }
        Ok(())
    }
}

/// Why a transaction was not committed.
#[derive(Debug)]
pub(crate) enum Stop<E> {
    /// The database failed, or gave it up.
    Database(DbError),
    /// It must not be done.
    Rule(E),
}

impl<E> From<DbError> for Stop<E> {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

/// The database for one piece of work, until its deadline.
pub(crate) struct Link {
    shared: Rc<Shared>,
    until: Instant,
}

/// Statements go so long before they give up on a lock, so that a stuck one holds up nobody for ever;
/// and a transaction whose client is paused is ended by the server, with its locks.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = 2000; SET LOCAL idle_in_transaction_session_timeout = 5000";
const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
     SET LOCAL lock_timeout = 2000; SET LOCAL idle_in_transaction_session_timeout = 5000";
/// The first pause before work that the database gave up is begun anew; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

type Params<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

impl Link {
    pub(crate) fn new(shared: Rc<Shared>, until: Instant) -> Self {
        Self { shared, until }
    }

    /// The database for so long.
    pub(crate) fn within(shared: Rc<Shared>, time: Duration) -> Self {
        Self::new(shared, Instant::now() + time)
    }

    /// A connection of the pool.
    pub(crate) async fn session(&self) -> Result<Session, DbError> {
        let wait = self.shared.settings.connection_wait;
        let timeouts = Timeouts { wait: Some(wait), create: Some(self.left()), recycle: None };
        let pooled = self.shared.pool.timeout_get(&timeouts).await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(kind) => {
                DbError::Unavailable(format!("no connection was free or made in time ({kind:?})"))
            }
            other => DbError::Unavailable(other.to_string()),
        });
        Ok(Session { connection: Some(pooled?), is_clean: true })
    }

    /// Rows of one reading statement.
    pub(crate) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, DbError> {
        let mut session = self.session().await?;
        session.is_clean = false;
        let rows = within(self.until, session.query_typed(sql, params)).await;
        session.is_clean = !rows.as_ref().is_err_and(DbError::ends_connection);
        rows
    }

    /// The only row of one reading statement, or none.
    pub(crate) async fn query_opt(&self, sql: &str, params: Params<'_>) -> Result<Option<Row>, DbError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// All or nothing: commits what `work` wrote where that returns `Ok`. Begun anew, while there is
    /// time, where the database gave it up in favour of others.
    pub(crate) async fn transact<T>(
        &self,
        mut work: impl AsyncFnMut(&Transaction<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let work = async |transaction: &Transaction<'_>| work(transaction).await.map_err(Stop::<Infallible>::Database);
        self.transact_or(work).await.map_err(|stop| match stop {
            Stop::Database(error) => error,
            Stop::Rule(never) => match never {},
        })
    }

    /// [`Link::transact`] for work that may also find that it must not be done: nothing is kept then.
    pub(crate) async fn transact_or<T, E>(
        &self,
        mut work: impl AsyncFnMut(&Transaction<'_>) -> Result<T, Stop<E>>,
    ) -> Result<T, Stop<E>> {
        let mut pause = FIRST_PAUSE;
        loop {
            let done = self.attempt(BEGIN, &mut work).await;
            let is_passing = matches!(&done, Err(Stop::Database(error)) if error.is_passing());
            let begin_anew = Instant::now() + pause.mul_f64(1.0 + fastrand::f64());
            // Another wait for the lock that would be cut off closes its connection, and the server waits on.
            let is_locked_out = matches!(&done, Err(Stop::Database(error)) if error.is_locked_out());
            let needed = if is_locked_out { LOCK_TIMEOUT } else { Duration::ZERO };
            if !is_passing || begin_anew + needed >= self.until {
                return done;
            }
            tokio::time::sleep_until(begin_anew).await;
            pause *= 2;
        }
    }

    /// Several reading statements that see the same moment.
    pub(crate) async fn read_together<T>(
        &self,
        mut read: impl AsyncFnMut(&Transaction<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let mut read =
            async |transaction: &Transaction<'_>| read(transaction).await.map_err(Stop::<Infallible>::Database);
        self.attempt(BEGIN_READING, &mut read).await.map_err(|stop| match stop {
            Stop::Database(error) => error,
            Stop::Rule(never) => match never {},
        })
    }

    async fn attempt<T, E>(
        &self,
        begin: &str,
        work: &mut impl AsyncFnMut(&Transaction<'_>) -> Result<T, Stop<E>>,
    ) -> Result<T, Stop<E>> {
        let mut session = self.session().await?;
        // Until the end is known the connection is good for nothing else.
        session.is_clean = false;
        within(self.until, session.batch_execute(begin)).await?;
        let transaction = Transaction { connection: session.opened()?, until: self.until };
        let done = match work(&transaction).await {
            Ok(done) => done,
            Err(stop) => {
                let is_broken = matches!(&stop, Stop::Database(error) if error.ends_connection());
                session.is_clean = !is_broken && within(self.until, session.batch_execute("ROLLBACK")).await.is_ok();
                return Err(stop);
            }
        };
        let committed = timeout_at(self.until, session.batch_execute("COMMIT")).await;
        match committed {
            Ok(Ok(())) => session.opened()?.confirmed()?,
            Ok(Err(error)) => return Err(DbError::of_commit(&error).into()),
            Err(_) => return Err(DbError::Unknown("its reply did not come in time".to_owned()).into()),
        }
        session.is_clean = true;
        Ok(done)
    }

    /// What is left of the time.
    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// When the time is over.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }
}

/// A connection of the pool, given back when dropped, or closed where something on it is not over.
pub(crate) struct Session {
    connection: Option<Object<Connections>>,
    is_clean: bool,
}

impl Session {
    fn opened(&self) -> Result<&Opened, DbError> {
        self.connection.as_deref().ok_or_else(|| DbError::Unavailable("its connection is gone".to_owned()))
    }
}

impl Deref for Session {
    type Target = Opened;

    #[expect(clippy::expect_used, reason = "the connection is taken in drop alone")]
    fn deref(&self) -> &Opened {
        self.connection.as_deref().expect("a session has its connection until it is dropped")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.is_clean
            && let Some(connection) = self.connection.take()
        {
            drop(Object::take(connection));
        }
    }
}

/// A transaction under way.
pub(crate) struct Transaction<'a> {
    connection: &'a Opened,
    until: Instant,
}

impl Transaction<'_> {
    /// Rows of a statement.
    pub(crate) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, DbError> {
        within(self.until, self.connection.query_typed(sql, params)).await
    }

    /// The first row of a statement, or none.
    pub(crate) async fn query_opt(&self, sql: &str, params: Params<'_>) -> Result<Option<Row>, DbError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// How many rows a statement changed.
    pub(crate) async fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64, DbError> {
        within(self.until, self.connection.execute_typed(sql, params)).await
    }

    /// For what has no parameters and no rows, and for COPY.
    pub(crate) fn connection(&self) -> &Opened {
        self.connection
    }
}

/// A statement's answer, unless the time is over first.
pub(crate) async fn within<T>(
    until: Instant,
    statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, DbError> {
    match timeout_at(until, statement).await {
        Ok(done) => done.map_err(|error| DbError::of(&error)),
        Err(_) => Err(DbError::Unavailable("the database did not answer in time".to_owned())),
    }
}
