//! Going live over HTTP: requests, the terms, and scripted runs.
//!
//! Owns the endpoints of all three, a file each. Must never tell the nonce of a run, or a secret in an answer that can
//! be asked for again.

mod requests;
mod runs;
pub(super) mod terms;

use laini_core::partner::{May, MemberRole, StaffRole};
use laini_wire::office::going_live as wire;

use super::Noun;
use crate::openapi::{Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "going live",
    description: "The way of a production app from a request to its credentials.",
    endpoints: || {
        let groups = [requests::endpoints(), terms::endpoints(), runs::endpoints()];
        groups.into_iter().flatten().collect()
    },
    schemas,
};

/// Who prepares an app for going live.
const PREPARES: May = May { members: &[MemberRole::Owner, MemberRole::Developer], staff: &[] };
/// Who decides about it.
const DECIDES: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Onboarding] };

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<wire::TermsAnswer>(&mut schemas);
    collect::<wire::AcceptTermsRequest>(&mut schemas);
    collect::<wire::TermsAcceptedAnswer>(&mut schemas);
    collect::<wire::GoLiveRequest>(&mut schemas);
    collect::<wire::ChangeGoLiveRequest>(&mut schemas);
    collect::<wire::GoLiveCommentRequest>(&mut schemas);
    collect::<wire::GoLiveAnswer>(&mut schemas);
    collect::<wire::GoLivesAnswer>(&mut schemas);
    collect::<wire::BeginRunRequest>(&mut schemas);
    collect::<wire::EchoRequest>(&mut schemas);
    collect::<wire::ScriptedRunAnswer>(&mut schemas);
    schemas
}
