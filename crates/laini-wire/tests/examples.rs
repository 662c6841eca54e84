//! The files of `api/examples` are what the types read and write, field for field in their order.

use std::fmt::Debug;
use std::path::PathBuf;

use laini_wire::check::{AgeAnswer, CheckRequest, ImsiAnswer, SwapAnswer};
use laini_wire::error::{CheckErrorBody, ErrorBody, code};
use laini_wire::token::{OAuthError, PublishedToken, StandardToken};
use serde::{Deserialize, Serialize};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../api/examples")
}

fn example(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The same JSON without the space between its tokens.
fn compact(json: &str) -> String {
    let mut in_string = false;
    json.chars()
        .filter(|c| {
            in_string ^= *c == '"';
            in_string || !c.is_whitespace()
        })
        .collect()
}

fn read_and_write_back<'a, T: Deserialize<'a> + Serialize + PartialEq + Debug>(json: &'a str, expected: &T) {
    let read: T = serde_json::from_str(json).expect("the example has this shape");
    assert_eq!(&read, expected);
    assert_eq!(serde_json::to_string(expected).expect("it can be written"), compact(json));
}

const REF: &str = "971f-4359-b611-6845a1be45ef280786";

#[test]
fn the_published_request() {
    let json = example("imsi.request.json");
    let request = CheckRequest::parse(json.as_bytes()).unwrap();
    assert_eq!(request.customer_number, "254722000000");
    assert_eq!(serde_json::to_string(&request).unwrap(), compact(&json));
}

#[test]
fn the_published_imsi_answer() {
    let expected = ImsiAnswer {
        request_ref_id: REF.into(),
        response_code: "200".into(),
        response_desc: "Success".into(),
        imsi: "9233817055099406".into(),
        last_swap_date: "01-05-2022".into(),
        msisdn_registration_date: "01-03-2022".into(),
        customer_number: "254722000000".into(),
    };
    read_and_write_back(&example("imsi.answer.json"), &expected);
}

#[test]
fn the_swap_answer() {
    let expected = SwapAnswer {
        request_ref_id: REF.into(),
        response_code: "200".into(),
        response_desc: "Success".into(),
        last_swap_date: "01-05-2022 00:00".into(),
    };
    read_and_write_back(&example("swap.answer.json"), &expected);
}

#[test]
fn the_age_answer() {
    let expected = AgeAnswer {
        request_ref_id: REF.into(),
        response_code: "200".into(),
        response_desc: "Success".into(),
        msisdn_registration_date: "01-03-2022".into(),
        customer_number: "254722000000".into(),
    };
    read_and_write_back(&example("age.answer.json"), &expected);
}

#[test]
fn the_tokens() {
    let access_token = "c9SQxWWhmdVRlyh0zh8gZDTkubVF";
    let published = PublishedToken { access_token: access_token.into(), expires_in: "3599".into() };
    read_and_write_back(&example("generate.answer.json"), &published);
    let standard = StandardToken { access_token: access_token.into(), token_type: "Bearer".into(), expires_in: 3599 };
    read_and_write_back(&example("oauth2-token.answer.json"), &standard);
    assert!(!format!("{published:?} {standard:?}").contains(access_token));
}

#[test]
fn the_errors() {
    let check = CheckErrorBody::new(REF, 404, code::NOT_SERVED, "Resource not found");
    read_and_write_back(&example("check.error.json"), &check);
    let generate = ErrorBody {
        request_id: REF.into(),
        error_code: code::INVALID_AUTHENTICATION.into(),
        error_message: "Invalid Authentication passed".into(),
    };
    read_and_write_back(&example("generate.error.json"), &generate);
    let oauth2 =
        OAuthError { error: "invalid_client".into(), error_description: "The consumer key or secret is wrong".into() };
    read_and_write_back(&example("oauth2-token.error.json"), &oauth2);
}

#[test]
fn every_file_is_one_that_a_test_here_reads() {
    let mut names: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    names.sort();
    let read = [
        "age.answer.json",
        "check.error.json",
        "generate.answer.json",
        "generate.error.json",
        "imsi.answer.json",
        "imsi.request.json",
        "oauth2-token.answer.json",
        "oauth2-token.error.json",
        "swap.answer.json",
    ];
    assert_eq!(names, read);
}

#[test]
fn answers_never_show_their_content() {
    let json = example("imsi.answer.json");
    let answer: ImsiAnswer<'_> = serde_json::from_str(&json).unwrap();
    let shown = format!("{answer:?}");
    assert!(shown.contains(REF) && !shown.contains("254722000000") && !shown.contains("9233817055099406"), "{shown}");
}

#[test]
fn a_field_that_is_not_text_is_no_answer() {
    for (from, to) in [("\"200\"", "200"), ("\"01-05-2022\"", "null"), ("\"9233817055099406\"", "9233817055099406")] {
        let json = example("imsi.answer.json").replace(from, to);
        assert!(serde_json::from_str::<ImsiAnswer<'_>>(&json).is_err(), "{json}");
    }
}
