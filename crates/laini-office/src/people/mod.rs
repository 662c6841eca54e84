//! People: who signs in, for whom, and as what.
//!
//! Owns persons, their sessions, and how they prove who they are. Must never keep a password, a session's secret or a
//! recovery code in a form that can be read, or tell a stranger whether an address is known.

mod attempts;
mod invitation;
mod notice;
mod once_token;
mod password;
mod person;
mod proof;
mod purge;
mod registration;
mod reset;
mod roster;
mod second_factor;
mod session;
mod set_password;
mod sign_in;
mod sign_on;

pub use once_token::{Issued, Purpose};
pub use password::PasswordHash;
pub use person::{Person, Seat};
pub use proof::{Proof, SecondFactor};
pub use purge::forget_what_is_over;
pub use registration::{Confirmation, Stranger, answer_registrations, confirm_registration, register};
pub use reset::{answer_reset_requests, ask_for_reset};
pub use roster::{
    Entry, Roster, disable, enable, find_person, invite, list_people, of_roster, reset, set_role, sign_out,
};
pub use second_factor::{BegunFactor, begin_factor, confirm_factor, remove_factor, renew_recovery_codes};
pub use session::{
    Session, SessionProblem, authenticate, end_session, end_sessions, list_sessions, open_session, session_of,
};
pub use set_password::{accept_invitation, change_password, complete_reset};
pub use sign_in::{SignIn, SignedIn, must_set_up_factor, sign_in};
pub use sign_on::{Begun, SignOn, Vouched, begin_sign_on, read_sign_on, sign_on};

pub(crate) use roster::named;
use session::end_session_of;
