use axum::http::Method;
use laini_core::partner::{NoAgreement, Product};
use laini_wire::check::{AGE_PATH, IMSI_PATH, SWAP_PATH};
use laini_wire::checks::CHECKS_PATH;
use serde_json::{Value, json};

use super::{Access, Answer, Body, Operation, Parameter, example};
use crate::http::{ApiError, ForbiddenReason, NumberHint, ResultAddressProblem};

/// What the answers' headers say.
const HEADERS: &[(&str, &str)] = &[
    ("Laini-Swap", "swapped, not-swapped or unknown"),
    ("Laini-Window", "How far back facts are disclosed: swap=P3M, registration=P1Y"),
    ("Laini-As-Of", "The instant up to which the registry is complete (RFC 3339)"),
    ("Laini-Environment", "sandbox or production"),
    ("Laini-Charge", "What the check costs, or none with the reason"),
    ("RateLimit-Policy", "The limits of the app, where there are any"),
    ("RateLimit", "What is left of them"),
    ("Idempotent-Replayed", "true where a stored answer is told again"),
];

pub(super) fn operations() -> Vec<Operation> {
    let published = [
        (
            "check_imsi",
            IMSI_PATH,
            "Pseudonym of the SIM, last swap and registration",
            &["ImsiAnswer", "Accepted"] as &[_],
            include_str!("../../../../api/examples/imsi.answer.json"),
        ),
        (
            "check_swap",
            SWAP_PATH,
            "Last swap, to the minute",
            &["SwapAnswer", "Accepted"],
            include_str!("../../../../api/examples/swap.answer.json"),
        ),
        (
            "check_age",
            AGE_PATH,
            "Since when the present holding exists",
            &["AgeAnswer", "Accepted"],
            include_str!("../../../../api/examples/age.answer.json"),
        ),
    ];
    let published = published.into_iter().map(|(id, path, summary, schemas, answer)| Operation {
        id,
        method: Method::POST,
        path,
        summary,
        access: Access::Bearer,
        parameters: request_headers(),
        body: Some(Body::json("CheckRequest", example(include_str!("../../../../api/examples/imsi.request.json")))),
        answer: Answer::ok("The facts; with a resultURL, that they will be delivered.", schemas, example(answer))
            .with_headers(HEADERS),
        refusals: [refusals(), of_published()].concat(),
        others: Vec::new(),
    });
    published.chain([create_checks(), read_check()]).collect()
}

fn create_checks() -> Operation {
    Operation {
        id: "create_checks",
        method: Method::POST,
        path: CHECKS_PATH,
        summary: "Checks one number or up to a hundred, every fact with an explicit status",
        access: Access::Bearer,
        parameters: request_headers(),
        body: Some(Body::json(
            "ChecksRequest",
            json!({"number": "254722000002", "purpose": "fraud_prevention", "reference": "payout 4711"}),
        )),
        answer: Answer::ok(
            "An item for each number; of a dry run, what each would cost; with a resultURL, that it was accepted.",
            &["ChecksAnswer", "ChecksQuote", "Accepted"],
            json!({"checks": [item()]}),
        )
        .with_headers(HEADERS),
        refusals: [refusals(), of_explicit()].concat(),
        others: Vec::new(),
    }
}

fn read_check() -> Operation {
    let id = Parameter {
        name: "id",
        place: "path",
        required: true,
        description: "The requestRefID of a check of the last 24 hours.",
        schema: json!({"type": "string", "pattern": "^[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}[0-9]{6,10}$"}),
    };
    Operation {
        id: "read_check",
        method: Method::GET,
        path: "/v1/checks/{id}",
        summary: "Tells again what a check told, for free",
        access: Access::Bearer,
        parameters: vec![id],
        body: None,
        answer: Answer::ok("The item.", &["CheckItem"], item()).with_headers(&HEADERS[3..4]),
        refusals: vec![
            ApiError::Forbidden(ForbiddenReason::NoAgreement(NoAgreement::Never)),
            ApiError::NoSuchCheck,
            ApiError::NotConfirmed,
            ApiError::NotImplemented,
        ],
        others: Vec::new(),
    }
}

fn item() -> Value {
    json!({
        "id": "971f-4359-b611-6845a1be45ef280786",
        "number": "254722000002",
        "line": "active",
        "swap": {"status": "swapped", "reason": "replacement", "on": "2026-11-22", "window": "P3M"},
        "registration": {"status": "older", "window": "P1Y"},
        "sim": {"pseudonym": "9233817055099406"},
        "as_of": "2026-11-22T08:55:00Z",
        "charge": {"amount": "20.00", "currency": "KES"},
    })
}

fn request_headers() -> Vec<Parameter> {
    let header = |name, description, schema| Parameter { name, place: "header", required: false, description, schema };
    vec![
        header(
            "Idempotency-Key",
            "A repeat under the same key gets the stored answer and is free.",
            json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}),
        ),
        header(
            "X-Request-ID",
            "Yours; echoed. A repeat under the same id is free for 10 minutes. One of more than 128 characters, \
             or with others than visible ASCII, counts as none.",
            json!({"type": "string"}),
        ),
        header("X-Correlation-ID", "Yours; echoed under the same conditions.", json!({"type": "string"})),
    ]
}

/// What a request can be refused for before the registry is asked, and why there is no answer.
fn refusals() -> Vec<ApiError> {
    vec![
        ApiError::NoProduct,
        ApiError::Forbidden(ForbiddenReason::NoAgreement(NoAgreement::Never)),
        ApiError::Forbidden(ForbiddenReason::NotInAgreement(Product::Imsi)),
        ApiError::InvalidHeader("idempotency-key"),
        ApiError::KeyRunning,
        ApiError::KeyTooOld,
        ApiError::KeyOfOtherRequest,
        ApiError::SpikeArrest { retry_after_s: 1 },
        ApiError::QuotaViolation { retry_after_s: 60 },
        ApiError::RegistryBad,
        ApiError::RegistryIncomplete,
        ApiError::NotRecorded,
        ApiError::RegistryTooSlow,
        ApiError::NotImplemented,
    ]
}

/// What a published path answers as an error where `/v1/checks` has words for it, and of its own body.
fn of_published() -> Vec<ApiError> {
    vec![
        ApiError::InvalidNumber(NumberHint::None),
        ApiError::InvalidNumber(NumberHint::WrongName("msisdn")),
        ApiError::ResultAddress(ResultAddressProblem::NotText),
        ApiError::ResultAddress(ResultAddressProblem::NotRegistered),
        ApiError::ResultAddress(ResultAddressProblem::NotProven),
        ApiError::NotServed,
        ApiError::Withheld,
        ApiError::RegistryStale,
    ]
}

/// What `/v1/checks` refuses of its own body.
fn of_explicit() -> Vec<ApiError> {
    vec![
        ApiError::InvalidField("numbers", "send number, or numbers".into()),
        ApiError::InvalidField("facts", "known facts: swap, registration, sim".into()),
        ApiError::BatchTooLarge { burst: 20 },
        ApiError::ResultAddress(ResultAddressProblem::NotRegistered),
        ApiError::Forbidden(ForbiddenReason::PurposeNotAllowed),
    ]
}
