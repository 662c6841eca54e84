//! One idempotency key, many callers at once: one charge, one answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::bank::{Bank, IMSI};
use crate::running::{Lab, on_demand};

const KEYS: u64 = 2_000;
const SEED: u64 = 11;
const CALLERS_MAX: usize = 64;
/// Keys that are fought over at the same time.
const AT_ONCE: usize = 4;
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// What one caller was told.
#[derive(Debug)]
struct Said {
    status: u16,
    charge: String,
    is_replayed: bool,
    body: String,
}

#[test]
fn idempotency_of_many_callers_at_once_is_one_charge_and_one_answer() {
    let (keys, seed) = (on_demand("LAINI_TEST_IDEMPOTENCY_KEYS", KEYS), on_demand("LAINI_TEST_SEED", SEED));
    let lab = Lab::new();
    let numbers = lab.import_sample(50, SEED).served();
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    let (url, token) = (bank.url(IMSI), bank.token().to_owned());
    let http = reqwest::Client::builder().timeout(ANSWERED_WITHIN).no_proxy().build().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut callers_in_all, mut fought) = (0, 0);
    runtime.block_on(async {
        let mut under_way = JoinSet::new();
        for key in 0..keys {
            // A number comes again under other keys: those are other questions.
            let callers = rng.usize(2..=CALLERS_MAX);
            let body = format!(r#"{{"customerNumber":"{}"}}"#, rng.choice(&numbers).unwrap());
            callers_in_all += callers;
            let request = http.post(&url).bearer_auth(&token).header("Content-Type", "application/json");
            let request = request.header("Idempotency-Key", format!("key-{key}")).body(body);
            under_way.spawn(async move { judge(key, all_at_once(&request, callers).await) });
            if under_way.len() == AT_ONCE {
                fought += under_way.join_next().await.unwrap().unwrap();
            }
        }
        while let Some(running) = under_way.join_next().await {
            fought += running.unwrap();
        }
    });
    server.stop();
    let rows = lab.ledger();
    assert_eq!(rows.len() as u64, keys, "a row for each key");
    assert!(rows.iter().all(|row| row.charge_minor == 2_000), "and each is charged");
    assert!(fought > 0, "no caller ever came while another one was at work");
    lab.verify_ledger();
    println!("family=idempotency cases={keys} failures=0 seed={seed} callers={callers_in_all} told_to_wait={fought}");
}

/// The same request from so many callers at the same moment.
async fn all_at_once(request: &reqwest::RequestBuilder, callers: usize) -> Vec<Said> {
    let start = Arc::new(Barrier::new(callers));
    let mut calling = JoinSet::new();
    for _ in 0..callers {
        let (request, start) = (request.try_clone().unwrap(), Arc::clone(&start));
        calling.spawn(async move {
            start.wait().await;
            let response = request.send().await.unwrap();
            let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let (charge, replayed) = (header("laini-charge").unwrap_or_default(), header("idempotent-replayed"));
            let (status, is_replayed) = (response.status().as_u16(), replayed.as_deref() == Some("true"));
            Said { status, charge, is_replayed, body: response.text().await.unwrap() }
        });
    }
    calling.join_all().await
}

/// One of them was charged, the others are told the same for nothing, or to wait; how many had to.
fn judge(key: u64, said: Vec<Said>) -> usize {
    let (answered, waiting): (Vec<Said>, Vec<Said>) = said.into_iter().partition(|said| said.status == 200);
    let (replayed, charged): (Vec<&Said>, Vec<&Said>) = answered.iter().partition(|said| said.is_replayed);
    let [first] = charged[..] else { panic!("key {key}: {} of {answered:?} were charged", charged.len()) };
    assert_eq!(first.charge, "KES 20.00", "key {key}");
    for said in replayed {
        assert_eq!((&said.body, said.charge.as_str()), (&first.body, "none; reason=replay"), "key {key}");
    }
    for said in &waiting {
        assert_eq!(said.status, 409, "key {key}: {said:?}");
        assert!(said.body.contains("409.002.01"), "key {key}: {said:?}");
    }
    waiting.len()
}

#[test]
fn idempotency_survives_kill_9() {
    let lab = Lab::new();
    let numbers = lab.import_sample(50, SEED).served();
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let mut bank = Bank::of(&server, &app);
    let ask = |bank: &Bank, number: &str, key: &str| {
        bank.post(IMSI, &[("Idempotency-Key", key)], &format!(r#"{{"customerNumber":"{number}"}}"#)).unwrap()
    };
    let told: Vec<_> = numbers.iter().enumerate().map(|(n, number)| ask(&bank, number, &format!("k{n}"))).collect();
    server.kill9();
    let server = lab.serve();
    bank.move_to(&server);
    for (n, (number, told)) in numbers.iter().zip(&told).enumerate() {
        let again = ask(&bank, number, &format!("k{n}"));
        assert_eq!((again.status, &again.text), (200, &told.text));
        assert_eq!((again.header("laini-charge"), told.header("laini-charge")), ("none; reason=replay", "KES 20.00"));
    }
    let other = ask(&bank, &numbers[1], "k0");
    assert_eq!((other.status, other.field("errorCode").as_str()), (422, "422.002.01"), "the key of another request");
    server.stop();
    assert_eq!(lab.ledger().len(), numbers.len(), "charged once each");
}
