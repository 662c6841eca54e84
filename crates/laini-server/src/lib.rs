//! The HTTP side of laini.
//!
//! Owns the listeners, the gateway's endpoints, deliveries, the sandbox, the operator's feed, the office's API, letters,
//! what goes on beside requests, and what is observed of all of it. Must never name an engine, read the clock or draw
//! randomness by itself: all three come in through [`Deps`].

use std::sync::Arc;

use laini_core::access::KeyTree;
use laini_core::store::{AccountStore, AnswerMemory, Ledger, LimitShares, Outbox, Registry, RegistryFeed, WorldStore};
use laini_office::Office;
use laini_office::mail::Carrier;
use observe::{Metrics, Traces};

use crate::gateway::TokensGiven;
use crate::http::Inside;
use crate::operator::Sources;
use crate::worker::Probing;

mod capability;
pub mod delivery;
pub mod desk;
pub mod gateway;
pub mod http;
mod listener;
pub mod mail;
pub mod observe;
pub(crate) mod office;
pub mod openapi;
pub mod operator;
pub mod sandbox;
mod server;
mod settings;
pub mod worker;

pub use laini_core::{Clock, Entropy};

pub use capability::{Capability, SwitchedOff};
pub use listener::{Environments, Listener};
pub use office::{Assistant, SingleSignOn, incident_answer};
pub use server::{BindError, Server};
pub use settings::{Limits, LiveSettings, Settings};

/// Makes the routes of pages that stand on the API of this server, and show how it runs.
pub type Pages = Box<dyn FnOnce(Inside, Running) -> axum::Router + Send>;

/// How a server runs, for pages of the operator's staff.
#[derive(Clone)]
pub struct Running {
    /// The operator's data sources.
    pub sources: Sources,
    /// What this node counts; `None` = nothing.
    pub metrics: Option<Arc<Metrics>>,
    /// The tokens that this node gave.
    pub tokens: Arc<TokensGiven>,
}

/// What the server is built on.
pub struct Deps {
    /// The operator's lines; never asked by sandbox apps.
    pub registry: Arc<dyn Registry>,
    /// How the operator's truth comes in.
    pub feed: Arc<dyn RegistryFeed>,
    /// Where every check is recorded before its answer leaves.
    pub ledger: Arc<dyn Ledger>,
    /// The answers that are kept under idempotency keys.
    pub answers: Arc<dyn AnswerMemory>,
    /// Accepted checks and what is delivered of them.
    pub outbox: Arc<dyn Outbox>,
    /// Partners, agreements and apps.
    pub accounts: Arc<dyn AccountStore>,
    /// The limits that other nodes share; `None` = this process is alone.
    pub shares: Option<Arc<dyn LimitShares>>,
    /// What people do around the checks.
    pub office: Arc<Office>,
    /// What brings letters to people.
    pub mail: Arc<dyn Carrier>,
    /// The operator's identity provider; `None` = people sign in by password alone.
    pub single_sign_on: Option<SingleSignOn>,
    /// The model that phrases answers; `None` = the documentation's own words are the answer.
    pub assistant: Option<Assistant>,
    /// The pages for people; `None` = there are none.
    pub pages: Option<Pages>,
    /// How the service probes itself; `None` = it does not.
    pub probing: Option<Probing>,
    /// The sandbox apps' own lines and clocks.
    pub worlds: Arc<dyn WorldStore>,
    /// The installation's keys.
    pub keys: Arc<KeyTree>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What is counted; `None` = nothing is.
    pub metrics: Option<Arc<Metrics>>,
    /// What makes spans; `None` = nothing is traced.
    pub traces: Option<Arc<Traces>>,
}
