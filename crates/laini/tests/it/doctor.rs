//! What `laini doctor` finds.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use jiff::tz::TimeZone;
use laini_testkit::back_end::{Authority, BackEnd, Identity};
use serde_json::Value;

use crate::running::{Lab, days_ago, wait_until};

/// A server that has not noticed an import by then never will.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);

/// The findings, and whether the exit code says that there is a problem.
fn examine(lab: &Lab, settings: &[(&str, &str)]) -> (Vec<Value>, bool) {
    let mut command = lab.command(&["doctor", "--json"]);
    let output = command.envs(settings.iter().copied()).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(lab.canaries.find(&report.to_string()), None);
    (report["findings"].as_array().unwrap().clone(), output.status.code() == Some(1))
}

fn tells(findings: &[Value], severity: &str, about: &str, words: &str) -> bool {
    findings.iter().any(|finding| {
        let hint = finding["hint"].as_str().unwrap();
        assert!(!hint.is_empty(), "{finding}");
        finding["severity"] == severity
            && finding["about"] == about
            && finding["found"].as_str().unwrap().contains(words)
    })
}

#[test]
fn a_sound_installation_has_no_problem_and_an_unsafe_one_is_told_by_name() {
    let lab = Lab::new();
    lab.import_sample(100, 1);
    lab.partner_app("Bank A", "production");
    let (findings, is_bad) = examine(&lab, &[]);
    assert!(!is_bad, "{findings:?}");
    assert!(tells(&findings, "advice", "freshness", "swap_stale_after_s"), "{findings:?}");
    assert!(tells(&findings, "advice", "keys", "inside the data directory"), "{findings:?}");

    let (findings, is_bad) = examine(&lab, &[("LAINI_SERVER_LISTEN", "0.0.0.0:8080")]);
    assert!(is_bad && tells(&findings, "problem", "listener", "plain HTTP where everybody"), "{findings:?}");
    let (findings, is_bad) = examine(&lab, &[("LAINI_SERVER_LISTEN", "192.168.1.1:8080")]);
    assert!(!is_bad && tells(&findings, "advice", "listener", "private network"), "{findings:?}");
    let (findings, is_bad) = examine(&lab, &[("LAINI_REGISTRY_SWAP_STALE_AFTER_S", "1")]);
    assert!(is_bad && tells(&findings, "problem", "feed", "the limit for swap facts is 1 s"), "{findings:?}");
    let (findings, is_bad) = examine(&lab, &[("LAINI_SERVER_CONNECTIONS_MAX", "1000000000")]);
    assert!(is_bad && tells(&findings, "problem", "limits", "file descriptors"), "{findings:?}");
}

#[test]
fn keys_and_data_that_others_can_read_are_a_problem() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    for (path, mode) in [(lab.data().join("keys/root-1.key"), 0o644), (lab.data().join("accounts.db"), 0o640)] {
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let (findings, is_bad) = examine(&lab, &[]);
        assert!(is_bad && tells(&findings, "problem", "permissions", path.to_str().unwrap()), "{findings:?}");
        fs::set_permissions(&path, before).unwrap();
        assert!(!examine(&lab, &[]).1);
    }
}

#[test]
fn a_file_of_a_newer_release_and_a_lost_key_are_a_problem() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    let accounts = rusqlite::Connection::open(lab.data().join("accounts.db")).unwrap();
    let known: i64 = accounts.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    accounts.pragma_update(None, "user_version", 99).unwrap();
    let (findings, is_bad) = examine(&lab, &[]);
    assert!(
        is_bad && tells(&findings, "problem", "schema", "accounts.db was written by a newer release"),
        "{findings:?}"
    );
    accounts.pragma_update(None, "user_version", known).unwrap();
    drop(accounts);
    fs::remove_file(lab.data().join("keys/root-1.key")).unwrap();
    let (findings, is_bad) = examine(&lab, &[]);
    assert!(is_bad && tells(&findings, "problem", "keys", "is missing"), "{findings:?}");
}

/// Writes certificate and key where the settings say that they are; the key as `mode`.
fn put(lab: &Lab, identity: &Identity, mode: u32) -> [(&'static str, String); 2] {
    let [certificate, key] = ["chain.pem", "key.pem"].map(|name| lab.path(name));
    fs::write(&certificate, &identity.certificate).unwrap();
    fs::write(&key, &identity.key).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
    [("LAINI_TLS_CERTIFICATE", certificate.display().to_string()), ("LAINI_TLS_KEY", key.display().to_string())]
}

#[test]
fn tls_spares_a_public_listener_and_its_certificate_is_watched() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    let authority = Authority::default();
    let soon = days_ago(-7).to_zoned(TimeZone::UTC).date();
    let soon = (soon.year().into(), soon.month().unsigned_abs(), soon.day().unsigned_abs());
    let with = |identity: &Identity, mode| {
        let tls = put(&lab, identity, mode);
        let tls = tls.iter().map(|(name, path)| (*name, path.as_str()));
        let settings: Vec<_> = tls.chain([("LAINI_SERVER_LISTEN", "0.0.0.0:8443")]).collect();
        examine(&lab, &settings)
    };
    let (findings, is_bad) = with(&authority.issue("localhost"), 0o600);
    assert!(!is_bad && !findings.iter().any(|finding| finding["about"] == "listener"), "{findings:?}");
    let (findings, is_bad) = with(&authority.issue_until("localhost", soon), 0o600);
    assert!(!is_bad && tells(&findings, "advice", "tls", "tls.certificate: the certificate of"), "{findings:?}");
    let (findings, is_bad) = with(&authority.issue_expired("localhost"), 0o600);
    assert!(is_bad && tells(&findings, "problem", "tls", "ended 2021-01-01"), "{findings:?}");
    let (findings, is_bad) = with(&authority.issue("localhost"), 0o644);
    assert!(is_bad && tells(&findings, "problem", "permissions", "tls.key: everybody"), "{findings:?}");
    let strangers = Identity { key: authority.issue("localhost").key, ..authority.issue("localhost") };
    let (findings, is_bad) = with(&strangers, 0o600);
    assert!(is_bad && tells(&findings, "problem", "tls", "TLS cannot be set up"), "{findings:?}");
}

#[test]
fn a_running_server_is_asked_how_it_is_over_tls_too() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    let tls = put(&lab, &Authority::default().issue("localhost"), 0o600);
    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.envs(tls.iter().map(|(name, path)| (*name, path.as_str())));
    let server = lab.start(command);
    let address = server.base_url.strip_prefix("https://").unwrap().to_owned();
    let settings =
        [(tls[0].0, tls[0].1.as_str()), (tls[1].0, tls[1].1.as_str()), ("LAINI_SERVER_LISTEN", address.as_str())];
    let (findings, is_bad) = examine(&lab, &settings);
    assert!(is_bad && tells(&findings, "problem", "server", "the registry is empty"), "{findings:?}");
    lab.import_sample(10, 1);
    wait_until("the server has noticed", NOTICED_WITHIN, || !examine(&lab, &settings).1);
    // It speaks TLS, and these settings do not know.
    let (findings, is_bad) = examine(&lab, &settings[2..]);
    assert!(!is_bad && tells(&findings, "advice", "server", "gives no answer"), "{findings:?}");
    server.stop();
    assert!(!examine(&lab, &settings).1, "nobody is asked where nobody serves");
}

#[test]
fn a_back_end_is_connected_to_and_asked_about_nobody() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    let back_end = BackEnd::start();
    let url = format!("http://{}/lines/{{msisdn}}", back_end.address());
    let settings = [
        ("LAINI_REGISTRY_KIND", "http"),
        ("LAINI_UPSTREAM_URL", url.as_str()),
        ("LAINI_UPSTREAM_ANSWER_HISTORY", "always"),
        ("LAINI_UPSTREAM_ANSWER_MSISDN", ""),
    ];
    let (findings, is_bad) = examine(&lab, &settings);
    assert!(!is_bad && tells(&findings, "advice", "upstream", "another number would pass"), "{findings:?}");
    assert!(!tells(&examine(&lab, &settings[..3]).0, "advice", "upstream", ""));
    assert_eq!((back_end.connections(), back_end.requests()), (2, 0));
    drop(back_end);
    let (findings, is_bad) = examine(&lab, &settings);
    assert!(is_bad && tells(&findings, "problem", "upstream", "cannot be connected to"), "{findings:?}");
    let (findings, is_bad) = examine(&lab, &settings[1..]);
    assert!(!is_bad && tells(&findings, "advice", "upstream", "cannot be connected to"), "{findings:?}");
    let tls = BackEnd::start_tls(Authority::default().issue("localhost").server(None));
    let url = format!("https://localhost:{}/lines/{{msisdn}}", tls.address().port());
    let (findings, is_bad) = examine(&lab, &[settings[0], ("LAINI_UPSTREAM_URL", url.as_str()), settings[2]]);
    assert!(is_bad && tells(&findings, "problem", "upstream", "certificate"), "{findings:?}");
}

#[test]
fn feeds_and_proxies_that_do_not_fit_the_settings_are_told() {
    let lab = Lab::new();
    lab.import_sample(10, 1);
    let events = lab.path("events.ndjson");
    fs::write(&events, format!(r#"{{"type":"heartbeat","source":"hlr-2","at":"{}"}}"#, days_ago(0))).unwrap();
    lab.laini(&["registry", "apply", events.to_str().unwrap()]);
    let (findings, _) = examine(&lab, &[("LAINI_REGISTRY_REQUIRED_FEEDS", "hlr-1")]);
    assert!(tells(&findings, "advice", "feed", "`hlr-1` has never sent a heartbeat"), "{findings:?}");
    assert!(tells(&findings, "advice", "feed", "`hlr-2` is not in registry.required_feeds"), "{findings:?}");
    assert!(tells(&findings, "advice", "proxy", "no proxy is trusted"), "{findings:?}");
    let (findings, is_bad) = examine(&lab, &[("LAINI_SERVER_TRUSTED_PROXIES", "0.0.0.0/0")]);
    assert!(is_bad && tells(&findings, "problem", "proxy", "can claim any address"), "{findings:?}");
}
