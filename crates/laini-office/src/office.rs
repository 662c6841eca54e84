use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::Entropy;
use laini_core::access::KeyTree;
use laini_core::billing::{Currency, VAT_BASIS_POINTS};
use laini_core::line::NumberPlan;
use laini_core::store::{AccountStore, Ledger, OfficeStore, Outbox, RefusalLog, Registry, RegistryFeed, Retention};
use laini_core::support::AnswerTimes;

use crate::billing::CountedDays;
use crate::jobs::Jobs;
use crate::{Actor, Problem, Work};

/// How often work is begun anew where others changed what it had read.
const ATTEMPTS_MAX: u32 = 8;

/// What everything in the office is built on.
pub struct Office {
    /// The records.
    pub store: Arc<dyn OfficeStore>,
    /// The accounts that checks are decided on.
    pub accounts: Arc<dyn AccountStore>,
    /// What was asked.
    pub ledger: Arc<dyn Ledger>,
    /// What is delivered.
    pub outbox: Arc<dyn Outbox>,
    /// What was refused.
    pub refusals: Arc<dyn RefusalLog>,
    /// What checks are answered from; `None` = no server is asked here, commands look for themselves.
    pub registry: Option<Arc<dyn Registry>>,
    /// What privacy requests reach beside the ledger; `None` = they are not carried out here.
    pub subjects: Option<SubjectStores>,
    /// The installation's keys.
    pub keys: Arc<KeyTree>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What the operator has set.
    pub settings: OfficeSettings,
    /// What was counted already of days that are over; empty at first.
    pub counted: CountedDays,
    /// Long pieces of work of this process; none at first.
    pub jobs: Jobs,
}

/// What privacy requests reach beside the ledger.
pub struct SubjectStores {
    /// The history of the built-in registry.
    pub feed: Arc<dyn RegistryFeed>,
    /// What forgets what was asked.
    pub retention: Arc<dyn Retention>,
    /// Whether checks are answered from the operator's back end, so that the history corrects nothing.
    pub is_answered_elsewhere: bool,
}

/// What the operator has set for its office.
#[derive(Debug, Clone)]
pub struct OfficeSettings {
    /// The operator's name, on agreements and invoices.
    pub operator: String,
    /// The operator's time zone: months end at its midnight.
    pub zone: TimeZone,
    /// The currency of its prices.
    pub currency: Currency,
    /// How its numbers look.
    pub plan: NumberPlan,
    /// How people sign in.
    pub people: PeopleSettings,
    /// What stands on its invoices.
    pub billing: BillingSettings,
    /// Within what time its tickets are answered.
    pub answer_times: AnswerTimes,
    /// How often the service probes itself; zero = never.
    pub probe_every: SignedDuration,
}

impl OfficeSettings {
    /// The defaults, for an operator of this name, zone and currency.
    pub fn new(operator: &str, zone: TimeZone, currency: Currency) -> Self {
        Self {
            operator: operator.to_owned(),
            zone,
            currency,
            plan: NumberPlan::KENYA,
            people: PeopleSettings::default(),
            billing: BillingSettings::default(),
            answer_times: AnswerTimes::default(),
            probe_every: SignedDuration::ZERO,
        }
    }
}

/// What the operator has set of how people sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleSettings {
    /// Where the portal's pages are, for links in letters; empty: letters hold the token alone.
    pub portal_url: String,
    /// Whether staff may do nothing before they have a second factor.
    pub staff_second_factor: bool,
    /// Whether strangers may register an organisation.
    pub registration: bool,
}

impl Default for PeopleSettings {
    fn default() -> Self {
        Self { portal_url: String::new(), staff_second_factor: false, registration: true }
    }
}

/// What stands on the operator's invoices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingSettings {
    /// The tax on every invoice, in hundredths of a per cent.
    pub tax_basis_points: u32,
    /// The operator's number with the tax authority; empty where none is set.
    pub tax_number: String,
    /// An invoice is paid in time so many days after it was made.
    pub payment_days: u16,
}

impl Default for BillingSettings {
    fn default() -> Self {
        Self { tax_basis_points: VAT_BASIS_POINTS, tax_number: String::new(), payment_days: 30 }
    }
}

impl Office {
    /// What privacy requests reach beside the ledger.
    pub fn subjects(&self) -> Result<&SubjectStores, Problem> {
        self.subjects.as_ref().ok_or(Problem::not_now("privacy requests are not carried out here"))
    }

    /// Does a piece of work for `actor` and saves it; begun anew where others changed meanwhile what it had read, as
    /// saving finds, or the work itself where two things that it read cannot both be. So `work` must do nothing that
    /// cannot be repeated.
    pub fn run<T>(
        &self,
        actor: &Actor,
        at: Timestamp,
        mut work: impl FnMut(&mut Work<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut done = None;
        self.attempt(actor, at, &mut |unit| work(unit).map(|came_to| done = Some(came_to)))?;
        done.ok_or(Problem::Contended)
    }

    /// [`Office::run`], compiled once and not for each piece of work.
    fn attempt(
        &self,
        actor: &Actor,
        at: Timestamp,
        work: &mut dyn FnMut(&mut Work<'_>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let mut was_taken = false;
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = Work::begin(self, actor.clone(), at);
            match work(&mut unit).and_then(|()| unit.save()) {
                Ok(()) => return Ok(()),
                Err(Problem::Contended) => {}
                // Somebody was first between its look and its saving: begun anew, it sees that.
                Err(Problem::Taken(_)) if !was_taken => was_taken = true,
                Err(problem) => return Err(problem),
            }
        }
        Err(Problem::Contended)
    }
}
