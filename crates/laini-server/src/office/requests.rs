//! The calls of a partner's apps, one by one: those that were recorded, and those that failed.

use axum::http::Method;
use jiff::Timestamp;
use laini_core::billing::{CheckId, Outcome};
use laini_core::partner::AppId;
use laini_core::store::RefusalCause;
use laini_office::requests::{self, About, Answered, Request, RequestFilter, RequestsPage};
use laini_office::{PageRequest, Problem, Work};
use laini_wire::office::requests::{
    OpenedRequestAnswer, RequestAnswer, RequestCause, RequestCausesAnswer, RequestFailure, RequestStep, RequestsAnswer,
    SearchRequestsRequest,
};
use serde_json::{Value, json};

use super::described::{LOOKERS, asking, in_query, operation, paged, refusing, taking};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "requests",
    description: "The calls of a partner's apps: what came of each, and why one failed.",
    endpoints: || {
        vec![
            Endpoint::new(list_requests_operation(), list_requests),
            Endpoint::new(search_requests_operation(), search_requests),
            Endpoint::new(show_request_operation(), show_request),
            Endpoint::new(list_request_causes_operation(), list_request_causes),
        ]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<RequestsAnswer>(&mut schemas);
    collect::<SearchRequestsRequest>(&mut schemas);
    collect::<OpenedRequestAnswer>(&mut schemas);
    collect::<RequestCausesAnswer>(&mut schemas);
    schemas
}

fn example() -> Value {
    json!({
        "request_ref_id": "971f-4359-b611-6845a1be45ef280786", "at": "2026-11-22T09:00:00Z",
        "app": "0000000000000004", "environment": "sandbox", "product": "imsi", "number": "254******054",
        "status": 429,
        "failure": {
            "path": "/imsi/v1/checkATI", "error_code": "500.003.02",
            "error_message": "Error Occurred: Spike Arrest Violation", "stage": "limits", "micros": 312,
        },
        "outcome": null, "charge_minor": 0, "currency": null, "as_of": null,
    })
}

/// The operation, with the filters of calls.
fn filtered(operation: Operation) -> Operation {
    let word = |words: &[&str]| json!({"type": "string", "enum": words});
    let instant = || json!({"type": "string", "format": "date-time"});
    let filters = [
        in_query("app", "Only calls of this app.", json!({"type": "string", "pattern": "^[0-9a-f]{16}$"})),
        in_query("answered", "Only calls that were answered so.", word(&["answered", "failed"])),
        in_query(
            "status",
            "Only calls with this HTTP status.",
            json!({"type": "integer", "minimum": 200, "maximum": 599}),
        ),
        in_query("code", "Only calls with this code of the table of errors.", json!({"type": "string"})),
        in_query("outcome", "Only calls of which the ledger has this outcome.", word(&Outcome::ALL.map(Outcome::word))),
        in_query("from", "Only calls that came at or after this instant.", instant()),
        in_query("until", "Only calls that came before this instant.", instant()),
    ];
    refusing(asking(operation, filters), ApiError::InvalidField("from", "expected an instant".into()))
}

fn list_requests_operation() -> Operation {
    let answer = json!({"requests": [example()], "next": null});
    let answer = Answer::ok("A page of them.", &["RequestsAnswer"], answer);
    let path = "/office/v1/partners/{partner}/requests";
    let summary = "The calls of a partner's apps, newest first: recorded ones, and those that failed";
    paged(filtered(operation("list_requests", (Method::GET, path), summary, LOOKERS, answer)))
}

fn search_requests_operation() -> Operation {
    let answer = json!({"requests": [example()], "next": null});
    let answer = Answer::ok("A page of them.", &["RequestsAnswer"], answer);
    let path = "/office/v1/partners/{partner}/requests/search";
    let summary = "The calls of a partner's apps about one number, whole or masked, newest first; counted, and in the \
                   audit trail";
    let operation = operation("search_requests", (Method::POST, path), summary, requests::SEARCHERS, answer);
    let too_often =
        "one person searches by a number 200 times a day at most; search by a request's id, or go on tomorrow";
    let operation = refusing(operation, ApiError::NotNow(too_often.to_owned()));
    taking(operation, "SearchRequestsRequest", json!({"number": "254722000002"}))
}

fn show_request_operation() -> Operation {
    let steps = json!([{"stage": "token", "state": "passed"}, {"stage": "limits", "state": "failed"}]);
    let answer = json!({"request": example(), "steps": steps, "is_reversed": false});
    let answer = Answer::ok("The call.", &["OpenedRequestAnswer"], answer);
    let path = "/office/v1/partners/{partner}/requests/{call}";
    operation("show_request", (Method::GET, path), "One call, step by step", LOOKERS, answer)
}

fn list_request_causes_operation() -> Operation {
    let answer = Answer::ok("The causes.", &["RequestCausesAnswer"], json!({"causes": [example_cause()]}));
    let path = "/office/v1/partners/{partner}/request-causes";
    let summary = "Why calls failed, counted: of the last 7 days where no beginning is given";
    filtered(operation("list_request_causes", (Method::GET, path), summary, LOOKERS, answer))
}

/// The filters of the query.
fn filter(call: &Call) -> Result<RequestFilter, Problem> {
    let instant = |name: &'static str| {
        let parse = |text: &str| text.parse::<Timestamp>();
        let expected = |_| Problem::invalid(name, "expected an instant such as 2026-11-22T09:00:00Z");
        call.query(name).map(parse).transpose().map_err(expected)
    };
    let outcome = |word: &str| {
        let words = || Outcome::ALL.map(Outcome::word).join(", ");
        Outcome::parse(word).ok_or_else(|| Problem::invalid("outcome", format!("expected one of: {}", words())))
    };
    Ok(RequestFilter {
        app: call.query("app").map(AppId::parse).transpose().map_err(|_| Problem::invalid("app", "expected an id"))?,
        answered: Answered::parse(call.query("answered").unwrap_or_default())
            .ok_or(Problem::invalid("answered", "expected answered or failed"))?,
        status: call
            .query("status")
            .map(|text| text.parse().ok().filter(|status| (200..=599).contains(status)))
            .map(|status| status.ok_or(Problem::invalid("status", "expected an HTTP status, 200 to 599")))
            .transpose()?,
        code: call.query("code").map(str::to_owned),
        outcome: call.query("outcome").map(outcome).transpose()?,
        about: None,
        from: instant("from")?,
        until: instant("until")?,
        oldest_first: false,
    })
}

fn list_requests(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let after = call.query("after").map(CheckId::parse_request_ref).transpose();
    let after = after.map_err(|_| Problem::invalid("after", "expected the next of the page before"))?;
    paged_answer(&requests::list(work, call.partner()?, &filter(call)?, after, call.limit()?)?)
}

/// By a body, for a number has no place in a URL.
fn search_requests(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let SearchRequestsRequest { number, after, limit } = call.json()?;
    let about = About::parse(&number, &work.office.settings.plan);
    let expected = "expected a number such as 2547…, +2547… or 07…, or a masked one such as 254******054";
    let about = about.ok_or(Problem::invalid("number", expected))?;
    let after = after.as_deref().map(CheckId::parse_request_ref).transpose();
    let after = after.map_err(|_| Problem::invalid("after", "expected the next of the page before"))?;
    let limit = limit.unwrap_or(PageRequest::FIRST.limit);
    if !(1..=PageRequest::LIMIT_MAX).contains(&limit) {
        return Err(Problem::invalid("limit", format!("expected 1 to {}", PageRequest::LIMIT_MAX)));
    }
    let filter = RequestFilter { about: Some(about), ..RequestFilter::default() };
    paged_answer(&requests::list(work, call.partner()?, &filter, after, limit)?)
}

fn paged_answer(page: &RequestsPage) -> Result<Reply, Problem> {
    let requests = page.requests.iter().map(answer).collect();
    Reply::ok(&RequestsAnswer { requests, next: page.next.map(CheckId::request_ref) })
}

fn show_request(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let opened = requests::open(work, call.partner()?, call.id("call", CheckId::parse_request_ref)?)?;
    let step = |step: &requests::Step| RequestStep {
        stage: step.stage.word().to_owned(),
        state: step.state.word().to_owned(),
    };
    Reply::ok(&OpenedRequestAnswer {
        request: answer(&opened.request),
        steps: opened.steps.iter().map(step).collect(),
        is_reversed: opened.request.recorded.is_some_and(|recorded| recorded.is_reversed),
    })
}

fn list_request_causes(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let causes = requests::causes(work, call.partner()?, &filter(call)?, None)?;
    Reply::ok(&RequestCausesAnswer { causes: causes.into_iter().map(cause_answer).collect() })
}

pub(super) fn cause_answer(cause: RefusalCause) -> RequestCause {
    RequestCause {
        status: cause.status,
        error_code: cause.code,
        error_message: cause.reason,
        stage: cause.stage.word().to_owned(),
        calls: cause.calls,
        newest: cause.newest.to_string(),
    }
}

pub(super) fn example_cause() -> Value {
    json!({
        "status": 429, "error_code": "500.003.02", "error_message": "Error Occurred: Spike Arrest Violation",
        "stage": "limits", "calls": 17, "newest": "2026-11-22T09:00:00Z",
    })
}

fn answer(request: &Request) -> RequestAnswer {
    let failure = request.failure.as_ref().map(|failure| RequestFailure {
        path: failure.path.clone(),
        error_code: failure.code.clone(),
        error_message: failure.reason.clone(),
        stage: failure.stage.word().to_owned(),
        micros: failure.micros,
    });
    let recorded = request.recorded;
    RequestAnswer {
        request_ref_id: request.id.request_ref(),
        at: request.at.to_string(),
        app: request.app.to_string(),
        environment: request.environment.word().to_owned(),
        product: request.product.map(|product| product.word().to_owned()),
        number: request.number.clone(),
        status: request.status(),
        failure,
        outcome: recorded.map(|recorded| recorded.outcome.word().to_owned()),
        charge_minor: recorded.map_or(0, |recorded| recorded.charge.minor),
        currency: recorded.map(|recorded| recorded.charge.currency.as_str().to_owned()),
        as_of: recorded.and_then(|recorded| recorded.as_of).map(|at| at.to_string()),
    }
}
