use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use laini_core::partner::{Accounts, AppId, Environment, PartnerId, Prepaid};
use laini_core::sharing::Asked;
use laini_core::store::{Allowance, Demand, Grant, LimitShares, Quota, SharesError, Want};
use tokio::sync::{Notify, watch};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at};

use super::app::AppState;
use super::partner::PartnerState;
use super::shared_meter::{Look, Shortage};
use super::sharer::Sharer;
use super::{Ask, Limiter, Notice, lock};
use crate::http::AccountsPicture;

/// How often every share is looked at: demands are told, what nobody uses is given back.
const TICK: Duration = Duration::from_secs(1);
/// How many shares one exchange is about.
const WANTS_MAX: usize = 1_000;
/// How long one exchange may take before it is given up; what it reserved is lost then.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(3);
/// The pause after an exchange that failed.
const FAILED_PAUSE: Duration = Duration::from_millis(100);

/// Whose limits are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    App(AppId),
    Partner(PartnerId),
}

/// What came of the exchanges so far.
#[derive(Debug, Clone, Copy, Default)]
struct Round {
    number: u64,
    has_failed: bool,
}

/// Shares of limits, as they go to and fro between this node and what all nodes share.
pub(super) struct Exchange {
    port: Arc<dyn LimitShares>,
    /// Who wants something before the next tick.
    wanting: Mutex<HashSet<Owner>>,
    wake: Notify,
    rounds: watch::Sender<Round>,
    /// How many nodes were heard of last.
    nodes: AtomicU32,
}

impl Exchange {
    pub(super) fn new(port: Arc<dyn LimitShares>) -> Self {
        let (wanting, wake, rounds) = (Mutex::default(), Notify::new(), watch::Sender::default());
        Self { port, wanting, wake, rounds, nodes: AtomicU32::new(1) }
    }

    /// How many exchanges there were.
    pub(super) fn round(&self) -> u64 {
        self.rounds.borrow().number
    }

    /// Waits for an exchange after `round`; false where it failed or did not come in time.
    pub(super) async fn wait(&self, round: u64, until: Instant) -> bool {
        let mut rounds = self.rounds.subscribe();
        let later = timeout_at(until, rounds.wait_for(|done| done.number > round)).await;
        matches!(later, Ok(Ok(round)) if !round.has_failed)
    }

    /// Looks whether this node has everything that a request would use, and asks for what it lacks.
    pub(super) fn look(
        &self,
        ask: &Ask<'_>,
        app: &mut AppState,
        partner: Option<&mut PartnerState>,
        count: NonZeroU32,
    ) -> Result<(), Shortage> {
        let (mut of_app, mut of_partner) = (Look::default(), Look::default());
        app.look(&mut of_app, ask, &ask.app.app.limits, count);
        if let Some(partner) = partner {
            partner.look(&mut of_partner, ask.app.partner.limits, count);
            if let Some(prepaid) = ask.prepaid() {
                partner.look_for_balance(&mut of_partner, ask, prepaid, count);
            }
        }
        self.want(&of_app, Owner::App(ask.app.app.id));
        self.want(&of_partner, Owner::Partner(ask.app.partner.id));
        match (of_app.result(), of_partner.result()) {
            (Err(Shortage::Lacking), Err(refused)) => Err(refused),
            (of_app, of_partner) => of_app.and(of_partner),
        }
    }

    /// Looks whether this node has what one check costs of what was paid in advance, and asks for what it lacks.
    pub(super) fn look_for_balance(
        &self,
        ask: &Ask<'_>,
        prepaid: Prepaid,
        partner: &mut PartnerState,
    ) -> Result<(), Shortage> {
        let mut look = Look::default();
        partner.look_for_balance(&mut look, ask, prepaid, NonZeroU32::MIN);
        self.want(&look, Owner::Partner(ask.app.partner.id));
        look.result()
    }

    fn want(&self, look: &Look, owner: Owner) {
        if look.wants_more {
            self.wanting.lock().unwrap_or_else(PoisonError::into_inner).insert(owner);
            self.wake.notify_one();
        }
    }
}

/// Everything that is exchanged at once.
#[derive(Default)]
struct Batch {
    asked: Vec<(Owner, Allowance, Asked)>,
    demands: Vec<(Owner, Demand)>,
}

impl Batch {
    fn add(&mut self, owner: Owner, sharer: &mut dyn Sharer, is_tick: bool) {
        self.asked.extend(sharer.ask().into_iter().map(|(allowance, asked)| (owner, allowance, asked)));
        self.demands.extend(sharer.demands(!is_tick).into_iter().map(|demand| (owner, demand)));
    }
}

impl Limiter {
    /// Exchanges shares with other nodes for ever, where there are any.
    pub(crate) async fn share(&self, accounts: &AccountsPicture) {
        let Some(exchange) = &self.exchange else { return std::future::pending().await };
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_done = true;
        loop {
            let is_tick = tokio::select! {
                _ = ticks.tick() => true,
                () = exchange.wake.notified() => false,
            };
            let done = self.exchange_once(exchange, is_tick, accounts).await;
            let has_failed = done.is_err();
            exchange.rounds.send_modify(|round| *round = Round { number: round.number + 1, has_failed });
            match done {
                Err(error) if was_done => {
                    tracing::error!(%error, "limits cannot be shared with other nodes; what is here is used");
                }
                Ok(()) if !was_done => tracing::info!("limits are shared with other nodes again"),
                _ => {}
            }
            was_done = !has_failed;
            if has_failed {
                sleep(FAILED_PAUSE).await;
            }
        }
    }

    async fn exchange_once(
        &self,
        exchange: &Exchange,
        is_tick: bool,
        accounts: &AccountsPicture,
    ) -> Result<(), SharesError> {
        let mut batch = Batch::default();
        let owners = if is_tick { self.owners() } else { exchange.take_wanting() };
        for owner in owners {
            self.with(owner, |sharer| {
                if is_tick {
                    sharer.tick();
                }
                batch.add(owner, sharer, is_tick);
            });
        }
        let reserving = self.reserve(exchange, &batch.asked, accounts);
        let (reserved, paced) = tokio::join!(reserving, self.pace(exchange, &batch.demands, is_tick));
        reserved.and(paced)
    }

    /// Gives everything back that this node reserved and did not use.
    pub(crate) async fn give_back(&self, accounts: &AccountsPicture) {
        let Some(exchange) = &self.exchange else { return };
        let mut batch = Batch::default();
        for owner in self.owners() {
            self.with(owner, |sharer| {
                sharer.close();
                batch.add(owner, sharer, false);
            });
        }
        if let Err(error) = self.reserve(exchange, &batch.asked, accounts).await {
            tracing::warn!(%error, "shares of limits could not be given back; they count as used");
        }
    }

    async fn reserve(
        &self,
        exchange: &Exchange,
        asked: &[(Owner, Allowance, Asked)],
        accounts: &AccountsPicture,
    ) -> Result<(), SharesError> {
        if asked.is_empty() {
            return Ok(());
        }
        let counted = Counted::of(&accounts.current(), asked);
        let mut done = Ok(());
        for some in asked.chunks(WANTS_MAX) {
            // After one that failed the others are not tried, and each is told.
            let granted = match &done {
                Ok(()) => exchange.reserve(some, &counted).await,
                Err(error) => Err(SharesError::clone(error)),
            };
            for (place, (owner, allowance, _)) in some.iter().enumerate() {
                let answer = granted.as_ref().map(|granted| granted[place]);
                self.with(*owner, |sharer| sharer.answered(*allowance, answer));
                if let (Ok(grant), Owner::App(app), Quota::Budget) = (answer, *owner, allowance.quota) {
                    self.warn(app, grant, &accounts.current());
                }
            }
            done = granted.map(drop);
        }
        done
    }

    /// Tells who is to be told of a budget, where this node's reservation was what reached a share of it.
    fn warn(&self, app: AppId, grant: Grant, accounts: &Accounts) {
        let Some(view) = accounts.app(app) else { return };
        let budget = view.app.limits.budget.as_ref();
        if let Some(percent) = budget.and_then(|budget| budget.warning_between(grant.peak.0, grant.peak.1)) {
            let newest = self.apps.read().unwrap_or_else(PoisonError::into_inner).get(&app).map(|app| lock(app).newest);
            (self.notify)(view, Notice::Budget(percent), newest.unwrap_or_default());
        }
    }

    async fn pace(&self, exchange: &Exchange, demands: &[(Owner, Demand)], is_tick: bool) -> Result<(), SharesError> {
        if demands.is_empty() && !is_tick {
            return Ok(());
        }
        let pacing = exchange.port.pace(demands.iter().map(|(_, demand)| *demand).collect());
        let paces = told(timeout(EXCHANGE_TIMEOUT, pacing).await);
        let heard = match &paces {
            Ok(paces) => {
                exchange.nodes.store(paces.nodes, Ordering::Relaxed);
                Ok(paces)
            }
            Err(_) => Err(exchange.nodes.load(Ordering::Relaxed)),
        };
        for (place, (owner, demand)) in demands.iter().enumerate() {
            self.with(*owner, |sharer| sharer.heard(demand.of, place, heard));
        }
        paces.map(drop)
    }

    /// Everybody that was heard of.
    fn owners(&self) -> Vec<Owner> {
        let apps = self.apps.read().unwrap_or_else(PoisonError::into_inner);
        let partners = self.partners.read().unwrap_or_else(PoisonError::into_inner);
        apps.keys().copied().map(Owner::App).chain(partners.keys().copied().map(Owner::Partner)).collect()
    }

    fn with(&self, owner: Owner, change: impl FnOnce(&mut dyn Sharer)) {
        match owner {
            Owner::App(id) => {
                let app = self.apps.read().unwrap_or_else(PoisonError::into_inner).get(&id).map(Arc::clone);
                app.inspect(|app| change(&mut *lock(app)));
            }
            Owner::Partner(id) => {
                let partner = self.partners.read().unwrap_or_else(PoisonError::into_inner).get(&id).map(Arc::clone);
                partner.inspect(|partner| change(&mut *lock(partner)));
            }
        }
    }
}

impl Exchange {
    fn take_wanting(&self) -> Vec<Owner> {
        self.wanting.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }

    /// One grant for each of `asked`.
    async fn reserve(&self, asked: &[(Owner, Allowance, Asked)], counted: &Counted) -> Result<Vec<Grant>, SharesError> {
        let want = |(owner, allowance, asked): &(Owner, Allowance, Asked)| {
            let Asked { limit, need, wish, back } = *asked;
            let (apps, counted_from) = (counted.apps(*owner), counted.from(*owner, *allowance));
            Want { allowance: *allowance, apps, counted_from, limit, need, wish, back }
        };
        let reserving = self.port.reserve(asked.iter().map(want).collect());
        let granted = told(timeout(EXCHANGE_TIMEOUT, reserving).await)?;
        let is_whole = granted.len() == asked.len();
        is_whole.then_some(granted).ok_or_else(|| SharesError::Unknown("some were not answered".to_owned()))
    }
}

/// What counts of the partners that something is reserved for: their production apps, and since when what they
/// paid in advance is used up.
struct Counted(HashMap<PartnerId, (Vec<AppId>, Option<Prepaid>)>);

impl Counted {
    fn of(accounts: &Accounts, asked: &[(Owner, Allowance, Asked)]) -> Self {
        let partner = |(owner, ..): &(Owner, Allowance, Asked)| match owner {
            Owner::App(_) => None,
            Owner::Partner(id) => Some((*id, (Vec::new(), None))),
        };
        let mut partners: HashMap<PartnerId, (Vec<AppId>, Option<Prepaid>)> =
            asked.iter().filter_map(partner).collect();
        if !partners.is_empty() {
            for view in accounts.apps().filter(|view| view.app.environment == Environment::Production) {
                partners.entry(view.partner.id).and_modify(|(apps, prepaid)| {
                    apps.push(view.app.id);
                    *prepaid = view.partner.prepaid;
                });
            }
        }
        Self(partners)
    }

    /// The apps whose checks count.
    fn apps(&self, owner: Owner) -> Vec<AppId> {
        match owner {
            Owner::App(id) => vec![id],
            Owner::Partner(id) => self.0.get(&id).map(|(apps, _)| apps.clone()).unwrap_or_default(),
        }
    }

    /// Since when they count.
    fn from(&self, owner: Owner, allowance: Allowance) -> Timestamp {
        let prepaid = match (owner, allowance.quota) {
            (Owner::Partner(id), Quota::Prepaid) => self.0.get(&id).and_then(|(_, prepaid)| *prepaid),
            _ => None,
        };
        prepaid.map_or(allowance.from, |prepaid| prepaid.from)
    }
}

/// What the port said, unless it took too long.
fn told<T>(answer: Result<Result<T, SharesError>, Elapsed>) -> Result<T, SharesError> {
    answer.unwrap_or_else(|_| Err(SharesError::Unknown("there was no answer in time".to_owned())))
}
