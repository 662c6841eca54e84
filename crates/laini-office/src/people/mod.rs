//! People: who signs in, for whom, and as what.
//!
//! Owns persons, their sessions, and how they prove who they are. Must never keep a password, a session's secret or a
//! recovery code in a form that can be read, or tell a stranger whether an address is known.

mod person;
mod session;

pub use person::{Person, Seat};
pub use session::{Session, SessionProblem, authenticate, open_session};
