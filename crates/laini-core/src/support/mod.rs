//! Support: what is said and counted when something goes wrong.
//!
//! Owns incidents and tickets as states with their moves, whom an incident reaches, how probes are counted and how long
//! calls took, and what a text that people write must not keep. Must never know who is told, or by what.

mod affected;
mod call_times;
mod component;
mod incident;
mod masked;
mod severity;
mod ticket;
mod uptime;

pub use affected::Affected;
pub use call_times::{CALL_TIME_BOUNDS, CallTimes};
pub use component::Component;
pub use incident::{IncidentRefusal, IncidentState};
pub use masked::{mask_msisdns, mask_numbers};
pub use severity::{AnswerTimes, Severity};
pub use ticket::{TicketRefusal, TicketState};
pub use uptime::{Health, Tally, unprobed};
