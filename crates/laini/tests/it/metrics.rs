//! What can be collected from a running server.

use crate::bank::{Bank, IMSI, SWAP};
use crate::running::{Lab, Running};

/// Well-formed, and in nobody's registry.
const STRANGER: &str = "254733123456";
const TOLD: &str = "metrics can be collected address=";

/// A server whose metrics can be collected, and where.
fn exposed(lab: &Lab) -> (Running, String) {
    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("LAINI_METRICS_LISTEN", "127.0.0.1:0");
    let server = lab.start(command);
    let log = server.printed().1;
    let line = log.lines().find_map(|line| Some(line.split_once(TOLD)?.1.to_owned()));
    (server, format!("http://{}", line.unwrap()))
}

fn collect(bank: &Bank, url: &str) -> String {
    let answer = bank.send(bank.http().get(format!("{url}/metrics"))).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"), "{answer:?}");
    answer.text
}

/// The value of a series, whole as all that are compared here are.
fn value(text: &str, series: &str) -> i64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let figure = line.unwrap_or_else(|| panic!("no {series} in {text}"));
    figure.trim_end_matches(".0").parse().unwrap()
}

#[test]
fn what_was_asked_is_counted_by_product_and_outcome_and_names_nobody() {
    let lab = Lab::new();
    let numbers = lab.import_sample(200, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let (server, url) = exposed(&lab);
    let bank = Bank::of(&server, &app);
    for number in &numbers[..5] {
        assert_eq!(bank.check(IMSI, number).status, 200);
    }
    assert_eq!(bank.check(IMSI, &numbers[0]).status, 200);
    assert_eq!(bank.check(SWAP, &numbers[0]).status, 200);
    assert_eq!(bank.check(IMSI, STRANGER).status, 404);
    assert_eq!(bank.post(IMSI, &[], "x").unwrap().status, 400);
    assert_eq!(bank.get(&format!("/subscribers/{STRANGER}")).unwrap().status, 404);

    let text = collect(&bank, &url);
    let checks = |product, outcome| {
        let labels = format!("product=\"{product}\",environment=\"production\",outcome=\"{outcome}\"");
        value(&text, &format!("laini_checks_total{{{labels}}}"))
    };
    assert_eq!(
        [
            checks("imsi", "answered"),
            checks("imsi", "repeated"),
            checks("imsi", "not_served"),
            checks("swap", "answered")
        ],
        [5, 1, 1, 1]
    );
    for (series, expected) in [
        ("laini_requests_total{endpoint=\"imsi\",status=\"2xx\"}", 6),
        ("laini_requests_total{endpoint=\"imsi\",status=\"4xx\"}", 2),
        ("laini_requests_total{endpoint=\"other\",status=\"4xx\"}", 1),
        ("laini_request_seconds_count{endpoint=\"imsi\"}", 8),
        ("laini_refusals_total{code=\"400.002.05\"}", 1),
        ("laini_refusals_total{code=\"404.002.01\"}", 1),
        ("laini_ledger_commit_checks_sum", 8),
        ("laini_connections", 1),
        ("laini_accounts_age_seconds", 0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
    let commits = value(&text, "laini_ledger_commit_seconds_count");
    assert!((1..=8).contains(&commits), "{commits}");
    assert!(value(&text, "laini_registry_lag_seconds") >= 0);
    assert!(text.contains("laini_build_info{version=\""), "{text}");
    assert!(text.ends_with("# EOF\n"));
    assert_eq!(lab.canaries.find(&text), None);
    // One is apart from the other.
    assert_eq!(bank.get("/metrics").unwrap().status, 404);
    let elsewhere = bank.send(bank.http().get(format!("{url}/livez"))).unwrap();
    assert_eq!(elsewhere.field("errorCode"), "404.001.01");
    server.stop();
}

#[test]
fn metrics_are_off_unless_an_address_is_set() {
    let lab = Lab::new();
    let server = lab.serve();
    assert!(!server.printed().1.contains(TOLD));
    server.stop();
    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("LAINI_METRICS_LISTEN", "nowhere");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(crate::running::text(&output.stderr).contains("metrics.listen"), "{output:?}");
}
