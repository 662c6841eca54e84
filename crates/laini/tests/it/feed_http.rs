//! The operator's feed over the network, into the real server.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::bank::{Answer, Bank, IMSI};
use crate::running::{Lab, Running, days_ago, wait_until};

const EVENTS: &str = "/operator/v1/events";
const SNAPSHOTS: &str = "/operator/v1/snapshots";
const FEED: &str = "/operator/v1/feed";
/// A server looks at its accounts four times a second, at its registry too.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

/// The operator's own system.
struct Etl<'a> {
    client: Bank,
    key: String,
    lab: &'a Lab,
}

impl<'a> Etl<'a> {
    /// With a key of every scope.
    fn of(lab: &'a Lab, server: &Running) -> Self {
        Self::with_scopes(lab, server, "feed:write,feed:read")
    }

    fn with_scopes(lab: &'a Lab, server: &Running, scopes: &str) -> Self {
        let made = lab.json(&["operator", "key", "add", scopes, "--scopes", scopes, "--expires", "30d"]);
        let key = made["key"].as_str().unwrap().to_owned();
        server.canaries.word(&key);
        let etl = Self { client: Bank::stranger(server), key, lab };
        wait_until("the key is known", NOTICED_WITHIN, || etl.get(FEED).status != 401);
        etl
    }

    fn get(&self, path: &str) -> Answer {
        self.client.send(self.client.http().get(self.client.url(path)).bearer_auth(&self.key)).unwrap()
    }

    fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request = self.client.http().post(self.client.url(path)).bearer_auth(&self.key).body(body.into());
        self.client.send(request).unwrap()
    }

    /// Sends events; what became of them in all, after checking that each line was told.
    fn events(&self, body: impl Into<Vec<u8>>) -> Value {
        let answer = self.post(EVENTS, body);
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut lines: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = lines.pop().unwrap()["summary"].take();
        assert_eq!(summary["events"].as_u64().unwrap(), lines.len() as u64);
        let places: Vec<u64> = lines.iter().map(|line| line["line"].as_u64().unwrap()).collect();
        assert!(places.is_sorted(), "in order");
        summary
    }

    fn feed(&self) -> Value {
        self.get(FEED).json()
    }
}

/// Events that suspend and resume the lines in turn; every id is another one.
fn events(numbers: &[String], count: usize, first: usize) -> String {
    let mut text = String::new();
    for n in first..first + count {
        let (number, kind) = (&numbers[n % numbers.len()], if n % 2 == 0 { "suspended" } else { "resumed" });
        let at = days_ago(1) + jiff::SignedDuration::from_secs(i64::try_from(n).unwrap() / 1_000);
        writeln!(text, r#"{{"id":"e{n}","at":"{at}","type":"{kind}","msisdn":"{number}"}}"#).unwrap();
    }
    text
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// The largest amount of memory that the process ever had.
pub(crate) fn peak_kib(server: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid.as_raw_nonzero())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn feed_over_http_streams_events_plain_and_packed() {
    const COUNT: usize = 60_000;
    let lab = Lab::new();
    let numbers = lab.import_sample(1_000, 1).served();
    let server = lab.serve();
    let etl = Etl::of(&lab, &server);
    let counts = |accepted: usize, repeated: usize| json!({"events": accepted + repeated, "accepted": accepted, "repeated": repeated, "waiting": 0, "refused": 0});
    let first = etl.events(events(&numbers, 1_000, 0));
    assert_eq!(first, counts(1_000, 0));
    let before = peak_kib(&server);
    let text = events(&numbers, COUNT, 1_000);
    assert_eq!(etl.events(gzip(&text)), counts(COUNT, 0));
    let grown_kib = peak_kib(&server) - before;
    // The text alone is ten times as much; what is allowed are buffers, batches and the databases' caches.
    assert!(grown_kib < 64 * 1024, "{grown_kib} KiB for {} bytes", text.len());
    let packed = ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    assert_eq!(etl.events(packed), counts(0, COUNT), "sent again, it is the same");
    assert_eq!(etl.feed()["events"], COUNT + 1_000);
    server.stop();
}

#[test]
fn feed_over_http_goes_on_after_a_broken_upload_and_a_killed_server() {
    const COUNT: usize = 20_000;
    let lab = Lab::new();
    let numbers = lab.import_sample(1_000, 1).served();
    let text = events(&numbers, COUNT, 0);
    let server = lab.serve();
    let etl = Etl::of(&lab, &server);
    let upload = |server: &Running| {
        let mut upload = TcpStream::connect(server.address()).unwrap();
        let head = format!(
            "POST {EVENTS} HTTP/1.1\r\nHost: laini\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
            etl.key,
            text.len()
        );
        upload.write_all(head.as_bytes()).unwrap();
        upload.write_all(&text.as_bytes()[..text.len() / 2]).unwrap();
        upload
    };
    let recorded = || etl.feed()["events"].as_u64().unwrap();

    // The client goes away in the middle.
    let broken = upload(&server);
    wait_until("some of it is recorded", NOTICED_WITHIN, || recorded() > 0);
    drop(broken);
    let summary = etl.events(text.clone());
    assert_eq!(summary["accepted"].as_u64().unwrap() + summary["repeated"].as_u64().unwrap(), COUNT as u64);
    assert!(summary["repeated"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(recorded(), COUNT as u64);

    // A torn archive says so, and what could be read of it holds.
    let packed = gzip(&events(&numbers, COUNT, COUNT));
    let torn = etl.post(EVENTS, &packed[..packed.len() / 2]);
    assert_eq!((torn.status, torn.field("errorCode").as_str()), (400, "400.004.01"));
    assert!(torn.field("errorMessage").contains("the lines up to there were recorded"), "{torn:?}");
    assert!(recorded() > COUNT as u64);

    // The server goes away in the middle.
    drop(upload(&server));
    server.kill9();
    let server = lab.serve();
    let mut etl = etl;
    etl.client.move_to(&server);
    let summary = etl.events(packed);
    assert_eq!(summary["accepted"].as_u64().unwrap() + summary["repeated"].as_u64().unwrap(), COUNT as u64);
    assert_eq!(etl.feed()["events"], 2 * COUNT);
    server.stop();
}

#[test]
fn feed_over_http_switches_snapshots_at_once_under_checks() {
    let lab = Lab::new();
    let sample = lab.sample(20_000, 1);
    let extract = fs::read(&sample.path).unwrap();
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let etl = Etl::of(&lab, &server);
    let cut = |days| format!("{SNAPSHOTS}?as_of={:.0}", days_ago(days));
    let loaded = etl.post(&cut(9), extract.clone());
    assert_eq!((loaded.status, &loaded.json()["lines"]), (200, &json!(20_000)), "{loaded:?}");
    let banks = [Bank::of(&server, &app), Bank::of(&server, &app)];
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for bank in &banks {
            let (numbers, is_over) = (sample.served(), &is_over);
            scope.spawn(move || {
                for number in numbers.iter().cycle().take_while(|_| !is_over.load(Ordering::Relaxed)) {
                    let answer = bank.check(IMSI, number);
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
            });
        }
        for (generation, days) in [(2, 8), (3, 7), (4, 6)] {
            let loaded = etl.post(&cut(days), gzip(std::str::from_utf8(&extract).unwrap()));
            assert_eq!((loaded.status, &loaded.json()["generation"]), (200, &json!(generation)), "{loaded:?}");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(etl.feed()["generation"], 4);
    server.stop();
}

#[test]
fn feed_over_http_refuses_snapshots_that_would_do_harm() {
    let lab = Lab::new();
    let sample = lab.sample(1_000, 1);
    let extract = fs::read_to_string(&sample.path).unwrap();
    let server = lab.serve();
    let etl = Etl::of(&lab, &server);
    let cut = format!("{:.0}", days_ago(1));
    let newest = format!("{SNAPSHOTS}?as_of={cut}");
    assert_eq!(etl.post(&newest, extract.clone()).status, 200);
    let shorter = extract.split_inclusive('\n').take(900).collect::<String>();
    let spoilt = extract.replace(",active,", ",asleep,");
    let older = format!("{SNAPSHOTS}?as_of={:.0}", days_ago(2));
    let future = format!("{SNAPSHOTS}?as_of={:.0}", days_ago(-2));
    let header = extract.replacen("imsi", "simi", 1);
    let table = [
        (older.as_str(), extract.as_str(), 409, "409.004.01", "an older snapshot would roll swaps back"),
        (&newest, &shorter, 422, "422.004.01", "?allow_shrink=true"),
        (&newest, &spoilt, 422, "422.004.01", "?max_rejects="),
        (&newest, &header, 400, "400.004.01", "no column `imsi`"),
        (&newest, "", 400, "400.004.01", "is empty"),
        (&future, &extract, 400, "400.002.02", "Invalid as_of"),
        ("/operator/v1/snapshots?cut=now", &extract, 400, "400.002.02", "expected as_of"),
    ];
    for (path, body, status, code, words) in table {
        let refused = etl.post(path, body);
        assert_eq!((refused.status, refused.field("errorCode").as_str()), (status, code), "{refused:?}");
        assert!(refused.field("errorMessage").contains(words), "{refused:?}");
        assert_eq!(etl.feed()["generation"], 1, "nothing was changed: {refused:?}");
    }

    // One at a time.
    let mut slow = TcpStream::connect(server.address()).unwrap();
    let head = format!(
        "POST {newest} HTTP/1.1\r\nHost: laini\r\nAuthorization: Bearer {}\r\nContent-Length: 1000000\r\n\r\n{}",
        etl.key,
        &extract[..200]
    );
    slow.write_all(head.as_bytes()).unwrap();
    wait_until("it is being loaded", NOTICED_WITHIN, || !etl.feed()["loading"].is_null());
    let busy = etl.post(&newest, extract.clone());
    assert_eq!((busy.status, busy.field("errorCode").as_str()), (409, "409.004.01"), "{busy:?}");
    drop(slow);
    wait_until("nobody loads", NOTICED_WITHIN, || etl.feed()["loading"].is_null());
    assert_eq!(etl.post(&format!("{newest}&allow_shrink=true"), shorter).status, 200);
    server.stop();
}

#[test]
fn feed_over_http_is_for_operator_keys_of_the_scope_alone() {
    let lab = Lab::new();
    let server = lab.serve();
    let writer = Etl::with_scopes(&lab, &server, "feed:write");
    assert_eq!(writer.events(""), json!({"events": 0, "accepted": 0, "repeated": 0, "waiting": 0, "refused": 0}));
    assert_eq!((writer.get(FEED).status, writer.get(FEED).field("errorCode").as_str()), (403, "403.002.01"));
    let reader = Etl::with_scopes(&lab, &server, "feed:read");
    assert_eq!((reader.get(FEED).status, reader.post(EVENTS, "").status), (200, 403));
    lab.laini(&["operator", "key", "revoke", "feed:read", "--reason", "it leaked"]);
    wait_until("the revocation holds", NOTICED_WITHIN, || reader.get(FEED).status == 401);
    assert_eq!(writer.post(EVENTS, "").status, 200);
    server.stop();
}

#[test]
fn feed_over_http_can_have_a_listener_of_its_own() {
    let lab = Lab::new();
    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("LAINI_SERVER_OPERATOR_LISTEN", "127.0.0.1:0");
    let server = lab.start(command);
    let partners = Etl { client: Bank::stranger(&server), key: "laini_op_0_0".to_owned(), lab: &lab };
    assert_eq!(partners.get(FEED).status, 404, "partners see nothing of it");
    let operator_url = server.operator_url.clone().unwrap();
    let made = lab.json(&["operator", "key", "add", "etl", "--scopes", "feed:read", "--expires", "30d"]);
    let key = made["key"].as_str().unwrap();
    let client = &partners.client;
    let get = |path: &str| client.send(client.http().get(format!("{operator_url}{path}")).bearer_auth(key)).unwrap();
    wait_until("the key is known", NOTICED_WITHIN, || get(FEED).status == 200);
    for path in ["/livez", "/oauth/v1/generate?grant_type=client_credentials", "/v1/deliveries"] {
        assert_eq!(get(path).status, 404, "{path}");
    }
    server.stop();
}

#[test]
fn feed_rejects_are_listed_and_read_again() {
    let lab = Lab::new();
    let sample = lab.import_sample(100, 1);
    let (numbers, app) = (sample.served(), lab.partner_app("Bank A", "production"));
    // Under a number plan that is wrong, the feed's numbers are none.
    let mut wrong = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    wrong.env("LAINI_OPERATOR_NATIONAL_DIGITS", "8");
    let server = lab.start(wrong);
    let etl = Etl::of(&lab, &server);
    let at = days_ago(0) - jiff::SignedDuration::from_secs(60);
    let event = format!(r#"{{"id":"e1","at":"{at}","type":"terminated","msisdn":"{}"}}"#, numbers[0]);
    let early = format!(r#"{{"id":"e2","at":"{at}","type":"suspended","msisdn":"{}"}}"#, "25470000000");
    let summary = etl.events(format!("{event}\n{early}\nnonsense\n"));
    assert_eq!((&summary["waiting"], &summary["refused"]), (&json!(1), &json!(2)), "{summary}");
    let page = etl.get("/operator/v1/rejects?limit=2").json();
    assert_eq!(page["rejects"].as_array().unwrap().len(), 2);
    let next = page["next"].as_str().unwrap();
    let rest = etl.get(&format!("/operator/v1/rejects?after={next}")).json();
    assert_eq!((rest["rejects"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    let all: Vec<Value> = [&page, &rest].iter().flat_map(|page| page["rejects"].as_array().unwrap().clone()).collect();
    let with = |field: &str, value: Value| all.iter().filter(|reject| reject[field] == value).count();
    assert_eq!(
        (with("waits", json!(true)), with("can_be_retried", json!(true)), with("event", json!("e2"))),
        (1, 2, 1)
    );
    let told = etl.post("/operator/v1/rejects/retry", "").json();
    assert_eq!((&told["lines"], &told["unreadable"]), (&json!(2), &json!(2)), "{told}");
    // The one that waits was told all the same; what could not be read is no event.
    let told = etl.get("/operator/v1/events?source=default").json();
    let [one] = told["events"].as_array().unwrap().as_slice() else { panic!("{told}") };
    assert_eq!((&one["event"], &one["type"]), (&json!("e2"), &json!("suspended")));
    assert_eq!((&one["number"], &told["next"]), (&json!("254*****000"), &Value::Null));
    assert_eq!(etl.get("/operator/v1/events?source=hlr-2").json(), json!({"events": [], "next": null}));
    for query in ["limit=0", "limit=1001", "after=x", "source=", "other=1"] {
        assert_eq!(etl.get(&format!("/operator/v1/events?{query}")).status, 400, "{query}");
    }
    server.stop();

    // Under the right one, what was kept is taken, and what is no event stays.
    let server = lab.serve();
    let mut etl = etl;
    etl.client.move_to(&server);
    let bank = Bank::of(&server, &app);
    assert_eq!(bank.check(IMSI, &numbers[0]).status, 200);
    let told = etl.post("/operator/v1/rejects/retry", "").json();
    assert_eq!(told, json!({"lines": 2, "accepted": 1, "waiting": 0, "refused": 0, "unreadable": 1, "next": null}));
    wait_until("the event holds", NOTICED_WITHIN, || bank.check(IMSI, &numbers[0]).status == 404);
    let listed = etl.lab.json(&["registry", "rejects"]);
    let reasons: Vec<&str> =
        listed["rejects"].as_array().unwrap().iter().map(|reject| reject["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 2, "{listed}");
    assert!(reasons.contains(&"is not a JSON object whose fields are texts"), "{listed}");
    let events = etl.lab.json(&["registry", "events", "--limit", "1"]);
    assert_eq!(events["events"][0]["event"], json!("e1"), "{events}");
    let next = events["next"].to_string();
    let rest = etl.lab.json(&["registry", "events", "--after", next.as_str()]);
    assert_eq!((&rest["events"][0]["event"], &rest["next"]), (&json!("e2"), &Value::Null));
    let retried = etl.lab.json(&["registry", "retry"]);
    assert_eq!((&retried["lines"], &retried["unreadable"]), (&json!(1), &json!(1)));
    server.stop();
}

#[test]
fn feed_freshness_is_told_by_source_and_by_fact() {
    let lab = Lab::new();
    lab.import_sample(100, 1);
    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command
        .env("LAINI_REGISTRY_REQUIRED_FEEDS", "hlr-1,hlr-2")
        .env("LAINI_REGISTRY_SWAP_STALE_AFTER_S", "900")
        .env("LAINI_REGISTRY_REGISTRATION_STALE_AFTER_S", "93600");
    let server = lab.start(command);
    let etl = Etl::of(&lab, &server);
    let hours_ago = |hours| days_ago(0) - jiff::SignedDuration::from_hours(hours);
    let beat = |source: &str, until: jiff::Timestamp| {
        let answer =
            etl.post("/operator/v1/heartbeats", json!({"source": source, "until": until.to_string()}).to_string());
        assert_eq!((answer.status, answer.field("source").as_str()), (200, source), "{answer:?}");
    };
    beat("hlr-1", hours_ago(0));
    beat("hlr-2", hours_ago(1));
    let feed = etl.feed();
    assert_eq!(feed["as_of"], feed["sources"][1]["heartbeat"], "the later one holds it back: {feed}");
    let required: Vec<_> = feed["sources"].as_array().unwrap().iter().map(|source| &source["required"]).collect();
    assert_eq!(required, [true, true]);
    let stale = |feed: &Value| [&feed["facts"]["swap"], &feed["facts"]["registration"]].map(|f| f["is_stale"] == true);
    assert_eq!(stale(&feed), [true, false], "an hour is long for swaps and short for registrations: {feed}");
    assert_eq!(etl.post("/operator/v1/heartbeats", r#"{"source":"hlr-2"}"#).status, 200);
    assert_eq!(stale(&etl.feed()), [false, false], "without an instant it is complete now");
    let invalid = etl.post("/operator/v1/heartbeats", r#"{"until":"tomorrow"}"#);
    assert_eq!((invalid.status, invalid.field("errorCode").as_str()), (400, "400.002.02"));
    server.stop();
}
