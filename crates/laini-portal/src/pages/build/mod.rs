//! The workspace of a partner's developers.
//!
//! Owns the pages of apps and keys, the simulator, the log of requests, the webhooks, and of incidents. Must never show a
//! secret twice, or a number of somebody's other than masked.

mod app;
mod apps;
mod delivery;
mod incidents;
mod own_lines;
mod request;
mod requests;
mod saved_test;
mod simulator;
mod simulator_state;
mod webhook;
mod webhooks;
mod world_track;

use laini_core::partner::{May, MemberRole};

pub(super) use requests::is_documented;

use crate::page::{Access, Page};
use crate::visit::Visit;

/// Every member looks,
const LOOKS: Access = Access::SignedIn(May::MEMBERS);
/// and these change apps.
const BUILDS: Access = Access::SignedIn(May { members: &[MemberRole::Owner, MemberRole::Developer], staff: &[] });

/// Whether whoever looks changes apps.
fn may_build(visit: &Visit) -> bool {
    matches!(BUILDS, Access::SignedIn(may) if visit.actor().is_allowed(&may))
}

pub(super) fn pages() -> Vec<Page> {
    [
        apps::pages(),
        app::pages(),
        simulator::pages(),
        requests::pages(),
        webhooks::pages(),
        webhook::pages(),
        delivery::pages(),
        incidents::pages(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
