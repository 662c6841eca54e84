//! The desk over HTTP: batches, receipts and alarms, as a bank's people have them on their pages.
//!
//! Owns the endpoints of all three, a file each. Must never tell a whole number but where somebody uncovers it, start a
//! batch whose price nobody could have seen, or ask the API inside of a unit of work.

mod alarms;
mod batches;
mod checks;
mod words;

use laini_core::partner::{May, MemberRole};
use laini_office::desk::INVESTIGATES;
use laini_wire::office::ReasonRequest;
use laini_wire::office::desk as wire;

pub(super) use checks::before_check;

use super::Noun;
use crate::openapi::{Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "desk",
    description: "Look-ups by hand: one number, batches of them, receipts, alarms. For a partner's own people alone.",
    endpoints: || [batches::endpoints(), checks::endpoints(), alarms::endpoints()].into_iter().flatten().collect(),
    schemas,
};

/// Who is told of alarms.
const GUARDS: May = May { members: &[MemberRole::Owner], staff: &[] };

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<wire::NewDeskBatch>(&mut schemas);
    collect::<wire::StartDeskBatch>(&mut schemas);
    collect::<wire::DeskBatchAnswer>(&mut schemas);
    collect::<wire::DeskBatchesAnswer>(&mut schemas);
    collect::<wire::DeskRowsAnswer>(&mut schemas);
    collect::<wire::NewDeskCheck>(&mut schemas);
    collect::<wire::DeskCheckAnswer>(&mut schemas);
    collect::<wire::DeskChecksAnswer>(&mut schemas);
    collect::<wire::DeskNumberAnswer>(&mut schemas);
    collect::<wire::DeskAlarmAnswer>(&mut schemas);
    collect::<wire::DeskAlarmsAnswer>(&mut schemas);
    collect::<ReasonRequest>(&mut schemas);
    schemas
}
