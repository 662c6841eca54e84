//! What an operator's feed can say, and what banks are answered after it: extracts and events go in
//! through the commands, beside a server that runs.

use std::cell::Cell;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;

use crate::bank::{AGE, Answer, Bank, IMSI, SWAP};
use crate::noon::{at_noon, json_at_noon, output_at_noon, serve_at_noon};
use crate::running::{Lab, Running, text, wait_until};

/// Promised is a second; machines that run tests are busy.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

const CUT: &str = "2026-11-19T00:00:00+03:00";
const HEADER: &str = "msisdn,imsi,registered_at,last_swap_at,status";
/// Lines that were registered long ago and never swapped: 254700000001 to …09.
const QUIET_LINES: u32 = 9;
const NEVER: &str = "01-01-1900";
const OLD: &str = "MSISDN registration is more than one year old";
const STALE: &str = "Registry data is stale";
const INCOMPLETE: &str = "Registry data is incomplete";

/// An operator with a few lines, a server on them, and a bank.
struct Operator {
    bank: Bank,
    // Ends before its directory is removed: fields are dropped in this order.
    server: Running,
    lab: Lab,
    files: Cell<u32>,
}

impl Operator {
    /// Quiet lines alone, nothing set.
    fn new() -> Self {
        Self::with(&quiet_lines(), &["--as-of", CUT], &[])
    }

    fn with(extract: &str, import_flags: &[&str], settings: &[(&str, &str)]) -> Self {
        let lab = Lab::new();
        import(&lab, extract, import_flags);
        let (server, credentials) = serve_at_noon(&lab, settings);
        let bank = Bank::of(&server, &credentials);
        Self { bank, server, lab, files: Cell::new(0) }
    }

    fn file(&self, content: &[u8]) -> String {
        self.files.set(self.files.get() + 1);
        write(&self.lab, &format!("events-{}", self.files.get()), content)
    }

    /// Applies events, none of which may be refused beyond `--max-rejects`; what became of them.
    fn apply(&self, events: &[String]) -> Value {
        let file = self.file(events.join("\n").as_bytes());
        json_at_noon(&self.lab, &["registry", "apply", &file, "--max-rejects", "100%"])
    }

    /// Applies events that are all accepted.
    fn accepted(&self, events: &[String]) {
        let report = self.apply(events);
        assert_eq!(report["accepted"], events.len(), "{report}");
    }

    fn check(&self, number: &str) -> Answer {
        self.bank.check(IMSI, number)
    }

    /// Waits until the server answers `expected` about a number; its answer.
    fn notices(&self, number: &str, expected: &[&str]) -> Answer {
        let mut last = self.check(number);
        let began = Instant::now();
        while said(&last) != expected {
            assert!(began.elapsed() < NOTICED_WITHIN, "{expected:?} was not answered; last: {:?}", said(&last));
            last = self.check(number);
        }
        last
    }
}

/// Both dates of an answer, or code and message of an error.
fn said(answer: &Answer) -> Vec<String> {
    let fields =
        if answer.status == 200 { ["lastSwapDate", "msisdnRegistrationDate"] } else { ["errorCode", "errorMessage"] };
    fields.map(|field| answer.field(field)).to_vec()
}

const NOT_SERVED: [&str; 2] = ["404.002.01", "Resource not found"];

fn unknown(why: &'static str) -> [&'static str; 2] {
    ["503.002.02", why]
}

fn number(n: u32) -> String {
    format!("2547000000{n:02}")
}

fn imsi(n: u32) -> String {
    format!("6390200000000{n:02}")
}

fn quiet_lines() -> String {
    let rows = (1..=QUIET_LINES).map(|n| format!("{},{},2015-01-01,,active", number(n), imsi(n)));
    [HEADER.to_owned()].into_iter().chain(rows).collect::<Vec<_>>().join("\n") + "\n"
}

fn write(lab: &Lab, name: &str, content: &[u8]) -> String {
    let path = lab.path(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn import(lab: &Lab, extract: &str, flags: &[&str]) -> Value {
    let file = write(lab, "extract.csv", extract.as_bytes());
    json_at_noon(lab, &[&["registry", "import", file.as_str(), "--max-rejects", "50%"], flags].concat())
}

/// One event about line `n`; `more` are further fields.
fn event(id: &str, at: &str, kind: &str, n: u32, more: &str) -> String {
    let number = number(n);
    format!(r#"{{"id":"{id}","at":"{at}","type":"{kind}","msisdn":"{number}"{more}}}"#)
}

fn with_imsi(n: u32) -> String {
    format!(r#","imsi":"{}""#, imsi(n))
}

#[test]
fn feed_of_every_type_changes_the_answer() {
    let operator = Operator::new();
    let cases = [
        ("sim_replaced", 1, with_imsi(51), ["20-11-2026", OLD]),
        ("esim_issued", 2, with_imsi(52), ["20-11-2026", OLD]),
        ("sim_replaced", 3, with_imsi(3), [NEVER, OLD]),
        ("device_changed", 4, String::new(), [NEVER, OLD]),
        ("suspended", 5, String::new(), [NEVER, OLD]),
        ("ported_out", 6, String::new(), NOT_SERVED),
        ("terminated", 7, String::new(), NOT_SERVED),
        ("recycled", 8, with_imsi(58), ["20-11-2026", "20-11-2026"]),
        ("registered", 60, with_imsi(60), [NEVER, "20-11-2026"]),
        ("ported_in", 61, with_imsi(61), ["20-11-2026", "20-11-2026"]),
    ];
    let events: Vec<_> = cases
        .iter()
        .map(|(kind, n, more, _)| event(&format!("e{n}"), "2026-11-20T10:00:00Z", kind, *n, more))
        .collect();
    operator.accepted(&events);
    for (_, n, _, expected) in &cases {
        operator.notices(&number(*n), expected);
    }
    let status = |n| json_at_noon(&operator.lab, &["registry", "show", &number(n)])["status"].clone();
    assert_eq!(status(5), "suspended");
    let day = "2026-11-21T10:00:00Z";
    operator.accepted(&[
        event("r5", day, "resumed", 5, ""),
        event("r6", day, "ported_in", 6, &with_imsi(66)),
        event("r7", day, "registered", 7, &with_imsi(67)),
    ]);
    operator.notices(&number(6), &["21-11-2026", "21-11-2026"]);
    operator.notices(&number(7), &["21-11-2026", "21-11-2026"]);
    assert_eq!((status(5), status(6)), ("active".into(), "active".into()));
    operator.server.stop();
}

#[test]
fn feed_moves_a_sim_to_another_number() {
    let operator = Operator::new();
    let before = operator.check(&number(1));
    let new_number = number(71);
    operator.accepted(&[event(
        "n1",
        "2026-11-21T10:00:00Z",
        "number_changed",
        1,
        &format!(r#","new_msisdn":"{new_number}""#),
    )]);
    let after = operator.notices(&new_number, &["21-11-2026", OLD]);
    assert_eq!(after.field("imsi"), before.field("imsi"), "the SIM is the same");
    operator.notices(&number(1), &NOT_SERVED);
    let taken = event("n2", "2026-11-21T11:00:00Z", "number_changed", 2, &format!(r#","new_msisdn":"{}""#, number(3)));
    assert_eq!(operator.apply(&[taken])["rejected"], 1);
    operator.server.stop();
}

#[test]
fn feed_takes_back_what_it_said() {
    let operator = Operator::new();
    let first_sim = operator.check(&number(1)).field("imsi");
    operator.accepted(&[event("s1", "2026-11-19T10:00:00Z", "sim_replaced", 1, &with_imsi(51))]);
    let swapped = operator.notices(&number(1), &["19-11-2026", OLD]);
    assert_ne!(swapped.field("imsi"), first_sim);

    // What is recorded last about an event decides; every command here begins at the same noon.
    let of_s1 = |recorded: &str| format!(r#","of":"s1","recorded_at":"2026-11-22T{recorded}:00Z""#);
    operator.accepted(&[event("c1", "2026-11-21T10:00:00Z", "correction", 1, &of_s1("08:00"))]);
    operator.notices(&number(1), &["21-11-2026", OLD]);

    operator.accepted(&[event("x1", "2026-11-21T11:00:00Z", "retraction", 1, &of_s1("08:30"))]);
    let withdrawn = operator.notices(&number(1), &[NEVER, OLD]);
    assert_eq!(withdrawn.field("imsi"), first_sim);

    let refused = operator.apply(&[
        event("c2", "2026-11-21T12:00:00Z", "correction", 1, r#","of":"x1""#),
        event("c3", "2026-11-21T12:00:00Z", "correction", 2, r#","of":"s1""#),
    ]);
    assert_eq!(refused["rejected"], 2, "{refused}");
    operator.server.stop();
}

#[test]
fn feed_that_falls_silent_withdraws_what_reassures() {
    let limits = [("LAINI_REGISTRY_SWAP_STALE_AFTER_S", "900"), ("LAINI_REGISTRY_REGISTRATION_STALE_AFTER_S", "93600")];
    let operator = Operator::with(&quiet_lines(), &["--as-of", CUT], &limits);
    let stale = operator.check(&number(1));
    assert_eq!((stale.status, said(&stale)), (503, unknown(STALE).map(String::from).to_vec()));
    assert_eq!(stale.header("laini-charge"), "none; reason=unknown");
    assert_eq!(stale.header("laini-swap"), "unknown");
    assert!(!stale.header("retry-after").is_empty());
    assert_eq!(operator.check(&number(99)).field("errorCode"), "503.002.02", "\"not served\" could be old news");

    // A swap that is known stays known, and an age is withdrawn by its own limit alone.
    let day = "2026-11-21T10:00:00Z";
    operator.accepted(&[event("s1", day, "sim_replaced", 1, &with_imsi(51)), beat("2026-11-22T06:00:00Z")]);
    wait_until("the swap is answered", NOTICED_WITHIN, || {
        operator.bank.check(SWAP, &number(1)).field("lastSwapDate") == "21-11-2026 13:00"
    });
    wait_until("the age is answered", NOTICED_WITHIN, || {
        operator.bank.check(AGE, &number(2)).field("msisdnRegistrationDate") == OLD
    });
    assert_eq!(operator.bank.check(SWAP, &number(2)).field("errorMessage"), STALE);

    operator.accepted(&[beat("2026-11-22T08:59:00Z")]);
    let fresh = operator.notices(&number(2), &[NEVER, OLD]);
    assert_eq!(fresh.header("laini-as-of"), "2026-11-22T08:59:00Z");
    operator.notices(&number(99), &NOT_SERVED);
    // A heartbeat that comes late takes nothing back.
    operator.accepted(&[beat("2026-11-22T07:00:00Z")]);
    let status = json_at_noon(&operator.lab, &["registry", "status"]);
    assert_eq!(status["as_of"], "2026-11-22T08:59:00Z");
    operator.server.stop();
}

fn beat(at: &str) -> String {
    format!(r#"{{"type":"heartbeat","at":"{at}"}}"#)
}

#[test]
fn feed_events_wait_for_what_they_stand_on() {
    let operator = Operator::new();
    let early = operator.apply(&[
        event("s80", "2026-11-21T10:00:00Z", "sim_replaced", 80, &with_imsi(81)),
        event("c1", "2026-11-21T12:00:00Z", "correction", 1, r#","of":"s1""#),
    ]);
    assert_eq!((&early["waiting"], &early["rejected"]), (&2.into(), &0.into()), "{early}");
    assert_eq!(json_at_noon(&operator.lab, &["registry", "status"])["waiting"], 2);
    operator.notices(&number(80), &unknown(INCOMPLETE));

    operator.accepted(&[
        event("r80", "2026-11-20T10:00:00Z", "registered", 80, &with_imsi(80)),
        event("s1", "2026-11-20T10:00:00Z", "sim_replaced", 1, &with_imsi(51)),
    ]);
    operator.notices(&number(80), &["21-11-2026", "20-11-2026"]);
    operator.notices(&number(1), &["21-11-2026", OLD]);
    assert_eq!(json_at_noon(&operator.lab, &["registry", "status"])["waiting"], 0);

    // The newest swap decides, not the one that arrives last.
    operator.accepted(&[event("b2", "2026-11-21T10:00:00Z", "sim_replaced", 2, &with_imsi(62))]);
    let newest = operator.notices(&number(2), &["21-11-2026", OLD]);
    operator.accepted(&[
        event("a2", "2026-11-20T10:00:00Z", "esim_issued", 2, &with_imsi(52)),
        event("a3", "2026-11-20T10:00:00Z", "sim_replaced", 3, &with_imsi(53)),
    ]);
    operator.notices(&number(3), &["20-11-2026", OLD]);
    let still = operator.check(&number(2));
    assert_eq!((said(&still), still.field("imsi")), (said(&newest), newest.field("imsi")));
    operator.server.stop();
}

#[test]
fn feed_refuses_what_cannot_be_and_goes_on() {
    let operator = Operator::new();
    let day = "2026-11-21T10:00:00Z";
    let report = operator.apply(&[
        "{\"id\":\"torn".to_owned(),
        event("live", day, "registered", 1, &with_imsi(51)),
        event("ahead", "2026-11-22T09:10:00Z", "sim_replaced", 2, &with_imsi(52)),
        event("what", day, "teleported", 3, ""),
        event("good", day, "sim_replaced", 4, &with_imsi(54)),
    ]);
    let counts = ["events", "accepted", "rejected", "waiting", "repeated"].map(|count| report[count].as_u64().unwrap());
    assert_eq!(counts, [5, 1, 4, 0, 0], "{report}");
    let reasons = report["remarks"].to_string();
    for expected in ["JSON object", "comes as `recycled`", "lies in the future", "type is none"] {
        assert!(reasons.contains(expected), "{expected} is not among {reasons}");
    }
    assert!(!reasons.contains("2547") && !reasons.contains("63902"), "{reasons}");
    operator.notices(&number(4), &["21-11-2026", OLD]);
    for n in [1, 2, 3] {
        operator.notices(&number(n), &unknown(INCOMPLETE));
    }
    // What comes later and can be applied is believed again.
    operator.accepted(&[event("later", "2026-11-22T08:00:00Z", "sim_replaced", 1, &with_imsi(61))]);
    operator.notices(&number(1), &["22-11-2026", OLD]);

    let again = event("good", day, "sim_replaced", 4, &with_imsi(54));
    let other = event("good", day, "sim_replaced", 4, &with_imsi(55));
    let report = operator.apply(&[again, other]);
    assert_eq!((&report["repeated"], &report["rejected"]), (&1.into(), &1.into()), "{report}");
    assert!(report["remarks"][0]["reason"].as_str().unwrap().contains("other content"), "{report}");
    operator.server.stop();
}

#[test]
fn feed_exit_code_hangs_on_max_rejects() {
    let lab = Lab::new();
    import(&lab, &quiet_lines(), &["--as-of", CUT]);
    let day = "2026-11-21T10:00:00Z";
    let file = |name: &str, kind: &str| {
        let lines = [event(name, day, kind, 1, ""), event(&format!("{name}-2"), day, "device_changed", 2, "")];
        write(&lab, name, lines.join("\n").as_bytes())
    };
    let over = file("a", "teleported");
    let output = output_at_noon(&lab, &["registry", "apply", &over]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("2 events: 1 accepted, 0 repeated, 0 waiting, 1 refused"));
    let complaint = text(&output.stderr);
    assert!(complaint.starts_with("error: 1 of 2 events were refused, more than 1.00%\nhint: "), "{complaint}");
    for (limit, code) in [("49%", 1), ("0", 1), ("50%", 0), ("1", 0)] {
        let file = file(&format!("b{limit}"), "teleported");
        let output = output_at_noon(&lab, &["registry", "apply", &file, "--max-rejects", limit]);
        assert_eq!(output.status.code(), Some(code), "--max-rejects {limit}: {}", text(&output.stderr));
    }
}

#[test]
fn feed_comes_plain_packed_and_piped() {
    let operator = Operator::new();
    let swap = |n: u32| event(&format!("s{n}"), "2026-11-21T10:00:00Z", "sim_replaced", n, &with_imsi(n + 50));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(swap(1).as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = compress_to_vec(swap(2).as_bytes(), CompressionLevel::Fastest);
    let marked = format!("\u{feff}{}\r\n\r\n", swap(3));
    for content in [&gzip, &zstd, marked.as_bytes()] {
        let report = json_at_noon(&operator.lab, &["registry", "apply", &operator.file(content)]);
        assert_eq!(report["accepted"], 1, "{report}");
    }
    let mut piped = at_noon(&operator.lab, &["registry", "apply", "-", "--json"]);
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(swap(4).as_bytes()).unwrap();
    assert!(piped.wait_with_output().unwrap().status.success());
    for n in 1..=4 {
        operator.notices(&number(n), &["21-11-2026", OLD]);
    }
    operator.server.stop();
}

#[test]
fn feed_rows_that_were_refused_answer_unknown() {
    let bad = format!("{},63902,2015-01-01,,active\n2547,{},2015-01-01,,active\n", number(81), imsi(82));
    let operator = Operator::with(&(quiet_lines() + &bad), &["--as-of", CUT], &[]);
    let unknown_line = operator.check(&number(81));
    assert_eq!((unknown_line.status, said(&unknown_line)), (503, unknown(INCOMPLETE).map(String::from).to_vec()));
    assert_eq!(said(&operator.check(&number(83))), NOT_SERVED);
    assert_eq!(said(&operator.check(&number(1))), [NEVER, OLD]);
    let status = json_at_noon(&operator.lab, &["registry", "status"]);
    assert_eq!(status["lines"], QUIET_LINES, "a refused row is no line: {status}");
    operator.server.stop();
}

#[test]
fn feed_without_swaps_says_so_until_its_history_is_vouched_for() {
    let (old, recent) =
        (format!("{},{},2015-01-01", number(1), imsi(1)), format!("{},{},2026-11-18", number(4), imsi(4)));
    let extract = format!("msisdn,imsi,registered_at\n{old}\n{recent}\n");
    let operator = Operator::with(&extract, &["--as-of", CUT], &[]);
    assert_eq!(said(&operator.check(&number(1))), unknown(INCOMPLETE));
    assert_eq!(operator.bank.check(SWAP, &number(1)).field("errorMessage"), INCOMPLETE);
    assert_eq!(operator.bank.check(AGE, &number(1)).field("msisdnRegistrationDate"), OLD);
    let refs: Vec<_> = operator.lab.ledger().into_iter().map(|row| (row.outcome, row.charge_minor)).collect();
    assert_eq!(refs, [("unknown".into(), 0), ("unknown".into(), 0), ("answered".into(), 400)]);

    let summer = "2026-08-01";
    import(&operator.lab, &extract, &["--as-of", "2026-11-20", "--history-since", summer]);
    operator.notices(&number(1), &[NEVER, OLD]);
    import(&operator.lab, &extract, &["--as-of", "2026-11-21", "--history-since", "2026-11-01"]);
    operator.notices(&number(1), &unknown(INCOMPLETE));
    // What was registered after that cannot have been swapped before.
    operator.notices(&number(4), &[NEVER, "18-11-2026"]);
    operator.server.stop();
}
