use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use laini_core::access::KeyTree;
use laini_core::store::{AcceptedCheck, BoxFuture, LedgerError};
use tokio::sync::Notify;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::hosts::Hosts;
use super::{Deliveries, Outbound};
use crate::gateway::{Decided, Gateway};
use crate::http::AccountsPicture;
use crate::observe::{Traces, of_request};
use crate::{Clock, Entropy};

/// How often the outbox is looked into where nothing tells of news: what a command made due again, or
/// what another node put there.
const LOOK_EVERY_MS: u64 = 500;
/// Accepted checks that are decided at once.
const CHECKS_AT_ONCE: usize = 64;
/// Deliveries that are sent at once.
const SENDS_AT_ONCE: usize = 128;
/// Of these, to one result address.
const SENDS_PER_ADDRESS: usize = 8;
/// How long a check is leased: longer than deciding it may take. A check that could not be decided is
/// tried again when its lease has ended.
const CHECK_LEASE_MS: i64 = 10_000;
/// How long a delivery is leased: longer than an attempt may take, and than noting how it ended.
const DELIVERY_LEASE_MS: i64 = 15_000;
/// At the end of the server, what is under way may take so long to finish.
const FINISH_TIMEOUT_MS: u64 = 9_000;

/// Decides accepted checks and sends what waits in the outbox, for as long as the server runs. What a
/// crash interrupts is leased again later, so each delivery arrives at least once.
pub(crate) struct Worker {
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) gateway: Arc<Gateway>,
    /// `None` where outbound HTTPS could not be set up.
    pub(crate) outbound: Option<Outbound>,
    pub(crate) accounts: Arc<AccountsPicture>,
    pub(crate) keys: Arc<KeyTree>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) hosts: Hosts,
    pub(crate) traces: Option<Arc<Traces>>,
}

/// One of the two things that the worker does: what it takes from the outbox, and how many at once.
struct Line<'a> {
    at_once: usize,
    news: &'a Notify,
    name: &'static str,
}

impl Worker {
    /// Works until `stop` says so, then finishes what is under way.
    pub(crate) async fn run(self: Arc<Self>, stop: watch::Receiver<bool>) {
        let checks = Line { at_once: CHECKS_AT_ONCE, news: &self.deliveries.checks_came, name: "checks" };
        let sends = Line { at_once: SENDS_AT_ONCE, news: &self.deliveries.sends_came, name: "deliveries" };
        let decide = |check| {
            let worker = Arc::clone(&self);
            async move { worker.decide(&check).await }
        };
        let send = |delivery| {
            let worker = Arc::clone(&self);
            async move { worker.send(delivery).await }
        };
        let lease_checks = |room| {
            let now = self.clock.now();
            self.deliveries.outbox.lease_checks(now, later(now, CHECK_LEASE_MS), room)
        };
        let lease_sends = |room| {
            let now = self.clock.now();
            let until = later(now, DELIVERY_LEASE_MS);
            self.deliveries.outbox.lease_deliveries(now, until, room, SENDS_PER_ADDRESS)
        };
        tokio::join!(work(&checks, lease_checks, decide, stop.clone()), work(&sends, lease_sends, send, stop.clone()));
    }
}

impl Worker {
    async fn decide(&self, check: &AcceptedCheck) {
        let trace = self.traces.as_ref().and_then(|traces| traces.work("decide", check.id));
        let deciding = self.gateway.decide(check, self.clock.now());
        let put = match of_request(check.id, trace.as_ref(), deciding).await {
            Decided::Recorded => {
                self.deliveries.sends_came.notify_one();
                Ok(())
            }
            Decided::Refused(draft) => self.deliveries.put(vec![draft]).await,
            // It is tried again when its lease has ended.
            Decided::NotYet => Ok(()),
        };
        if let Err(error) = put {
            tracing::error!(check = %check.id.request_ref(), %error, "a refusal could not be put into the outbox");
        }
    }
}

fn later(now: Timestamp, ms: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX)
}

/// Takes what waits, as much as there is room for, and works it off side by side.
async fn work<'a, T, F: Future<Output = ()> + Send + 'static>(
    line: &Line<'_>,
    lease: impl Fn(usize) -> BoxFuture<'a, Result<Vec<T>, LedgerError>>,
    each: impl Fn(T) -> F,
    mut stop: watch::Receiver<bool>,
) {
    let mut under_way = JoinSet::new();
    let mut is_failing = false;
    while !*stop.borrow() {
        let room = line.at_once - under_way.len();
        let leased = if room == 0 { Ok(Vec::new()) } else { lease(room).await };
        match leased {
            Ok(leased) => {
                is_failing = false;
                for one in leased {
                    under_way.spawn(each(one));
                }
            }
            Err(error) if !is_failing => {
                is_failing = true;
                tracing::error!(%error, of = line.name, "the outbox cannot be read; trying again");
            }
            Err(_) => {}
        }
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = under_way.join_next() => while under_way.try_join_next().is_some() {},
            () = line.news.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)) => {}
        }
    }
    let finishing = async { while under_way.join_next().await.is_some() {} };
    // What is cut here is leased again by the next server.
    let _ = timeout(Duration::from_millis(FINISH_TIMEOUT_MS), finishing).await;
}
