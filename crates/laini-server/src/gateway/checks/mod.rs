//! `/v1/checks`: the answer that cannot be misread, for one number or a hundred.
//!
//! Owns how a request is understood ([`order`]) and how what was told is put into explicit words
//! ([`item`]). Must never answer an item before every record of its request is durable.

mod item;
mod order;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, try_join_all};
use jiff::SignedDuration;
use laini_core::billing::{Charge, CheckId, Money, Outcome};
use laini_core::disclosure::{Decision, Told};
use laini_core::line::Msisdn;
use laini_core::partner::AppView;
use laini_core::store::{AskedAs, FoundCheck, Recorded, Submission, Submitted};
use laini_wire::checks::{CHECKS_PATH, ChecksAnswer};

use super::accept::ToAccept;
use super::check::{Examined, Question};
use super::keyed::{Begun, Held, Kept};
use super::limits::{Ask, Permit};
use super::refusals::Called;
use super::{Gateway, GatewayState, header, ledger_failed, registry_failed};
use crate::http::{ApiError, Context, caller_repeat_id, json, read_json, to_json};
use crate::{Capability, Settings};
pub(super) use item::{Words, charged, withhold};
use order::Order;

/// Where one is told again.
const CHECK_PATH: &str = "/v1/checks/{id}";
/// For so long a check is told again.
const READABLE_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How many numbers of one request are looked up at a time: a registry over the network takes its time.
const LOOK_UPS_AT_ONCE: usize = 16;

/// `POST /v1/checks`: checks one number or several.
pub(super) async fn create_checks(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let app = match gateway.admit_app(&parts.headers, &context) {
        Ok(app) => app,
        Err(error) => {
            let response = context.refuse(error);
            gateway.note_turned_away(&parts.headers, called(&context, CHECKS_PATH, None), &response);
            return response;
        }
    };
    let settings = &*gateway.settings.current();
    let asked = Asked { gateway: &gateway, context: &context, headers: &parts.headers, app: &app, settings };
    let (answered, order) = match asked.read(body).await {
        Ok(order) => (asked.answer(&order).await, Some(order)),
        Err(error) => (Err(error), None),
    };
    let mut response = answered.unwrap_or_else(|error| context.refuse(error));
    gateway.note_answer(&app, called(&context, CHECKS_PATH, order.as_ref()), &response);
    response.headers_mut().insert(header::ENVIRONMENT, header::environment(app.app.environment));
    gateway.seen(&app, &context, &response);
    response
}

/// `GET /v1/checks/{requestRefID}`: what a check of the last 24 hours told, read again for free.
pub(super) async fn read_check(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let told_again = async {
        let app = gateway.admit_app(&headers, &context)?;
        gateway.settings.offers(Capability::Checks)?;
        // What is not even text is no id either.
        let id = id.ok().and_then(|Path(id)| CheckId::parse_request_ref(&id).ok()).ok_or(ApiError::NoSuchCheck)?;
        let found = gateway.ledger.find(id).await.map_err(|error| ledger_failed(&error))?;
        let found = found.ok_or(ApiError::NoSuchCheck)?;
        let mut response = gateway.tell_again(&context, &app, found).await?;
        response.headers_mut().insert(header::ENVIRONMENT, header::environment(app.app.environment));
        Ok(response)
    };
    let response = told_again.await.unwrap_or_else(|error: ApiError| context.refuse(error));
    gateway.note_turned_away(&headers, called(&context, CHECK_PATH, None), &response);
    response
}

fn called<'a>(context: &'a Context, path: &'static str, order: Option<&Order>) -> Called<'a> {
    let numbers = order.map(|order| order.numbers.as_slice()).unwrap_or_default();
    let msisdn = if let [only] = numbers { Some(*only) } else { None };
    Called { context, path, product: order.map(|order| order.product), msisdn }
}

impl Gateway {
    async fn tell_again(&self, context: &Context, app: &AppView, found: FoundCheck) -> Result<Response, ApiError> {
        let FoundCheck { row, subject, is_reversed, .. } = found;
        let is_theirs = row.app == app.app.id && row.outcome != Outcome::Reversal;
        let is_recent = context.at.duration_since(row.at) <= READABLE_FOR;
        let subject = subject.filter(|_| is_theirs && is_recent).ok_or(ApiError::NoSuchCheck)?;
        let mut told = Told::parse(&subject.facts).ok_or(ApiError::NoSuchCheck)?;
        let is_withheld = self.is_withheld_since(&row, &subject, context.deadline).await;
        if is_withheld.map_err(|error| registry_failed(&error))? {
            (told.decision, told.sim) = (Decision::Withheld, None);
        }
        let charge = match row.outcome.free_reason() {
            _ if is_reversed => item::charge(Money::new(0, row.charge.currency), Some("reversed")),
            Some(reason) => item::charge(row.charge, Some(reason.word())),
            None => item::charge(row.charge, None),
        };
        let settings = self.settings.current();
        let words = Words::new(app, context.at, &settings.zone);
        let item = words.item(row.id, subject.msisdn, &told, row.as_of, charge);
        Ok(json(StatusCode::OK, &item))
    }
}

/// One request on its way through.
struct Asked<'a> {
    gateway: &'a Gateway,
    context: &'a Context,
    headers: &'a HeaderMap,
    app: &'a Arc<AppView>,
    settings: &'a Settings,
}

impl Asked<'_> {
    async fn read(&self, body: Body) -> Result<Order, ApiError> {
        self.gateway.settings.offers(Capability::Checks)?;
        let body = read_json(self.headers, body, self.context, &self.settings.limits).await?;
        Order::read(&body, self.app, self.context.at, &self.settings.plan)
    }

    async fn answer(&self, order: &Order) -> Result<Response, ApiError> {
        let Self { gateway, context, .. } = *self;
        if order.dry_run {
            return Ok(json(StatusCode::OK, &item::quote(order)));
        }
        let held = match gateway.begin(context, self.app, CHECKS_PATH, self.headers, || order.canonical()).await? {
            Begun::Unkeyed => None,
            Begun::Held(held) => Some(held),
            Begun::Answered(kept) => {
                let (environment, deadline) = (self.app.app.environment, context.deadline);
                let withheld = gateway.withheld_since(environment, &order.numbers, deadline).await;
                let withheld = withheld.map_err(|error| registry_failed(&error))?;
                let kept = if withheld.is_empty() { kept } else { kept.withholding(&withheld) };
                return Ok(kept.replay());
            }
        };
        let ask = Ask { app: self.app, product: order.product, unit: order.price.list, at: context.at };
        for msisdn in &order.numbers {
            gateway.suffer(self.app, *msisdn, context).await?;
        }
        let permit = gateway.limits.admit(&ask, &order.numbers, &self.settings.zone).await?;
        if let (Some(result_url), [msisdn]) = (&order.result_url, &order.numbers[..]) {
            let asked = self.to_accept(order, *msisdn, result_url);
            return gateway.accept(asked, permit, held).await;
        }
        let examined = self.examine(order).await?;
        let mut response = self.record(order, examined, held, permit).await?;
        gateway.limits.describe(self.app, order.product, response.headers_mut());
        Ok(response)
    }

    fn to_accept<'a>(&'a self, order: &Order, msisdn: Msisdn, result_url: &'a str) -> ToAccept<'a> {
        ToAccept {
            context: self.context,
            app: self.app,
            product: order.product,
            asked: AskedAs::Explicit { facts: order.facts, expect: order.expect.clone() },
            msisdn,
            purpose: order.purpose,
            reference: order.reference.clone(),
            repeat_id: caller_repeat_id(self.headers).map(HeaderValue::as_bytes),
            result_url,
        }
    }

    /// Every number, in order.
    async fn examine(&self, order: &Order) -> Result<Vec<Examined>, ApiError> {
        let questions = order.numbers.iter().enumerate().map(|(place, msisdn)| {
            let id = if place == 0 { self.context.id } else { self.gateway.mint(self.context.at) };
            Question {
                id,
                at: self.context.at,
                app: self.app,
                price: order.price,
                product: order.product,
                facts: order.facts,
                msisdn: *msisdn,
                purpose: order.purpose,
                reference: order.reference.as_deref(),
                expect: order.expect.as_deref(),
                repeat_id: caller_repeat_id(self.headers).map(HeaderValue::as_bytes),
                deadline: self.context.deadline,
                settings: self.settings,
            }
        });
        // The ids are minted in order, before anything waits.
        let questions: Vec<Question<'_>> = questions.collect();
        let mut examined = Vec::with_capacity(questions.len());
        for some in questions.chunks(LOOK_UPS_AT_ONCE) {
            let looking: Vec<BoxFuture<'_, _>> =
                some.iter().map(|question| self.gateway.examine(question).boxed()).collect();
            examined.extend(try_join_all(looking).await.map_err(|error| registry_failed(&error))?);
        }
        Ok(examined)
    }

    /// Makes every record durable at once, with the answer under the caller's key, and tells it.
    async fn record(
        &self,
        order: &Order,
        examined: Vec<Examined>,
        held: Option<Held>,
        mut permit: Permit<'_>,
    ) -> Result<Response, ApiError> {
        let (mut drafts, mut told) = (Vec::with_capacity(examined.len()), Vec::with_capacity(examined.len()));
        for one in examined {
            told.push((one.draft.id, one.draft.subject.msisdn, one.told, one.as_of));
            drafts.push(one.draft);
        }
        let words = Words::new(self.app, self.context.at, &self.settings.zone);
        let price = order.price;
        let write = move |recorded: &[Recorded]| {
            let items = told.iter().zip(recorded).map(|((id, msisdn, told, as_of), recorded)| {
                words.item(*id, *msisdn, told, *as_of, item::charged(recorded.charge, price))
            });
            let body = to_json(&ChecksAnswer { checks: items.collect() });
            let mut headers = HeaderMap::new();
            headers.insert(header::CHARGE, header::charge(in_all(recorded, price.list), price));
            Kept::new(&headers, body)
        };
        let submission = Submission { drafts, ..Submission::default() };
        let Some(held) = held else {
            let submitted = self.gateway.submit(submission, self.context.deadline).await;
            let Submitted::Recorded(recorded, _) = submitted.map_err(|error| ledger_failed(&error))? else {
                return Err(ApiError::Internal);
            };
            permit.note_all(&recorded);
            self.gateway.note_time(self.app, self.context, &recorded);
            return Ok(write(&recorded).answer());
        };
        let (recorded, response) = self.gateway.submit_keyed(submission, held, self.context.deadline, write).await?;
        let recorded = recorded.unwrap_or_default();
        permit.note_all(&recorded);
        self.gateway.note_time(self.app, self.context, &recorded);
        Ok(response)
    }
}

/// What all of them cost together; where nothing is charged, why the first is free.
fn in_all(recorded: &[Recorded], unit: Money) -> Charge {
    let charged = recorded.iter().filter_map(|one| match one.charge {
        Charge::Charged(money) => Some(money.minor),
        Charge::Free(_) => None,
    });
    let minor: i64 = charged.fold(0, i64::saturating_add);
    match recorded.first() {
        Some(Recorded { charge: charge @ Charge::Free(_), .. }) if minor == 0 => *charge,
        _ => Charge::Charged(Money::new(minor, unit.currency)),
    }
}
