//! Deliveries of the real binary: none is lost over kill -9, commands beside the server, a developer's machine.

use std::collections::{HashMap, HashSet};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use laini_testkit::back_end::{Authority, Identity};
use serde_json::Value;

use crate::bank::{Bank, IMSI};
use crate::receiver::Receiver;
use crate::running::{Credentials, Lab, Running, on_demand, wait_until};

const KILLS: u64 = 6;
const SEED: u64 = 20_261_122;
const LINES: u32 = 2_000;
const CLIENTS: usize = 4;
/// A kill comes after at most so many acceptances of its round, and so much later.
const ACCEPTED_BEFORE_KILL_MAX: u64 = 60;
const JITTER_US_MAX: u64 = 20_000;
const LOAD_WITHIN: Duration = Duration::from_mins(1);
/// Leases of the killed servers and pauses after failures have passed by then.
const ARRIVED_WITHIN: Duration = Duration::from_secs(90);

fn register(lab: &Lab, app: &Credentials, url: &str) -> Value {
    let added = lab.json(&["app", "result-address", "add", &app.consumer_key, url]);
    lab.canaries.word(added["signing_secret"].as_str().unwrap());
    added
}

fn body(number: &str, url: &str) -> String {
    format!(r#"{{"customerNumber":"{number}","resultURL":"{url}"}}"#)
}

/// The ids of all accepted checks.
fn accept_until_gone(bank: &Bank, url: &str, numbers: &[String], next: &AtomicUsize, accepted: &Mutex<Vec<String>>) {
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let number = &numbers[n % numbers.len()];
        let Ok(answer) = bank.post(IMSI, &[("X-Request-ID", &format!("check-{n}"))], &body(number, url)) else {
            return;
        };
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("laini-charge"), "none; reason=accepted");
        accepted.lock().unwrap().push(answer.field("requestRefID"));
    }
}

#[test]
fn delivery_loses_nothing_over_kill_9() {
    let (kills, seed) = (on_demand("LAINI_TEST_DELIVERY_KILLS", KILLS), on_demand("LAINI_TEST_SEED", SEED));
    let mut rng = fastrand::Rng::with_seed(seed);
    let (lab, receiver) = (Lab::new(), Receiver::start());
    let numbers = lab.import_sample(LINES, seed).served();
    let app = lab.partner_app("Bank A", "production");
    assert_eq!(register(&lab, &app, &receiver.url())["proven"], true);
    receiver.fails_each(7);
    let (next, accepted) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let mut server = lab.serve();
    let mut banks: Vec<Bank> = (0..CLIENTS).map(|_| Bank::of(&server, &app)).collect();
    for _ in 0..kills {
        let target = accepted.lock().unwrap().len() as u64 + 1 + rng.u64(..ACCEPTED_BEFORE_KILL_MAX);
        let jitter = Duration::from_micros(rng.u64(..JITTER_US_MAX));
        thread::scope(|scope| {
            for bank in &mut banks {
                let (url, numbers, next, accepted) = (receiver.url(), &numbers, &next, &accepted);
                scope.spawn(move || accept_until_gone(bank, &url, numbers, next, accepted));
            }
            wait_until("enough acceptances", LOAD_WITHIN, || accepted.lock().unwrap().len() as u64 >= target);
            // The moment of the kill is what is tried here; nothing waits for it.
            thread::sleep(jitter);
            server.kill9();
        });
        server = lab.serve();
        for bank in &mut banks {
            bank.move_to(&server);
        }
    }
    let accepted = accepted.into_inner().unwrap();
    let taken = || -> HashSet<String> {
        receiver.received().into_iter().filter(|received| received.is_taken).map(|received| received.id).collect()
    };
    wait_until("every delivery", ARRIVED_WITHIN, || accepted.iter().all(|id| taken().contains(id)));
    server.stop();
    let received = receiver.received();
    assert_each_delivery_is_one_check(&lab, &received, &accepted);
    println!(
        "family=delivery kill cases={kills} failures=0 seed={seed} accepted={} attempts={}",
        accepted.len(),
        received.len()
    );
}

/// However often it came, a delivery is the same one, and its check stands in the ledger once.
fn assert_each_delivery_is_one_check(lab: &Lab, received: &[crate::receiver::Received], accepted: &[String]) {
    let mut bodies: HashMap<&str, &Value> = HashMap::new();
    for delivery in received {
        let first = bodies.entry(&delivery.id).or_insert(&delivery.body);
        assert_eq!(**first, delivery.body, "a delivery changed between two attempts");
        assert_eq!(delivery.body["requestRefID"], delivery.id);
        assert!(delivery.signature.starts_with("v1,"));
    }
    let rows = lab.ledger();
    assert_eq!(lab.verify_ledger(), rows.len() as u64);
    let recorded: HashMap<&str, i64> = rows.iter().map(|row| (row.request_ref_id.as_str(), row.charge_minor)).collect();
    assert_eq!(recorded.len(), rows.len(), "a check stands in the ledger twice");
    for id in accepted {
        let body = bodies[id.as_str()];
        let charged = if recorded[id.as_str()] > 0 { "KES 20.00" } else { "none; reason=repeat" };
        assert_eq!((&body["responseCode"], &body["charge"]), (&"200".into(), &charged.into()), "{body}");
    }
}

#[test]
fn delivery_commands_work_beside_the_server() {
    let (lab, receiver) = (Lab::new(), Receiver::start());
    let number = lab.import_sample(100, 3).served().remove(0);
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let added = register(&lab, &app, &receiver.url());
    let address = added["address"].as_str().unwrap();
    let secret = added["signing_secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(base64::engine::general_purpose::STANDARD.decode(&secret[6..]).unwrap().len(), 32);
    let listed = lab.json(&["app", "result-address", "list"]);
    assert_eq!((&listed[0]["address"], &listed[0]["url"]), (&address.into(), &receiver.url().into()));
    assert!(!listed.to_string().contains("whsec_"), "a secret is shown once");

    let bank = Bank::of(&server, &app);
    receiver.fails_each(1);
    let ask = || bank.post(IMSI, &[], &body(&number, &receiver.url())).unwrap();
    wait_until("the address is known to the server", LOAD_WITHIN, || ask().status == 200);
    wait_until("an attempt", LOAD_WITHIN, || !receiver.received().is_empty());
    let id = receiver.received()[0].id.clone();
    let show = || lab.json(&["delivery", "show", &id]);
    wait_until("it is noted", LOAD_WITHIN, || show()["attempts"] == 1);
    assert_eq!((&show()["state"], &show()["last_status"]), (&"due".into(), &500.into()));
    assert_eq!(lab.json(&["delivery", "dead"]), serde_json::json!([]));

    receiver.fails_each(0);
    let rolled = lab.json(&["app", "result-address", "roll-secret", address]);
    assert_ne!(rolled["signing_secret"], added["signing_secret"]);
    lab.canaries.word(rolled["signing_secret"].as_str().unwrap());
    let early = lab.refused(&["app", "result-address", "roll-secret", address]);
    assert!(early.contains("the secret before signs as well until"), "{early}");
    lab.json(&["delivery", "redeliver", &id]);
    wait_until("it is delivered", LOAD_WITHIN, || show()["state"] == "delivered");
    let both = || receiver.received().iter().any(|received| received.signature.split(' ').count() == 2);
    lab.json(&["delivery", "redeliver", &id]);
    wait_until("both secrets sign", LOAD_WITHIN, || {
        lab.json(&["delivery", "redeliver", &id]);
        both()
    });
    assert_eq!(lab.json(&["delivery", "list"])[0]["id"], id);

    lab.json(&["app", "result-address", "remove", address]);
    wait_until("it is refused", LOAD_WITHIN, || ask().status == 400);
    let said = lab.refused(&["app", "result-address", "add", &app.consumer_key, "https://10.0.0.1/"]);
    assert!(said.contains("its host must be a name"), "{said}");
    server.stop();
}

#[test]
fn delivery_to_an_address_that_answers_no_challenge_is_refused() {
    let lab = Lab::new();
    let app = lab.partner_app("Bank A", "production");
    // Nobody listens there: the port was free a moment ago.
    let gone = Receiver::start().url();
    let added = register(&lab, &app, &gone);
    assert_eq!(added["proven"], false);
    let said = lab.refused(&["app", "result-address", "prove", added["address"].as_str().unwrap()]);
    assert!(said.contains("no connection") && said.contains("hint:"), "{said}");
    let server = lab.serve();
    let refused = Bank::of(&server, &app).post(IMSI, &[], &body("254722000001", &gone)).unwrap();
    assert_eq!((refused.status, refused.field("errorCode").as_str()), (400, "400.002.02"));
    assert!(refused.field("errorMessage").contains("has not answered its challenge"));
    server.stop();
}

#[test]
fn delivery_over_tls_goes_to_a_receiver_whose_certificate_is_good_and_to_no_other() {
    let (lab, receiver) = (Lab::new(), Receiver::start());
    let (ours, stranger) = (Authority::default(), Authority::default());
    let trusted = lab.path("authorities.pem");
    std::fs::write(&trusted, ours.pem()).unwrap();
    let number = lab.import_sample(100, 5).served().remove(0);
    let app = lab.partner_app("Bank A", "production");
    let good = ours.issue("localhost").server(None);
    receiver.show(Arc::clone(&good));
    let add = ["app", "result-address", "add", &app.consumer_key, &receiver.tls_url(), "--json"];
    let added = lab.command(&add).env("SSL_CERT_FILE", &trusted).output().unwrap();
    let added: Value = serde_json::from_slice(&added.stdout).unwrap();
    lab.canaries.word(added["signing_secret"].as_str().unwrap());
    assert_eq!(added["proven"], true, "{added}");

    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("SSL_CERT_FILE", &trusted);
    let server = lab.start(command);
    let bank = Bank::of(&server, &app);
    let ask = || bank.post(IMSI, &[], &body(&number, &receiver.tls_url())).unwrap().field("requestRefID");
    let show = |id: &str| lab.json(&["delivery", "show", id]);
    let first = ask();
    wait_until("it is delivered", LOAD_WITHIN, || receiver.received().iter().any(|received| received.id == first));

    let wrong = [
        ("a stranger's", stranger.issue("localhost")),
        ("an expired one", ours.issue_expired("localhost")),
        ("another host's", ours.issue("bank.example")),
        ("its own", Identity::self_signed("localhost")),
    ];
    for (name, certificate) in wrong {
        receiver.show(certificate.server(None));
        let id = ask();
        // The delivery is there once the check was decided.
        wait_until("an attempt fails", LOAD_WITHIN, || {
            lab.json(&["delivery", "list"])[0]["id"] == id && show(&id)["attempts"].as_u64() > Some(0)
        });
        let problem = show(&id)["last_problem"].as_str().unwrap().to_owned();
        assert!(problem.starts_with("no connection: invalid peer certificate"), "{name}: {problem}");
        assert!(receiver.received().iter().all(|received| received.id != id), "{name}");
        receiver.show(Arc::clone(&good));
        lab.json(&["delivery", "redeliver", &id]);
        wait_until("it arrives", LOAD_WITHIN, || show(&id)["state"] == "delivered");
    }
    server.stop();
}

/// `laini listen` at work; it is ended when dropped.
struct Listening(std::process::Child);

impl Listening {
    fn start(lab: &Lab, server: &Running, app: &Credentials, to: &str) -> Self {
        let args = ["listen", "--forward-to", to, "--base-url", &server.base_url, "--json"];
        let mut command: Command = lab.command(&args);
        command.env("LAINI_CONSUMER_KEY", &app.consumer_key).env("LAINI_CONSUMER_SECRET", &app.consumer_secret);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Ends it; the lines that it printed.
    fn stop(mut self) -> Vec<Value> {
        self.0.kill().unwrap();
        let mut printed = String::new();
        std::io::Read::read_to_string(&mut self.0.stdout.take().unwrap(), &mut printed).unwrap();
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn delivery_reaches_a_developers_machine_through_listen() {
    let (lab, receiver) = (Lab::new(), Receiver::start());
    let numbers = lab.import_sample(100, 4).served();
    let app = lab.partner_app("Bank A", "production");
    assert_eq!(register(&lab, &app, "laini:listen")["proven"], true);
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    let ask = |number: &str| {
        let answer = bank.post(IMSI, &[], &body(number, "laini:listen")).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.field("requestRefID")
    };
    let before = ask(&numbers[0]);
    let listening = Listening::start(&lab, &server, &app, &receiver.url());
    let taken = |id: &String| receiver.received().iter().any(|received| received.id == *id);
    wait_until("what waited", LOAD_WITHIN, || taken(&before));
    let after = ask(&numbers[1]);
    wait_until("what came", LOAD_WITHIN, || taken(&after));
    let is_delivered = |id: &str| lab.json(&["delivery", "show", id])["state"] == "delivered";
    wait_until("both are acknowledged", LOAD_WITHIN, || is_delivered(&before) && is_delivered(&after));
    let said = listening.stop();
    assert_eq!(said[0], serde_json::json!({ "id": before, "status": 200 }));
    assert_eq!(said[1], serde_json::json!({ "id": after, "status": 200 }));
    assert!(receiver.received().iter().all(|received| received.signature.starts_with("v1,")));
    server.stop();
}
