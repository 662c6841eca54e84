//! Limits: how much an app, a product of it, and a partner in all may ask and spend.
//!
//! Owns the running counters of this server, filled from the ledger's at start. Every limit counts
//! numbers, not requests. Must never refuse where nothing was set, and never keep a number beyond the
//! few newest of an app.

mod app;
mod balance;
mod exchange;
mod meter;
mod partner;
mod permit;
mod probing;
mod shared_meter;
mod sharer;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::http::HeaderMap;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{Money, Outcome};
use laini_core::line::Msisdn;
use laini_core::partner::{AppId, AppView, Environment, Limits, PartnerId, Prepaid, Product};
use laini_core::store::{Ledger, LimitShares, Stage, Usage};

use super::header;
use crate::http::{AccountsPicture, ApiError};
use app::{AppState, held_for, place};
use exchange::Exchange;
use meter::{Calendar, Monotonic, Refusal};
use partner::PartnerState;
pub(crate) use permit::Permit;
pub(crate) use probing::Suspicion;
use shared_meter::Shortage;

/// Nobody is told to come back later than this for a quota (contract §4): it may be raised any minute.
const QUOTA_RETRY_S_MAX: u64 = 60;
/// For so long a request waits for a share of a limit; then whatever is wrong is not the caller's doing.
const SHARE_WAIT: Duration = Duration::from_millis(250);
/// How far back the ledger's counters are read at start: a month, and what days were like before.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Other writers' clocks are not further ahead than this.
const NOT_LATER: SignedDuration = SignedDuration::from_hours(1);

/// What somebody has to be told about an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// It looks like probing.
    Probing(Suspicion),
    /// It reached this share of its budget, in per cent.
    Budget(u8),
}

/// Who is told; called while a check is under way, so it must only pass on.
pub(crate) type Notify = Arc<dyn Fn(&AppView, Notice, Timestamp) + Send + Sync>;

/// Who asks for how much.
pub(crate) struct Ask<'a> {
    pub(crate) app: &'a AppView,
    pub(crate) product: Product,
    /// What one number costs at most.
    pub(crate) unit: Money,
    pub(crate) at: Timestamp,
}

impl Ask<'_> {
    /// What the check is paid from, where that was paid in advance.
    fn prepaid(&self) -> Option<Prepaid> {
        self.app.partner.prepaid.filter(|_| self.app.app.environment == Environment::Production)
    }
}

/// The counters of everybody.
pub(crate) struct Limiter {
    clock: Monotonic,
    notify: Notify,
    /// The other nodes that share the limits; none where this server is alone.
    exchange: Option<Exchange>,
    /// What was used of balances before this server met them.
    ledger: Arc<dyn Ledger>,
    accounts: Arc<AccountsPicture>,
    apps: RwLock<HashMap<AppId, Arc<Mutex<AppState>>>>,
    partners: RwLock<HashMap<PartnerId, Arc<Mutex<PartnerState>>>>,
}

impl Limiter {
    pub(crate) fn new(
        notify: Notify,
        shares: Option<Arc<dyn LimitShares>>,
        ledger: Arc<dyn Ledger>,
        accounts: Arc<AccountsPicture>,
    ) -> Self {
        let (exchange, clock) = (shares.map(Exchange::new), Monotonic::start());
        Self { clock, notify, exchange, ledger, accounts, apps: RwLock::default(), partners: RwLock::default() }
    }

    /// From when on the ledger's counters are wanted at start.
    pub(crate) fn remembers_from(now: Timestamp, zone: &TimeZone) -> Timestamp {
        let days_before = now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        days_before.min(Calendar::month_begins(now, zone))
    }

    /// Takes over what was counted before this server started. `partner_of` names an app's partner.
    pub(crate) fn learn(
        &self,
        usage: &[Usage],
        partner_of: impl Fn(AppId) -> Option<PartnerId>,
        now: Timestamp,
        zone: &TimeZone,
    ) {
        let month = Calendar::month_begins(now, zone);
        let today = Calendar::new(now, zone).date();
        let mut days: HashMap<(AppId, jiff::civil::Date), u64> = HashMap::new();
        for one in usage.iter().filter(|one| one.outcome != Outcome::Reversal) {
            let date = zone.to_datetime(one.from).date();
            if date != today {
                *days.entry((one.app, date)).or_default() += one.checks;
            }
            if one.from < month {
                continue;
            }
            let is_today = date == today;
            let app = self.app(one.app, now, zone);
            let mut app = lock(&app);
            app.in_all.learn(one.checks, is_today);
            app.products[place(one.product)].learn(one.checks, is_today);
            match one.outcome {
                Outcome::Answered if is_today => app.paid += one.checks,
                Outcome::NotServed if is_today => app.not_served += one.checks,
                _ => {}
            }
            if let Some(partner) = partner_of(one.app).filter(|_| one.environment == Environment::Production) {
                lock(&self.partner(partner, now, zone)).meter.learn(one.checks, is_today);
            }
        }
        // Reversals take back what was charged.
        for one in usage.iter().filter(|one| one.from >= month) {
            lock(&self.app(one.app, now, zone)).spent += one.charged_minor;
        }
        for ((app, _), asked) in days {
            lock(&self.app(app, now, zone)).probe.learn(asked);
        }
    }

    /// Lets `numbers` be asked about, or says why not. What is not noted on the permit is given back. Waits
    /// only where limits are shared and this node has nothing left of its part.
    pub(crate) async fn admit<'a>(
        &'a self,
        ask: &Ask<'a>,
        numbers: &[Msisdn],
        zone: &TimeZone,
    ) -> Result<Permit<'a>, ApiError> {
        if let Some(prepaid) = ask.prepaid() {
            self.meet_balance(ask, prepaid, zone).await?;
        }
        self.wait_for_shares(ask, || self.try_to_admit(ask, numbers, zone)).await
    }

    /// Tries until this node has its part of everything, where limits are shared.
    async fn wait_for_shares<'a>(
        &'a self,
        ask: &Ask<'a>,
        mut try_it: impl FnMut() -> Result<Permit<'a>, Shortage>,
    ) -> Result<Permit<'a>, ApiError> {
        let Some(exchange) = &self.exchange else { return try_it().map_err(|shortage| refused(shortage, ask.at)) };
        let mut until = None;
        loop {
            let round = exchange.round();
            match try_it() {
                Err(Shortage::Lacking) => {}
                tried => return tried.map_err(|shortage| refused(shortage, ask.at)),
            }
            let until = *until.get_or_insert_with(|| tokio::time::Instant::now() + SHARE_WAIT);
            if !exchange.wait(round, until).await {
                return Err(ApiError::UnreachableAt(Stage::Limits));
            }
        }
    }

    /// Learns what was used of a balance, where this server is alone and meets it for the first time.
    async fn meet_balance(&self, ask: &Ask<'_>, prepaid: Prepaid, zone: &TimeZone) -> Result<(), ApiError> {
        let partner = self.partner(ask.app.partner.id, ask.at, zone);
        if self.exchange.is_some() || lock(&partner).has_met(prepaid) {
            return Ok(());
        }
        let usage = self.ledger.usage(prepaid.from, ask.at + NOT_LATER).await.map_err(|error| {
            tracing::error!(%error, "what is left of a balance cannot be read");
            ApiError::UnreachableAt(Stage::Limits)
        })?;
        let accounts = self.accounts.current();
        let is_its = |id: AppId| accounts.app(id).is_some_and(|view| view.partner.id == ask.app.partner.id);
        let counted = usage.iter().filter(|one| one.environment == Environment::Production && is_its(one.app));
        lock(&partner).meet(prepaid, counted.map(|one| one.charged_minor).sum());
        Ok(())
    }

    fn try_to_admit<'a>(&'a self, ask: &Ask<'a>, numbers: &[Msisdn], zone: &TimeZone) -> Result<Permit<'a>, Shortage> {
        let limits = &ask.app.app.limits;
        let count = u32::try_from(numbers.len()).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let app = self.app(ask.app.app.id, ask.at, zone);
        let is_production = ask.app.app.environment == Environment::Production;
        let partner = is_production.then(|| self.partner(ask.app.partner.id, ask.at, zone));
        let suspicion = {
            let mut state = lock(&app);
            state.roll(ask.at, zone);
            let mut of_partner = partner.as_deref().map(lock);
            if let Some(of_partner) = &mut of_partner {
                of_partner.roll(ask.at, zone);
            }
            if let Some(exchange) = &self.exchange {
                exchange.look(ask, &mut state, of_partner.as_deref_mut(), count)?;
            }
            if let (Some(of_partner), Some(prepaid)) = (&of_partner, ask.prepaid()) {
                of_partner.check_balance(ask, prepaid, count.get().into()).map_err(Shortage::Refused)?;
            }
            state.check(ask, limits, count, self.clock).map_err(Shortage::Refused)?;
            if let Some(of_partner) = &mut of_partner {
                of_partner.take(ask.app.partner.limits, count, self.clock).map_err(Shortage::Refused)?;
                if let (Some(_), Some(balance)) = (ask.prepaid(), of_partner.balance()) {
                    balance.hold(held_for(ask.unit, count.get().into()));
                }
            }
            state.count(ask, u64::from(count.get()));
            if is_production { numbers.iter().filter_map(|number| state.probe.asked(*number)).last() } else { None }
        };
        if let Some(suspicion) = suspicion {
            (self.notify)(ask.app, Notice::Probing(suspicion), ask.at);
        }
        let (product, unit, at, view) = (ask.product, ask.unit, ask.at, ask.app);
        let (open, balance_from) = (u64::from(count.get()), ask.prepaid().map(|prepaid| prepaid.from));
        Ok(Permit { limiter: self, view, app, partner, product, unit, at, open, is_counted: true, balance_from })
    }

    /// The permit of a number that was admitted when it was accepted, and is decided now. Only what was paid in
    /// advance is asked again: nothing of it was held meanwhile.
    pub(crate) async fn resume<'a>(&'a self, ask: &Ask<'a>, zone: &TimeZone) -> Result<Permit<'a>, ApiError> {
        let Some(prepaid) = ask.prepaid() else { return Ok(self.resumed(ask, None, zone)) };
        self.meet_balance(ask, prepaid, zone).await?;
        let try_it = || {
            let partner = self.partner(ask.app.partner.id, ask.at, zone);
            {
                let mut state = lock(&partner);
                state.roll(ask.at, zone);
                if let Some(exchange) = &self.exchange {
                    exchange.look_for_balance(ask, prepaid, &mut state)?;
                }
                state.check_balance(ask, prepaid, 1).map_err(Shortage::Refused)?;
                if let Some(balance) = state.balance() {
                    balance.hold(held_for(ask.unit, 1));
                }
            }
            Ok(self.resumed(ask, Some((partner, prepaid.from)), zone))
        };
        self.wait_for_shares(ask, try_it).await
    }

    fn resumed<'a>(
        &'a self,
        ask: &Ask<'a>,
        balance: Option<(Arc<Mutex<PartnerState>>, Timestamp)>,
        zone: &TimeZone,
    ) -> Permit<'a> {
        let app = self.app(ask.app.app.id, ask.at, zone);
        {
            let mut state = lock(&app);
            state.roll(ask.at, zone);
            if let (Some(_), Some(budget)) = (&self.exchange, &ask.app.app.limits.budget) {
                state.watch_budget(budget, ask.at);
            }
            state.hold(ask.unit, 1);
        }
        let (product, unit, at, view) = (ask.product, ask.unit, ask.at, ask.app);
        let (partner, balance_from) = balance.unzip();
        // Its number was counted when it was accepted, and stays so.
        Permit { limiter: self, view, app, partner, product, unit, at, open: 1, is_counted: false, balance_from }
    }

    /// Adds the headers that say what is left, where anything is limited.
    pub(crate) fn describe(&self, view: &AppView, product: Product, headers: &mut HeaderMap) {
        let (limits, in_all) = (view.app.limits.of(product), view.app.limits.in_all);
        let of_partner =
            if view.app.environment == Environment::Production { view.partner.limits } else { Limits::NONE };
        if !limits.is_set() && !in_all.is_set() && !of_partner.is_set() {
            return;
        }
        let mut shown = Vec::new();
        if let Some(app) = self.apps.read().unwrap_or_else(PoisonError::into_inner).get(&view.app.id) {
            let state = lock(app);
            let at = state.newest;
            shown.extend(state.products[place(product)].describe(product.word(), limits, &state.calendar, at));
            shown.extend(state.in_all.describe("app", in_all, &state.calendar, at));
        }
        if let Some(partner) = self.partners.read().unwrap_or_else(PoisonError::into_inner).get(&view.partner.id) {
            let state = lock(partner);
            shown.extend(state.meter.describe("partner", of_partner, &state.calendar, state.newest));
        }
        let joined = |part: fn(&meter::Shown) -> &str| shown.iter().map(part).collect::<Vec<_>>().join(", ");
        headers.insert(header::RATE_LIMIT_POLICY, header::value(joined(|shown| &shown.policy)));
        headers.insert(header::RATE_LIMIT, header::value(joined(|shown| &shown.left)));
    }

    fn app(&self, id: AppId, at: Timestamp, zone: &TimeZone) -> Arc<Mutex<AppState>> {
        if let Some(known) = self.apps.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Arc::clone(known);
        }
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(Mutex::new(AppState::new(id, self.exchange.is_some(), at, zone)));
        Arc::clone(apps.entry(id).or_insert_with(fresh))
    }

    fn partner(&self, id: PartnerId, at: Timestamp, zone: &TimeZone) -> Arc<Mutex<PartnerState>> {
        if let Some(known) = self.partners.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Arc::clone(known);
        }
        let mut partners = self.partners.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(Mutex::new(PartnerState::new(id, self.exchange.is_some(), at, zone)));
        Arc::clone(partners.entry(id).or_insert_with(fresh))
    }
}

fn refused(shortage: Shortage, at: Timestamp) -> ApiError {
    match shortage {
        Shortage::Lacking => ApiError::UnreachableAt(Stage::Limits),
        Shortage::Refused(Refusal::Rate(wait)) => {
            let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            ApiError::SpikeArrest { retry_after_s: whole.max(1) }
        }
        Shortage::Refused(Refusal::Burst(burst)) => ApiError::BatchTooLarge { burst: burst.get() },
        Shortage::Refused(Refusal::Quota(renewed)) => {
            let left = renewed.duration_since(at).as_secs().max(1).unsigned_abs();
            ApiError::QuotaViolation { retry_after_s: left.min(QUOTA_RETRY_S_MAX) }
        }
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counters are whole between any two statements that could panic.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
