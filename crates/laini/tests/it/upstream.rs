//! The operator's back end as the registry: whatever it does, a check is answered in time, truly, and
//! charged only for facts.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use laini_testkit::back_end::{Authority, BackEnd, HEALTHY, Identity, MISBEHAVIOURS, Seen, Step, json as json_answer};

use crate::bank::{AGE, Answer, Bank, IMSI, SWAP};
use crate::running::{Credentials, Lab, Running};

const SEED: u64 = 20_261_122;
const PAID: &str = "KES 20.00";
/// The promise: whatever the back end does, a check waits no longer for it.
const ANSWERED_WITHIN: Duration = Duration::from_millis(2_500);
/// Patience with the back end in these tests.
const TIMEOUT_MS: u64 = 400;

/// A lab whose registry is a back end.
struct Site {
    lab: Lab,
    credentials: Credentials,
    config: PathBuf,
    next: u64,
}

impl Site {
    /// `upstream` and `answer` are further lines of the two sections.
    fn new(url: &str, upstream: &str, answer: &str) -> Self {
        let lab = Lab::new();
        let credentials = lab.partner_app("Bank A", "production");
        let config = lab.path("upstream.toml");
        let text = format!(
            "[registry]\nkind = \"http\"\n[upstream]\nurl = \"{url}\"\n{upstream}\n[upstream_answer]\n\
             never_when = [\"/last_swap_at = null\"]\nnot_served_when = [\"status 404\"]\n\
             unknown_when = ['/status = \"migrating\"']\nrestricted = \"/restricted\"\nhistory = \"always\"\n{answer}"
        );
        std::fs::write(&config, text).unwrap();
        Self { lab, credentials, config, next: SEED }
    }

    /// One in front of a back end without TLS, impatient, and with a breaker that hardly ever opens.
    fn plain(back_end: &BackEnd, idle_connections_max: usize) -> Self {
        let limits = format!(
            "timeout_ms = {TIMEOUT_MS}\nretry_needs_ms = 100\nbreaker_failures_max = 1000000\n\
             idle_connections_max = {idle_connections_max}"
        );
        Self::new(&format!("http://{}/lines/{{msisdn}}", back_end.address()), &limits, "")
    }

    fn serve(&self) -> (Running, Bank) {
        let config = self.config.to_str().unwrap();
        let server = self.lab.start(self.lab.command(&["serve", "--listen", "127.0.0.1:0", "--config", config]));
        let bank = Bank::of(&server, &self.credentials);
        (server, bank)
    }

    /// A number that nobody has asked about.
    fn number(&mut self) -> String {
        self.next += 7_919;
        format!("2547{:08}", self.next % 100_000_000)
    }
}

/// What is wrong with an answer that should be seen as `seen`.
fn complaint(answer: &Answer, seen: Seen, took: Duration) -> Option<String> {
    let (status, code) = seen.status_and_code();
    let is_right = answer.status == status
        && answer.field("errorCode") == code
        && answer.header("laini-charge").starts_with("none; reason=")
        && (status != 503 || !answer.header("retry-after").is_empty())
        && took < ANSWERED_WITHIN;
    (!is_right).then(|| format!("expected {seen:?}, was answered {} after {took:?}: {}", answer.status, answer.text))
}

fn is_healthy(answer: &Answer) -> bool {
    answer.status == 200 && answer.header("laini-charge") == PAID && answer.header("laini-swap") == "not-swapped"
}

#[test]
fn upstream_misbehaves_and_nothing_is_charged_and_nothing_hangs() {
    let back_end = BackEnd::start();
    let mut site = Site::plain(&back_end, 0);
    let (server, bank) = site.serve();
    let mut failures = Vec::new();
    let mut rows = 0;
    for way in MISBEHAVIOURS {
        back_end.misbehave(way.steps());
        let asked = Instant::now();
        let answer = bank.check(IMSI, &site.number());
        failures.extend(complaint(&answer, way.seen, asked.elapsed()).map(|why| format!("{}: {why}", way.name)));
        rows += usize::from(matches!(way.seen, Seen::NotServed | Seen::Unknown));
        back_end.recover();
        let again = bank.check(IMSI, &site.number());
        rows += 1;
        if !is_healthy(&again) {
            failures.push(format!("after it {}, a healthy answer was seen as {again:?}", way.name));
        }
    }
    println!("family=upstream cases={} failures={} seed={SEED}", MISBEHAVIOURS.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let ledger = site.lab.ledger();
    assert_eq!(ledger.len(), rows, "a row for whatever the registry answered, and for nothing else");
    let charged = ledger.iter().filter(|row| row.charge_minor > 0).count();
    assert_eq!(charged, MISBEHAVIOURS.len(), "charged for facts alone");
    server.stop();
}

#[test]
fn upstream_facts_are_answered_on_every_path() {
    let back_end = BackEnd::start();
    let mut site = Site::plain(&back_end, 0);
    let (server, bank) = site.serve();
    let body = HEALTHY.replace("\"last_swap_at\":null", "\"last_swap_at\":\"2015-06-01\"");
    back_end.misbehave(vec![Step::Read, Step::Write(json_answer(&body)), Step::Close]);
    let number = site.number();
    let answer = bank.check(IMSI, &number);
    assert_eq!((answer.status, answer.field("lastSwapDate").as_str()), (200, "01-01-1900"), "{answer:?}");
    assert_eq!(answer.field("customerNumber"), number);
    assert_eq!(answer.field("imsi").len(), 16);
    assert_eq!(bank.check(SWAP, &number).field("lastSwapDate"), "01-01-1900 00:00");
    assert_eq!(
        bank.check(AGE, &number).field("msisdnRegistrationDate"),
        "MSISDN registration is more than one year old"
    );
    let restricted = HEALTHY.replace("\"restricted\":false", "\"restricted\":true");
    back_end.misbehave(vec![Step::Read, Step::Write(json_answer(&restricted)), Step::Close]);
    let withheld = bank.check(IMSI, &site.number());
    assert_eq!((withheld.status, withheld.field("errorCode").as_str()), (403, "403.002.02"));
    server.stop();
}

#[test]
fn upstream_may_know_a_sim_by_its_hash_alone() {
    let back_end = BackEnd::start();
    let url = format!("http://{}/lines/{{msisdn}}", back_end.address());
    let mut site = Site::new(&url, "", "imsi = \"\"\nhashed_imsi = \"/imsi\"\n");
    let (server, bank) = site.serve();
    let body = HEALTHY.replace("639021860913909", "4213215110021315");
    back_end.misbehave(vec![Step::Read, Step::Write(json_answer(&body)), Step::Close]);
    let [first, second] = [site.number(), site.number()].map(|number| bank.check(IMSI, &number).field("imsi"));
    assert!(first.len() == 16 && first.bytes().all(|digit| digit.is_ascii_digit()), "{first}");
    assert_eq!(first, second, "one hash, one pseudonym");
    assert_ne!(first, "4213215110021315", "the operator's hash is for agreements that pass it through");
    server.stop();
}

#[test]
fn upstream_that_closed_an_idle_connection_is_asked_again() {
    let back_end = BackEnd::start();
    let mut site = Site::plain(&back_end, 64);
    let (server, bank) = site.serve();
    for end in [Step::Close, Step::Reset] {
        back_end.misbehave(vec![Step::Read, Step::Write(json_answer(HEALTHY)), end]);
        for _ in 0..50 {
            let answer = bank.check(IMSI, &site.number());
            assert!(is_healthy(&answer), "{answer:?}");
        }
    }
    // What comes unasked behind an answer belongs to no later question.
    let other = json_answer(&HEALTHY.replace("{msisdn}", "254711999999"));
    back_end.misbehave(vec![Step::Read, Step::Write(json_answer(HEALTHY)), Step::Write(other), Step::Stall]);
    for _ in 0..20 {
        let answer = bank.check(IMSI, &site.number());
        assert!(is_healthy(&answer), "{answer:?}");
    }
    // A connection that serves is kept.
    back_end.recover();
    let before = back_end.connections();
    for _ in 0..20 {
        assert!(is_healthy(&bank.check(IMSI, &site.number())));
    }
    assert!(back_end.connections() - before <= 2, "connections are not reused");
    server.stop();
}

#[test]
fn upstream_is_retried_once_and_never_after_a_bad_answer() {
    let back_end = BackEnd::start();
    let mut site = Site::plain(&back_end, 0);
    let (server, bank) = site.serve();
    for (name, attempts) in [
        ("fails (500)", 2),
        ("closes after the request", 2),
        ("sheds load (503)", 1),
        ("limits us (429)", 1),
        ("is no JSON", 1),
        ("speaks of another number", 1),
        ("reads and says nothing", 1),
    ] {
        let way = MISBEHAVIOURS.iter().find(|way| way.name == name).unwrap();
        back_end.misbehave(way.steps());
        let before = back_end.requests();
        bank.check(IMSI, &site.number());
        assert_eq!(back_end.requests() - before, attempts, "{name}");
    }
    server.stop();
}

#[test]
fn upstream_that_fails_again_and_again_is_left_alone_until_a_probe_succeeds() {
    let back_end = BackEnd::start();
    let url = format!("http://{}/lines/{{msisdn}}", back_end.address());
    let limits =
        format!("timeout_ms = {TIMEOUT_MS}\nretry_needs_ms = 2400\nbreaker_failures_max = 3\nbreaker_open_ms = 300");
    let mut site = Site::new(&url, &limits, "");
    let (server, bank) = site.serve();
    assert_eq!(bank.get("/readyz").unwrap().status, 200, "nobody's number is asked about");
    assert_eq!(back_end.requests(), 0);
    back_end.misbehave(vec![Step::Read, Step::Stall]);
    for _ in 0..3 {
        assert_eq!(bank.check(IMSI, &site.number()).status, 504);
    }
    assert_eq!(bank.get("/readyz").unwrap().status, 503);
    let (before, asked) = (back_end.requests(), Instant::now());
    let answer = bank.check(IMSI, &site.number());
    assert_eq!((answer.status, answer.field("errorCode").as_str()), (503, "503.002.01"));
    assert!(asked.elapsed() < Duration::from_millis(TIMEOUT_MS), "it is not waited for");
    assert_eq!(back_end.requests(), before, "it is not asked");
    back_end.recover();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_healthy(&bank.check(IMSI, &site.number())) {
        assert!(Instant::now() < deadline, "the breaker never closed");
    }
    assert_eq!(bank.get("/readyz").unwrap().status, 200);
    server.stop();
}

#[test]
fn upstream_certificates_are_verified_both_ways() {
    let (ours, stranger) = (Authority::default(), Authority::default());
    let good = ours.issue("localhost");
    let client = ours.issue("laini");
    let cases = [
        ("good", good.server(None), true, true),
        ("asks for ours, gets it", good.server(Some(&ours)), true, true),
        ("asks for ours, gets none", good.server(Some(&ours)), false, false),
        ("asks for another authority's", good.server(Some(&stranger)), true, false),
        ("expired", ours.issue_expired("localhost").server(None), true, false),
        ("another host's", ours.issue("hlr.example").server(None), true, false),
        ("a stranger's", stranger.issue("localhost").server(None), true, false),
        ("self-signed", Identity::self_signed("localhost").server(None), true, false),
    ];
    for (name, certificate, shows_ours, is_trusted) in cases {
        let back_end = BackEnd::start_tls(certificate);
        let url = format!("https://localhost:{}/lines/{{msisdn}}", back_end.address().port());
        let mut site = Site::new(&url, "", "");
        let files = [("ca.pem", ours.pem()), ("laini.pem", &client.certificate), ("laini.key", &client.key)];
        let [ca, certificate, key] = files.map(|(file, text)| {
            let path = site.lab.path(file);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        });
        let ours = if shows_ours {
            format!("client_certificate_file = \"{certificate}\"\nclient_key_file = \"{key}\"")
        } else {
            String::new()
        };
        let text = std::fs::read_to_string(&site.config).unwrap();
        let text = text.replace("\n[upstream_answer]", &format!("\nca_file = \"{ca}\"\n{ours}\n[upstream_answer]"));
        std::fs::write(&site.config, text).unwrap();
        let (server, bank) = site.serve();
        let answer = bank.check(IMSI, &site.number());
        if is_trusted {
            assert!(is_healthy(&answer), "{name}: {answer:?}");
        } else {
            assert_eq!(complaint(&answer, Seen::Unavailable, Duration::ZERO), None, "{name}");
            assert_eq!(back_end.requests(), 0, "{name}: a number went to somebody who is not the back end");
        }
        server.stop();
    }
}

#[test]
fn upstream_is_asked_as_the_settings_say() {
    let back_end = BackEnd::start();
    let url = format!("http://{}/ask", back_end.address());
    let secret = "Bearer s3cret-of-the-hlr";
    let mut site = Site::new(&url, "", "");
    site.lab.canaries.word("s3cret-of-the-hlr");
    let credential = site.lab.path("credential");
    std::fs::write(&credential, format!("{secret}\n")).unwrap();
    let post = format!(
        "/ask\"\nmethod = \"POST\"\nbody = '{{\"number\":\"{{msisdn}}\"}}'\ncredential_file = \"{}\"\n",
        credential.display()
    );
    let text = std::fs::read_to_string(&site.config).unwrap().replace("/ask\"\n", &post);
    std::fs::write(&site.config, text).unwrap();
    let (server, bank) = site.serve();
    let number = site.number();
    assert!(is_healthy(&bank.check(IMSI, &number)));
    let request = back_end.newest_request();
    assert!(request.starts_with("POST /ask HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("authorization: {secret}\r\n")), "{request}");
    assert!(request.ends_with(&format!("\r\n\r\n{{\"number\":\"{number}\"}}")), "{request}");
    server.stop();
}

#[test]
fn upstream_settings_say_what_is_missing() {
    let lab = Lab::new();
    let config = lab.path("upstream.toml");
    std::fs::write(&config, "[registry]\nkind = \"http\"\n").unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--config", config.to_str().unwrap()];
    assert!(lab.refused(&serve).contains("needs upstream.url"));
    let url = "[upstream]\nurl = \"https://hlr.example/{msisdn}\"\ncredential_file = \"/nowhere\"\n";
    std::fs::write(&config, format!("[registry]\nkind = \"http\"\n{url}[upstream_answer]\nhistory = \"always\"\n"))
        .unwrap();
    assert!(lab.refused(&serve).contains("upstream.credential_file: /nowhere cannot be read"));
}
