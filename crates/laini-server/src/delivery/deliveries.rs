use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use laini_core::billing::{CheckIds, Money};
use laini_core::delivery::{Destination, LISTEN, Reach};
use laini_core::partner::{AppId, AppView, ResultAddress, ScriptedRunId};
use laini_core::store::{
    AcceptedCheck, AnswerWriter, DeliveryDraft, DeliveryId, DeliveryKind, DeliveryQuery, DeliveryState, LedgerError,
    Outbox,
};
use laini_office::incidents::{Incident, IncidentEvent};
use laini_wire::delivery::{BUDGET_WARNING, BudgetWarning, IncidentNotice, RunNonce, SCRIPTED_RUN};
use tokio::sync::Notify;

use super::listeners::Listeners;
use crate::Entropy;
use crate::http::{ResultAddressProblem, to_json};

/// How many deliveries are made due again when a listener comes.
const WAITING_FOR_LISTENER_MAX: usize = 200;

/// Asynchronous delivery as the endpoints see it: what they put into the outbox, and who listens.
pub(crate) struct Deliveries {
    pub(super) outbox: Arc<dyn Outbox>,
    reach: Reach,
    ids: Arc<CheckIds>,
    entropy: Arc<dyn Entropy>,
    pub(crate) listeners: Listeners,
    /// Told when checks were accepted.
    pub(crate) checks_came: Notify,
    /// Told when deliveries were put into the outbox.
    pub(super) sends_came: Notify,
}

impl Deliveries {
    /// `ids` is the mint of the whole server: deliveries and checks share one space of ids.
    pub(crate) fn new(outbox: Arc<dyn Outbox>, reach: Reach, ids: Arc<CheckIds>, entropy: Arc<dyn Entropy>) -> Self {
        let (checks_came, sends_came) = (Notify::new(), Notify::new());
        Self { outbox, reach, ids, entropy, listeners: Listeners::default(), checks_came, sends_came }
    }

    /// The proven address of `app` that a request names.
    pub(crate) fn address<'a>(&self, app: &'a AppView, url: &str) -> Result<&'a ResultAddress, ResultAddressProblem> {
        let asked = Destination::parse(url, self.reach).map_err(|_| ResultAddressProblem::NotRegistered)?;
        let registered = app.result_addresses.iter().find(|address| address.url == asked.as_str());
        let registered = registered.ok_or(ResultAddressProblem::NotRegistered)?;
        registered.proven.map(|_| registered).ok_or(ResultAddressProblem::NotProven)
    }

    /// Makes an accepted check durable that has no idempotency key.
    pub(crate) async fn accept(&self, check: AcceptedCheck) -> Result<(), LedgerError> {
        self.outbox.accept(check).await?;
        self.checks_came.notify_one();
        Ok(())
    }

    /// Warnings for every proven address of `app` that it spent `percent` of its month's budget.
    pub(crate) fn warnings(&self, app: &AppView, percent: u8, month: Money, at: Timestamp) -> Vec<DeliveryDraft> {
        let body = BudgetWarning {
            r#type: BUDGET_WARNING.into(),
            app: app.app.id.to_string().into(),
            percent,
            budget: month.to_string().into(),
            reached_at: format!("{at:.0}").into(),
        };
        let body = to_json(&body);
        let write: AnswerWriter = Arc::new(move |_| body.clone());
        let proven = app.result_addresses.iter().filter(|address| address.proven.is_some());
        let draft = |address: &ResultAddress| DeliveryDraft {
            id: DeliveryId(self.ids.mint(at, self.entropy.next_u64())),
            kind: DeliveryKind::BudgetWarning,
            app: app.app.id,
            address: address.id,
            at,
            write: Arc::clone(&write),
        };
        proven.map(draft).collect()
    }

    /// The nonce of a scripted run for each of `addresses` of `app`.
    pub(crate) fn nonces(
        &self,
        (app, addresses): (AppId, &[ResultAddress]),
        (run, nonce): (ScriptedRunId, &str),
        at: Timestamp,
    ) -> Vec<DeliveryDraft> {
        let (run, nonce) = (run.to_string(), Cow::Borrowed(nonce));
        let body = to_json(&RunNonce { r#type: SCRIPTED_RUN.into(), run: run.into(), nonce });
        let write: AnswerWriter = Arc::new(move |_| body.clone());
        let draft = |address: &ResultAddress| DeliveryDraft {
            id: DeliveryId(self.ids.mint(at, self.entropy.next_u64())),
            kind: DeliveryKind::ScriptedRun,
            app,
            address: address.id,
            at,
            write: Arc::clone(&write),
        };
        addresses.iter().filter(|address| address.proven.is_some()).map(draft).collect()
    }

    /// News of an incident for every proven address of `app`.
    pub(crate) fn incident_news(
        &self,
        app: &AppView,
        (event, incident): (&IncidentEvent, &Incident),
        at: Timestamp,
    ) -> Vec<DeliveryDraft> {
        let Some(update) = incident.updates.get(event.update.wrapping_sub(1)) else { return Vec::new() };
        let body = IncidentNotice {
            r#type: event.r#type().into(),
            incident: incident.id.to_string().into(),
            update: event.update as u64,
            title: incident.title.as_str().into(),
            severity: incident.severity.word().into(),
            state: update.state.word().into(),
            components: incident.components.iter().map(|component| component.word().into()).collect(),
            text: update.text.as_str().into(),
            started_at: format!("{:.0}", incident.started).into(),
            said_at: format!("{:.0}", update.at).into(),
        };
        let body = to_json(&body);
        let write: AnswerWriter = Arc::new(move |_| body.clone());
        let draft = |address: &ResultAddress| DeliveryDraft {
            id: DeliveryId(self.ids.mint(at, self.entropy.next_u64())),
            kind: DeliveryKind::Incident,
            app: app.app.id,
            address: address.id,
            at,
            write: Arc::clone(&write),
        };
        app.result_addresses.iter().filter(|address| address.proven.is_some()).map(draft).collect()
    }

    /// How far deliveries reach.
    pub(crate) fn reach(&self) -> Reach {
        self.reach
    }

    /// Puts deliveries that go with no charge into the outbox.
    pub(crate) async fn put(&self, drafts: Vec<DeliveryDraft>) -> Result<(), LedgerError> {
        for draft in drafts {
            self.outbox.put(draft).await?;
            self.sends_came.notify_one();
        }
        Ok(())
    }

    /// Notes that somebody listens for `app`; where nobody did, what waits for that is due at once.
    /// `false` = the app has no [`LISTEN`] address.
    pub(crate) async fn listener_came(&self, app: &AppView, now: Timestamp) -> Result<bool, LedgerError> {
        let Some(here) = app.result_addresses.iter().find(|address| address.url == LISTEN) else { return Ok(false) };
        if self.listeners.arrive(app.app.id) {
            return Ok(true);
        }
        let query = DeliveryQuery { app: Some(app.app.id), limit: WAITING_FOR_LISTENER_MAX, ..Default::default() };
        for delivery in self.outbox.deliveries(query).await? {
            if delivery.address == here.id && matches!(delivery.state, DeliveryState::Due(at) if at > now) {
                self.outbox.redeliver(delivery.id, now).await?;
            }
        }
        self.sends_came.notify_one();
        Ok(true)
    }
}
