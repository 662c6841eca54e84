//! What developers see of their apps, webhooks and worlds, through the portal's public door.

use std::time::Duration;

use crate::bank::{Bank, IMSI};
use crate::portal::Browser;
use crate::receiver::Receiver;
use crate::running::{Credentials, Lab, Running, wait_until};

const WITHIN: Duration = Duration::from_secs(20);
/// No persona.
const OWN: &str = "254733000001";
/// How the bar tells of which environment a page is.
const SANDBOX: &str = "<span class=\"mode sandbox\">SANDBOX</span>";

fn developer(lab: &Lab, server: &Running, partner: &str) -> Browser {
    let email = format!("{}@bank.example", partner.to_lowercase().replace(' ', "."));
    Browser::of_person(lab, server, &["member", "add", partner, &email, "--role", "developer"])
}

fn id_of(lab: &Lab, app: &Credentials) -> String {
    lab.json(&["app", "show", &app.consumer_key])["app"].as_str().unwrap().to_owned()
}

#[test]
fn the_page_of_an_app_counts_its_tokens_and_says_where_to_go_on() {
    let lab = Lab::new();
    let app = lab.partner_app("Bank A", "sandbox");
    let server = lab.serve();
    let (developer, id) = (developer(&lab, &server, "Bank A"), id_of(&lab, &app));
    let path = format!("/apps/{id}");
    let counts = |tokens: u32| format!("<strong id=\"tokens\">{tokens}</strong>");
    let before = developer.get(&path);
    assert!(before.text.contains(&counts(0)) && before.text.contains("none known"), "{before:?}");
    assert!(before.text.contains("href=\"/go-live#ask\""), "going live begins here: {before:?}");
    let bank = Bank::of(&server, &app);
    assert_eq!(bank.generate(&app).unwrap().status, 200);
    assert_eq!(bank.check(IMSI, "254722000001").status, 200);
    let after = developer.get(&path);
    assert!(after.text.contains(&counts(2)), "{after:?}");
    for page in [&after, &developer.get("/apps")] {
        assert!(!page.text.contains("none known"), "its last call is told: {page:?}");
    }
    let ended = developer.post(&format!("{path}/revoke-tokens"), &developer.csrf, None);
    assert_eq!(ended.status, 303, "{ended:?}");
    assert!(developer.get(&path).text.contains(&counts(0)), "they are ended");
    // The log of one app is of one environment, the log of all is of none.
    let log = developer.get(&format!("/requests?app={id}"));
    assert!(log.text.contains(SANDBOX), "{log:?}");
    assert!(!developer.get("/requests").text.contains(SANDBOX));
    lab.laini(&["app", "suspend", &app.consumer_key, "--reason", "a drill"]);
    wait_until("it is told where to ask why", WITHIN, || developer.get(&path).text.contains("/support?subject="));
    let counts_none = || {
        let page = developer.get(&path).text;
        page.contains("id=\"no-tokens\"") && !page.contains("id=\"tokens\"")
    };
    assert!(counts_none(), "no token of a suspended app is good");
    lab.laini(&["app", "resume", &app.consumer_key, "--reason", "it is over"]);
    wait_until("they are counted again", WITHIN, || !counts_none());
    lab.laini(&["partner", "suspend", "Bank A", "--reason", "another drill"]);
    wait_until("nor is one of a suspended partner", WITHIN, counts_none);
    server.stop();
}

#[test]
fn an_address_and_a_delivery_have_pages_of_their_own() {
    let (lab, receiver) = (Lab::new(), Receiver::start());
    let app = lab.partner_app("Bank A", "sandbox");
    lab.partner_app("Bank B", "sandbox");
    let added = lab.json(&["app", "result-address", "add", &app.consumer_key, &receiver.url()]);
    lab.canaries.word(added["signing_secret"].as_str().unwrap());
    let server = lab.serve();
    let (developer, other) = (developer(&lab, &server, "Bank A"), developer(&lab, &server, "Bank B"));
    receiver.fails_each(1);
    let body = format!(r#"{{"customerNumber":"254722000002","resultURL":"{}"}}"#, receiver.url());
    let accepted = Bank::of(&server, &app).post(IMSI, &[], &body).unwrap();
    assert_eq!(accepted.status, 200, "{accepted:?}");
    let id = accepted.field("requestRefID");
    let delivery = format!("/webhooks/deliveries/{id}");
    wait_until("a try is told", WITHIN, || developer.get(&delivery).text.contains("HTTP 500"));
    let shown = developer.get(&delivery);
    for told in [&*format!("webhook-id: {id}"), &*receiver.url(), "254******002", SANDBOX] {
        assert!(shown.text.contains(told), "{told}: {shown:?}");
    }
    assert!(!shown.text.contains("254722000002"), "{shown:?}");
    let address = format!("/webhooks/{}/{}", id_of(&lab, &app), added["address"].as_str().unwrap());
    let page = developer.get(&address);
    assert!(page.text.contains(&delivery) && page.text.contains("number 1: the first"), "{page:?}");
    let rolled = developer.post(&format!("{address}/roll"), &developer.csrf, None);
    assert!(rolled.text.contains("whsec_") && rolled.text.contains("number 2: rolled lately"), "{rolled:?}");
    assert!(!developer.get(&address).text.contains("whsec_"), "a secret is shown once");
    receiver.fails_each(0);
    let again = developer.post(&format!("{delivery}/again"), &developer.csrf, None);
    assert_eq!((again.status, again.header("location")), (303, delivery.as_str()), "{again:?}");
    let is_delivered = || developer.get(&delivery).text.contains("id=\"state\">delivered<");
    wait_until("it is delivered", WITHIN, is_delivered);
    for path in [&delivery, &address] {
        assert_eq!(other.get(path).status, 404, "{path} is another partner's");
    }
    server.stop();
}

#[test]
fn an_address_that_is_refused_keeps_its_app() {
    let lab = Lab::new();
    let app = lab.partner_app("Bank A", "sandbox");
    let other = lab.app("Bank A", "sandbox", "imsi");
    let server = lab.serve();
    let developer = developer(&lab, &server, "Bank A");
    for id in [id_of(&lab, &app), id_of(&lab, &other)] {
        let fields = format!("{}&app={id}&url=ftp://bank.example/laini", developer.csrf);
        let refused = developer.post("/webhooks", &fields, None);
        assert_eq!(refused.status, 409, "{refused:?}");
        assert!(refused.text.contains(&format!("<option value=\"{id}\" selected>")), "{refused:?}");
        assert!(refused.text.contains("value=\"ftp://bank.example/laini\""), "{refused:?}");
    }
    server.stop();
}

#[test]
fn what_the_simulator_refuses_stays_in_its_form() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "sandbox");
    let server = lab.serve();
    let developer = developer(&lab, &server, "Bank A");
    let send = |fields: &str| developer.post_part("/simulator", &format!("check=age&{fields}"));
    let persona = "number=254722000007";
    let days = "line_registered=2024-03-01&line_swapped=2024-06-01";
    for (fields, told) in [
        ("number=mistyped".to_owned(), &["id=\"number\"", "value=\"mistyped\""][..]),
        (format!("{persona}&put=line&line_number=mistyped&{days}"), &["value=\"254722000007\"", "value=\"mistyped\""]),
        (format!("{persona}&put=line&line_number=&{days}"), &["value=\"254722000007\""]),
        (format!("{persona}&remove=mistyped"), &["value=\"254722000007\""]),
    ] {
        let refused = send(&fields);
        assert_eq!(refused.status, 422, "{fields}: {refused:?}");
        let always = ["role=\"alert\"", "expected a number such as", "id=\"sim-world\"", "selected>age<"];
        for told in always.iter().chain(told) {
            assert!(refused.text.contains(told), "{fields}: {told}: {refused:?}");
        }
        assert!(!refused.text.contains("<html"), "the part alone: {refused:?}");
        for day in ["2024-03-01", "2024-06-01"] {
            let is_kept = refused.text.contains(&format!("type=\"date\" value=\"{day}\""));
            assert_eq!(is_kept, fields.contains(day), "{fields}: {refused:?}");
        }
    }
    // What the world refuses leaves the form as it was, too.
    let refused =
        send(&format!("{persona}&put=line&line_number={OWN}&line_registered=2024-06-01&line_swapped=tomorrow"));
    for told in ["role=\"alert\"", "value=\"254722000007\"", &format!("value=\"{OWN}\""), "value=\"2024-06-01\""] {
        assert!(refused.text.contains(told), "{told}: {refused:?}");
    }
    let page = developer.post("/simulator", &format!("{}&number=mistyped", developer.csrf), None);
    assert!(page.status == 422 && page.text.contains("value=\"mistyped\""), "{page:?}");
    assert!(page.text.contains("<html"), "the whole page: {page:?}");
    server.stop();
}

#[test]
fn a_line_of_ones_own_is_put_shared_without_its_number_and_removed() {
    let lab = Lab::new();
    lab.partner_app("Bank A", "sandbox");
    let server = lab.serve();
    let developer = developer(&lab, &server, "Bank A");
    let send = |fields: &str| developer.post("/simulator", &format!("{}&check=imsi&{fields}", developer.csrf), None);
    let put = send(&format!("put=line&line_number={OWN}&line_registered=2024-03-01"));
    assert_eq!(put.status, 200, "{put:?}");
    for told in [&*format!("value=\"{OWN}\""), "SIM never changed", "id=\"clear-request\">POST /v1/checks", "HTTP 200"]
    {
        assert!(put.text.contains(told), "{told}: {put:?}");
    }
    let link = put.text.split("\" id=\"share\"").next().unwrap().rsplit("href=\"").next().unwrap();
    let link = link.replace("&amp;", "&").replace("&#38;", "&");
    assert!(link.contains("own=254******001") && !link.contains(OWN), "no number is in an address: {link}");
    let opened = developer.get(&link);
    assert!(
        opened.text.contains(&format!(
            "name=\"number\" class=\"mono\" inputmode=\"tel\" autocomplete=\"off\" value=\"{OWN}\""
        )),
        "{opened:?}"
    );
    let of_own = |what: &str| send(&format!("number={OWN}&{what}"));
    let offers_resume = |page: &str| page.contains("value=\"resume\"");
    assert!(offers_resume(&of_own("event=suspend").text));
    assert!(!offers_resume(&of_own("event=resume").text));
    let refused = send(&format!("put=line&line_number={OWN}&line_registered=tomorrow"));
    assert!(refused.text.contains("role=\"alert\"") && refused.text.contains("registered_at"), "{refused:?}");
    let removed = of_own(&format!("remove={OWN}"));
    assert!(removed.text.contains("HTTP 404"), "{removed:?}");
    let lost = developer.get(&link);
    assert!(lost.status == 200 && lost.text.contains("id=\"lost-line\""), "{lost:?}");
    server.stop();
}
