use axum::http::Method;
use laini_core::partner::OperatorScope;
use laini_wire::operator::{EVENTS_PATH, FEED_PATH, HEARTBEATS_PATH, REJECTS_PATH, RETRY_PATH, SNAPSHOTS_PATH};
use serde_json::{Value, json};

use super::{Access, Answer, Body, Operation, Parameter};
use crate::http::ApiError;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        record_events(),
        list_events(),
        load_snapshot(),
        record_heartbeat(),
        show_feed(),
        list_rejects(),
        retry_rejects(),
    ]
}

fn record_events() -> Operation {
    let example = json!({
        "id": "e-4711", "at": "2026-11-22T08:55:00Z", "type": "sim_replaced", "msisdn": "254733000001", "imsi": "639020000000001",
    });
    let results = json!(
        "{\"line\":1,\"result\":\"accepted\"}\n{\"summary\":{\"events\":1,\"accepted\":1,\"repeated\":0,\"waiting\":0,\"refused\":0}}\n"
    );
    Operation {
        body: Some(Body { media_type: NDJSON, schema: "FeedEvent", example, required: false }),
        refusals: [uploads(), vec![ApiError::UploadBroken("it ended inside of its compression".to_owned())]].concat(),
        ..call(
            "record_events",
            (Method::POST, EVENTS_PATH, OperatorScope::FeedWrite),
            "Records an event feed: NDJSON, plain, gzip or zstd; an event is taken once",
            Answer {
                media_type: NDJSON,
                ..Answer::ok(
                    "A line for each line, then a line that sums up.",
                    &["EventResult", "EventsSummary"],
                    results,
                )
            },
        )
    }
}

fn list_events() -> Operation {
    let event = json!({
        "source": "default", "event": "e-4711", "type": "sim_replaced", "number": "254******001", "amends": null,
        "at": "2026-11-22T08:55:00Z", "recorded": "2026-11-22T08:55:00Z", "received": "2026-11-22T08:55:02Z",
    });
    let query = |name, description, schema| Parameter { name, place: "query", required: false, description, schema };
    Operation {
        parameters: vec![
            query("source", "Of this feed alone.", json!({"type": "string", "minLength": 1, "maxLength": 128})),
            query("after", "The next of the page before.", json!({"type": "string", "pattern": "^[0-9]{1,19}$"})),
            query("limit", "How many at most.", json!({"type": "integer", "minimum": 1, "maximum": 1000})),
        ],
        refusals: vec![ApiError::InvalidField("limit", "expected 1 to 1000".into())],
        ..call(
            "list_events",
            (Method::GET, EVENTS_PATH, OperatorScope::FeedRead),
            "What feeds told, those events first that came last; numbers are masked",
            Answer::ok("A page of it.", &["RecordedEventsAnswer"], json!({"events": [event], "next": null})),
        )
    }
}

fn load_snapshot() -> Operation {
    let example = json!("msisdn,imsi,registered_at,last_swap_at\n254733000001,639020000000001,2019-01-12,\n");
    let loaded = json!({
        "generation": 2, "as_of": "2026-11-22T00:00:00Z", "lines": 1, "lines_before": 1, "rejected": 0, "repeated": 0,
        "contradicted": 0, "events_reapplied": 0, "first_rejected": [],
    });
    let query = |name, description, schema| Parameter { name, place: "query", required: false, description, schema };
    Operation {
        parameters: vec![
            query("as_of", "When it was cut: RFC 3339 or a plain date.", json!({"type": "string"})),
            query("history_since", "Since when its swaps are complete.", json!({"type": "string"})),
            query("max_rejects", "How many rows may be refused: 100, or 1%.", json!({"type": "string"})),
            query("allow_shrink", "Whether it may have far fewer lines than before.", json!({"type": "boolean"})),
        ],
        body: Some(Body { media_type: "text/csv", schema: "Snapshot", example, required: true }),
        refusals: [
            uploads(),
            vec![
                ApiError::UploadBroken("it ended inside of its compression; nothing was changed".to_owned()),
                ApiError::InvalidField("as_of", "expected RFC 3339 or a date".into()),
                ApiError::FeedConflict("another snapshot is being loaded".to_owned()),
                ApiError::SnapshotRefused("it has no lines".to_owned()),
            ],
        ]
        .concat(),
        ..call(
            "load_snapshot",
            (Method::POST, SNAPSHOTS_PATH, OperatorScope::FeedWrite),
            "Loads an extract (CSV, plain, gzip or zstd) and switches to it at once, or changes nothing",
            Answer::ok("It serves.", &["SnapshotAnswer"], loaded),
        )
    }
}

fn record_heartbeat() -> Operation {
    let answer = json!({"source": "default", "complete_until": "2026-11-22T08:55:00Z"});
    let body = Body::json("HeartbeatRequest", json!({"source": "default", "until": "2026-11-22T08:55:00Z"}));
    Operation {
        body: Some(Body { required: false, ..body }),
        refusals: vec![ApiError::InvalidField("until", "expected RFC 3339 or a date".into())],
        ..call(
            "record_heartbeat",
            (Method::POST, HEARTBEATS_PATH, OperatorScope::FeedWrite),
            "A feed is complete until an instant, now where none is named",
            Answer::ok("What was taken.", &["HeartbeatAnswer"], answer),
        )
    }
}

fn show_feed() -> Operation {
    let at = "2026-11-22T08:55:00Z";
    let fact = json!({"stale_after_s": null, "is_stale": false});
    let source = json!({"source": "default", "required": true, "heartbeat": at, "complete_until": at, "lag_s": 30});
    let answer = json!({
        "generation": 2, "lines": 1, "snapshot_cut": "2026-11-22T00:00:00Z", "as_of": at, "lag_s": 30,
        "history_since": "always", "events": 1, "waiting": 0, "rejects": 0, "sources": [source],
        "facts": {"swap": fact, "registration": fact}, "loading": null,
    });
    call(
        "show_feed",
        (Method::GET, FEED_PATH, OperatorScope::FeedRead),
        "How fresh the registry is, by feed and by fact",
        Answer::ok("How it is.", &["RegistryFeedAnswer"], answer),
    )
}

fn list_rejects() -> Operation {
    let reject = json!({
        "place": "line 17", "event": null, "source": null, "reason": "msisdn: not a number of this operator's plan",
        "waits": false, "can_be_retried": true, "received": "2026-11-22T08:55:00Z",
    });
    let query = |name, description, schema| Parameter { name, place: "query", required: false, description, schema };
    Operation {
        parameters: vec![
            query("after", "The next of the page before.", json!({"type": "string", "minLength": 1})),
            query("limit", "How many at most.", json!({"type": "integer", "minimum": 1, "maximum": 1000})),
        ],
        refusals: vec![ApiError::InvalidField("limit", "expected 1 to 1000".into())],
        ..call(
            "list_rejects",
            (Method::GET, REJECTS_PATH, OperatorScope::FeedRead),
            "What could not be read or applied, newest first",
            Answer::ok("A page of it.", &["RejectsAnswer"], json!({"rejects": [reject], "next": null})),
        )
    }
}

fn retry_rejects() -> Operation {
    let answer = json!({"lines": 1, "accepted": 1, "waiting": 0, "refused": 0, "unreadable": 0, "next": null});
    let after = Parameter {
        name: "after",
        place: "query",
        required: false,
        description: "The next of the answer before.",
        schema: json!({"type": "integer", "minimum": 0}),
    };
    Operation {
        parameters: vec![after],
        refusals: vec![ApiError::InvalidField("after", "expected what the answer before ended with as next".into())],
        ..call(
            "retry_rejects",
            (Method::POST, RETRY_PATH, OperatorScope::FeedWrite),
            "Reads again, by the rules of now, what could not be read",
            Answer::ok("What became of it.", &["RetryAnswer"], answer),
        )
    }
}

const NDJSON: &str = "application/x-ndjson";

fn call(
    id: &'static str,
    (method, path, scope): (Method, &'static str, OperatorScope),
    summary: &'static str,
    answer: Answer,
) -> Operation {
    Operation {
        id,
        method,
        path,
        summary,
        access: Access::OperatorKey(scope),
        parameters: Vec::new(),
        body: None,
        answer,
        refusals: Vec::new(),
        others: Vec::new(),
    }
}

/// What an upload is refused for before it is read.
fn uploads() -> Vec<ApiError> {
    vec![ApiError::NotJson]
}

/// A line of an event feed.
pub(super) fn feed_event() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "description": "A line of the feed; docs/guide/operator.md says which type needs what.",
        "type": "object",
        "required": ["at", "type"],
        "properties": {
            "id": text("Unique within its source; a heartbeat needs none."),
            "at": text("When it happened: RFC 3339 or a plain date."),
            "type": {"type": "string", "enum": [
                "registered", "sim_replaced", "esim_issued", "ported_in", "device_changed", "suspended", "resumed",
                "ported_out", "terminated", "recycled", "number_changed", "correction", "retraction", "heartbeat",
            ]},
            "msisdn": text("The number; of every type but heartbeat, correction and retraction."),
            "imsi": text("The SIM, of types that bring one."),
            "new_msisdn": text("Of number_changed."),
            "of": text("The event that a correction or retraction is about."),
            "source": text("The feed; without it, the one of events that name none."),
            "recorded_at": text("When the operator's system recorded it."),
        },
    })
}

/// An extract.
pub(super) fn snapshot() -> Value {
    json!({
        "description": "CSV with a header: msisdn, imsi and registered_at, and what else is known.",
        "type": "string",
    })
}
