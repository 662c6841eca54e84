//! A whole installation moves from files into a database and back: nothing is lost, nothing is charged twice,
//! and half a copy serves nobody.

use std::fs;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::Duration;

use laini_testkit::postgres::{TestDatabase, fresh_database};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::bank::{AGE, Answer, Bank, IMSI, SWAP};
use crate::receiver::Receiver;
use crate::running::{Credentials, Lab, days_ago, on_demand, text, wait_until};
use crate::subject::{assert_withheld, restrict};

const LINES: u32 = 12_000;
const CHECKS: usize = 60;
const KILLS: u64 = 4;
const SEED: u64 = 20_261_124;
/// Long before a copy of so many lines is done.
const KILLED_WITHIN_MS: u64 = 60;
const BEGUN_WITHIN: Duration = Duration::from_secs(20);
/// A node that was stopped counts as serving for five seconds.
const NOBODY_SERVES_WITHIN: Duration = Duration::from_secs(20);
const DELIVERED_WITHIN: Duration = Duration::from_secs(30);
const ASKED_AT_ONCE: usize = 200;
const FREE: &str = "none; reason=repeat";

/// A database, and how commands name it: without its password.
pub(crate) struct Place {
    database: TestDatabase,
    url: String,
    password_file: String,
}

impl Place {
    pub(crate) fn new(lab: &Lab) -> Self {
        let database = fresh_database();
        let (url, password) = without_password(&database.url());
        let file = lab.path("password");
        fs::write(&file, password).unwrap();
        Self { database, url, password_file: file.display().to_string() }
    }

    fn copy_args<'a>(&'a self, from: &'a str, to: &'a str) -> [&'a str; 8] {
        ["store", "copy", "--from", from, "--to", to, "--password-file", &self.password_file]
    }

    fn out_of(&self, lab: &Lab) -> Output {
        lab.output(&[&self.copy_args(path(lab.data()), &self.url)[..], &["--json"]].concat())
    }

    fn back_to(&self, lab: &Lab) -> Output {
        lab.output(&[&self.copy_args(&self.url, path(lab.data()))[..], &["--json"]].concat())
    }

    fn is_half_copied(&self) -> bool {
        let is_there = self.database.value("SELECT to_regclass('installation')::text");
        let marked = "SELECT string_agg(is_whole::text, '') FROM installation";
        is_there.is_some() && self.database.value(marked).as_deref() == Some("false")
    }

    /// Lets the commands and servers of a lab use the database.
    pub(crate) fn configure(&self, lab: &Lab) {
        let (url, file) = (&self.url, &self.password_file);
        fs::create_dir_all(lab.data()).unwrap();
        let text = format!("[store]\nkind = \"postgres\"\nurl = \"{url}\"\npassword_file = \"{file}\"\n");
        fs::write(lab.data().join("laini.toml"), text).unwrap();
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn without_password(url: &str) -> (String, String) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let Some((user, place)) = rest.split_once('@') else { return (url.to_owned(), String::new()) };
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    (format!("{scheme}://{name}@{place}"), password.to_owned())
}

/// A lab with the root key of another one, and nothing else.
fn same_keys(of: &Lab) -> Lab {
    let lab = Lab::new();
    fs::create_dir_all(lab.data().join("keys")).unwrap();
    fs::copy(of.data().join("keys/root-1.key"), lab.data().join("keys/root-1.key")).unwrap();
    lab
}

/// What a copy that succeeded says.
fn copied(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["differences"], serde_json::json!([]), "{report}");
    report
}

fn refused(output: &Output, why: &str) {
    let said = text(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains(why), "{why}: {said}");
}

fn rows(report: &Value, table: &str) -> u64 {
    let tables = report["tables"].as_array().unwrap();
    tables.iter().find(|one| one["table"] == table).unwrap()["rows"].as_u64().unwrap()
}

/// What a command says, without what only the clock moved.
fn timeless(said: &str) -> String {
    let Ok(mut said) = serde_json::from_str::<Value>(said) else { return said.to_owned() };
    if let Some(fields) = said.as_object_mut() {
        fields.remove("lag_s");
        if fields.remove("clock").is_some() {
            fields.remove("feed");
        }
    }
    said.to_string()
}

/// Everything about the installation that commands show.
fn shown(lab: &Lab) -> Vec<String> {
    let shown = |args: &[&str]| timeless(&lab.laini(&[args, &["--json"]].concat()));
    vec![
        shown(&["partner", "list"]),
        shown(&["app", "list"]),
        shown(&["app", "show", "Revoked"]),
        shown(&["app", "show", "Limited"]),
        shown(&["operator", "key", "list"]),
        shown(&["registry", "rejects"]),
        shown(&["registry", "status"]),
        shown(&["sandbox", "world", "show", "--app", "Sandbox"]),
        shown(&["delivery", "list"]),
        lab.laini(&["ledger", "export", "--format", "csv"]),
    ]
}

/// An installation with some of everything.
struct Bustling {
    lab: Lab,
    app: Credentials,
    numbers: Vec<String>,
}

fn asked_again(bank: &Bank, numbers: &[String]) -> Answer {
    bank.try_check(IMSI, &numbers[0], Some("asked-0")).unwrap()
}

fn under_a_key(bank: &Bank, numbers: &[String]) -> Answer {
    let body = format!(r#"{{"customerNumber":"{}"}}"#, numbers[1]);
    bank.post(IMSI, &[("Idempotency-Key", "key-1")], &body).unwrap()
}

fn bustling() -> Bustling {
    let (lab, receiver) = (Lab::new(), Receiver::start());
    let sample = lab.import_sample(LINES, SEED);
    let numbers = sample.served();
    feed(&lab, &numbers);
    let app = lab.partner_app("Bank A", "production");
    let named = |name: &str, environment: &str| {
        let of = ["--partner", "Bank A", "--environment", environment, "--products", "imsi,swap,age"];
        let args = [&["app", "add", "--name", name][..], &of].concat();
        let made: Credentials = serde_json::from_value(lab.json(&args)).unwrap();
        lab.canaries.word(&made.consumer_secret);
        made
    };
    lab.json(&["app", "revoke", &named("Revoked", "production").consumer_key, "--reason", "retired"]);
    let limited = named("Limited", "production").consumer_key;
    lab.json(&["app", "limits", &limited, "--product", "swap", "--rate", "5", "--burst", "10", "--per-day", "1000"]);
    lab.json(&["app", "budget", &limited, "50000"]);
    named("Sandbox", "sandbox");
    lab.json(&["sandbox", "world", "line", "add", "0733000001", "--app", "Sandbox"]);
    lab.json(&["sandbox", "world", "event", "254722000001", "swap", "--app", "Sandbox"]);
    lab.canaries.word(
        lab.json(&["app", "result-address", "add", &app.consumer_key, &receiver.url()])["signing_secret"]
            .as_str()
            .unwrap(),
    );
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    for (n, number) in numbers.iter().take(CHECKS).enumerate() {
        let product = [IMSI, SWAP, AGE][n % 3];
        assert_eq!(bank.try_check(product, number, Some(&format!("asked-{n}"))).unwrap().status, 200);
    }
    assert_eq!(asked_again(&bank, &numbers).header("Laini-Charge"), FREE);
    assert!(under_a_key(&bank, &numbers).header("Laini-Charge").starts_with("KES "));
    let body = format!(r#"{{"customerNumber":"{}","resultURL":"{}"}}"#, numbers[2], receiver.url());
    assert_eq!(bank.post(IMSI, &[], &body).unwrap().status, 200);
    wait_until("it is delivered", DELIVERED_WITHIN, || !receiver.received().is_empty());
    server.stop();
    Bustling { lab, app, numbers }
}

/// Events that are applied, one that waits, and one that cannot be read.
fn feed(lab: &Lab, numbers: &[String]) {
    let at = days_ago(0);
    let event =
        |n: usize, number: &str| format!(r#"{{"id":"e-{n}","at":"{at}","type":"suspended","msisdn":"{number}"}}"#);
    let mut lines: Vec<String> =
        numbers.iter().rev().take(50).enumerate().map(|(n, number)| event(n, number)).collect();
    lines.push(event(51, "254799999999"));
    lines.push(r#"{"id":"e-52","type":"teleported"}"#.to_owned());
    let file = lab.path("events.ndjson");
    fs::write(&file, lines.join("\n")).unwrap();
    let report = lab.json(&["registry", "apply", path(&file), "--max-rejects", "100%"]);
    assert_eq!(report["accepted"], 50, "{report}");
}

#[test]
fn an_installation_moves_into_a_database_and_back_row_for_row() {
    let Bustling { lab, app, numbers } = bustling();
    let before = shown(&lab);
    let place = Place::new(&lab);
    let report = copied(&place.out_of(&lab));
    for table in [
        "partner",
        "app_limit",
        "app_budget",
        "line",
        "line_base",
        "event",
        "refused",
        "world_event",
        "answer",
        "day_key",
    ] {
        assert!(rows(&report, table) > 0, "{table}: {report}");
    }
    assert_eq!(rows(&report, "ledger"), report["verified"].as_u64().unwrap());
    refused(&place.out_of(&lab), "the target holds data already");

    let node = same_keys(&lab);
    place.configure(&node);
    assert_eq!(shown(&node), before);
    node.verify_ledger();
    let server = node.serve();
    let bank = Bank::of(&server, &app);
    assert_eq!(asked_again(&bank, &numbers).header("Laini-Charge"), FREE);
    let stored = under_a_key(&bank, &numbers);
    assert_eq!((stored.status, stored.header("Idempotent-Replayed")), (200, "true"));
    let checked = bank.check(IMSI, &numbers[100]);
    assert!(checked.header("Laini-Charge").starts_with("KES "), "{checked:?}");
    let back = same_keys(&lab);
    refused(&place.back_to(&back), "is serving from it");
    server.stop();

    let report = copied(&into_when_nobody_serves(&place, &back));
    let after = shown(&node);
    assert_eq!(after[..after.len() - 1], before[..before.len() - 1], "nothing but checks came");
    assert_eq!(after.last().unwrap().lines().count(), before.last().unwrap().lines().count() + 2);
    assert_eq!(shown(&back), after);
    refused(&place.back_to(&back), "the target holds data already");
    let server = back.serve();
    let bank = Bank::of(&server, &app);
    assert_eq!(asked_again(&bank, &numbers).header("Laini-Charge"), FREE);
    assert_eq!(under_a_key(&bank, &numbers).header("Idempotent-Replayed"), "true");
    assert!(bank.check(IMSI, &numbers[101]).header("Laini-Charge").starts_with("KES "));
    server.stop();
    assert_eq!(back.verify_ledger(), rows(&report, "ledger") + 2);
}

#[test]
fn a_restricted_number_is_withheld_wherever_the_installation_moves() {
    let lab = Lab::new();
    let numbers = lab.import_sample(50, SEED).served();
    let app = lab.partner_app("Bank A", "production");
    restrict(&lab, &numbers[0]);
    let (place, node, back) = (Place::new(&lab), same_keys(&lab), same_keys(&lab));
    assert_eq!(rows(&copied(&place.out_of(&lab)), "restriction"), 1);
    place.configure(&node);
    let server = node.serve();
    assert_withheld(&Bank::of(&server, &app), &numbers[0], &numbers[1]);
    server.stop();
    assert_eq!(rows(&copied(&into_when_nobody_serves(&place, &back)), "restriction"), 1);
    let server = back.serve();
    assert_withheld(&Bank::of(&server, &app), &numbers[0], &numbers[1]);
    server.stop();
}

/// A copy out of a database whose nodes were just stopped.
fn into_when_nobody_serves(place: &Place, back: &Lab) -> Output {
    let mut output = place.back_to(back);
    wait_until("nobody serves", NOBODY_SERVES_WITHIN, || {
        let is_serving = text(&output.stderr).contains("is serving from it");
        if is_serving {
            output = place.back_to(back);
        }
        !is_serving
    });
    output
}

/// Asks both nodes until two of their checks have ids that begin alike.
fn ask_at_once(place: &Place, banks: [&Bank; 2], numbers: &[String]) {
    let alike = "SELECT 1 FROM ledger GROUP BY position HAVING count(*) > 1 LIMIT 1";
    for asked in numbers.chunks(2 * ASKED_AT_ONCE) {
        thread::scope(|scope| {
            for (bank, own) in banks.into_iter().zip(asked.chunks(ASKED_AT_ONCE)) {
                scope.spawn(move || own.iter().for_each(|number| drop(bank.check(SWAP, number))));
            }
        });
        if place.database.value(alike).is_some() {
            return;
        }
    }
    panic!("no two ids begin alike");
}

#[test]
fn what_several_nodes_wrote_at_once_fits_into_one_file() {
    let lab = Lab::new();
    let numbers = lab.import_sample(LINES, SEED).served();
    let app = lab.partner_app("Bank A", "production");
    let (place, nodes) = (Place::new(&lab), [same_keys(&lab), same_keys(&lab)]);
    copied(&place.out_of(&lab));
    let servers = nodes.each_ref().map(|node| {
        place.configure(node);
        node.serve()
    });
    let banks = servers.each_ref().map(|server| Bank::of(server, &app));
    ask_at_once(&place, [&banks[0], &banks[1]], &numbers);
    for server in servers {
        server.stop();
    }

    let back = same_keys(&lab);
    let report = copied(&into_when_nobody_serves(&place, &back));
    let exported = |of: &Lab| {
        let export = of.laini(&["ledger", "export", "--format", "csv"]);
        let mut lines: Vec<String> = export.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(exported(&back), exported(&nodes[0]));
    assert_eq!(back.verify_ledger(), rows(&report, "ledger"));
    let server = back.serve();
    let bank = Bank::of(&server, &app);
    assert_eq!(bank.check(SWAP, &numbers[0]).header("Laini-Charge"), FREE);
    assert!(bank.check(AGE, &numbers[0]).header("Laini-Charge").starts_with("KES "));
    server.stop();
    assert_eq!(back.verify_ledger(), rows(&report, "ledger") + 2);
    let again = Place::new(&back);
    assert_eq!(rows(&copied(&again.out_of(&back)), "ledger"), rows(&report, "ledger") + 2);
}

#[test]
fn a_copy_wants_the_keys_of_the_installation_and_two_different_sides() {
    let lab = Lab::new();
    lab.import_sample(50, SEED);
    lab.partner_app("Bank A", "production");
    let place = Place::new(&lab);
    copied(&place.out_of(&lab));
    let (stranger, bare) = (Lab::new(), Lab::new());
    stranger.json(&["partner", "add", "Bank B"]);
    let other = same_keys(&stranger);
    refused(&place.back_to(&other), "another root key");
    refused(&place.back_to(&bare), "holds no root key");
    refused(&place.back_to(&lab), "the target holds data already");
    let (files, url) = (path(lab.data()), place.url.as_str());
    for (from, to) in [(files, files), (url, url)] {
        refused(&lab.output(&place.copy_args(from, to)), "one of --from and --to");
    }
    let server = lab.serve();
    place.database.execute("UPDATE installation SET is_whole = false");
    refused(&place.out_of(&lab), "another laini server is running on this data directory");
    server.stop();
}

#[test]
fn a_copy_from_files_with_another_root_key_writes_nothing() {
    let lab = Lab::new();
    let numbers = lab.import_sample(50, SEED).served();
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    Bank::of(&server, &app).check(IMSI, &numbers[0]);
    server.stop();
    let (place, root) = (Place::new(&lab), lab.data().join("keys/root-1.key"));
    let own = fs::read(&root).unwrap();
    fs::write(&root, "ab".repeat(32)).unwrap();
    refused(&place.out_of(&lab), "another root key");
    assert_eq!(place.database.value("SELECT to_regclass('partner')::text"), None, "no table was made");
    fs::write(&root, own).unwrap();
    copied(&place.out_of(&lab));
}

#[test]
fn of_two_copies_into_one_database_the_newer_wins_and_the_older_says_so() {
    let (older, newer) = (Lab::new(), Lab::new());
    older.import_sample(LINES, SEED);
    older.partner_app("Bank A", "production");
    newer.partner_app("Bank B", "production");
    let place = Place::new(&older);
    let mut copying = begun(&older, &place.copy_args(path(older.data()), &place.url));
    wait_until("it writes", BEGUN_WITHIN, || place.is_half_copied());
    let pid = Pid::from_child(&copying);
    kill_process(pid, Signal::STOP).unwrap();
    copied(&place.out_of(&newer));
    kill_process(pid, Signal::CONT).unwrap();
    assert_eq!(copying.wait().unwrap().code(), Some(1));
    assert_eq!(place.database.value("SELECT string_agg(name, ',') FROM partner").as_deref(), Some("Bank B"));
    let node = same_keys(&newer);
    place.configure(&node);
    assert!(node.laini(&["partner", "list", "--json"]).contains("Bank B"));
}

/// A copy that runs by itself.
fn begun(lab: &Lab, args: &[&str]) -> Child {
    lab.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_copy_that_is_killed_serves_nobody_and_is_begun_anew() {
    let (kills, seed) = (on_demand("LAINI_TEST_COPY_KILLS", KILLS), on_demand("LAINI_TEST_SEED", SEED));
    let mut rng = fastrand::Rng::with_seed(seed);
    let lab = Lab::new();
    lab.import_sample(LINES, seed);
    lab.partner_app("Bank A", "production");
    let (place, back) = (Place::new(&lab), same_keys(&lab));
    let node = same_keys(&lab);
    place.configure(&node);
    let (files, returned) = (path(lab.data()).to_owned(), path(back.data()).to_owned());
    let mark = back.data().join("copy-under-way");
    let half_copied: [&dyn Fn() -> bool; 2] = [&|| place.is_half_copied(), &|| mark.exists()];
    let ways = [(&files, &place.url, &node), (&place.url, &returned, &back)];
    for ((from, to, target), is_half_copied) in ways.into_iter().zip(half_copied) {
        for _ in 0..kills {
            let mut copying = begun(&lab, &place.copy_args(from, to));
            wait_until("it writes", BEGUN_WITHIN, is_half_copied);
            // The moment of the kill is what is tried here; nothing waits for it.
            thread::sleep(Duration::from_millis(rng.u64(..KILLED_WITHIN_MS)));
            let _ = copying.kill();
            assert!(!copying.wait().unwrap().success(), "killed while it writes");
            for args in [&["partner", "list"][..], &["serve", "--listen", "127.0.0.1:0"], &["registry", "status"]] {
                refused(&target.output(args), "was begun and not finished");
            }
        }
        copied(&lab.output(&[&place.copy_args(from, to)[..], &["--json"]].concat()));
        assert!(target.laini(&["partner", "list", "--json"]).contains("Bank A"));
    }
    let status = |of: &Lab| timeless(&of.laini(&["registry", "status", "--json"]));
    assert_eq!(status(&back), status(&lab));
    println!("family=store_copy cases={} failures=0 seed={seed}", 2 * kills);
}
