//! laini end to end: the real binary, real files, real sockets, real signals.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod accounts;
mod backup;
mod bank;
mod beside;
mod canaries;
mod collector;
mod commands;
mod control;
mod crash_import;
mod database_trouble;
mod delivery;
mod disk;
mod doctor;
mod extract;
mod failover;
mod feed;
mod feed_http;
mod flood;
mod idempotency;
mod kill;
mod load;
mod logs;
mod metrics;
mod noon;
mod one_server;
mod packaging;
mod partition;
mod payments;
mod people;
mod pooler;
mod receiver;
mod reload;
mod retention;
mod revocation;
mod rolling;
mod running;
mod sandbox_worlds;
mod serving;
mod shadow;
mod shutdown;
mod store_copy;
mod suspension;
mod traces;
mod upstream;
