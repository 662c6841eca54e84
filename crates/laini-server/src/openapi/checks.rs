use axum::http::Method;
use laini_wire::check::{AGE_PATH, IMSI_PATH, SWAP_PATH};
use laini_wire::checks::CHECKS_PATH;
use serde_json::{Value, json};

use super::{Access, Answer, Body, Operation, Parameter, example};
use crate::http::{ApiError, ForbiddenReason, NumberHint, TokenProblem};

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
            &["ImsiAnswer"] as &[_],
            include_str!("../../../../api/examples/imsi.answer.json"),
        ),
        (
            "check_swap",
            SWAP_PATH,
            "Last swap, to the minute",
            &["SwapAnswer"],
            include_str!("../../../../api/examples/swap.answer.json"),
        ),
        (
            "check_age",
            AGE_PATH,
            "Since when the present holding exists",
            &["AgeAnswer"],
            include_str!("../../../../api/examples/age.answer.json"),
        ),
    ];
    let published = published.into_iter().map(|(id, path, summary, schemas, answer)| Operation {
        id,
        method: Method::POST,
        path,
        tag: "checks",
        summary,
        access: Access::Bearer,
        parameters: request_headers(),
        body: Some(Body {
            media_type: "application/json",
            schema: "CheckRequest",
            example: example(include_str!("../../../../api/examples/imsi.request.json")),
        }),
        answer: Answer { description: "The facts.", schemas, example: example(answer), headers: HEADERS },
        errors: [refusals(), unanswered()].concat(),
        others: Vec::new(),
    });
    published.chain([create_checks(), read_check()]).collect()
}

fn create_checks() -> Operation {
    Operation {
        id: "create_checks",
        method: Method::POST,
        path: CHECKS_PATH,
        tag: "checks",
        summary: "Checks one number or up to a hundred, every fact with an explicit status",
        access: Access::Bearer,
        parameters: request_headers(),
        body: Some(Body {
            media_type: "application/json",
            schema: "ChecksRequest",
            example: json!({"number": "254722000002", "purpose": "fraud_prevention", "reference": "payout 4711"}),
        }),
        answer: Answer {
            description: "An item for each number; of a dry run, what each would cost.",
            schemas: &["ChecksAnswer", "ChecksQuote"],
            example: json!({"checks": [item()]}),
            headers: HEADERS,
        },
        errors: [refusals(), registry_errors(), vec![ApiError::NotImplemented]].concat(),
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
        tag: "checks",
        summary: "Tells again what a check told, for free",
        access: Access::Bearer,
        parameters: vec![id],
        body: None,
        answer: Answer { description: "The item.", schemas: &["CheckItem"], example: item(), headers: &HEADERS[3..4] },
        errors: [
            callers(),
            vec![ApiError::NoSuchCheck, ApiError::Internal, ApiError::NotConfirmed, ApiError::Unreachable],
        ]
        .concat(),
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
    let header = |name, description, length: u32| Parameter {
        name,
        place: "header",
        required: false,
        description,
        schema: json!({"type": "string", "minLength": 1, "maxLength": length, "pattern": "^[!-~]+$"}),
    };
    vec![
        header("Idempotency-Key", "A repeat under the same key gets the stored answer and is free.", 255),
        header("X-Request-ID", "Yours; echoed. A repeat under the same id is free for 10 minutes.", 128),
        header("X-Correlation-ID", "Yours; echoed.", 128),
    ]
}

/// Why a caller may not ask at all.
fn callers() -> Vec<ApiError> {
    let tokens = [
        TokenProblem::Missing,
        TokenProblem::Ambiguous,
        TokenProblem::Unknown,
        TokenProblem::Expired,
        TokenProblem::Revoked,
    ];
    let forbidden = [
        ForbiddenReason::WrongEnvironment,
        ForbiddenReason::PartnerSuspended,
        ForbiddenReason::AppSuspended,
        ForbiddenReason::NoAgreement,
        ForbiddenReason::NotInAgreement,
        ForbiddenReason::PurposeNotAllowed,
        ForbiddenReason::WrongAddress,
        ForbiddenReason::WrongCertificate,
    ];
    tokens
        .into_iter()
        .map(ApiError::Token)
        .chain([ApiError::NoProduct])
        .chain(forbidden.map(ApiError::Forbidden))
        .collect()
}

/// What a request can be refused for before the registry is asked.
fn refusals() -> Vec<ApiError> {
    let of_request = vec![
        ApiError::InvalidPayload,
        ApiError::InvalidNumber(NumberHint::None),
        ApiError::InvalidHeader("idempotency-key"),
        ApiError::BodyTooSlow,
        ApiError::KeyRunning,
        ApiError::KeyTooOld,
        ApiError::BodyTooLarge,
        ApiError::NotJson,
        ApiError::KeyOfOtherRequest,
        ApiError::SpikeArrest { retry_after_s: 1 },
        ApiError::QuotaViolation { retry_after_s: 60 },
    ];
    [callers(), of_request].concat()
}

/// Why the registry, or the ledger, gave no answer.
fn registry_errors() -> Vec<ApiError> {
    vec![
        ApiError::Internal,
        ApiError::RegistryBad,
        ApiError::Unreachable,
        ApiError::RegistryIncomplete,
        ApiError::NotRecorded,
        ApiError::RegistryTooSlow,
    ]
}

/// What a published path answers as an error where `/v1/checks` has words for it.
fn unanswered() -> Vec<ApiError> {
    [registry_errors(), vec![ApiError::NotServed, ApiError::Withheld, ApiError::RegistryStale]].concat()
}
