//! Limits: how much an app, a product of it, and a partner in all may ask and spend.
//!
//! Owns the running counters of this server, filled from the ledger's at start. Every limit counts
//! numbers, not requests. Must never refuse where nothing was set, and never keep a number beyond the
//! few newest of an app.

mod meter;
mod probing;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use axum::http::HeaderMap;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{Charge, Money, Outcome};
use laini_core::line::Msisdn;
use laini_core::partner::{AppId, AppLimits, AppView, Environment, Limits, PartnerId, Probing, Product};
use laini_core::store::{Recorded, Usage};

use super::header;
use crate::http::ApiError;
use meter::{Begun, Calendar, Meter, Monotonic, Refusal};
use probing::Probe;
pub(crate) use probing::Suspicion;

/// Free "not served" answers of a day that every limited app has,
const NOT_SERVED_MIN: u64 = 100;
/// and the share of its charged checks of that day, in per cent, that it has besides.
const NOT_SERVED_PERCENT: u64 = 5;
/// Nobody is told to come back later than this for a quota (contract §4): it may be raised any minute.
const QUOTA_RETRY_S_MAX: u64 = 60;
/// How far back the ledger's counters are read at start: a month, and what days were like before.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(31 * 24);

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

/// The counters of everybody.
pub(crate) struct Limiter {
    clock: Monotonic,
    notify: Notify,
    apps: RwLock<HashMap<AppId, Arc<Mutex<AppState>>>>,
    partners: RwLock<HashMap<PartnerId, Arc<Mutex<PartnerState>>>>,
}

/// What one app asked and spent.
struct AppState {
    calendar: Calendar,
    /// When it was asked last.
    newest: Timestamp,
    in_all: Meter,
    /// In the order of [`Product::ALL`].
    products: [Meter; 3],
    /// Asked at the rate of a slowed app.
    slowed: Meter,
    /// Charged this month, and held for checks under way; minor units.
    spent: i64,
    held: i64,
    /// Charged and not served today.
    paid: u64,
    not_served: u64,
    probe: Probe,
}

/// What all production apps of one partner asked together.
struct PartnerState {
    calendar: Calendar,
    /// When they were asked last.
    newest: Timestamp,
    meter: Meter,
}

impl Limiter {
    pub(crate) fn new(notify: Notify) -> Self {
        Self { clock: Monotonic::start(), notify, apps: RwLock::default(), partners: RwLock::default() }
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

    /// Lets `numbers` be asked about, or says why not. What is not noted on the permit is given back.
    pub(crate) fn admit<'a>(
        &'a self,
        ask: &Ask<'a>,
        numbers: &[Msisdn],
        zone: &TimeZone,
    ) -> Result<Permit<'a>, ApiError> {
        let limits = &ask.app.app.limits;
        let count = u32::try_from(numbers.len()).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let app = self.app(ask.app.app.id, ask.at, zone);
        let is_production = ask.app.app.environment == Environment::Production;
        let partner = is_production.then(|| self.partner(ask.app.partner.id, ask.at, zone));
        let suspicion = {
            let mut state = lock(&app);
            state.roll(ask.at, zone);
            let refused = |refusal| refused(refusal, ask.at);
            state.check(ask, limits, count, self.clock).map_err(refused)?;
            if let Some(partner) = &partner {
                lock(partner).take(ask.app.partner.limits, (ask.at, zone), count, self.clock).map_err(refused)?;
            }
            state.count(ask, u64::from(count.get()));
            if is_production { numbers.iter().filter_map(|number| state.probe.asked(*number)).last() } else { None }
        };
        if let Some(suspicion) = suspicion {
            (self.notify)(ask.app, Notice::Probing(suspicion), ask.at);
        }
        let (product, unit, at, view) = (ask.product, ask.unit, ask.at, ask.app);
        let open = u64::from(count.get());
        Ok(Permit { limiter: self, view, app, partner, product, unit, at, open, is_counted: true })
    }

    /// The permit of a number that was admitted when it was accepted, and is decided now.
    pub(crate) fn resume<'a>(&'a self, ask: &Ask<'a>, zone: &TimeZone) -> Permit<'a> {
        let app = self.app(ask.app.app.id, ask.at, zone);
        {
            let mut state = lock(&app);
            state.roll(ask.at, zone);
            state.held = state.held.saturating_add(held_for(ask.unit, 1));
        }
        let (product, unit, at, view) = (ask.product, ask.unit, ask.at, ask.app);
        // Its number was counted when it was accepted, and stays so.
        Permit { limiter: self, view, app, partner: None, product, unit, at, open: 1, is_counted: false }
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
        Arc::clone(apps.entry(id).or_insert_with(|| Arc::new(Mutex::new(AppState::new(at, zone)))))
    }

    fn partner(&self, id: PartnerId, at: Timestamp, zone: &TimeZone) -> Arc<Mutex<PartnerState>> {
        if let Some(known) = self.partners.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Arc::clone(known);
        }
        let mut partners = self.partners.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(Mutex::new(PartnerState::new(at, zone)));
        Arc::clone(partners.entry(id).or_insert_with(fresh))
    }
}

impl AppState {
    fn new(at: Timestamp, zone: &TimeZone) -> Self {
        Self {
            calendar: Calendar::new(at, zone),
            newest: at,
            in_all: Meter::default(),
            products: <[Meter; 3]>::default(),
            slowed: Meter::default(),
            spent: 0,
            held: 0,
            paid: 0,
            not_served: 0,
            probe: Probe::default(),
        }
    }

    fn roll(&mut self, at: Timestamp, zone: &TimeZone) {
        self.newest = at;
        let begun = self.calendar.roll(at, zone);
        if begun == Begun::Nothing {
            return;
        }
        self.in_all.roll(begun);
        self.products.iter_mut().for_each(|meter| meter.roll(begun));
        (self.paid, self.not_served) = (0, 0);
        self.probe.next_day();
        if begun == Begun::Month {
            self.spent = 0;
        }
    }

    /// Checks what can be checked without using it up, then uses up the rates.
    fn check(&mut self, ask: &Ask<'_>, limits: &AppLimits, count: NonZeroU32, clock: Monotonic) -> Result<(), Refusal> {
        let numbers = u64::from(count.get());
        let of_product = limits.of(ask.product);
        let product = &mut self.products[place(ask.product)];
        product.check_quota(of_product, numbers, &self.calendar)?;
        self.in_all.check_quota(limits.in_all, numbers, &self.calendar)?;
        if let Some(budget) = &limits.budget {
            let wanted = ask.unit.minor.saturating_mul(i64::from(count.get()));
            if self.spent.saturating_add(self.held).saturating_add(wanted) > budget.stop_minor() {
                return Err(Refusal::Quota(self.calendar.month_ends()));
            }
        }
        let free = NOT_SERVED_MIN.max(self.paid * NOT_SERVED_PERCENT / 100);
        if limits.is_set() && ask.app.app.environment == Environment::Production && self.not_served >= free {
            return Err(Refusal::Quota(self.calendar.day_ends()));
        }
        if let (Probing::Slow(rate), Some(_)) = (limits.probing, self.probe.suspected()) {
            self.slowed.take_rate(Limits { rate: Some(rate), ..Limits::NONE }, clock, count)?;
        }
        product.take_rate(of_product, clock, count)?;
        self.in_all.take_rate(limits.in_all, clock, count)
    }

    fn count(&mut self, ask: &Ask<'_>, numbers: u64) {
        self.products[place(ask.product)].count(numbers);
        self.in_all.count(numbers);
        self.held = self.held.saturating_add(held_for(ask.unit, numbers));
    }
}

impl PartnerState {
    fn new(at: Timestamp, zone: &TimeZone) -> Self {
        Self { calendar: Calendar::new(at, zone), newest: at, meter: Meter::default() }
    }

    fn take(
        &mut self,
        limits: Limits,
        (at, zone): (Timestamp, &TimeZone),
        count: NonZeroU32,
        clock: Monotonic,
    ) -> Result<(), Refusal> {
        self.newest = at;
        let begun = self.calendar.roll(at, zone);
        self.meter.roll(begun);
        self.meter.check_quota(limits, u64::from(count.get()), &self.calendar)?;
        self.meter.take_rate(limits, clock, count)?;
        self.meter.count(u64::from(count.get()));
        Ok(())
    }
}

/// Numbers that may be asked about.
pub(crate) struct Permit<'a> {
    limiter: &'a Limiter,
    view: &'a AppView,
    app: Arc<Mutex<AppState>>,
    partner: Option<Arc<Mutex<PartnerState>>>,
    product: Product,
    unit: Money,
    at: Timestamp,
    /// Numbers that were not noted yet.
    open: u64,
    /// Whether these are given back where they are never noted.
    is_counted: bool,
}

impl Permit<'_> {
    /// Keeps its numbers counted: they are decided later ([`Limiter::resume`]).
    pub(crate) fn defer(mut self) {
        self.is_counted = false;
    }

    /// Notes how all of the numbers were recorded.
    pub(crate) fn note_all(&mut self, recorded: &[Recorded]) {
        for one in recorded {
            self.note(*one);
        }
    }

    /// Notes how one of the numbers was recorded.
    pub(crate) fn note(&mut self, recorded: Recorded) {
        self.open = self.open.saturating_sub(1);
        let is_production = self.view.app.environment == Environment::Production;
        let (warning, suspicion) = {
            let mut state = lock(&self.app);
            state.held = state.held.saturating_sub(self.unit.minor);
            let before = state.spent;
            if let Charge::Charged(amount) = recorded.charge {
                state.spent = state.spent.saturating_add(amount.minor);
                state.paid += 1;
            }
            let budget = self.view.app.limits.budget.as_ref();
            let warning = budget.and_then(|budget| budget.warning_between(before, state.spent));
            let missed = recorded.outcome == Outcome::NotServed;
            state.not_served += u64::from(missed);
            (warning, if missed && is_production { state.probe.not_served() } else { None })
        };
        for notice in [warning.map(Notice::Budget), suspicion.map(Notice::Probing)].into_iter().flatten() {
            (self.limiter.notify)(self.view, notice, self.at);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.open == 0 {
            return;
        }
        let mut state = lock(&self.app);
        state.held = state.held.saturating_sub(held_for(self.unit, self.open));
        if !self.is_counted {
            return;
        }
        state.products[place(self.product)].give_back(self.open);
        state.in_all.give_back(self.open);
        if let Some(partner) = &self.partner {
            lock(partner).meter.give_back(self.open);
        }
    }
}

fn refused(refusal: Refusal, at: Timestamp) -> ApiError {
    match refusal {
        Refusal::Rate(wait) => {
            let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            ApiError::SpikeArrest { retry_after_s: whole.max(1) }
        }
        Refusal::Burst(burst) => ApiError::BatchTooLarge { burst: burst.get() },
        Refusal::Quota(renewed) => {
            let left = renewed.duration_since(at).as_secs().max(1).unsigned_abs();
            ApiError::QuotaViolation { retry_after_s: left.min(QUOTA_RETRY_S_MAX) }
        }
    }
}

fn held_for(unit: Money, numbers: u64) -> i64 {
    unit.minor.saturating_mul(i64::try_from(numbers).unwrap_or(i64::MAX))
}

fn place(product: Product) -> usize {
    match product {
        Product::Imsi => 0,
        Product::Swap => 1,
        Product::Age => 2,
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counters are whole between any two statements that could panic.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
