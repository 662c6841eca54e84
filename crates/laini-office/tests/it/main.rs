//! The office on the engine that ships: real files, hand-held instants, counted randomness.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod activity;
mod agreements;
mod billing;
mod call_times;
mod chores;
mod desk;
mod desk_batch;
mod desk_guards;
mod figures;
mod incidents;
mod made;
mod mail;
mod month_so_far;
mod partners;
mod payments;
mod people;
mod prepaid_standing;
mod privacy;
mod privacy_orders;
mod registration;
mod requests;
mod roster;
mod rows;
mod sign_on;
mod status;
mod tickets;
mod traffic;
mod trail;
