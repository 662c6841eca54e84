//! The keys of days, the same on every node: they lie in the database, sealed under a key that does not.
//!
//! Owns the table `day_key`. Must never hold a key of a destroyed day for longer than its term in memory,
//! or let a serving thread wait for the database more than once a day.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use laini_core::store::{DayKey, DayKeyError, DayKeySeal, DayKeys};

use crate::database::{Database, Link, Transaction, params};
use crate::error::DbError;

/// A look at the table may take so long; callers wait for it on their threads.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);
/// A key is used from memory for so long before the table is asked whether it was destroyed.
const KEPT_FOR: Duration = Duration::from_mins(10);

/// Fills a key with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8; 32]) + Send + Sync>;

/// Day keys in the database.
#[derive(Clone)]
pub struct PostgresDayKeys {
    database: Arc<Database>,
    seal: DayKeySeal,
    random: Random,
    known: Arc<Mutex<HashMap<Date, (DayKey, Instant)>>>,
}

impl PostgresDayKeys {
    /// The keys, as they open with `seal`; new ones are made of `random`.
    pub fn open(database: Arc<Database>, seal: DayKeySeal, random: Random) -> Self {
        Self { database, seal, random, known: Arc::default() }
    }

    fn known(&self, day: Date) -> Option<DayKey> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&day).filter(|(_, since)| since.elapsed() < KEPT_FOR).map(|(key, _)| key.clone())
    }

    fn remember(&self, day: Date, key: Option<&DayKey>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, since)| since.elapsed() < KEPT_FOR);
        match key {
            Some(key) => drop(known.insert(day, (key.clone(), Instant::now()))),
            None => drop(known.remove(&day)),
        }
    }

    /// The key of a day as the table has it, made where `is_made` and there is none.
    fn look(&self, day: Date, is_made: bool) -> Result<Option<DayKey>, DayKeyError> {
        let failed = |reason: String| DayKeyError { day, reason };
        let mut new = None;
        if is_made {
            let mut bytes = zeroize::Zeroizing::new([0; 32]);
            (self.random)(&mut bytes);
            new = Some(self.seal.seal(day, &bytes));
        }
        let (sender, looked) = mpsc::channel();
        self.database.spawn(async move |shared| {
            let link = Link::within(shared, LOOK_TIMEOUT);
            let _ = sender.send(look(&link, number(day), new).await);
        });
        let looked = looked.recv().map_err(|_| failed("the engine has stopped".to_owned()))?;
        let sealed = looked.map_err(|error| failed(error.to_string()))?;
        let open = |sealed: Vec<u8>| {
            let wrong = || failed("it opens with another root key than this node's".to_owned());
            self.seal.open(day, &sealed).ok_or_else(wrong)
        };
        let key = sealed.map(open).transpose()?;
        self.remember(day, key.as_ref());
        Ok(key)
    }

    /// Makes tomorrow's key while there is time, so that nobody waits for it at midnight.
    fn prepare(&self, day: Date) {
        let (Ok(next), keys) = (day.tomorrow(), self.clone()) else { return };
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        (self.random)(&mut bytes);
        let new = Some(self.seal.seal(next, &bytes));
        self.database.spawn(async move |shared| {
            let link = Link::within(shared, LOOK_TIMEOUT);
            if let Ok(Some(sealed)) = look(&link, number(next), new).await {
                keys.remember(next, keys.seal.open(next, &sealed).as_ref());
            }
        });
    }
}

impl DayKeys for PostgresDayKeys {
    fn key(&self, day: Date) -> Result<DayKey, DayKeyError> {
        if let Some(key) = self.known(day) {
            return Ok(key);
        }
        let key = self.look(day, true)?;
        self.prepare(day);
        key.ok_or_else(|| DayKeyError { day, reason: "it was destroyed just now".to_owned() })
    }

    fn existing(&self, day: Date) -> Result<Option<DayKey>, DayKeyError> {
        match self.known(day) {
            Some(key) => Ok(Some(key)),
            None => self.look(day, false),
        }
    }

    fn destroy_before(&self, day: Date) -> Result<u64, DayKeyError> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|known, _| *known >= day);
        let (sender, destroyed) = mpsc::channel();
        self.database.spawn(async move |shared| {
            let link = Link::within(shared, LOOK_TIMEOUT);
            let first_kept = number(day);
            let destroy = async |transaction: &Transaction<'_>| {
                transaction.execute("DELETE FROM day_key WHERE day < $1", params![first_kept]).await
            };
            let _ = sender.send(link.transact(destroy).await);
        });
        let stopped = |_| Err(DbError::Unavailable("the engine has stopped".to_owned()));
        destroyed.recv().unwrap_or_else(stopped).map_err(|error| DayKeyError { day, reason: error.to_string() })
    }
}

/// What the table has for a day, after adding `new` where it has nothing.
async fn look(link: &Link, day: i64, new: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, DbError> {
    let select = "SELECT sealed FROM day_key WHERE day = $1";
    if let Some(row) = link.query_opt(select, params![day]).await? {
        return Ok(Some(row.get(0)));
    }
    let Some(new) = new else { return Ok(None) };
    link.transact(async |transaction: &Transaction<'_>| {
        let insert = "INSERT INTO day_key (day, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        transaction.execute(insert, params![day, new]).await?;
        Ok(transaction.query_opt(select, params![day]).await?.map(|row| row.get(0)))
    })
    .await
}

/// Days since 1970.
fn number(day: Date) -> i64 {
    let since = day.since(jiff::civil::date(1970, 1, 1)).map(|span| i64::from(span.get_days()));
    // A span between two dates is in days and always fits.
    since.unwrap_or_default()
}

impl fmt::Debug for PostgresDayKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresDayKeys(…)")
    }
}
