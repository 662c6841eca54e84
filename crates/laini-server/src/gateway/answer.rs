use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use jiff::tz::TimeZone;
use laini_core::billing::{Charge, PriceStamp};
use laini_core::disclosure::{Facts, RegistrationFact, SwapFact, UnknownReason, Windows};
use laini_core::line::{Msisdn, MsisdnError};
use laini_core::partner::{AppProfile, Environment, Product};
use laini_core::store::{LedgerError, RegistryError};
use laini_wire::check::{
    CheckRequest, CheckRequestError, NO_SWAP_DATE, NO_SWAP_DATE_TIME, OLDER_TEXT_END, OLDER_TEXT_START,
};
use laini_wire::header;

use super::admit::Admitted;
use super::check::{CheckFailure, Checked, Finding, Question};
use super::{Gateway, dates};
use crate::Settings;
use crate::http::{ApiError, Context, NumberHint, ResultAddressProblem, caller_repeat_id, read_json};

const SWAP: HeaderName = HeaderName::from_static(header::LAINI_SWAP);
const WINDOW: HeaderName = HeaderName::from_static(header::LAINI_WINDOW);
const AS_OF: HeaderName = HeaderName::from_static(header::LAINI_AS_OF);
const ENVIRONMENT: HeaderName = HeaderName::from_static(header::LAINI_ENVIRONMENT);
const CHARGE: HeaderName = HeaderName::from_static(header::LAINI_CHARGE);

/// Facts as the endpoints put them into words.
pub(super) struct Answer<'a> {
    pub(super) request_ref: String,
    /// For [`Product::Imsi`] alone.
    pub(super) imsi: Option<String>,
    pub(super) msisdn: Msisdn,
    facts: Facts,
    windows: Windows,
    profile: AppProfile,
    zone: &'a TimeZone,
}

/// Writes one product's body.
type Render = fn(&Answer<'_>) -> Response;

/// Answers one request for `product`, whatever comes of it.
pub(super) async fn answer(
    gateway: &Gateway,
    context: Context,
    request: Request,
    product: Product,
    render: Render,
) -> Response {
    let (parts, body) = request.into_parts();
    let admitted = match gateway.admit(&parts.headers, product, &context) {
        Ok(admitted) => admitted,
        Err(error) => return context.refuse(error),
    };
    let settings = &*gateway.settings.current();
    let asked = ask(gateway, &context, &parts.headers, body, &admitted, product, settings).await;
    let mut response = match asked {
        Ok((msisdn, checked)) => present(settings, &context, &admitted, product, msisdn, checked, render),
        Err(error) => context.refuse(error),
    };
    let environment = match admitted.app.app.environment {
        Environment::Sandbox => HeaderValue::from_static("sandbox"),
        Environment::Production => HeaderValue::from_static("production"),
    };
    response.headers_mut().insert(ENVIRONMENT, environment);
    response
}

async fn ask(
    gateway: &Gateway,
    context: &Context,
    headers: &HeaderMap,
    body: Body,
    admitted: &Admitted,
    product: Product,
    settings: &Settings,
) -> Result<(Msisdn, Checked), ApiError> {
    let body = read_json(headers, body, context, &settings.limits).await?;
    let msisdn = number(settings, &body)?;
    gateway.suffer(&admitted.app, msisdn, context).await?;
    let question = Question {
        id: context.id,
        at: context.at,
        app: &admitted.app,
        price: admitted.price,
        product,
        msisdn,
        request_id: caller_repeat_id(headers).map(HeaderValue::as_bytes),
        deadline: context.deadline,
        settings,
    };
    let checked = gateway.check(question).await.map_err(|failure| {
        // Shedding load is no failure of ours, and under overload there would be a line for each check.
        if !matches!(failure, CheckFailure::Ledger(LedgerError::Busy)) {
            tracing::error!(error = %failure, "a check failed");
        }
        as_api_error(&failure)
    })?;
    Ok((msisdn, checked))
}

fn number(settings: &Settings, body: &[u8]) -> Result<Msisdn, ApiError> {
    let request = CheckRequest::parse(body).map_err(|error| match error {
        CheckRequestError::NotAnObject => ApiError::InvalidPayload,
        CheckRequestError::Missing | CheckRequestError::WrongType => ApiError::InvalidNumber(NumberHint::None),
        CheckRequestError::WrongName { found } => ApiError::InvalidNumber(NumberHint::WrongName(found)),
        CheckRequestError::ResultUrlWrongType => ApiError::ResultAddress(ResultAddressProblem::NotText),
    })?;
    settings.plan.parse(&request.customer_number).map_err(|error| {
        ApiError::InvalidNumber(match error {
            MsisdnError::Malformed { suggestion: Some(meant) } => NumberHint::DidYouMean(meant.digits()),
            MsisdnError::Empty | MsisdnError::Malformed { suggestion: None } => NumberHint::None,
        })
    })
}

fn as_api_error(failure: &CheckFailure) -> ApiError {
    match failure {
        CheckFailure::Registry(RegistryError::Empty) => ApiError::RegistryIncomplete,
        CheckFailure::Registry(RegistryError::Bad(_)) => ApiError::RegistryBad,
        CheckFailure::Registry(RegistryError::Unavailable(_)) | CheckFailure::Ledger(LedgerError::Busy) => {
            ApiError::Unreachable
        }
        CheckFailure::Registry(RegistryError::TooSlow) => ApiError::RegistryTooSlow,
        CheckFailure::Ledger(LedgerError::NotRecorded(_)) => ApiError::NotRecorded,
        CheckFailure::Ledger(LedgerError::Unknown(_) | LedgerError::Unreadable(_)) => ApiError::NotConfirmed,
    }
}

/// The answer to a check whose record is durable, with the headers that say what its body cannot.
fn present(
    settings: &Settings,
    context: &Context,
    admitted: &Admitted,
    product: Product,
    msisdn: Msisdn,
    checked: Checked,
    render: Render,
) -> Response {
    let Checked { finding, charge, as_of, windows } = checked;
    let (mut response, swap) = match finding {
        Finding::Facts(facts, imsi) => {
            let answer = Answer {
                request_ref: context.id.request_ref(),
                imsi,
                msisdn,
                facts,
                windows,
                profile: admitted.app.app.profile,
                zone: &settings.zone,
            };
            let mut response = render(&answer);
            response.headers_mut().insert(CHARGE, charge_value(charge, admitted.price));
            (response, swap_word(facts.swap))
        }
        Finding::NotServed => (context.refuse(ApiError::NotServed), header::UNKNOWN),
        Finding::Withheld => (context.refuse(ApiError::Withheld), header::UNKNOWN),
        Finding::Unknown(UnknownReason::StaleFeed) => (context.refuse(ApiError::RegistryStale), header::UNKNOWN),
        Finding::Unknown(UnknownReason::NoHistory | UnknownReason::SourceRejected) => {
            (context.refuse(ApiError::RegistryIncomplete), header::UNKNOWN)
        }
    };
    let headers = response.headers_mut();
    // Nobody learns of a swap who asked for an age.
    if product != Product::Age {
        headers.insert(SWAP, HeaderValue::from_static(swap));
    }
    headers.insert(WINDOW, window_value(windows));
    if let Some(as_of) = as_of {
        // Whole seconds, rounded down: never newer than it is.
        headers.insert(AS_OF, value(format!("{as_of:.0}")));
    }
    response
}

fn swap_word(fact: SwapFact) -> &'static str {
    match fact {
        SwapFact::Swapped(_) => header::SWAPPED,
        SwapFact::NotSwapped => header::NOT_SWAPPED,
        SwapFact::Unknown(_) => header::UNKNOWN,
    }
}

fn charge_value(charge: Charge, price: PriceStamp) -> HeaderValue {
    match charge {
        Charge::Charged(money) if price.exact => value(money.to_string()),
        Charge::Charged(money) => value(format!("{money}; estimate")),
        Charge::Free(reason) => value(format!("none; reason={}", reason.word())),
    }
}

fn window_value(windows: Windows) -> HeaderValue {
    if windows == Windows::default() {
        return HeaderValue::from_static("swap=P3M, registration=P1Y");
    }
    value(format!("swap={}, registration={}", windows.swap, windows.registration))
}

/// Texts of our own making are always visible ASCII.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

impl Answer<'_> {
    /// `lastSwapDate`, in `product`'s own form unless the app's profile chose the other.
    pub(super) fn last_swap_date(&self, product: Product) -> Cow<'static, str> {
        let with_time = product == Product::Swap;
        match self.facts.swap {
            SwapFact::Swapped(swap) if with_time => dates::minute(swap.at, self.zone).into(),
            SwapFact::Swapped(swap) => dates::day(swap.at, self.zone).into(),
            SwapFact::NotSwapped | SwapFact::Unknown(_) => {
                let with_time = self.profile.sentinel_with_time.unwrap_or(with_time);
                if with_time { NO_SWAP_DATE_TIME.into() } else { NO_SWAP_DATE.into() }
            }
        }
    }

    /// `msisdnRegistrationDate`.
    pub(super) fn registration_date(&self) -> String {
        match self.facts.registration {
            RegistrationFact::Within(at) => dates::day(at, self.zone),
            RegistrationFact::Older | RegistrationFact::Unknown(_) => {
                format!("{OLDER_TEXT_START}{}{OLDER_TEXT_END}", self.windows.registration.in_words())
            }
        }
    }
}
