//! What an operator holds in its hand about partners: suspension, limits, budgets, terms, keys.

use std::fs;

use serde_json::{Value, json};

use crate::commands::{audits, fails, fails_with};
use crate::running::Lab;

#[test]
fn commands_limit_an_app_and_show_what_holds() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    let app = "production-1";
    lab.laini(&["app", "limits", app, "--product", "swap", "--rate", "5", "--burst", "10", "--reason", "a pilot"]);
    lab.laini(&["app", "limits", app, "--per-day", "1000", "--per-month", "9000"]);
    lab.laini(&["app", "limits", app, "--per-day", "none", "--rate", "7"]);
    let shown = lab.json(&["app", "show", app]);
    let all = json!({"product": "all", "rate_per_second": 7, "burst": 7, "per_day": null, "per_month": 9000});
    let swap = json!({"product": "swap", "rate_per_second": 5, "burst": 10, "per_day": null, "per_month": null});
    assert_eq!(shown["limits"], json!([all, swap]));

    let said = lab.laini(&["app", "budget", app, "50000"]);
    assert_eq!(said, "production-1: KES 50000.00 a month, warns at 50 %, 80 %, 100 %, stops 20 % beyond\n");
    lab.laini(&["app", "budget", app, "--hard-stop", "true", "--warn-at", "90,50,90"]);
    let budget = json!({"currency": "KES", "month_minor": 5_000_000, "warn_at_percent": [50, 90],
        "overrun_percent": 20, "hard_stop": true, "stop_minor": 5_000_000});
    assert_eq!(lab.json(&["app", "show", app])["budget"], budget);
    lab.laini(&["app", "budget", app, "none"]);
    assert_eq!(lab.json(&["app", "show", app])["budget"], Value::Null);
    fails_with(&lab, &["app", "budget", app, "--overrun", "5"], "has no budget yet", "name an amount");
    let (said, _) = fails(&lab, &["app", "budget", app, "1.005"]);
    assert!(said.contains("at most two decimals"), "{said}");

    lab.laini(&["app", "probing", "slow", app, "--rate", "2"]);
    assert_eq!(lab.json(&["app", "show", app])["probing"], "flagged and slowed to 2/s (burst 2)");
    lab.laini(&["app", "probing", "flag", app]);
    assert_eq!(lab.json(&["app", "show", app])["limits"], json!([all, swap]), "other limits stay");

    lab.laini(&["partner", "limits", "Bank A", "--rate", "50", "--burst", "99"]);
    let limits = json!({"rate_per_second": 50, "burst": 99, "per_day": null, "per_month": null});
    assert_eq!(lab.json(&["partner", "list"])[0]["limits"], limits);
    let newest = audits(&lab).swap_remove(0);
    assert_eq!((newest.action.as_str(), newest.reason.as_str()), ("partner.limits", "50/s (burst 99)"));
    let first = audits(&lab).into_iter().rev().find(|entry| entry.action == "app.limits").unwrap();
    assert_eq!(first.reason, "swap 5/s (burst 10): a pilot");
    for (args, code) in [
        (&["app", "limits", app][..], 2),
        (&["app", "limits", app, "--rate", "0"], 2),
        (&["app", "limits", app, "--burst", "5"], 2),
        (&["app", "suspend", app], 2),
        (&["partner", "suspend", "Bank A"], 2),
    ] {
        assert_eq!(lab.output(args).status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn commands_choose_an_apps_forms_certificate_and_addresses() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    let app = "production-1";
    lab.laini(&["app", "profile", app, "--single-token", "true"]);
    lab.laini(&["app", "profile", app, "--sentinel-with-time", "false"]);
    let shown = lab.json(&["app", "show", app]);
    assert_eq!((&shown["single_token"], &shown["sentinel_with_time"]), (&json!(true), &json!(false)));

    lab.laini(&["app", "addresses", app, "192.0.2.7", "2001:db8::/32"]);
    assert_eq!(lab.json(&["app", "show", app])["allowed_addresses"], json!(["192.0.2.7/32", "2001:db8::/32"]));
    let (said, _) = fails(&lab, &["app", "addresses", app, "10.0.0.1/8"]);
    assert!(said.contains("the network is 10.0.0.0/8"), "{said}");
    lab.laini(&["app", "addresses", app, "--any"]);
    assert_eq!(lab.json(&["app", "show", app])["allowed_addresses"], json!([]));

    // The certificate of a key that was thrown away, in both forms that people have it in.
    let (pem, der) = (lab.path("client.pem"), lab.path("client.der"));
    fs::write(&pem, include_str!("../fixtures/client.pem")).unwrap();
    fs::write(&der, include_bytes!("../fixtures/client.der")).unwrap();
    let digest = include_str!("../fixtures/client.sha256").trim();
    for file in [&pem, &der] {
        lab.laini(&["app", "certificate", app, file.to_str().unwrap()]);
        assert_eq!(lab.json(&["app", "show", app])["client_certificate"], digest);
        lab.laini(&["app", "certificate", app, "--any"]);
        assert_eq!(lab.json(&["app", "show", app])["client_certificate"], Value::Null);
    }
    fs::write(&pem, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    fails_with(&lab, &["app", "certificate", app, pem.to_str().unwrap()], "holds no certificate", "name the partner's");
}

#[test]
fn commands_put_new_versions_of_an_agreement_in_force() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "production");
    let before = lab.json(&["agreement", "show", "Bank A"]);
    let change =
        |terms: &[&str]| lab.json(&[&["agreement", "change", "Bank A", "--reason", "negotiated"], terms].concat());
    let after = change(&["--purposes", "onboarding,fraud_prevention", "--exact-times", "true", "--swap-window", "1"]);
    assert_ne!(before["agreement"], after["agreement"]);
    assert_eq!(after["purposes"], json!(["fraud_prevention", "onboarding"]));
    assert_eq!((&after["swap_window"], &after["registration_window"]), (&json!("P1M"), &json!("P1Y")));
    assert_eq!((&after["prices"], &after["exact_times"]), (&before["prices"], &json!(true)));
    assert_eq!(lab.json(&["agreement", "show", "Bank A"]), after);
    // A version like every other: kept, and signed for both sides by who did it.
    let kept = lab.json(&["agreement", "list", "Bank A"]);
    let newest = kept.as_array().unwrap().iter().find(|version| version["agreement"] == after["agreement"]).unwrap();
    assert_eq!((kept.as_array().unwrap().len(), &newest["state"]), (2, &json!("signed")), "{kept}");
    let passing = change(&["--pass-hashed-imsi", "true"]);
    assert_eq!((&passing["pass_hashed_imsi"], &passing["purposes"]), (&json!(true), &after["purposes"]));

    let only = ["agreement", "change", "Bank A", "--reason", "x", "--purposes", "onboarding"];
    fails_with(&lab, &only, "asks for fraud_prevention by default", "allow it here, or first");
    let refused = ["app", "purpose", "production-1", "cheque_confirmation"];
    fails_with(&lab, &refused, "the agreement does not allow cheque_confirmation", "`laini agreement change");
    lab.laini(&["app", "purpose", "production-1", "onboarding"]);
    lab.laini(&only);
    let versions: i64 = rusqlite::Connection::open(lab.data().join("accounts.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM agreement", [], |row| row.get(0))
        .unwrap();
    assert_eq!(versions, 4, "every version is kept");
}

#[test]
fn commands_show_an_operator_key_once() {
    let lab = Lab::new();
    let add = ["operator", "key", "add", "feed", "--scopes", "feed:write,feed:read", "--expires", "90d"];
    let made = lab.json(&add);
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with(&format!("laini_op_{}_", made["id"].as_str().unwrap())), "{key}");
    fails_with(&lab, &add, "exists already", "choose another name");
    let listed = lab.laini(&["operator", "key", "list", "--json"]);
    let secret = key.rsplit('_').next().unwrap();
    assert!(!listed.contains(secret) && listed.contains("feed:write,feed:read"), "{listed}");
    let everything = fs::read(lab.data().join("accounts.db")).unwrap();
    assert!(!everything.windows(secret.len()).any(|window| window == secret.as_bytes()), "only a hash is kept");
    lab.laini(&["operator", "key", "revoke", "feed", "--reason", "lost"]);
    assert_eq!(lab.json(&["operator", "key", "list"])[0]["status"], "revoked");
    fails_with(
        &lab,
        &["operator", "key", "revoke", "feed", "--reason", "x"],
        "no operator key in use",
        "`laini operator",
    );
    lab.laini(&add);
    for args in [["--scopes", "feed:write", "--expires", "4y"], ["--scopes", "all", "--expires", "9d"]] {
        assert_eq!(lab.output(&[&add[..4], &args[..]].concat()).status.code(), Some(2), "{args:?}");
    }
}
