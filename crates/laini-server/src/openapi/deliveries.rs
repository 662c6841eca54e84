use axum::http::Method;
use laini_wire::delivery::{ACKNOWLEDGE_PATH, DELIVERIES_PATH};
use serde_json::json;

use super::{Access, Answer, Body, Operation};
use crate::http::{ApiError, ResultAddressProblem};

pub(super) fn operations() -> Vec<Operation> {
    let handed = json!({
        "id": "msg_019a4b3c5d6e7000",
        "timestamp": "1795337700",
        "signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        "body": "{\"requestRefID\":\"971f-4359-b611-6845a1be45ef280786\",\"type\":\"result\"}",
    });
    let acknowledged = json!({"id": "msg_019a4b3c5d6e7000", "status": 200});
    vec![
        Operation {
            id: "take_deliveries",
            method: Method::GET,
            path: DELIVERIES_PATH,
            summary: "Takes what waits for the app's own listener; waits up to 5 s for it",
            access: Access::Bearer,
            parameters: Vec::new(),
            body: None,
            answer: Answer::ok("What there is, perhaps nothing.", &["HandedPage"], json!({"deliveries": [handed]})),
            refusals: vec![
                ApiError::ResultAddress(ResultAddressProblem::NoListenAddress),
                ApiError::NotConfirmed,
                ApiError::NotImplemented,
            ],
            others: Vec::new(),
        },
        Operation {
            id: "acknowledge_delivery",
            method: Method::POST,
            path: ACKNOWLEDGE_PATH,
            summary: "Tells what became of one that was taken",
            access: Access::Bearer,
            parameters: Vec::new(),
            body: Some(Body::json("Acknowledgement", acknowledged.clone())),
            answer: Answer::ok("It is noted; the same again.", &["Acknowledgement"], acknowledged),
            refusals: vec![ApiError::NoSuchCheck],
            others: Vec::new(),
        },
    ]
}
