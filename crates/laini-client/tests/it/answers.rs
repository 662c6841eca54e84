use std::time::Duration;

use laini_client::{Answer, Date, Environment, Registration, SwapStatus, TimeOfDay, UnknownReason, Window};
use laini_wire::error::{code, message};

use crate::fake::{Fake, NUMBER, REF, Say};

const MAY_1: Date = Date { year: 2022, month: 5, day: 1 };
const MARCH_1: Date = Date { year: 2022, month: 3, day: 1 };

#[tokio::test]
async fn the_published_imsi_answer_is_read() {
    let fake = Fake::start().await;
    let checked = fake.client().imsi(NUMBER).await.unwrap();
    let Answer::Known(facts) = checked.answer else { panic!("no facts") };
    assert_eq!(facts.imsi.reveal(), "9233817055099406");
    assert_eq!(facts.swap, SwapStatus::Swapped { on: MAY_1, at: None });
    assert_eq!(facts.registration, Registration::Within(MARCH_1));
    assert_eq!(checked.receipt.request_ref_id, REF);
    assert_eq!(checked.receipt.body.reveal(), Say::example("imsi.answer.json").body);
    assert!(!format!("{facts:?}").contains("9233817055099406"));
    assert!(!format!("{:?}", checked.receipt).contains(NUMBER));
}

#[tokio::test]
async fn swap_and_age_go_to_their_paths() {
    let fake = Fake::start().await;
    fake.checks_say([Say::example("swap.answer.json"), Say::example("age.answer.json")]);
    let laini = fake.client();
    let Answer::Known(swap) = laini.swap(NUMBER).await.unwrap().answer else { panic!("no facts") };
    assert_eq!(swap.swap, SwapStatus::Swapped { on: MAY_1, at: Some(TimeOfDay { hour: 0, minute: 0 }) });
    let Answer::Known(age) = laini.age(NUMBER).await.unwrap().answer else { panic!("no facts") };
    assert_eq!(age.registration, Registration::Within(MARCH_1));
    laini.imsi(NUMBER).await.unwrap();
    let sent = fake.check_requests();
    let paths: Vec<_> = sent.iter().map(|seen| seen.path_and_query.as_str()).collect();
    assert_eq!(paths, ["/imsi/v2/checkATI", "/registration/lookup/v1/checkATI", "/imsi/v1/checkATI"]);
    for seen in &sent {
        assert_eq!((seen.method.as_str(), seen.header("content-type")), ("POST", "application/json"));
        assert_eq!(seen.body, br#"{"customerNumber":"254722000000"}"#);
    }
}

#[tokio::test]
async fn the_sentinel_and_the_text_become_windows() {
    let fake = Fake::start().await;
    let body = Say::example("imsi.answer.json")
        .body
        .replace("01-05-2022", "01-01-1900")
        .replace("01-03-2022", "MSISDN registration is more than one year old");
    let narrow = Say::new(200, body.clone()).with("Laini-Window", "swap=P1M, registration=P6M");
    fake.checks_say([Say::new(200, body).with("Laini-Swap", "not-swapped"), narrow]);
    let laini = fake.client();
    for (swap, registration) in [(3, 12), (1, 6)] {
        let Answer::Known(facts) = laini.imsi(NUMBER).await.unwrap().answer else { panic!("no facts") };
        assert_eq!(facts.swap, SwapStatus::NotSwapped { within: Window { months: swap } });
        assert_eq!(facts.registration, Registration::Older { than: Window { months: registration } });
    }
}

#[tokio::test]
async fn the_receipt_carries_what_the_headers_say() {
    let fake = Fake::start().await;
    let said = Say::example("imsi.answer.json")
        .with("Laini-Swap", "swapped")
        .with("Laini-Charge", "KES 20.00")
        .with("Laini-Environment", "sandbox")
        .with("Laini-As-Of", "2026-11-22T06:00:00Z")
        .with("Idempotent-Replayed", "true");
    fake.checks_say([said, Say::example("imsi.answer.json").with("Laini-Environment", "elsewhere")]);
    let laini = fake.client();
    let receipt = laini.imsi(NUMBER).await.unwrap().receipt;
    assert_eq!(receipt.charge.as_deref(), Some("KES 20.00"));
    assert_eq!(receipt.environment, Some(Environment::Sandbox));
    assert_eq!(receipt.as_of.as_deref(), Some("2026-11-22T06:00:00Z"));
    assert!(receipt.replayed);
    let seen = &fake.check_requests()[0];
    assert_eq!(seen.header("x-request-id"), receipt.request_id);
    assert_eq!(seen.header("idempotency-key"), receipt.idempotency_key);
    let bare = laini.imsi(NUMBER).await.unwrap().receipt;
    assert_eq!((bare.charge, bare.environment, bare.as_of, bare.replayed), (None, None, None, false));
    assert_ne!(bare.idempotency_key, receipt.idempotency_key);
    assert_ne!(bare.request_id, receipt.request_id);
}

#[tokio::test]
async fn an_unknown_has_its_reason_and_is_not_asked_twice() {
    for (status, code, words, reason) in [
        (503, code::REGISTRY_UNKNOWN, message::REGISTRY_STALE, UnknownReason::Stale),
        (503, code::REGISTRY_UNKNOWN, message::REGISTRY_INCOMPLETE, UnknownReason::Incomplete),
        (403, code::WITHHELD, "Forbidden - withheld", UnknownReason::Withheld),
    ] {
        let fake = Fake::start().await;
        fake.checks_say([Say::error(status, code, words).with("Retry-After", "30")]);
        let checked = fake.client().swap(NUMBER).await.unwrap();
        let Answer::Unknown(unknown) = checked.answer else { panic!("{words}") };
        assert_eq!((unknown.reason, unknown.retry_after), (reason, Some(Duration::from_secs(30))));
        assert_eq!((checked.receipt.attempts, checked.receipt.request_ref_id.as_str()), (1, REF));
    }
}

#[tokio::test]
async fn only_the_code_for_it_means_not_served() {
    let fake = Fake::start().await;
    fake.checks_say([
        Say::error(404, code::NOT_SERVED, "Resource not found"),
        Say::error(404, code::UNKNOWN_PATH, "Resource not found"),
        Say::new(404, "<html>not here</html>"),
        Say::error(200, code::NOT_SERVED, "Resource not found"),
    ]);
    let laini = fake.client();
    let checked = laini.age(NUMBER).await.unwrap();
    assert_eq!((checked.answer, checked.receipt.request_ref_id.as_str()), (Answer::NotServed, REF));
    for _ in 0..3 {
        laini.age(NUMBER).await.unwrap_err();
    }
    assert_eq!(fake.check_requests().len(), 4);
}

#[tokio::test]
async fn the_callers_own_ids_are_sent() {
    let fake = Fake::start().await;
    fake.checks_say([Say::new(500, ""), Say::new(502, "")]);
    let checked = fake.client().imsi(NUMBER).request_id("loan-7").idempotency_key("loan-7/sim").await.unwrap();
    assert_eq!((checked.receipt.attempts, checked.receipt.request_id.as_str()), (3, "loan-7"));
    for seen in fake.check_requests() {
        assert_eq!((seen.header("x-request-id"), seen.header("idempotency-key")), ("loan-7", "loan-7/sim"));
    }
}

#[tokio::test]
async fn a_base_url_may_end_in_a_path() {
    let fake = Fake::start().await;
    let laini = fake.builder().base_url(&format!("{}/gateway/", fake.base_url)).max_retries(0).build().unwrap();
    laini.imsi(NUMBER).await.unwrap_err();
    assert_eq!(fake.check_requests()[0].path_and_query, "/gateway/oauth/v1/generate?grant_type=client_credentials");
}
