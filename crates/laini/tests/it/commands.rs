//! The commands as scripts and people use them: exit codes, data on standard output, errors with a
//! hint on standard error, and what each command does.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::bank::{AGE, Bank, IMSI, SWAP};
use crate::noon::{at_noon, json_at_noon, output_at_noon};
use crate::running::{Credentials, Lab, PROBE_EVERY, text};

/// The lines that `laini demo` makes up.
const DEMO_LINES: u64 = 100_000;

/// Runs a command that must fail; its standard error. With `--json` that is one object.
pub(crate) fn fails(lab: &Lab, args: &[&str]) -> (String, Value) {
    let said = lab.refused(args);
    let for_scripts = lab.refused(&[args, &["--json"]].concat());
    let for_scripts: Value = serde_json::from_str(for_scripts.lines().last().unwrap()).unwrap();
    assert!(said.contains(&format!("error: {}", for_scripts["error"].as_str().unwrap())), "{said}");
    (said, for_scripts)
}

/// A command that must fail with this error and this hint, for people and for scripts.
pub(crate) fn fails_with(lab: &Lab, args: &[&str], error: &str, hint: &str) {
    let (said, for_scripts) = fails(lab, args);
    assert!(said.contains(error) && said.contains(&format!("\nhint: {hint}")), "{args:?}: {said}");
    assert!(for_scripts["hint"].as_str().is_some_and(|text| text.starts_with(hint)), "{for_scripts}");
}

/// A command without `--data`, in a directory of its own, with that directory for temporary files.
fn bare(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_laini"));
    command.args(args).env_clear().env("TMPDIR", dir).current_dir(dir).output().unwrap()
}

fn utf8(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn commands_that_are_not_understood_exit_with_2() {
    let lab = Lab::new();
    let table: [&[&str]; 11] = [
        &[],
        &["nosuch"],
        &["registry"],
        &["registry", "import"],
        &["registry", "sample"],
        &["registry", "sample", "--lines", "0"],
        &["registry", "show", "254722000000", "--reveal"],
        &["app", "add", "--partner", "A", "--environment", "prod", "--products", "imsi"],
        &["app", "add", "--partner", "A", "--environment", "sandbox", "--products", "imsi,nope"],
        &["ledger", "export", "--outcome", "nope"],
        &["ledger", "export", "--day", "2026-13-01"],
    ];
    for args in table {
        let output = lab.output(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
    for args in [["--help"], ["--version"]] {
        let output = lab.output(&args);
        assert!(output.status.success() && text(&output.stdout).contains("laini"), "{args:?}");
    }
    assert!(!lab.data().exists(), "nothing was done");
}

#[test]
fn commands_make_partners_and_apps() {
    let lab = Lab::new();
    assert!(lab.laini(&["partner", "add", "Bank A"]).contains("added with the standard agreement"));
    let partner = lab.json(&["partner", "add", "Bank B"]);
    assert_eq!(partner["name"], "Bank B");

    let add = |partner: &str, name: &str| {
        let args = ["app", "add", "--partner", partner, "--environment", "production", "--products", "swap,imsi"];
        [args.as_slice(), &["--name", name]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let words = |args: &'static str| args.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let refused = |args: Vec<String>, error, hint| {
        fails_with(&lab, &args.iter().map(String::as_str).collect::<Vec<_>>(), error, hint);
    };
    refused(add("Nobody", "x"), "no partner is called Nobody", "add it first: laini partner add NAME");
    let shown = lab.laini(&add("Bank A", "core").iter().map(String::as_str).collect::<Vec<_>>());
    assert!(shown.contains("consumer key ") && shown.contains("consumer secret "), "{shown}");
    refused(add("Bank A", "core"), "exists already", "choose another --name");
    refused(words("app revoke nope"), "no app is called nope", "`laini app list` shows them");

    let credentials = lab.app(partner["partner"].as_str().unwrap(), "sandbox", "age");
    let list = lab.json(&["app", "list"]);
    let seen: Vec<_> =
        list.as_array().unwrap().iter().map(|app| (&app["partner"], &app["name"], &app["products"])).collect();
    assert_eq!(json!(seen), json!([["Bank A", "core", "imsi,swap"], ["Bank B", "sandbox-1", "age"]]));
    assert_eq!(lab.json(&["app", "list", "--partner", "Bank B"])[0]["consumer_key"], credentials.consumer_key);
    assert!(!list.to_string().contains(&credentials.consumer_secret), "a secret is shown once");

    assert_eq!(lab.json(&["app", "revoke-tokens", &credentials.consumer_key])["token_epoch"], 1);
    assert_eq!(lab.json(&["app", "revoke-tokens", "sandbox-1"])["token_epoch"], 2);
    lab.laini(&["app", "revoke", "sandbox-1", "--reason", "retired"]);
    assert!(lab.laini(&["app", "list", "--partner", "Bank B"]).contains("revoked"));
    let trail: Vec<_> = audits(&lab).into_iter().map(|entry| (entry.action, entry.reason)).collect();
    assert_eq!(trail[0], ("app.revoke".into(), "retired".into()));
    let actions: Vec<_> = trail.iter().rev().map(|(action, _)| action.as_str()).collect();
    let expected =
        ["partner.add", "partner.add", "app.add", "app.add", "app.revoke-tokens", "app.revoke-tokens", "app.revoke"];
    assert_eq!(actions, expected);
}

#[test]
fn commands_add_partners_by_the_rule_of_the_portal() {
    let lab = Lab::new();
    let added = lab.json(&["partner", "add", " Bank A "]);
    let agreements = lab.json(&["agreement", "list", "Bank A"]);
    assert_eq!((&added["name"], &added["agreement"]), (&json!("Bank A"), &agreements[0]["agreement"]), "{agreements}");
    let on_its_way = lab.json(&["partner", "add", "Sacco", "--agreement", "none"]);
    assert!(on_its_way["name"] == "Sacco" && on_its_way.get("agreement").is_none(), "{on_its_way}");
    let long = "a".repeat(101);
    let (taken, unfit) = ("another partner has this name", "name: expected 1 to 100 characters");
    let table = [
        ("Bank A", taken),
        ("bank a", taken),
        (" BANK A ", taken),
        ("sacco", taken),
        ("", unfit),
        ("\n", unfit),
        ("two\nlines", unfit),
        (&long, unfit),
        ("=1+1", unfit),
        ("+254", unfit),
        ("@home", unfit),
    ];
    for (name, error) in table {
        for agreement in ["standard", "none"] {
            let args = ["partner", "add", name, "--agreement", agreement];
            fails_with(&lab, &args, error, "choose another name, or use the partner that is there");
        }
    }
    assert_eq!(lab.json(&["partner", "list"]).as_array().unwrap().len(), 2);
}

/// A row of the audit trail, as somebody who opens the file reads it.
#[derive(Debug, PartialEq)]
pub(crate) struct Audited {
    pub(crate) action: String,
    target: String,
    pub(crate) reason: String,
}

/// The audit trail, newest first; none where nothing was written yet.
pub(crate) fn audits(lab: &Lab) -> Vec<Audited> {
    let path = lab.data().join("accounts.db");
    if !path.exists() {
        return Vec::new();
    }
    let accounts = rusqlite::Connection::open(path).unwrap();
    let mut rows = accounts.prepare("SELECT action, target, reason FROM audit ORDER BY number DESC").unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok(Audited { action: row.get(0)?, target: row.get(1)?, reason: row.get(2)? });
    rows.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn commands_sample_is_decided_by_size_seed_and_day() {
    let lab = Lab::new();
    let sample = |args: &[&str]| lab.laini(&[&["registry", "sample", "--as-of", "2026-11-01"], args].concat());
    let first = sample(&["--lines", "300", "--seed", "7"]);
    assert_eq!(first.lines().count(), 301);
    assert_eq!(sample(&["--lines", "300", "--seed", "7", "--json"]), first);
    assert_ne!(sample(&["--lines", "300", "--seed", "8"]), first);
    assert!(!lab.data().exists(), "a sample needs no data directory");

    let path = lab.path("sample.csv");
    let printed = sample(&["--lines", "300", "--seed", "7", "-o", utf8(&path)]);
    assert_eq!((printed.as_str(), fs::read_to_string(&path).unwrap()), ("", first));
    let said = lab.laini(&["registry", "import", utf8(&path)]);
    assert!(said.starts_with("300 lines loaded as generation 1 (before: 0), cut at "), "{said}");
    let again = lab.import(&path);
    assert_eq!((&again["generation"], &again["lines_before"], &again["rejected"]), (&json!(2), &json!(300), &json!(0)));
}

/// A registry of four lines, cut at 2026-11-20, in a lab at noon.
fn four_lines() -> Lab {
    let lab = Lab::new();
    import_rows(
        &lab,
        &[
            "1,1,2015-01-01,,active",
            "2,2,2015-01-01,,active",
            "3,3,2015-01-01,,active",
            "4,4,2015-01-01,2026-11-01,active",
        ],
    );
    lab
}

/// Writes an extract; numbers and IMSIs are given by their last digit.
fn extract(lab: &Lab, rows: &[&str]) -> String {
    let mut text = "msisdn,imsi,registered_at,last_swap_at,status\n".to_owned();
    for row in rows {
        let (number, rest) = row.split_once(',').unwrap();
        text.push_str(&format!("25470000000{number},63902000000000{rest}\n"));
    }
    let path = lab.path("rows.csv");
    fs::write(&path, text).unwrap();
    utf8(&path).to_owned()
}

fn import_rows(lab: &Lab, rows: &[&str]) -> Value {
    let file = extract(lab, rows);
    json_at_noon(lab, &["registry", "import", &file, "--as-of", "2026-11-20"])
}

#[test]
fn commands_diff_tells_every_kind_of_difference() {
    let lab = four_lines();
    let kinds = ["rows", "same", "added", "missing", "imsi", "status", "registered", "last_swap", "rejected"];
    let counts = |report: &Value| kinds.map(|kind| report[kind].as_u64().unwrap());
    let unchanged = extract(
        &lab,
        &[
            "4,4,2015-01-01,2026-11-01,active",
            "3,3,2015-01-01,,active",
            "2,2,2015-01-01,,active",
            "1,1,2015-01-01,,active",
        ],
    );
    let report = json_at_noon(&lab, &["registry", "diff", &unchanged]);
    assert_eq!((counts(&report), &report["listed"]), ([4, 4, 0, 0, 0, 0, 0, 0, 0], &json!([])));

    let changed = extract(
        &lab,
        &[
            "1,7,2015-01-01,,active",
            "2,2,2015-01-01,,suspended",
            "3,3,2016-01-01,,active",
            "4,4,2015-01-01,2026-11-02,active",
            "5,5,2015-01-01,,active",
        ],
    );
    let report = json_at_noon(&lab, &["registry", "diff", &changed]);
    assert_eq!(counts(&report), [5, 0, 1, 0, 1, 1, 1, 1, 0]);
    let listed: Vec<_> =
        report["listed"].as_array().unwrap().iter().map(|line| line["what"].as_str().unwrap()).collect();
    let expected =
        ["another SIM", "another status", "another registration", "another swap date", "not in the registry"];
    assert_eq!(listed, expected);

    let fewer = extract(&lab, &["1,1,2015-01-01,,active", "2,2,yesterday,,active"]);
    let output = output_at_noon(&lab, &["registry", "diff", &fewer]);
    let said = text(&output.stdout);
    assert!(output.status.success() && said.contains("1 rows compared (1 could not be read)"), "{said}");
    assert_eq!(said.matches("254******00").count(), 2, "{said}");
    assert!(!said.contains("25470000000"), "numbers are masked: {said}");
    assert_eq!(json_at_noon(&lab, &["registry", "status"])["generation"], 1, "nothing was loaded");
    for command in ["diff", "import", "apply"] {
        fails_with(
            &lab,
            &["registry", command, "nofile.csv"],
            "nofile.csv cannot be read",
            "name a file that is there",
        );
    }
}

#[test]
fn commands_show_masks_unless_there_is_a_reason() {
    let lab = four_lines();
    let masked = json_at_noon(&lab, &["registry", "show", "0700000004"]);
    assert_eq!((&masked["msisdn"], &masked["imsi"]), (&json!("254******004"), &json!("63902**********")));
    assert_eq!((&masked["status"], &masked["last_swap"]), (&json!("active"), &json!("2026-10-31T21:00:00Z")));
    assert_eq!(audits(&lab), [], "nobody saw anything");

    fails_with(&lab, &["registry", "show", "0700000004", "--reveal", "--reason", " "], "needs a reason", "say why");
    let said = lab.laini(&["registry", "show", "+254 700 000 004", "--reveal", "--reason", "ticket 7"]);
    assert!(said.contains("254700000004") && said.contains("639020000000004"), "{said}");
    let trail = audits(&lab);
    assert_eq!(trail.len(), 1);
    assert_eq!((trail[0].action.as_str(), trail[0].reason.as_str()), ("line.reveal", "ticket 7"));
    let target = &trail[0].target;
    assert!(target.starts_with("254******004") && !target.contains("700000004"), "{target}");

    assert_eq!(lab.json(&["registry", "show", "254799999999"])["status"], "never known");
    fails_with(&lab, &["registry", "show", "2547"], "not a phone number", "write it as 2547");
    let empty = Lab::new();
    fs::create_dir(empty.data()).unwrap();
    fails_with(&empty, &["registry", "show", "0700000004"], "the registry is empty", "load an extract with");
}

#[test]
fn commands_status_counts_lines_events_and_refusals() {
    let empty = Lab::new();
    fs::create_dir(empty.data()).unwrap();
    assert!(empty.laini(&["registry", "status"]).contains("the registry is empty"));
    assert_eq!(empty.json(&["registry", "status"])["generation"], 0);

    let lab = four_lines();
    let events = lab.path("events.ndjson");
    let lines = [
        r#"{"id":"a","at":"2026-11-21T10:00:00Z","type":"suspended","msisdn":"254700000001"}"#,
        r#"{"id":"b","at":"2026-11-21T10:00:00Z","type":"suspended","msisdn":"254700000009"}"#,
        r#"{"id":"c","at":"2026-11-21T10:00:00Z","type":"teleported","msisdn":"254700000002"}"#,
        r#"{"type":"heartbeat","at":"2026-11-22T08:00:00Z"}"#,
    ];
    fs::write(&events, lines.join("\n")).unwrap();
    json_at_noon(&lab, &["registry", "apply", utf8(&events), "--max-rejects", "1"]);
    let status = json_at_noon(&lab, &["registry", "status"]);
    let counted = ["lines", "events", "waiting"].map(|count| status[count].as_i64().unwrap());
    assert_eq!(counted, [4, 2, 1], "{status}");
    assert!((3_600..3_660).contains(&status["lag_s"].as_i64().unwrap()), "{status}");
    assert_eq!((&status["cut"], &status["as_of"]), (&json!("2026-11-19T21:00:00Z"), &json!("2026-11-22T08:00:00Z")));
    let listed: Vec<_> =
        status["newest_rejects"].as_array().unwrap().iter().map(|r| (&r["place"], &r["waits"])).collect();
    assert!(
        listed.contains(&(&json!("b"), &json!(true))) && listed.contains(&(&json!("line 3"), &json!(false))),
        "{status}"
    );
    let said = text(&output_at_noon(&lab, &["registry", "status"]).stdout);
    assert!(
        said.contains("lines        4\n") && said.contains("(lag 1h") && said.contains("events       2 (1 waiting)"),
        "{said}"
    );

    // Once events were applied, the cut must be stated, and never an older one.
    let rows = extract(&lab, &["1,1,2015-01-01,,active"]);
    fails_with(
        &lab,
        &["registry", "import", &rows],
        "the snapshot's cut must be stated",
        "state when the extract was cut",
    );
    let import = |cut| ["registry", "import", &rows, "--as-of", cut];
    fails_with(&lab, &import("2026-11-01"), "before the present one", "import the newest extract");
    fails_with(&lab, &import("2026-11-21"), "1 lines where there were 4", "nothing was changed");
    let shrunk = json_at_noon(&lab, &["registry", "import", &rows, "--as-of", "2026-11-21", "--allow-shrink"]);
    assert_eq!((&shrunk["lines"], &shrunk["events_reapplied"]), (&json!(1), &json!(1)), "{shrunk}");
}

#[test]
fn commands_list_export_and_verify_the_ledger() {
    let lab = four_lines();
    let core = lab.partner_app("Bank A", "production");
    let test = lab.app("Bank A", "sandbox", "imsi,swap,age");
    let server = lab.start(at_noon(&lab, &["serve", "--listen", "127.0.0.1:0"]));
    let bank = Bank::of(&server, &core);
    for (path, number) in
        [(IMSI, "254700000001"), (IMSI, "254700000001"), (SWAP, "254700000002"), (AGE, "254700000009")]
    {
        bank.check(path, number);
    }
    Bank::of(&server, &test).check(IMSI, "254722000042");
    server.stop();

    let columns = "requestRefID,at,partner,app,product,environment,outcome,charge_minor,currency";
    let csv = lab.laini(&["ledger", "export", "--format", "csv"]);
    let header = csv.lines().next().unwrap();
    assert!(header.starts_with(columns), "{header}");
    let is_id = |column: &&str| column.to_lowercase().ends_with("id");
    assert_eq!(header.split(',').filter(is_id).collect::<Vec<_>>(), ["requestRefID"], "no other id column");
    let outcomes: Vec<_> = lab.ledger().into_iter().map(|row| (row.outcome, row.product, row.charge_minor)).collect();
    let expected = [
        ("answered", "imsi", 2_000),
        ("repeated", "imsi", 0),
        ("answered", "swap", 100),
        ("not_served", "age", 0),
        ("withheld", "imsi", 0),
    ];
    assert_eq!(outcomes, expected.map(|(outcome, product, charge)| (outcome.to_owned(), product.to_owned(), charge)));

    let ndjson = lab.laini(&["ledger", "export", "--json"]);
    let rows: Vec<Value> = ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 5);
    assert_eq!((&rows[0]["partner"], &rows[0]["app"]), (&json!("Bank A"), &json!("production-1")));
    assert_eq!((&rows[0]["currency"], &rows[0]["at"].as_str().unwrap()[..11]), (&json!("KES"), "2026-11-22T"));
    let file = lab.path("export.ndjson");
    assert_eq!(lab.laini(&["ledger", "export", "--format", "ndjson", "-o", utf8(&file)]), "");
    assert_eq!(fs::read_to_string(&file).unwrap(), ndjson);

    let listed = |filter: &[&str]| lab.json(&[&["ledger", "list"], filter].concat()).as_array().unwrap().len();
    assert_eq!(listed(&["--app", "sandbox-1"]), 1);
    assert_eq!(listed(&["--app", &core.consumer_key, "--outcome", "answered"]), 2);
    assert_eq!((listed(&["--day", "2026-11-22"]), listed(&["--day", "2026-11-21"])), (5, 0));
    assert_eq!(lab.json(&["ledger", "list", "--limit", "2"])[1]["outcome"], "withheld", "the newest come last");
    assert_eq!(lab.laini(&["ledger", "list", "--outcome", "unknown"]), "no rows\n");
    assert!(lab.laini(&["ledger", "list"]).contains("KES 20.00"));
    fails_with(&lab, &["ledger", "list", "--app", "nope"], "no app is called nope", "`laini app list`");

    assert_eq!(lab.verify_ledger(), 5);
    assert!(lab.laini(&["ledger", "verify"]).starts_with("5 rows verified"));
}

#[test]
fn commands_verify_finds_an_altered_row() {
    let lab = four_lines();
    let credentials = lab.partner_app("Bank A", "production");
    let server = lab.start(at_noon(&lab, &["serve", "--listen", "127.0.0.1:0"]));
    Bank::of(&server, &credentials).check(IMSI, "254700000001");
    server.stop();
    let ledger = rusqlite::Connection::open(lab.data().join("ledger.db")).unwrap();
    assert_eq!(ledger.execute("UPDATE ledger SET charge_minor = 1", []).unwrap(), 1);
    drop(ledger);
    for (args, is_json) in [(vec!["ledger", "verify"], false), (vec!["ledger", "verify", "--json"], true)] {
        let output = lab.output(&args);
        assert_eq!(output.status.code(), Some(1));
        let (report, complaint) = (text(&output.stdout), text(&output.stderr));
        assert!(complaint.contains("the ledger was altered") && complaint.contains("hint"), "{complaint}");
        assert!(report.contains(if is_json { "\"findings\":1" } else { "1 rows, 1 findings" }), "{report}");
    }
}

#[test]
fn commands_settings_come_from_file_environment_and_flags() {
    let lab = Lab::new();
    let example = lab.laini(&["config", "example"]);
    let file = lab.path("laini.toml");
    // The example with every setting uncommented is a valid file that changes nothing.
    let is_setting = |line: &&str| line.split_once(" = ").is_some_and(|(key, _)| !key[2..].contains(' '));
    let uncommented: Vec<_> = example.lines().map(|line| if is_setting(&line) { &line[2..] } else { line }).collect();
    fs::write(&file, uncommented.join("\n")).unwrap();
    let check = |settings: &[(&str, &str)]| {
        let mut command = lab.command(&["config", "check", "--config", utf8(&file), "--json"]);
        let output = command.envs(settings.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice::<Vec<Value>>(&output.stdout).unwrap()
    };
    let setting = |lines: &[Value], name: &str| {
        let line = lines.iter().find(|line| line["setting"] == name).unwrap();
        (line["value"].as_str().unwrap().to_owned(), line["origin"].as_str().unwrap().to_owned())
    };
    let stated = check(&[]);
    assert!(stated.iter().all(|line| line["origin"] == "file"), "{stated:?}");
    let defaults = lab.json(&["config", "check"]);
    for (line, default) in stated.iter().zip(defaults.as_array().unwrap()) {
        assert_eq!((&line["setting"], &line["value"]), (&default["setting"], &default["value"]));
        assert_eq!(default["origin"], "default");
    }
    let overridden = check(&[("LAINI_SERVER_BODY_BYTES_MAX", "4096"), ("LAINI_REGISTRY_REQUIRED_FEEDS", "hlr, hss")]);
    assert_eq!(setting(&overridden, "server.body_bytes_max"), ("4096".into(), "environment".into()));
    assert_eq!(setting(&overridden, "registry.required_feeds"), (r#"["hlr", "hss"]"#.into(), "environment".into()));

    fs::write(&file, "[server]\nlisten = \"203.0.113.1:1\"\n").unwrap();
    let server = lab.start(lab.command(&["serve", "--config", utf8(&file), "--listen", "127.0.0.1:0"]));
    assert!(server.base_url.starts_with("http://127.0.0.1:"), "a flag wins");
    server.stop();
}

#[test]
fn commands_wrong_settings_are_named() {
    let lab = Lab::new();
    let file = lab.path("laini.toml");
    let check = ["config", "check", "--config", utf8(&file)];
    fails_with(&lab, &check, "laini.toml cannot be read", "name the settings with --config");
    for (content, error, hint) in [
        ("[server]\nlisten2 = \"x\"", "server.listen2 is no setting", "known settings: "),
        ("[operator]\ntime_zone = \"Mars/Base\"", "`Mars/Base` is no IANA time zone", "`laini config check`"),
        ("[server]\nbody_bytes_max = 1", "server.body_bytes_max is not within", "`laini config check`"),
        ("[log]\nlevel = \"loud\"", "`loud`", "`laini config example`"),
        ("[server", "is not TOML", "`laini config example`"),
    ] {
        fs::write(&file, content).unwrap();
        fails_with(&lab, &check, error, hint);
    }
    let output = lab.command(&["config", "check"]).env("LAINI_SERVER_BODY_BYTES_MAX", "much").output().unwrap();
    let said = text(&output.stderr);
    assert!(
        said.contains("LAINI_SERVER_BODY_BYTES_MAX: `much` is no whole number") && said.contains("\nhint: "),
        "{said}"
    );
}

#[test]
fn commands_demo_needs_nothing_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let output = bare(dir.path(), &["demo", "--exit", "--listen", "127.0.0.1:0"]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for part in [
        "one check in sandbox",
        "one check in production",
        "\"responseCode\":\"200\"",
        "charge  KES 20.00",
        "where to go next",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "the fresh directory is removed");
}

#[test]
fn commands_demo_works_again_in_the_same_directory_and_beside_a_taken_port() {
    let lab = Lab::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let demo = || -> Value {
        let mut command = lab.command(&["demo", "--exit", "--json", "--listen", &address.to_string()]);
        // A probe would leave a row of its own.
        let output = command.env(PROBE_EVERY, "0").output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let first = demo();
    let rows = lab.verify_ledger();
    assert!(rows > 1_000, "weeks of traffic: {rows}");
    let second = demo();
    for shown in [&first, &second] {
        let port: u16 = shown["base_url"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        assert!(port > address.port(), "the next free port after {address}: {port}");
        let environments: Vec<_> =
            shown["checks"].as_array().unwrap().iter().map(|check| &check["environment"]).collect();
        assert_eq!(environments, ["sandbox", "production"]);
        for check in shown["checks"].as_array().unwrap() {
            assert_eq!(check["answer"]["responseCode"], "200", "{check}");
            assert_eq!(check["answer"]["customerNumber"], check["number"]);
        }
    }
    assert_eq!(first["checks"][1]["number"], second["checks"][1]["number"]);
    assert_ne!(first["sandbox"]["consumer_key"], second["sandbox"]["consumer_key"], "fresh credentials at each start");
    let status = lab.json(&["registry", "status"]);
    assert_eq!((&status["lines"], &status["generation"]), (&json!(DEMO_LINES), &json!(1)), "made once");
    assert_eq!(lab.verify_ledger(), rows + 2, "its past is lived through once");
    let invoices = lab.json(&["invoice", "list"]);
    assert_eq!(invoices.as_array().unwrap().len(), 1, "{invoices}");
    assert_eq!(lab.json(&["invoice", "verify", "1"])["differences"], json!([]));
    assert_eq!(lab.json(&["incident", "list"])[0]["state"], "resolved");
    let server = lab.serve();
    let bank = Bank::stranger(&server);
    for (shown, wanted) in [(&first, 401), (&second, 201)] {
        let person = &shown["people"][0];
        let body = json!({"email": person["email"], "password": person["password"]}).to_string();
        let request = bank.http().post(format!("{}/office/v1/sessions", server.base_url));
        let request = request.header("content-type", "application/json").body(body);
        assert_eq!(bank.send(request).unwrap().status, wanted, "passwords are fresh at each start");
    }
    server.stop();
}

#[test]
fn commands_ask_quotes_the_guide_and_looks_up_ids() {
    let dir = tempfile::tempdir().unwrap();
    let asked = |words: &[&str]| {
        let output = bare(dir.path(), &[&["ask"], words].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    // No data directory is needed, nor made.
    let told = asked(&["what", "does", "a", "repeat", "cost?"]);
    assert!(told.contains("/docs/faq#what-does-a-repeat-cost") && told.contains("    Nothing, where"), "{told}");
    assert!(asked(&["Which airline flies to Kisumu on Sundays?"]).contains("has no answer"));
    let told: Value = serde_json::from_str(&asked(&["is a 404 a good sign?", "--json"])).unwrap();
    assert_eq!((&told["is_known"], &told["requests"]), (&json!(true), &json!([])), "{told}");
    assert!(fs::read_dir(dir.path()).unwrap().next().is_none());
    let lab = four_lines();
    let told = lab.json(&["ask", "what became of 971f-4359-b611-6845a1be45ef280786?"]);
    assert_eq!(told["requests"][0]["outcome"], Value::Null, "{told}");
}

#[test]
fn commands_check_asks_as_a_bank_does() {
    let lab = Lab::new();
    let server = lab.start(at_noon(&lab, &["sandbox", "--listen", "127.0.0.1:0"]));
    let ready = lab.path("server-0.json");
    let ask = |args: &[&str]| lab.output(&[&["check", "--ready-file", utf8(&ready)], args].concat());
    let said = ask(&["0722000001", "254722000002", "254722000040"]);
    let words = text(&said.stdout);
    assert!(said.status.success(), "{}", text(&said.stderr));
    for part in [
        "0722000001: KNOWN",
        "not swapped within 3 months",
        "swapped on 2026-11-22",
        "KES 20.00",
        "254722000040: NOT SERVED",
    ] {
        assert!(words.contains(part), "{part} is not in {words}");
    }

    let verdicts =
        |args: &[&str]| -> Value { serde_json::from_slice(&ask(&[args, &["--json"]].concat()).stdout).unwrap() };
    let swap = verdicts(&["254722000010", "254722000042", "--product", "swap"]);
    assert_eq!((&swap[0]["answer"], &swap[0]["swap"]), (&json!("known"), &json!("swapped on 2026-11-15 at 00:00")));
    assert_eq!((&swap[0]["charge"], &swap[0]["imsi"]), (&json!("KES 1.00; estimate"), &Value::Null));
    assert_eq!((&swap[1]["answer"], &swap[1]["charge"]), (&json!("unknown"), &json!("none; reason=withheld")));
    assert_eq!(verdicts(&["254722000007", "--product", "age"])[0]["registration"], "registered on 2026-11-21");

    let bad = ask(&["2547", "254722000001", "--json"]);
    assert_eq!(bad.status.code(), Some(1));
    let verdicts: Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!((&verdicts[0]["answer"], &verdicts[1]["answer"]), (&json!("failed"), &json!("known")));
    assert!(verdicts[0]["reason"].as_str().unwrap().contains("400.002.02") && verdicts[0]["hint"].is_string());
    assert!(text(&bad.stderr).contains("1 of 2 numbers could not be asked about"));
    server.stop();
}

#[test]
fn commands_check_says_what_is_unknown_and_what_is_wrong() {
    let lab = Lab::new();
    let rows = lab.path("mute.csv");
    fs::write(&rows, "msisdn,imsi,registered_at\n254700000001,639020000000001,2015-01-01\n").unwrap();
    lab.import(&rows);
    let Credentials { consumer_key, consumer_secret, .. } = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let ask = |secret: &str| {
        let mut command = lab.command(&["check", "254700000001", "--json", "--base-url", &server.base_url]);
        command.env("LAINI_CONSUMER_KEY", &consumer_key).env("LAINI_CONSUMER_SECRET", secret).output().unwrap()
    };
    let unknown = ask(&consumer_secret);
    let verdict: Value = serde_json::from_slice(&unknown.stdout).unwrap();
    assert_eq!((unknown.status.code(), &verdict[0]["answer"]), (Some(0), &json!("unknown")), "{verdict}");
    assert_eq!(verdict[0]["charge"], "none; reason=unknown");
    assert!(verdict[0]["swap"].is_null(), "an unknown is no \"no\"");

    let wrong = ask("not-the-secret");
    let verdict: Value = serde_json::from_slice(&wrong.stdout).unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(verdict[0]["reason"].as_str().unwrap().contains("400.008.01"), "{verdict}");
    assert!(verdict[0]["hint"].as_str().unwrap().contains("consumer key and secret"), "{verdict}");
    assert!(!verdict.to_string().contains("not-the-secret"));
    server.stop();

    fails_with(&lab, &["check", "254700000001"], "credentials are missing", "set LAINI_CONSUMER_KEY");
    let missing = ["check", "254700000001", "--ready-file", "nowhere.json"];
    fails_with(&lab, &missing, "nowhere.json cannot be read", "a server started with --ready-file writes it");
}
