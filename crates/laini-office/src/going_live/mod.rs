//! Going live: the way of a production app from a request to its credentials.
//!
//! Owns requests, their checklist, the terms and who accepted them, and scripted runs with their evidence. Must never
//! issue credentials past the state machine of laini-core, believe a partner about a run, or show a secret twice.

mod checklist;
mod request;
mod run;
mod terms;

pub use checklist::{CheckedItem, checklist};
pub use request::{
    GoLive, GoLivePatch, Stage, approve, change_request, collect, request_go_live, return_request, submit, the_request,
    withdraw,
};
pub use run::{
    RunEvidence, RunningScript, ScriptedRun, StepReport, begin_run, echo_nonce, judge, note_sent, running, the_run,
};
pub(crate) use terms::keep_acceptance;
pub use terms::{TERMS_VERSION, Terms, TermsAcceptance, accept_terms, accepted_by, are_in_force, terms};
