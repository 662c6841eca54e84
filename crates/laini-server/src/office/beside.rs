//! What endpoints do beside their unit of work: a challenge to somebody else's address, what is watched of scripted
//! runs, deliveries that are no result, the close of a month, checks of the desk, a privacy request that is carried
//! out, what the identity provider and a model are asked.

use std::sync::Arc;

use laini_core::Entropy;
use laini_core::access::KeyTree;
use laini_core::billing::Month;
use laini_core::delivery::{Destination, Reach};
use laini_core::partner::{AppId, ResultAddress, ResultAddressId, ScriptedRunId};
use laini_office::billing::close_month;
use laini_office::{Actor, Office, Problem, apps, going_live};
use laini_wire::office::invoices::CloseRequest;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, TryAcquireError};

use super::assistant::{Phraser, before_ask};
use super::desk::before_check;
use super::privacy_orders::before_order;
use super::single_sign_on::{Provider, before_begin, before_finish};
use super::{Assistant, Call, Endpoint, SingleSignOn};
use crate::delivery::{Deliveries, Outbound, prove};
use crate::http::OwnApi;
use crate::sandbox::RunWatch;

/// Challenges under way at once: each holds a thread for as long as a slow receiver takes.
const CHALLENGES_MAX: usize = 4;
/// When to come back where there are too many.
const RETRY_AFTER_S: u64 = 5;
/// Sign-ons that ask the identity provider at once: it may be slow, and others must still get in by password.
const SIGN_ONS_MAX: usize = 2;
/// Checks of the desk that wait for an answer at once: the registry may be slow, and others must still be answered.
const CHECKS_MAX: usize = 8;
/// Questions that wait for the model at once; others are answered by the passages alone.
const PHRASES_MAX: usize = 2;

/// What an endpoint does beside its unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Nothing.
    Nothing,
    /// Before it: a challenge to the result address that the path names; [`Call::proof`] says how it ended.
    Challenge,
    /// Before and after it: what this node saw of scripted runs is written down, and it hears which ones are watched.
    Runs,
    /// Before it: the month that the body names is closed, in units of work of its own; [`Call::closed`] says what came
    /// of it.
    Close,
    /// As [`Beside::Runs`], and after it the nonce of the run that the path names is sent.
    RunDelivery,
    /// Before it: [`Call::begun_sign_on`] says where a browser goes to sign in.
    SignOnBegin,
    /// Before it: the identity provider redeems a code; [`Call::vouched`] says of whom.
    SignOnFinish,
    /// Before it: the approved privacy request that the path names begins to be carried out, in the background.
    PrivacyOrder,
    /// Before it: the API is asked about the number that the body names; [`Call::looked_up`] has what it told.
    Check,
    /// Before it: the documentation is searched, and a model may phrase what it says; [`Call::considered`] has it.
    Ask,
}

/// What that is done with.
pub(crate) struct BesideWork {
    pub(crate) deliveries: Arc<Deliveries>,
    /// `None` where nothing goes out from this machine.
    pub(crate) outbound: Option<Outbound>,
    pub(crate) keys: Arc<KeyTree>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) runs: Arc<RunWatch>,
    /// `None` where there is no single sign-on.
    provider: Option<Provider>,
    /// `None` where no model phrases answers.
    phraser: Option<Phraser>,
    own_api: Arc<OwnApi>,
    challenges: Semaphore,
    sign_ons: Semaphore,
    phrases: Semaphore,
    checks: Semaphore,
}

impl BesideWork {
    pub(crate) fn new(
        deliveries: Arc<Deliveries>,
        outbound: Option<Outbound>,
        (keys, entropy): (Arc<KeyTree>, Arc<dyn Entropy>),
        (runs, own_api): (Arc<RunWatch>, Arc<OwnApi>),
        (single_sign_on, assistant): (Option<SingleSignOn>, Option<&Assistant>),
    ) -> Self {
        let challenges = Semaphore::new(CHALLENGES_MAX);
        let (sign_ons, phrases) = (Semaphore::new(SIGN_ONS_MAX), Semaphore::new(PHRASES_MAX));
        let checks = Semaphore::new(CHECKS_MAX);
        let provider = single_sign_on.and_then(Provider::new);
        let phraser = assistant.and_then(Phraser::new);
        Self {
            deliveries,
            outbound,
            keys,
            entropy,
            runs,
            provider,
            phraser,
            own_api,
            challenges,
            sign_ons,
            phrases,
            checks,
        }
    }

    /// How far results may go.
    pub(super) fn reach(&self) -> Reach {
        self.deliveries.reach()
    }

    /// What comes before the unit of work. Blocks its thread.
    pub(super) fn before(
        &self,
        endpoint: &Endpoint,
        office: &Arc<Office>,
        actor: &Actor,
        call: &mut Call,
    ) -> Result<(), Problem> {
        match endpoint.beside {
            Beside::Nothing => Ok(()),
            Beside::Runs | Beside::RunDelivery => self.runs.look(call.at),
            Beside::Close => {
                let _place = office.jobs.close()?;
                let CloseRequest { month, first } = call.json()?;
                let month = Month::parse(&month).map_err(|error| Problem::invalid("month", error.to_string()))?;
                call.closed = Some(close_month(office, actor, month, call.at, first)?);
                Ok(())
            }
            Beside::Challenge => {
                let (partner, app) = (call.partner()?, call.id("app", AppId::parse)?);
                let address = call.id("address", ResultAddressId::parse)?;
                let look_up = |work: &mut laini_office::Work<'_>| apps::the_address(work, partner, app, address);
                let address = office.run(actor, call.at, look_up)?;
                call.proof = Some(self.challenge(&address, call)?);
                Ok(())
            }
            what @ (Beside::SignOnBegin | Beside::SignOnFinish) => {
                let _place = self.sign_ons.try_acquire().map_err(too_many)?;
                let before = if what == Beside::SignOnBegin { before_begin } else { before_finish };
                before(self.provider.as_ref(), office, call)
            }
            Beside::PrivacyOrder => before_order(office, actor, call),
            Beside::Check => {
                let _place = self.checks.try_acquire().map_err(too_many)?;
                let key = call.replay_id(&endpoint.operation, actor).map(|id| format!("desk-check-{}", id.0));
                before_check((&self.own_api, key.as_deref()), office, actor, call)
            }
            Beside::Ask => before_ask((self.phraser.as_ref(), &self.phrases), office, call),
        }
    }

    /// What comes after the unit of work, once it is saved. Blocks its thread.
    pub(super) fn after(&self, what: Beside, office: &Office, call: &Call) -> Result<(), Problem> {
        if what == Beside::RunDelivery {
            let (partner, run) = (call.partner()?, call.id("run", ScriptedRunId::parse)?);
            let found = office.run(&Actor::System, call.at, |work| {
                let run = going_live::the_run(work, partner, run)?;
                let of = apps::the_app(work, partner, run.app)?;
                Ok((run, of))
            });
            let (run, of) = found?;
            let of_app = (of.app.id, of.addresses.as_slice());
            let drafts = self.deliveries.nonces(of_app, (run.id, &run.nonce), call.at);
            Handle::current().block_on(self.deliveries.put(drafts))?;
        }
        if matches!(what, Beside::Runs | Beside::RunDelivery) {
            self.runs.look(call.at)?;
        }
        Ok(())
    }

    /// How a challenge ended, in words for people where it failed.
    fn challenge(&self, address: &ResultAddress, call: &Call) -> Result<Result<(), String>, Problem> {
        let to = match Destination::parse(&address.url, self.reach()) {
            Ok(Destination::Listener) => return Ok(Ok(())),
            Ok(Destination::Web(to)) => to,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let _place = self.challenges.try_acquire().map_err(too_many)?;
        let Some(outbound) = &self.outbound else {
            return Ok(Err("nothing can be sent from the operator's machine now".to_owned()));
        };
        let mut random = [0; 16];
        random[..8].copy_from_slice(&self.entropy.next_u64().to_be_bytes());
        random[8..].copy_from_slice(&self.entropy.next_u64().to_be_bytes());
        let proving = prove(outbound, &self.keys, (address, &to), call.at, random);
        Ok(Handle::current().block_on(proving).map_err(|error| error.to_string()))
    }
}

fn too_many(_: TryAcquireError) -> Problem {
    Problem::TooOften { retry_after_s: RETRY_AFTER_S }
}
