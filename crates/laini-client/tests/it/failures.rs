use std::time::Duration;

use laini_client::{Answer, ErrorKind, Laini};
use laini_wire::error::code;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use crate::fake::{Fake, KEY, NUMBER, REF, SECRET, Say};

const TRIES: u32 = 3;

/// What the SDK makes of one reply, repeated as often as it asks.
async fn outcome(say: Say) -> laini_client::Error {
    let fake = Fake::start().await;
    fake.checks_say(vec![say; TRIES as usize]);
    let laini = fake.builder().max_retries(TRIES - 1).build().expect("good settings");
    let error = laini.imsi(NUMBER).await.expect_err("the reply is no answer");
    assert_eq!(fake.check_requests().len(), error.attempts() as usize);
    error
}

#[tokio::test]
async fn every_status_is_told_apart_and_repeated_only_where_that_helps() {
    for (status, code, kind, attempts) in [
        (400, code::INVALID_PAYLOAD, ErrorKind::Refused, 1),
        (400, code::INVALID_CUSTOMER_NUMBER, ErrorKind::InvalidNumber { suggestion: None }, 1),
        (403, code::FORBIDDEN, ErrorKind::Forbidden, 1),
        (404, code::UNKNOWN_PATH, ErrorKind::Refused, 1),
        (405, code::METHOD_NOT_ALLOWED, ErrorKind::Refused, 1),
        (408, code::REQUEST_TIMEOUT, ErrorKind::Unavailable, TRIES),
        (409, code::KEY_IN_USE, ErrorKind::IdempotencyKey, TRIES),
        (409, code::KEY_TOO_OLD, ErrorKind::IdempotencyKey, 1),
        (413, code::PAYLOAD_TOO_LARGE, ErrorKind::Refused, 1),
        (415, code::UNSUPPORTED_MEDIA_TYPE, ErrorKind::Refused, 1),
        (422, code::KEY_REUSED, ErrorKind::IdempotencyKey, 1),
        (429, code::RATE_LIMITED, ErrorKind::RateLimited, TRIES),
        (429, code::QUOTA_USED_UP, ErrorKind::QuotaUsedUp, TRIES),
        (500, code::INTERNAL, ErrorKind::Unavailable, TRIES),
        (501, code::NOT_IMPLEMENTED, ErrorKind::Refused, 1),
        (502, code::UPSTREAM_BAD, ErrorKind::Unavailable, TRIES),
        (503, code::UNREACHABLE, ErrorKind::Unavailable, TRIES),
        (503, code::NOT_CONFIRMED, ErrorKind::Unavailable, TRIES),
        (504, code::UPSTREAM_TIMEOUT, ErrorKind::Unavailable, TRIES),
    ] {
        let error = outcome(Say::error(status, code, "some words")).await;
        assert_eq!((error.kind(), error.attempts()), (&kind, attempts), "{code}");
        assert_eq!((error.status(), error.code(), error.request_ref_id()), (Some(status), Some(code), Some(REF)));
        assert!(error.to_string().ends_with(&format!("(HTTP {status}, {code}): some words")), "{error}");
        assert!(error.hint().len() > 20);
    }
}

#[tokio::test]
async fn a_status_without_the_envelope_is_understood_too() {
    for (status, kind, attempts) in [
        (302, ErrorKind::Refused, 1),
        (204, ErrorKind::Refused, 1),
        (403, ErrorKind::Forbidden, 1),
        (404, ErrorKind::Refused, 1),
        (418, ErrorKind::Refused, 1),
        (429, ErrorKind::RateLimited, TRIES),
        (502, ErrorKind::Unavailable, TRIES),
        (503, ErrorKind::Unavailable, TRIES),
    ] {
        let say = Say::new(status, if status == 204 { "" } else { "<html>a proxy speaks</html>" });
        let error = outcome(say.with("Location", "https://elsewhere.example")).await;
        assert_eq!((error.kind(), error.attempts(), error.code()), (&kind, attempts, None), "{status}");
    }
}

#[tokio::test]
async fn attempts_share_one_request_id_and_one_key() {
    let fake = Fake::start().await;
    let words = "Error Occurred: Spike Arrest Violation";
    fake.checks_say([
        Say::error(503, code::UNREACHABLE, "Service is currently unreachable"),
        Say::error(429, code::RATE_LIMITED, words).with("Retry-After", "0"),
        Say::new(500, "oh"),
    ]);
    let checked = fake.client().imsi(NUMBER).await.unwrap();
    assert!(matches!(checked.answer, Answer::Known(_)));
    let sent = fake.check_requests();
    assert_eq!((sent.len(), checked.receipt.attempts), (4, 4));
    for seen in &sent {
        assert_eq!(seen.header("x-request-id"), checked.receipt.request_id);
        assert_eq!(seen.header("idempotency-key"), checked.receipt.idempotency_key);
        assert_eq!(seen.body, sent[0].body);
    }
    assert_eq!(checked.receipt.request_id.len(), 36);
    assert_ne!(checked.receipt.request_id, checked.receipt.idempotency_key);
}

#[tokio::test]
async fn a_server_that_wants_too_much_patience_is_not_asked_again() {
    for asked in ["11", "3600", "18446744073709551615"] {
        let error = outcome(Say::error(429, code::QUOTA_USED_UP, "Quota Violation").with("Retry-After", asked)).await;
        assert_eq!((error.kind(), error.attempts()), (&ErrorKind::QuotaUsedUp, 1));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(asked.parse().unwrap())));
    }
    let error = outcome(Say::new(503, "").with("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")).await;
    assert_eq!((error.retry_after(), error.attempts()), (None, TRIES));
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_no_answer() {
    let good = Say::example("imsi.answer.json").body;
    for (from, to) in [
        (good.as_str(), ""),
        (good.as_str(), "null"),
        (good.as_str(), "[]"),
        (good.as_str(), "<html></html>"),
        (good.as_str(), "{\"requestRefID\":\"x\"}"),
        ("\"01-05-2022\"", "null"),
        ("\"01-05-2022\"", "20220501"),
        ("\"01-05-2022\"", "\"2022-05-01T00:00\""),
        ("\"01-05-2022\"", "\"31-02-2022\""),
        ("\"01-03-2022\"", "\"01-01-1900\""),
        ("\"01-03-2022\"", "\"a while ago\""),
        ("\"9233817055099406\"", "9233817055099406"),
        ("\"9233817055099406\"", "\"\""),
        ("\"9233817055099406\"", "\"<b>\""),
        ("\"responseCode\": \"200\"", "\"responseCode\": \"503\""),
        ("\"254722000000\"", "\"254722000001\""),
        (REF, ""),
        (REF, "a b"),
    ] {
        assert!(good.contains(from));
        let error = outcome(Say::new(200, good.replace(from, to))).await;
        assert_eq!((error.kind(), error.attempts()), (&ErrorKind::BadAnswer, 1), "{from} → {to}");
    }
    for swap in ["not-swapped", "unknown", ""] {
        let error = outcome(Say::new(200, good.clone()).with("Laini-Swap", swap)).await;
        assert_eq!(error.kind(), &ErrorKind::BadAnswer, "{swap}");
    }
}

#[tokio::test]
async fn an_answer_has_64_kib_at_most() {
    let good = Say::example("imsi.answer.json").body;
    let fake = Fake::start().await;
    let room = 64 * 1024 - good.len();
    fake.checks_say([0, 1].map(|over| Say::new(200, format!("{good}{}", " ".repeat(room + over)))));
    let laini = fake.client();
    assert!(laini.imsi(NUMBER).await.is_ok());
    assert_eq!(laini.imsi(NUMBER).await.unwrap_err().kind(), &ErrorKind::BadAnswer);
    let error = outcome(Say::new(503, "x".repeat(4 << 20))).await;
    assert_eq!((error.kind(), error.attempts()), (&ErrorKind::BadAnswer, 1));
}

#[tokio::test]
async fn silence_ends_in_a_timeout() {
    let fake = Fake::start().await;
    fake.checks_say([Say::nothing(), Say::nothing()]);
    let laini = fake.builder().attempt_timeout_ms(50).max_retries(1).build().unwrap();
    let error = laini.imsi(NUMBER).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.status()), (&ErrorKind::TimedOut, 2, None));
    let keys = fake.check_requests();
    assert!(keys.iter().all(|seen| seen.header("idempotency-key") == error.idempotency_key()));
}

#[tokio::test]
async fn the_deadline_covers_the_token_and_every_attempt() {
    let fake = Fake::start().await;
    fake.tokens_say([Say::nothing()]);
    let error = fake.builder().deadline_ms(50).build().unwrap().imsi(NUMBER).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (&ErrorKind::TimedOut, 1));
    // A caller that gave up while it fetched a token is in nobody's way.
    let fake = Fake::start().await;
    fake.tokens_say([Say::nothing()]);
    let laini = fake.client();
    tokio::select! {
        biased;
        _ = laini.imsi(NUMBER).send() => panic!("there is no answer"),
        () = async { while fake.token_requests().is_empty() { tokio::task::yield_now().await } } => {}
    }
    laini.imsi(NUMBER).await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_told_after_the_last_attempt() {
    // Bound, so that nobody else listens there, and not listening itself.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let base_url = format!("http://{}", socket.local_addr().unwrap());
    let laini = Laini::builder().base_url(&base_url).credentials(KEY, SECRET).backoff_first_ms(1).max_retries(2);
    let error = laini.build().unwrap().imsi(NUMBER).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (&ErrorKind::Unreachable, 3));
    assert!(error.to_string().contains("refused"), "{error}");
}

fn is_whole(request: &[u8]) -> bool {
    if request.starts_with(b"POST") { request.ends_with(b"}") } else { request.ends_with(b"\r\n\r\n") }
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let token = Say::example("generate.answer.json").body;
    let answer = Say::example("imsi.answer.json").body;
    let whole =
        |body: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let replies = [
        whole(&token),
        String::new(),
        "HTTP/1.1 2".to_owned(),
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        whole(&answer)[..200].to_owned(),
        whole(&answer),
    ];
    let server = tokio::spawn(async move {
        for reply in replies {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !is_whole(&request) {
                assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0, "the client hung up");
            }
            connection.write_all(reply.as_bytes()).await.unwrap();
        }
    });
    let laini = Laini::builder().base_url(&base_url).credentials(KEY, SECRET).backoff_first_ms(1).max_retries(4);
    let checked = laini.build().unwrap().imsi(NUMBER).await.unwrap();
    assert_eq!(checked.receipt.attempts, 5);
    server.await.unwrap();
}

#[tokio::test]
async fn ids_that_no_header_can_carry_are_refused_before_anything_is_sent() {
    let fake = Fake::start().await;
    let laini = fake.client();
    for id in ["", "a b", "é", "a\r\nb", &"x".repeat(256)] {
        let error = laini.imsi(NUMBER).request_id(id).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::InvalidId, "{id:?}");
        let error = laini.imsi(NUMBER).idempotency_key(id).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::InvalidId, "{id:?}");
    }
    assert!(fake.token_requests().is_empty());
    laini.imsi(NUMBER).request_id("x".repeat(128)).idempotency_key("x".repeat(255)).await.unwrap();
}

#[tokio::test]
async fn a_suggested_number_is_given_but_not_shown() {
    let words = "Bad Request - Invalid customerNumber - did you mean 254722000000?";
    let error = outcome(Say::error(400, code::INVALID_CUSTOMER_NUMBER, words)).await;
    let ErrorKind::InvalidNumber { suggestion: Some(suggestion) } = error.kind() else { panic!("{error:?}") };
    assert_eq!(suggestion.reveal(), NUMBER);
    assert!(!format!("{error} {error:?}").contains(NUMBER));
}

#[tokio::test]
async fn no_error_shows_the_number_the_token_or_the_secret() {
    let token = "c9SQxWWhmdVRlyh0zh8gZDTkubVF";
    for status in [400, 401, 403, 404, 409, 422, 429, 500, 503] {
        let fake = Fake::start().await;
        fake.tokens_say([Say::token(token, "3599"), Say::token(token, "3599")]);
        let words = format!("{NUMBER} {token} {SECRET}");
        fake.checks_say([Say::error(status, "499.001.01", &words), Say::error(status, &words, &words)]);
        let error = fake.builder().max_retries(1).build().unwrap().imsi(NUMBER).await.unwrap_err();
        let shown = format!("{error} {error:?} {:?} {}", error.kind(), error.hint());
        for secret in [NUMBER, token, SECRET] {
            assert!(!shown.contains(secret), "{status}: {shown}");
        }
    }
}
