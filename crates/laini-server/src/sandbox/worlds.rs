use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashlink::LruCache;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::disclosure::{Freshness, Horizon, Windows};
use laini_core::line::{LineState, Msisdn};
use laini_core::partner::AppId;
use laini_core::sandbox::{Fault, Moment, Persona, World, WorldRefusal};
use laini_core::store::{Lookup, RegistryError, WorldStore, WorldsError};
use tokio::task::spawn_blocking;

use crate::{Clock, LiveSettings};

/// How old the sandbox's feed may be where the operator set no limits of its own: 15 minutes for swaps,
/// 26 hours for registrations.
const ADVISED_FRESHNESS: Freshness = Freshness {
    swap_stale_after: Some(SignedDuration::from_mins(15)),
    registration_stale_after: Some(SignedDuration::from_hours(26)),
};
/// How old the feed of [`Fault::StaleFeed`] is: beyond every advised limit.
const STALE_FEED_AGE: SignedDuration = SignedDuration::from_hours(48);

/// How often the store is asked whether a world changed; what a command changed holds after that.
const POLL_INTERVAL_MS: u64 = 250;
/// How many polls lie between two purges of idle worlds: an hour.
const POLLS_PER_PURGE: u64 = 14_400;
/// How many worlds one purge forgets.
const PURGED_AT_ONCE: usize = 100;
/// How often a world that is in use is noted to be.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How many apps' worlds are kept at hand; each has 1,000 lines at most.
const CACHED_WORLDS_MAX: usize = 256;

/// The lines that sandbox apps see: the personas, and in front of them what an app made its own.
pub struct SandboxWorlds {
    store: Arc<dyn WorldStore>,
    clock: Arc<dyn Clock>,
    settings: Arc<LiveSettings>,
    zone: TimeZone,
    /// The newest version of all worlds that is known here.
    version: AtomicU64,
    cache: Mutex<LruCache<AppId, Known>>,
}

/// What a sandbox app finds.
#[derive(Debug)]
pub struct SandboxLookup {
    /// As a registry would say it.
    pub lookup: Lookup,
    /// What it is disclosed at: the world's clock.
    pub now: Timestamp,
    /// Windows that stand for this line instead of the agreement's: the published sample is disclosed
    /// however long ago its dates lie.
    pub windows: Option<Windows>,
    /// How old the world's feed may be.
    pub freshness: Freshness,
}

/// What is known of one app's world.
#[derive(Clone)]
struct Known {
    /// [`SandboxWorlds::version`] before it was read: right as long as that has not moved.
    seen: u64,
    /// The world's own version; `None` where the app has none.
    version: Option<u64>,
    sight: Option<Arc<Sight>>,
    touched: Timestamp,
}

/// A world as checks see it.
struct Sight {
    ahead: SignedDuration,
    feed_stopped: Option<Timestamp>,
    lines: HashMap<Msisdn, LineState>,
}

impl SandboxWorlds {
    /// The worlds of `store`, whose days begin in the operator's zone.
    pub fn new(store: Arc<dyn WorldStore>, clock: Arc<dyn Clock>, settings: Arc<LiveSettings>) -> Self {
        let zone = settings.glance().zone.clone();
        let cache = Mutex::new(LruCache::new(CACHED_WORLDS_MAX));
        Self { store, clock, settings, zone, version: AtomicU64::new(0), cache }
    }

    /// What goes wrong with a check of `msisdn` by `app`; nothing where the app made the number a line of
    /// its own.
    pub async fn fault(&self, app: AppId, msisdn: Msisdn, now: Timestamp) -> Result<Option<Fault>, WorldsError> {
        let Some(fault) = Fault::of(msisdn) else { return Ok(None) };
        let sight = self.sight(app, now).await?;
        let is_own = sight.is_some_and(|sight| sight.lines.contains_key(&msisdn));
        Ok((!is_own).then_some(fault))
    }

    /// The line of `msisdn` as `app` sees it when it is really `now`.
    pub async fn look_up(&self, app: AppId, msisdn: Msisdn, now: Timestamp) -> Result<SandboxLookup, RegistryError> {
        let sight = self.sight(app, now).await.map_err(|error| RegistryError::Unavailable(error.to_string()))?;
        let own = sight.as_ref().and_then(|sight| sight.lines.get(&msisdn));
        let persona = Persona::of(msisdn).filter(|_| own.is_none());
        let is_stale = own.is_none() && Fault::of(msisdn) == Some(Fault::StaleFeed);
        let (world_now, feed_stopped) = match &sight {
            Some(sight) => (now.checked_add(sight.ahead).unwrap_or(now), sight.feed_stopped),
            None => (now, None),
        };
        let as_of = if is_stale { world_now - STALE_FEED_AGE } else { feed_stopped.unwrap_or(world_now) };
        let state = match (own, persona) {
            (Some(own), _) => own.clone(),
            (None, Some(persona)) => persona.state(msisdn, now, &self.zone),
            (None, None) => LineState::default(),
        };
        Ok(SandboxLookup {
            lookup: Lookup { state, horizon: Horizon { as_of: Some(as_of), history_since: Timestamp::MIN } },
            now: world_now,
            windows: persona.and_then(Persona::windows),
            freshness: self.freshness(),
        })
    }

    /// The operator's limits where they are set; the made-up feed has the advised ones otherwise.
    fn freshness(&self) -> Freshness {
        let set = self.settings.glance().freshness;
        Freshness {
            swap_stale_after: set.swap_stale_after.or(ADVISED_FRESHNESS.swap_stale_after),
            registration_stale_after: set.registration_stale_after.or(ADVISED_FRESHNESS.registration_stale_after),
        }
    }

    /// The world of `app` whole; an empty one where it has none.
    pub async fn world(&self, app: AppId) -> Result<World, WorldsError> {
        Ok(self.store.load(app).await?.unwrap_or_default())
    }

    /// Changes the world of `app`, for every check from here on.
    pub async fn change(
        &self,
        app: AppId,
        now: Timestamp,
        change: impl Fn(&mut World, Moment<'_>) -> Result<(), WorldRefusal> + Send + Sync + 'static,
    ) -> Result<World, WorldsError> {
        let zone = self.zone.clone();
        let change = move |world: &mut World| change(world, Moment { real: now, zone: &zone });
        let changed = self.store.change(app, now, Box::new(change)).await?;
        self.version.fetch_max(changed.version, Ordering::AcqRel);
        Ok(changed.world)
    }

    /// What `look` sees in a world when it is really `now`. A full world takes some ten milliseconds, so that is done
    /// on a thread that may wait, and holds up nobody's check.
    pub async fn see<T: Send + 'static>(
        &self,
        world: World,
        now: Timestamp,
        look: impl FnOnce(&World, Moment<'_>) -> T + Send + 'static,
    ) -> Result<T, WorldsError> {
        let zone = self.zone.clone();
        let seeing = spawn_blocking(move || look(&world, Moment { real: now, zone: &zone }));
        seeing.await.map_err(|_| WorldsError::Engine("the look into a world panicked".to_owned()))
    }

    /// Notices for ever what others changed, and forgets idle worlds.
    pub async fn keep(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(POLL_INTERVAL_MS));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_failing = false;
        for poll in 0_u64.. {
            ticks.tick().await;
            let result = match self.store.version().await {
                Ok(version) => {
                    self.version.fetch_max(version, Ordering::AcqRel);
                    if poll.is_multiple_of(POLLS_PER_PURGE) { self.purge().await } else { Ok(()) }
                }
                Err(error) => Err(error),
            };
            if let (Err(error), false) = (&result, is_failing) {
                tracing::error!(%error, "changes of sandbox worlds are not noticed");
            }
            is_failing = result.is_err();
        }
    }

    async fn purge(&self) -> Result<(), WorldsError> {
        let idle_hours = i64::from(self.settings.glance().limits.sandbox_idle_days) * 24;
        let idle_since = self.clock.now() - SignedDuration::from_hours(idle_hours);
        let purged = self.store.purge(idle_since, PURGED_AT_ONCE).await?;
        if purged > 0 {
            tracing::info!(purged, "idle sandbox worlds are purged");
        }
        Ok(())
    }

    /// What checks see of the world of `app`; `None` where it has none.
    async fn sight(&self, app: AppId, now: Timestamp) -> Result<Option<Arc<Sight>>, WorldsError> {
        let seen = self.version.load(Ordering::Acquire);
        let known = self.cache().get(&app).cloned();
        if let Some(known) = known.as_ref().filter(|known| known.seen == seen && !known.is_to_be_touched(now)) {
            return Ok(known.sight.clone());
        }
        let version = self.store.version_of(app).await?;
        let mut known = match known.filter(|known| known.version == version) {
            Some(known) => Known { seen, ..known },
            None => self.read(app, now, (seen, version)).await?,
        };
        if known.is_to_be_touched(now) {
            self.store.touch(app, now).await?;
            known.touched = now;
        }
        let sight = known.sight.clone();
        self.cache().insert(app, known);
        Ok(sight)
    }

    async fn read(
        &self,
        app: AppId,
        now: Timestamp,
        (seen, version): (u64, Option<u64>),
    ) -> Result<Known, WorldsError> {
        let world = if version.is_some() { self.store.load(app).await? } else { None };
        let sight = match world {
            Some(world) => {
                let (ahead, feed_stopped) = (world.ahead(), world.feed_stopped());
                let lines = self.see(world, now, |world, _| world.states().into_iter().collect()).await?;
                Some(Arc::new(Sight { ahead, feed_stopped, lines }))
            }
            None => None,
        };
        Ok(Known { seen, version, sight, touched: Timestamp::MIN })
    }

    fn cache(&self) -> MutexGuard<'_, LruCache<AppId, Known>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_to_be_touched(&self, now: Timestamp) -> bool {
        self.sight.is_some() && self.touched.checked_add(TOUCH_EVERY).is_ok_and(|due| due <= now)
    }
}
