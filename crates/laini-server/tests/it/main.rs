//! The server over real HTTP on loopback, on in-memory ports.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod checks;
mod connections;
mod delivery;
mod errors;
mod explicit;
mod fakes;
mod faults;
mod idempotency;
mod limits;
mod listeners;
mod live_settings;
mod malformed;
mod no_feed;
mod office;
mod office_apps;
mod office_going_live;
mod office_invoices;
mod office_onboarding;
mod office_payments;
mod office_people;
mod office_privacy;
mod openapi;
mod operator;
mod outbound;
mod outbox;
mod overload;
mod permissions;
mod pki;
mod pocket;
mod prepaid;
mod readiness;
mod receiver;
mod restrictions;
mod sandbox;
mod shared_limits;
mod shutdown;
mod slow_peers;
mod tls;
mod tokens;
mod tokens_forged;
mod wire;
mod world;
mod world_api;
