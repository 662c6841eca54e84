use laini_core::delivery::{Destination, Verdict, after_failure};
use laini_core::partner::{AppStatus, ResultAddress};
use laini_core::store::{Attempt, Delivery, DeliveryState};

use super::SignedMessage;
use super::worker::Worker;

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
    /// Too many attempts to the same host are under way: this one was not made.
    NotNow,
}

impl Worker {
    /// Makes one attempt at a delivery that this worker has leased.
    pub(super) async fn send(&self, delivery: Delivery) {
        let (id, made, attempts) = (delivery.id, delivery.at, delivery.attempts.saturating_add(1));
        let trace = self.traces.as_ref().and_then(|traces| traces.work("deliver", id.0));
        let ending = self.attempt(delivery).await;
        if let (Some(trace), Ending::Answered(status)) = (trace, &ending) {
            trace.note("http.response.status_code", i64::from(*status));
        }
        let at = self.clock.now();
        let failed = || after_failure(made, at, attempts, self.entropy.next_u64());
        let (status, problem, next) = match ending {
            Ending::Answered(status) => match Verdict::of(status) {
                Verdict::Delivered => (Some(status), String::new(), DeliveryState::Delivered),
                Verdict::Gone => (Some(status), "the receiver wants it no more".to_owned(), DeliveryState::Dead),
                Verdict::Failed => (Some(status), format!("the receiver answered {status}"), failed()),
            },
            Ending::Failed(problem) => (None, problem, failed()),
            Ending::Hopeless(problem) => (None, problem.to_owned(), DeliveryState::Dead),
            // Its lease ends, and then it is taken again.
            Ending::NotNow => return,
        };
        if next == DeliveryState::Dead {
            tracing::warn!(delivery = %id.0.request_ref(), problem, "a delivery was given up");
        }
        if let Err(error) = self.deliveries.outbox.settle(id, Attempt { at, status, problem }, next).await {
            // It is leased again and delivered once more: at least once.
            tracing::error!(delivery = %id.0.request_ref(), %error, "the end of an attempt was not noted");
        }
    }

    async fn attempt(&self, delivery: Delivery) -> Ending {
        let app = self.accounts.current().app(delivery.app).cloned();
        let Some(app) = app.filter(|app| app.app.status != AppStatus::Revoked) else {
            return Ending::Hopeless("the app was revoked");
        };
        let Some(address) = app.result_addresses.iter().find(|address| address.id == delivery.address) else {
            return Ending::Hopeless("the result address was removed");
        };
        let body = match String::from_utf8(delivery.body) {
            Ok(body) if !body.is_empty() => body,
            _ => return Ending::Hopeless("its body was forgotten"),
        };
        let message = SignedMessage::sign(&self.keys, address, self.clock.now(), delivery.id.0.request_ref(), body);
        self.transmit(address, message).await
    }

    async fn transmit(&self, address: &ResultAddress, message: SignedMessage) -> Ending {
        let Some(outbound) = &self.outbound else {
            return Ending::Failed("outbound HTTPS could not be set up when this server started".to_owned());
        };
        match Destination::parse(&address.url, outbound.reach()) {
            Ok(Destination::Listener) => match self.deliveries.listeners.hand_over(address.app, message).await {
                Ok(status) => Ending::Answered(status),
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
