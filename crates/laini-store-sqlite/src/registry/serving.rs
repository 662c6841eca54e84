use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use laini_core::disclosure::Horizon;
use laini_core::line::{EventText, RegistrySeal};
use laini_store::registry::as_of;
use rusqlite::Connection;

use super::failure::Failure;
use super::files::Files;
use super::generation::{self, Generation};
use super::history::{self, History};
use crate::sql::{open_reader, open_writer};

/// How often a reader looks for what other processes changed.
const REFRESH_PERIOD: Duration = Duration::from_millis(250);
/// How often opening a generation is tried while others replace it.
const OPEN_ATTEMPTS: u32 = 5;

/// What look-ups are answered from at one moment.
pub(super) struct View {
    pub(super) generation: Option<Arc<Generation>>,
    pub(super) horizon: Horizon,
}

/// The view of the present moment, replaced whole.
pub(super) struct Serving {
    files: Files,
    required_feeds: RwLock<Arc<[EventText]>>,
    seal: RegistrySeal,
    view: RwLock<Arc<View>>,
    /// The history's file, once it exists; the lock also lets one refresh run at a time.
    history: Mutex<Option<Connection>>,
    failing: AtomicBool,
}

impl Serving {
    pub(super) fn open(files: Files, required_feeds: Vec<EventText>, seal: RegistrySeal) -> Result<Self, Failure> {
        let nothing = View { generation: None, horizon: Horizon { as_of: None, history_since: Timestamp::MAX } };
        let view = RwLock::new(Arc::new(nothing));
        let (history, failing) = (Mutex::new(None), AtomicBool::new(false));
        let required_feeds = RwLock::new(required_feeds.into());
        let serving = Self { files, required_feeds, seal, view, history, failing };
        serving.refresh()?;
        Ok(serving)
    }

    /// The feeds whose completeness makes the as-of.
    pub(super) fn required_feeds(&self) -> Arc<[EventText]> {
        Arc::clone(&self.required_feeds.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes other feeds for those; the next refresh counts with them.
    pub(super) fn require(&self, feeds: Vec<EventText>) {
        *self.required_feeds.write().unwrap_or_else(PoisonError::into_inner) = feeds.into();
    }

    /// The present view.
    pub(super) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes up what writers, here or elsewhere, have changed.
    pub(super) fn refresh(&self) -> Result<(), Failure> {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(generation) = self.open_current()? else { return Ok(()) };
        let meta = &generation.meta;
        let heard = |history: &History<'_>| Ok((history.feeds()?, history.last_event()?, history.last_refused()?));
        let heard = self.read_locked(&mut history, heard)?;
        generation.release();
        let as_of = match heard {
            None => as_of(meta.cut, &self.required_feeds(), &[]),
            Some((feeds, last_event, last_refused)) => {
                let applied = generation.read(generation::meta)?;
                if applied.applied_event >= last_event && applied.applied_refused >= last_refused {
                    as_of(meta.cut, &self.required_feeds(), &feeds)
                } else {
                    // The history is ahead of the lines (a batch under way, or one that was killed): they are
                    // not complete to what the feeds say, nor in doubt where it says so.
                    self.as_of_before(&generation)
                }
            }
        };
        let horizon = Horizon { as_of, history_since: meta.history_since };
        let view = View { generation: Some(generation), horizon };
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        Ok(())
    }

    /// What the lines of `generation` were last known to be complete to.
    fn as_of_before(&self, generation: &Generation) -> Option<Timestamp> {
        let view = self.view();
        let same = view.generation.as_ref().is_some_and(|open| open.number == generation.number);
        if same { view.horizon.as_of } else { as_of(generation.meta.cut, &self.required_feeds(), &[]) }
    }

    /// As [`Serving::refresh`], where nobody waits for the outcome: an outage is logged once.
    pub(super) fn refresh_or_warn(&self) {
        match self.refresh() {
            Ok(()) => self.failing.store(false, Ordering::Relaxed),
            Err(failure) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%failure, "the registry's changes cannot be read; answering from what is known");
            }
            Err(_) => {}
        }
    }

    fn open_current(&self) -> Result<Option<Arc<Generation>>, Failure> {
        let mut attempts = 0;
        loop {
            let Some(number) = self.files.current()? else { return Ok(None) };
            if let Some(open) = self.view().generation.as_ref().filter(|open| open.number == number) {
                return Ok(Some(Arc::clone(open)));
            }
            attempts += 1;
            match Generation::open(number, self.files.generation(number)) {
                // Only a generation that still serves after it was opened was opened with its WAL.
                Ok(open) if self.files.current()? == Some(number) => return Ok(Some(Arc::new(open))),
                Err(failure) if attempts >= OPEN_ATTEMPTS => return Err(failure),
                _ => {}
            }
        }
    }

    /// Lends the history to `read`; `None` where there is none yet.
    pub(super) fn read_history<T>(
        &self,
        read: impl FnOnce(&History<'_>) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        self.read_locked(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner), read)
    }

    fn read_locked<T>(
        &self,
        history: &mut Option<Connection>,
        read: impl FnOnce(&History<'_>) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let path = self.files.events();
        if history.is_none() && path.exists() {
            // A reader cannot bring a file of the release before up to date.
            drop(open_writer(&path, history::MIGRATIONS)?);
            *history = Some(open_reader(&path)?);
        }
        let Some(connection) = history.as_ref() else { return Ok(None) };
        read(&History { connection, seal: &self.seal }).map(Some)
    }
}

/// Refreshes a [`Serving`] until it is dropped.
pub(super) struct Refresher {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Refresher {
    pub(super) fn start(serving: Arc<Serving>) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let work = move || {
            while stopped.recv_timeout(REFRESH_PERIOD) == Err(RecvTimeoutError::Timeout) {
                serving.refresh_or_warn();
            }
        };
        let thread = std::thread::Builder::new().name("registry-refresh".to_owned()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the runtime; there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}
