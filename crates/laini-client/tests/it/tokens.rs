use laini_client::{Answer, ErrorKind};
use laini_wire::error::{code, message};
use tokio::task::JoinSet;

use crate::fake::{Fake, KEY, NUMBER, SECRET, Say};

fn refused_token() -> Say {
    Say::error(401, code::INVALID_ACCESS_TOKEN, "Error Occurred - Invalid Access Token - expired")
}

#[tokio::test]
async fn a_token_is_fetched_with_basic_credentials_and_kept() {
    let fake = Fake::start().await;
    let laini = fake.client();
    for _ in 0..3 {
        laini.imsi(NUMBER).await.unwrap();
    }
    let fetched = fake.token_requests();
    assert_eq!(fetched.len(), 1);
    assert_eq!(fetched[0].method, "GET");
    assert_eq!(fetched[0].path_and_query, "/oauth/v1/generate?grant_type=client_credentials");
    assert_eq!(fetched[0].header("authorization"), "Basic dGVzdEtleTpzM2NyZXRTM2NyZXRTM2NyZXRTM2NyZXQ=");
    assert!(fake.check_requests().iter().all(|check| check.header("authorization") == "Bearer token1"));
}

#[tokio::test]
async fn a_token_at_its_end_is_renewed() {
    let fake = Fake::start().await;
    fake.tokens_say([Say::token("short", "0")]);
    let laini = fake.client();
    laini.imsi(NUMBER).await.unwrap();
    laini.imsi(NUMBER).await.unwrap();
    laini.clone().imsi(NUMBER).await.unwrap();
    let used: Vec<String> = fake.check_requests().iter().map(|seen| seen.header("authorization").to_owned()).collect();
    assert_eq!(used, ["Bearer short", "Bearer token2", "Bearer token2"]);
}

/// Starts callers that all find no token, and lets the one fetch end once all of them wait.
async fn sixteen_callers(fake: &Fake) -> Vec<Result<(), ErrorKind>> {
    let laini = fake.builder().max_retries(0).build().expect("good settings");
    let closed = fake.close_token_door().await;
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let laini = laini.clone();
        callers.spawn(async move { laini.imsi(NUMBER).await.map(|_| ()).map_err(|error| error.kind().clone()) });
    }
    while fake.token_requests().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(closed);
    callers.join_all().await
}

#[tokio::test(flavor = "current_thread")]
async fn concurrent_callers_share_one_fetch() {
    let fake = Fake::start().await;
    assert_eq!(sixteen_callers(&fake).await, vec![Ok(()); 16]);
    assert_eq!(fake.token_requests().len(), 1);
    assert_eq!(fake.check_requests().len(), 16);
}

#[tokio::test(flavor = "current_thread")]
async fn concurrent_callers_share_its_failure() {
    let fake = Fake::start().await;
    fake.tokens_say([Say::error(400, code::INVALID_AUTHENTICATION, "Invalid Authentication passed")]);
    assert_eq!(sixteen_callers(&fake).await, vec![Err(ErrorKind::Credentials); 16]);
    assert_eq!(fake.token_requests().len(), 1);
    assert!(fake.check_requests().is_empty());
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let fake = Fake::start().await;
    fake.checks_say([refused_token()]);
    let checked = fake.client().imsi(NUMBER).await.unwrap();
    assert!(matches!(checked.answer, Answer::Known(_)));
    assert_eq!(checked.receipt.attempts, 2);
    let sent = fake.check_requests();
    assert_eq!(sent.iter().map(|s| s.header("authorization")).collect::<Vec<_>>(), ["Bearer token1", "Bearer token2"]);
    assert_eq!(sent[0].header("x-request-id"), sent[1].header("x-request-id"));
    assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"));
}

#[tokio::test]
async fn a_token_refused_twice_ends_the_check() {
    let fake = Fake::start().await;
    fake.checks_say([refused_token(), refused_token()]);
    let error = fake.client().imsi(NUMBER).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TokenRefused);
    assert_eq!((error.attempts(), fake.token_requests().len(), fake.check_requests().len()), (2, 2, 2));
}

#[tokio::test]
async fn a_product_that_is_not_the_apps_costs_no_new_token() {
    let fake = Fake::start().await;
    let words = format!("Error Occurred - Invalid Access Token - {}", message::NO_PRODUCT);
    fake.checks_say([Say::error(401, code::INVALID_ACCESS_TOKEN, &words)]);
    let error = fake.client().swap(NUMBER).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::ProductNotAllowed);
    assert_eq!((error.attempts(), fake.token_requests().len()), (1, 1));
}

#[tokio::test]
async fn wrong_credentials_are_told_without_showing_them() {
    for say in [
        Say::error(400, code::INVALID_AUTHENTICATION, &format!("no such secret {SECRET} of {KEY}")),
        Say::new(401, "<html>who are you?</html>"),
    ] {
        let fake = Fake::start().await;
        fake.tokens_say([say]);
        let error = fake.client().imsi(NUMBER).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Credentials);
        assert!(error.hint().contains("secret"));
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
        assert!(fake.check_requests().is_empty());
    }
}

#[tokio::test]
async fn a_token_door_out_of_breath_is_tried_again() {
    let fake = Fake::start().await;
    fake.tokens_say([Say::new(503, "shedding"), Say::new(429, "")]);
    let checked = fake.client().imsi(NUMBER).await.unwrap();
    assert_eq!((checked.receipt.attempts, fake.token_requests().len(), fake.check_requests().len()), (3, 3, 1));
}

#[tokio::test]
async fn a_malformed_token_answer_is_no_token() {
    for body in [
        "",
        "<html></html>",
        "null",
        "{}",
        r#"{"access_token":"abc"}"#,
        r#"{"access_token":"abc","expires_in":3599}"#,
        r#"{"access_token":"abc","expires_in":"soon"}"#,
        r#"{"access_token":"abc","expires_in":"-1"}"#,
        r#"{"access_token":"","expires_in":"3599"}"#,
        r#"{"access_token":"a b","expires_in":"3599"}"#,
        r#"{"access_token":"a\r\nX: y","expires_in":"3599"}"#,
        r#"{"access_token":12345,"expires_in":"3599"}"#,
    ] {
        let fake = Fake::start().await;
        fake.tokens_say([Say::new(200, body)]);
        let error = fake.client().imsi(NUMBER).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::BadAnswer, "{body}");
        assert!(fake.check_requests().is_empty(), "{body}");
    }
}
