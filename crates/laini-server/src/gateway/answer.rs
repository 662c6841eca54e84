use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::HeaderValue;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::billing::{CheckId, PriceStamp};
use laini_core::disclosure::{FactSet, Facts, RegistrationFact, SwapFact, UnknownReason, Windows};
use laini_core::line::{Msisdn, MsisdnError};
use laini_core::partner::{AppProfile, Product};
use laini_core::store::{AskedAs, Recorded, Submission};
use laini_wire::check::{
    CheckRequest, CheckRequestError, NO_SWAP_DATE, NO_SWAP_DATE_TIME, OLDER_TEXT_END, OLDER_TEXT_START,
};
use laini_wire::header as word;

use super::accept::ToAccept;
use super::admit::Admitted;
use super::check::{Examined, Finding, Question};
use super::header;
use super::keyed::{Begun, Held, Kept};
use super::limits::{Ask, Permit};
use super::refusals::Called;
use super::{Gateway, dates, ledger_failed, registry_failed};
use crate::http::{ApiError, Context, NumberHint, ResultAddressProblem, caller_repeat_id, json_bytes, read_json};
use crate::{Capability, Settings};

/// What a published path answers, as the endpoints put it into words.
pub(super) struct Answer {
    pub(super) request_ref: String,
    /// For [`Product::Imsi`] alone.
    pub(super) imsi: Option<String>,
    pub(super) msisdn: Msisdn,
    facts: Facts,
    windows: Windows,
    as_of: Option<Timestamp>,
    profile: AppProfile,
    zone: TimeZone,
}

/// One of the published paths.
#[derive(Clone, Copy)]
pub(super) struct Endpoint {
    pub(super) path: &'static str,
    pub(super) product: Product,
    /// Writes the body.
    pub(super) render: fn(&Answer) -> Vec<u8>,
}

/// One request on its way through.
struct Asked<'a> {
    gateway: &'a Gateway,
    context: &'a Context,
    headers: &'a HeaderMap,
    admitted: &'a Admitted,
    endpoint: Endpoint,
    settings: &'a Settings,
}

/// Answers one request on a published path, whatever comes of it.
pub(super) async fn answer(gateway: &Gateway, context: Context, request: Request, endpoint: Endpoint) -> Response {
    let (parts, body) = request.into_parts();
    let admitted = match gateway.admit(&parts.headers, endpoint.product, &context) {
        Ok(admitted) => admitted,
        Err(error) => {
            let response = context.refuse(error);
            gateway.note_turned_away(&parts.headers, called(&context, endpoint, None), &response);
            return response;
        }
    };
    let settings = &*gateway.settings.current();
    let asked = Asked { gateway, context: &context, headers: &parts.headers, admitted: &admitted, endpoint, settings };
    let (answered, msisdn) = match asked.read(body).await {
        Ok(read) => {
            let msisdn = read.0;
            (asked.answer(read).await, Some(msisdn))
        }
        Err(error) => (Err(error), None),
    };
    let mut response = answered.unwrap_or_else(|error| context.refuse(error));
    let app = &admitted.app;
    gateway.note_answer(app, called(&context, endpoint, msisdn), &response);
    response.headers_mut().insert(header::ENVIRONMENT, header::environment(app.app.environment));
    gateway.limits.describe(app, endpoint.product, response.headers_mut());
    gateway.seen(app, &context, &response);
    response
}

impl Asked<'_> {
    /// The number, and where the result goes instead of into the answer.
    async fn read(&self, body: Body) -> Result<(Msisdn, Option<String>), ApiError> {
        self.gateway.settings.offers(capability(self.endpoint.product))?;
        let body = read_json(self.headers, body, self.context, &self.settings.limits).await?;
        parse(self.settings, &body)
    }

    async fn answer(&self, (msisdn, result_url): (Msisdn, Option<String>)) -> Result<Response, ApiError> {
        let Self { gateway, context, .. } = *self;
        let held = match gateway
            .begin(context, &self.admitted.app, self.endpoint.path, self.headers, || {
                canonical(msisdn, result_url.as_deref())
            })
            .await?
        {
            Begun::Unkeyed => None,
            Begun::Held(held) => Some(held),
            Begun::Answered(kept) => return self.tell_again(msisdn, kept).await,
        };
        let ask = Ask {
            app: &self.admitted.app,
            product: self.endpoint.product,
            unit: self.admitted.price.list,
            at: context.at,
        };
        gateway.suffer(&self.admitted.app, msisdn, context).await?;
        let permit = gateway.limits.admit(&ask, &[msisdn], &self.settings.zone).await?;
        let repeat_id = caller_repeat_id(self.headers).map(HeaderValue::as_bytes);
        if let Some(result_url) = &result_url {
            let app = &self.admitted.app;
            let asked = ToAccept {
                context,
                app,
                product: self.endpoint.product,
                asked: AskedAs::Published,
                msisdn,
                purpose: app.app.purpose,
                reference: None,
                repeat_id,
                result_url,
            };
            return gateway.accept(asked, permit, held).await;
        }
        let question = Question::published(
            (context.id, context.at, context.deadline),
            (&self.admitted.app, self.admitted.price, self.endpoint.product),
            msisdn,
            repeat_id,
            self.settings,
        );
        let examined = gateway.examine(&question).await.map_err(|error| registry_failed(&error))?;
        match (examined.finding(), held) {
            (Finding::Facts(facts), Some(held)) => self.tell_and_keep(msisdn, facts, examined, held, permit).await,
            (finding, _) => self.tell(msisdn, finding, examined, permit).await,
        }
    }

    /// The answer that the key was given, unless the number is restricted since.
    async fn tell_again(&self, msisdn: Msisdn, kept: Kept) -> Result<Response, ApiError> {
        let (environment, deadline) = (self.admitted.app.app.environment, self.context.deadline);
        let withheld = self.gateway.withheld_since(environment, &[msisdn], deadline).await;
        let withheld = withheld.map_err(|error| registry_failed(&error))?;
        if withheld.is_empty() { Ok(kept.replay()) } else { Err(ApiError::Withheld) }
    }

    /// Records the check and tells what was found.
    async fn tell(
        &self,
        msisdn: Msisdn,
        finding: Finding,
        examined: Examined,
        mut permit: Permit<'_>,
    ) -> Result<Response, ApiError> {
        let Self { gateway, context, endpoint, .. } = *self;
        let Examined { draft, told, as_of } = examined;
        let windows = told.windows;
        let recorded = gateway.record(draft, context.deadline).await;
        let recorded = recorded.map_err(|error| ledger_failed(&error))?;
        permit.note(recorded);
        gateway.note_time(&self.admitted.app, context, &[recorded]);
        let mut response = match finding {
            Finding::Facts(facts) => {
                let imsi = told.sim.map(|sim| sim.pseudonym);
                let answer = self.words(msisdn, facts, imsi, (windows, as_of));
                let mut response = json_bytes((endpoint.render)(&answer));
                let headers = response.headers_mut();
                headers.insert(header::CHARGE, header::charge(recorded.charge, self.admitted.price));
                header::describe(headers, answer.swap_word(endpoint.product), windows, as_of);
                return Ok(response);
            }
            Finding::NotServed => context.refuse(ApiError::NotServed),
            Finding::Withheld => context.refuse(ApiError::Withheld),
            Finding::Unknown(UnknownReason::StaleFeed) => context.refuse(ApiError::RegistryStale),
            Finding::Unknown(UnknownReason::NoHistory | UnknownReason::SourceRejected) => {
                context.refuse(ApiError::RegistryIncomplete)
            }
        };
        let swap = FactSet::of(endpoint.product).contains(FactSet::SWAP).then_some(word::UNKNOWN);
        header::describe(response.headers_mut(), swap, windows, as_of);
        Ok(response)
    }

    /// As [`Asked::tell`], with the answer stored under the caller's key in the transaction of the row.
    async fn tell_and_keep(
        &self,
        msisdn: Msisdn,
        facts: Facts,
        examined: Examined,
        held: Held,
        mut permit: Permit<'_>,
    ) -> Result<Response, ApiError> {
        let Self { gateway, context, endpoint, .. } = *self;
        let Examined { draft, told, as_of } = examined;
        let answer = self.words(msisdn, facts, told.sim.map(|sim| sim.pseudonym), (told.windows, as_of));
        let price = self.admitted.price;
        let write = move |recorded: &[Recorded]| answer.keep(endpoint, recorded, price);
        let submission = Submission { drafts: vec![draft], ..Submission::default() };
        let (recorded, response) = gateway.submit_keyed(submission, held, context.deadline, write).await?;
        let recorded = recorded.unwrap_or_default();
        permit.note_all(&recorded);
        gateway.note_time(&self.admitted.app, context, &recorded);
        Ok(response)
    }

    fn words(
        &self,
        msisdn: Msisdn,
        facts: Facts,
        imsi: Option<String>,
        (windows, as_of): (Windows, Option<Timestamp>),
    ) -> Answer {
        let about = (self.context.id, msisdn, self.admitted.app.app.profile);
        Answer::new(about, (facts, imsi), (windows, as_of), &self.settings.zone)
    }
}

fn called(context: &Context, endpoint: Endpoint, msisdn: Option<Msisdn>) -> Called<'_> {
    Called { context, path: endpoint.path, product: Some(endpoint.product), msisdn }
}

fn capability(product: Product) -> Capability {
    match product {
        Product::Imsi => Capability::Imsi,
        Product::Swap => Capability::Swap,
        Product::Age => Capability::Age,
    }
}

/// The one form of a request for a published path: however the number was written, it is the same one.
fn canonical(msisdn: Msisdn, result_url: Option<&str>) -> Vec<u8> {
    let mut form = msisdn.as_u64().to_be_bytes().to_vec();
    form.extend_from_slice(result_url.unwrap_or_default().as_bytes());
    form
}

/// The number, and where the result goes instead of into the answer.
fn parse(settings: &Settings, body: &[u8]) -> Result<(Msisdn, Option<String>), ApiError> {
    let request = CheckRequest::parse(body).map_err(|error| match error {
        CheckRequestError::NotAnObject => ApiError::InvalidPayload,
        CheckRequestError::Missing | CheckRequestError::WrongType => ApiError::InvalidNumber(NumberHint::None),
        CheckRequestError::WrongName { found } => ApiError::InvalidNumber(NumberHint::WrongName(found)),
        CheckRequestError::ResultUrlWrongType => ApiError::ResultAddress(ResultAddressProblem::NotText),
    })?;
    let msisdn = settings.plan.parse(&request.customer_number).map_err(|error| {
        ApiError::InvalidNumber(match error {
            MsisdnError::Malformed { suggestion: Some(meant) } => NumberHint::DidYouMean(meant.digits()),
            MsisdnError::Empty | MsisdnError::Malformed { suggestion: None } => NumberHint::None,
        })
    })?;
    Ok((msisdn, request.result_url))
}

impl Answer {
    pub(super) fn new(
        (id, msisdn, profile): (CheckId, Msisdn, AppProfile),
        (facts, imsi): (Facts, Option<String>),
        (windows, as_of): (Windows, Option<Timestamp>),
        zone: &TimeZone,
    ) -> Self {
        Self { request_ref: id.request_ref(), imsi, msisdn, facts, windows, as_of, profile, zone: zone.clone() }
    }

    fn keep(&self, endpoint: Endpoint, recorded: &[Recorded], price: PriceStamp) -> Kept {
        let mut headers = HeaderMap::new();
        header::describe(&mut headers, self.swap_word(endpoint.product), self.windows, self.as_of);
        if let Some(recorded) = recorded.first() {
            headers.insert(header::CHARGE, header::charge(recorded.charge, price));
        }
        Kept::new(&headers, (endpoint.render)(self))
    }

    /// What the swap header says; nobody learns of a swap who asked for an age.
    pub(super) fn swap_word(&self, product: Product) -> Option<&'static str> {
        (product != Product::Age).then_some(match self.facts.swap {
            SwapFact::Swapped(_) => word::SWAPPED,
            SwapFact::NotSwapped => word::NOT_SWAPPED,
            SwapFact::Unknown(_) => word::UNKNOWN,
        })
    }

    /// `lastSwapDate`, in `product`'s own form unless the app's profile chose the other.
    pub(super) fn last_swap_date(&self, product: Product) -> Cow<'static, str> {
        let with_time = product == Product::Swap;
        match self.facts.swap {
            SwapFact::Swapped(swap) if with_time => dates::minute(swap.at, &self.zone).into(),
            SwapFact::Swapped(swap) => dates::day(swap.at, &self.zone).into(),
            SwapFact::NotSwapped | SwapFact::Unknown(_) => {
                let with_time = self.profile.sentinel_with_time.unwrap_or(with_time);
                if with_time { NO_SWAP_DATE_TIME.into() } else { NO_SWAP_DATE.into() }
            }
        }
    }

    /// `msisdnRegistrationDate`.
    pub(super) fn registration_date(&self) -> String {
        match self.facts.registration {
            RegistrationFact::Within(at) => dates::day(at, &self.zone),
            RegistrationFact::Older | RegistrationFact::Unknown(_) => {
                format!("{OLDER_TEXT_START}{}{OLDER_TEXT_END}", self.windows.registration.in_words())
            }
        }
    }
}
