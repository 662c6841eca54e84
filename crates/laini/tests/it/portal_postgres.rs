//! The portal on a database: each of its pages is shown there, too, and its forms are kept.

use std::time::Duration;

use crate::bank::{Bank, IMSI};
use crate::portal::{Browser, access, is_for};
use crate::running::{Lab, wait_until};
use crate::store_copy::Place;

/// A call is in the log so soon after it was answered.
const LOGGED_WITHIN: Duration = Duration::from_secs(20);
/// A persona of the sandbox.
const PERSONA: &str = "254722000001";
/// These lead elsewhere whoever is signed in, or are nowhere without an identity provider.
const NO_PAGES: [&str; 4] = ["/docs", "/sign-in", "/sign-in/elsewhere", "/back"];
const PAGES_MIN: usize = 90;

/// A path of the table with the ids of what is there; `None` = of something that is not.
fn addressed(path: &str, ids: &[(&str, &str)]) -> Option<String> {
    let part = |part: &str| match ids.iter().find(|(name, _)| *name == part) {
        Some((_, id)) => Some((*id).to_owned()),
        None => (!part.starts_with('{')).then(|| part.to_owned()),
    };
    path.split('/').map(part).collect::<Option<Vec<_>>>().map(|parts| parts.join("/"))
}

#[test]
fn every_page_is_shown_on_a_database_and_forms_are_kept_there() {
    let lab = Lab::new();
    let place = Place::new(&lab);
    place.configure(&lab);
    let partner = lab.json(&["partner", "add", "Bank A"])["partner"].as_str().unwrap().to_owned();
    let coming = lab.json(&["partner", "add", "Bank B", "--agreement", "none"])["partner"].as_str().unwrap().to_owned();
    let agreements = lab.json(&["agreement", "list", "Bank A"]);
    let credentials = lab.app("Bank A", "sandbox", "imsi,swap,age");
    let apps = lab.json(&["app", "list"]);
    let server = lab.serve();
    let owner = Browser::of_person(&lab, &server, &["member", "add", "Bank A", "o@bank.example", "--role", "owner"]);
    let admin = Browser::of_person(&lab, &server, &["staff", "add", "a@mobile.example", "--role", "admin"]);
    let answer = Bank::of(&server, &credentials).check(IMSI, PERSONA);
    assert_eq!(answer.status, 200, "{answer:?}");
    let call = answer.field("requestRefID");
    wait_until("the call is in the log", LOGGED_WITHIN, || owner.get(&format!("/requests/{call}")).status == 200);
    let ids = [
        ("{partner}", partner.as_str()),
        ("{agreement}", agreements[0]["agreement"].as_str().unwrap()),
        ("{app}", apps[0]["app"].as_str().unwrap()),
        ("{call}", call.as_str()),
        ("{page}", "overview"),
        ("{code}", "404.002.01"),
        ("{operation}", "create_checks"),
        ("{shape}", "ErrorBody"),
    ];
    let mut shown = 0;
    for ((method, path), who) in access() {
        // What is agreed is written anew by a draft alone.
        if method != "GET" || NO_PAGES.contains(&path) || path.ends_with("/edit") {
            continue;
        }
        let Some(address) = addressed(path, &ids) else { continue };
        for (browser, _) in [(&owner, "owner"), (&admin, "admin")].iter().filter(|(_, role)| is_for(&who, role)) {
            let page = browser.get(&address);
            assert_eq!(page.status, 200, "{address}: {page:?}");
            shown += 1;
        }
    }
    assert!(shown >= PAGES_MIN, "{shown} pages");
    let made = owner.post("/apps", &format!("{}&name=Of+a+page&product=imsi", owner.csrf), None);
    assert!(made.status == 200 && made.text.contains("id=\"secret\""), "{made:?}");
    assert!(owner.get("/apps").text.contains("Of a page"));
    let comment = format!("/partners/{coming}/comment");
    let said = admin.post(&comment, &format!("{}&text=Seen+on+a+database", admin.csrf), None);
    assert_eq!(said.status, 303, "{said:?}");
    assert!(admin.get(&format!("/partners/{coming}")).text.contains("Seen on a database"));
    let refused = admin.post(&comment, &format!("{}&text=", admin.csrf), None);
    assert!(refused.status == 422 && refused.text.contains("role=\"alert\""), "{refused:?}");
    println!("family=pages_postgres pages={shown}");
    server.stop();
}
