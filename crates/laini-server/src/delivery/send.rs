use std::sync::Arc;

use laini_core::delivery::{Destination, Verdict, after_failure};
use laini_core::partner::{Accounts, AppStatus, AppView, ResultAddress};
use laini_core::store::{Attempt, Delivery, DeliveryKind, DeliveryState};

use super::SignedMessage;
use super::listeners::ListenError;
use super::worker::Worker;
use crate::gateway::Retell;

/// Deliveries under way to one host and port.
pub(super) const PER_HOST_MAX: usize = 16;

/// How one attempt ended, before it is decided what comes next.
enum Ending {
    /// The receiver answered with this status.
    Answered(u16),
    /// It did not; a later attempt may do better.
    Failed(String),
    /// No attempt ever will.
    Hopeless(&'static str),
    /// It goes to the app's own listener, and nobody listened.
    Unheard,
    /// This attempt was not made; its lease ends, and then it is taken again.
    NotNow,
}

impl Worker {
    /// Makes one attempt at a delivery that this worker has leased.
    pub(super) async fn send(&self, delivery: Delivery) {
        let (id, app, made, attempts) = (delivery.id, delivery.app, delivery.at, delivery.attempts.saturating_add(1));
        let trace = self.traces.as_ref().and_then(|traces| traces.work("deliver", id.0));
        let ending = self.attempt(delivery).await;
        if let (Some(trace), Ending::Answered(status)) = (trace, &ending) {
            trace.note("http.response.status_code", i64::from(*status));
        }
        let at = self.clock.now();
        let was_unheard = matches!(ending, Ending::Unheard);
        let failed = || after_failure(made, at, attempts, self.entropy.next_u64());
        let (status, problem, next) = match ending {
            Ending::Answered(status) => match Verdict::of(status) {
                Verdict::Delivered => (Some(status), String::new(), DeliveryState::Delivered),
                Verdict::Gone => (Some(status), "the receiver wants it no more".to_owned(), DeliveryState::Dead),
                Verdict::Failed => (Some(status), format!("the receiver answered {status}"), failed()),
            },
            Ending::Failed(problem) => (None, problem, failed()),
            Ending::Unheard => (None, ListenError::Nobody.to_string(), failed()),
            Ending::Hopeless(problem) => (None, problem.to_owned(), DeliveryState::Dead),
            Ending::NotNow => return,
        };
        if next == DeliveryState::Dead {
            tracing::warn!(delivery = %id.0.request_ref(), problem, "a delivery was given up");
        }
        let outbox = &self.deliveries.outbox;
        let mut settled = outbox.settle(id, Attempt { at, status, problem }, next).await;
        // Who came to listen meanwhile made due what had failed already, not this.
        if settled.is_ok() && was_unheard && self.deliveries.listeners.is_present(app) {
            settled = outbox.redeliver(id, at).await.map(|_| ());
            self.deliveries.sends_came.notify_one();
        }
        if let Err(error) = settled {
            // It is leased again and delivered once more: at least once.
            tracing::error!(delivery = %id.0.request_ref(), %error, "the end of an attempt was not noted");
        }
    }

    async fn attempt(&self, delivery: Delivery) -> Ending {
        let (app, address) = match self.address(&delivery).await {
            Ok(found) => found,
            Err(ending) => return ending,
        };
        if let Some(ending) = self.kept_back(&app, &delivery).await {
            return ending;
        }
        let body = match String::from_utf8(delivery.body) {
            Ok(body) if !body.is_empty() => body,
            _ => return Ending::Hopeless("its body was forgotten"),
        };
        let message = SignedMessage::sign(&self.keys, &address, self.clock.now(), delivery.id.0.request_ref(), body);
        self.transmit(&address, message).await
    }

    /// Where `delivery` goes. An address that the picture of the accounts lacks may be newer than the picture.
    async fn address(&self, delivery: &Delivery) -> Result<(Arc<AppView>, ResultAddress), Ending> {
        if let Ok(found) = registered(&self.accounts.current(), delivery) {
            return Ok(found);
        }
        if let Err(error) = self.accounts.refresh().await {
            tracing::warn!(%error, "the accounts cannot be read; a delivery waits");
            return Err(Ending::NotNow);
        }
        registered(&self.accounts.current(), delivery).map_err(Ending::Hopeless)
    }

    /// Why a result does not leave now, or never: asked before each attempt, for much can happen between two. Warnings
    /// and news tell of nobody's line.
    async fn kept_back(&self, app: &AppView, delivery: &Delivery) -> Option<Ending> {
        if delivery.kind != DeliveryKind::Result {
            return None;
        }
        match self.gateway.may_retell(app, delivery.id.0).await {
            Retell::May => None,
            Retell::Suspended(why) => Some(Ending::Failed(why.to_owned())),
            Retell::Unknown => Some(Ending::Failed("whether it may be told still could not be found out".to_owned())),
            Retell::Withheld => Some(Ending::Hopeless("its number was restricted, so its result is not told any more")),
        }
    }

    async fn transmit(&self, address: &ResultAddress, message: SignedMessage) -> Ending {
        let Some(outbound) = &self.outbound else {
            return Ending::Failed("outbound HTTPS could not be set up when this server started".to_owned());
        };
        match Destination::parse(&address.url, outbound.reach()) {
            Ok(Destination::Listener) => match self.deliveries.listeners.hand_over(address.app, message).await {
                Ok(status) => Ending::Answered(status),
                Err(ListenError::Nobody) => Ending::Unheard,
                Err(error) => Ending::Failed(error.to_string()),
            },
            Ok(Destination::Web(url)) => {
                let Some(_place) = self.hosts.enter(url.authority()) else { return Ending::NotNow };
                match outbound.send(&url, &message).await {
                    Ok(status) => Ending::Answered(status),
                    Err(error) => Ending::Failed(error.to_string()),
                }
            }
            Err(error) => Ending::Failed(format!("its address is refused: {error}")),
        }
    }
}

/// The app and the address of `delivery`, or why it has none any more.
fn registered(accounts: &Accounts, delivery: &Delivery) -> Result<(Arc<AppView>, ResultAddress), &'static str> {
    let app = accounts.app(delivery.app).filter(|app| app.app.status != AppStatus::Revoked);
    let app = app.ok_or("the app was revoked")?;
    let address = app.result_addresses.iter().find(|address| address.id == delivery.address);
    let address = address.cloned().ok_or("the result address was removed")?;
    Ok((Arc::clone(app), address))
}
