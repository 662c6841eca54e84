//! The office: what people and organisations do around the checks.
//!
//! Owns organisations, people, agreements, apps on their way to going live, invoices and payments,
//! incidents and tickets, and privacy requests: a folder for each, over the ports of laini-core. Commands and HTTP call the same functions.
//! Must never know HTTP or an engine, read the clock or draw randomness by itself, or be on the way of a check.
//!
//! Everything here is plain blocking code on [`Work`], one unit of work: it reads records, decides by the rules of
//! laini-core, stages changes, and all of them are saved at once or not at all.

mod actor;
pub mod agreements;
pub mod apps;
pub mod assistant;
pub mod billing;
pub mod call_times;
mod chores;
pub mod deliveries;
pub mod desk;
pub mod going_live;
pub mod incidents;
pub mod jobs;
mod kept;
pub mod mail;
mod office;
pub mod onboarding;
pub mod organisation;
pub mod paper;
pub mod payments;
pub mod people;
pub mod prepaid;
pub mod privacy;
mod problem;
mod replay;
pub mod requests;
pub mod status;
pub mod tickets;
pub mod traffic;
mod trail;
mod work;

pub use actor::Actor;
pub use chores::{Chore, LEASE, chores, lease_chores, release_chores};
pub use kept::{Cursor, Kept, Page, PageRequest, key, unique};
pub use office::{BillingSettings, Office, OfficeSettings, PeopleSettings, SubjectStores};
pub use problem::{Problem, Unproven};
pub use replay::Replay;
pub use trail::{TRAIL_ROWS_MAX, trail};
pub use work::Work;
