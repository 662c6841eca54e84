//! The portal through its public door: every page as every kind of caller, and forms that are not ours.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use laini_core::partner::{MemberRole, StaffRole};
use laini_portal::{PageOfAll, every_page};
use reqwest::redirect::Policy;

use crate::bank::{Answer, Bank, IMSI};
use crate::running::{Lab, Running, days_ago, wait_until};

const SESSION: &str = "__Host-laini_session";
/// An id that nothing has.
const NOTHING: &str = "0000000000000001";
/// Who is shown which page, by hand; how it is written stands at its top.
const ACCESS: &str = include_str!("portal_access.txt");
/// In the table: also whoever did not sign in.
const EVERYBODY: &str = "everybody";

/// A browser of somebody; of nobody, where its cookie is empty.
pub(crate) struct Browser {
    bank: Bank,
    http: reqwest::Client,
    cookie: String,
    pub(crate) csrf: String,
}

impl Browser {
    fn new(server: &Running, cookie: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let mut browser = Self { bank: Bank::stranger(server), http, cookie, csrf: String::new() };
        let form = browser.get("/sign-in");
        assert_eq!(form.status, if browser.cookie.is_empty() { 200 } else { 303 }, "{form:?}");
        if browser.cookie.is_empty() {
            form.header("set-cookie").split(';').next().unwrap().clone_into(&mut browser.cookie);
        }
        let page = browser.get(if form.status == 200 { "/sign-in" } else { "/account" });
        let token = page.text.split("name=\"csrf\" value=\"").nth(1).unwrap();
        token.split('"').next().unwrap().clone_into(&mut browser.csrf);
        browser
    }

    pub(crate) fn of_person(lab: &Lab, server: &Running, invite: &[&str]) -> Self {
        let token = lab.json(invite)["token"].as_str().unwrap().to_owned();
        let person = Bank::of_person(server, &token);
        Self::new(server, format!("{SESSION}={}", person.token()))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let request = self.http.get(self.bank.url(path)).header("cookie", &self.cookie);
        self.bank.send(request).unwrap()
    }

    pub(crate) fn post(&self, path: &str, csrf: &str, site: Option<&str>) -> Answer {
        let request = self.http.post(self.bank.url(path)).header("cookie", &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(format!("csrf={csrf}"));
        let request = site.into_iter().fold(request, |request, site| request.header("sec-fetch-site", site));
        self.bank.send(request).unwrap()
    }

    /// Sends a form as a page does that changes a part of itself alone.
    pub(crate) fn post_part(&self, path: &str, fields: &str) -> Answer {
        let request = self.http.post(self.bank.url(path)).header("cookie", &self.cookie).header("hx-request", "true");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.bank.send(request.body(format!("csrf={}&{fields}", self.csrf))).unwrap()
    }

    fn visit(&self, page: &PageOfAll, partner: &str) -> Answer {
        let path = filled(page, partner);
        if page.method == "GET" { self.get(&path) } else { self.post(&path, &self.csrf, None) }
    }
}

fn filled(page: &PageOfAll, partner: &str) -> String {
    let part = |part: &'static str| match part {
        "{partner}" => partner.to_owned(),
        "{page}" => "overview".to_owned(),
        "{code}" => "404.002.01".to_owned(),
        "{operation}" => "create_checks".to_owned(),
        "{shape}" => "ErrorBody".to_owned(),
        id if id.starts_with('{') => NOTHING.to_owned(),
        plain => plain.to_owned(),
    };
    page.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Signs whoever asks out, and everybody else of theirs.
fn ends_sessions(page: &PageOfAll) -> bool {
    ["/sign-out", "/account/sessions/end"].contains(&page.path)
}

/// Of each method and path of the table, the words of those who may.
pub(crate) type Access = BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>;

/// Whether a page is shown to somebody of this role.
pub(crate) fn is_for(who: &BTreeSet<&'static str>, role: &str) -> bool {
    who.contains(EVERYBODY) || who.contains(role)
}

/// The table, as it is written by hand.
pub(crate) fn access() -> Access {
    let members = MemberRole::ALL.map(MemberRole::word);
    let staff = StaffRole::ALL.map(StaffRole::word);
    let mut table = Access::new();
    for line in ACCESS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else { panic!("{line}: a method and a path") };
        let mut who = BTreeSet::new();
        for word in words {
            match word {
                "members" => who.extend(members),
                "staff" => who.extend(staff),
                _ if word == EVERYBODY || members.contains(&word) || staff.contains(&word) => _ = who.insert(word),
                _ => panic!("{line}: {word} is nobody"),
            }
        }
        assert!(!who.is_empty(), "{line}: who may?");
        assert!(table.insert((method, path), who).is_none(), "{line}: it stands there twice");
    }
    table
}

#[test]
fn the_table_of_access_has_every_page_and_no_other() {
    let (table, pages) = (access(), every_page());
    let there: BTreeSet<_> = pages.iter().map(|page| (page.method.as_str(), page.path)).collect();
    let listed: BTreeSet<_> = table.keys().copied().collect();
    let lacking: Vec<_> = there.difference(&listed).collect();
    assert!(lacking.is_empty(), "say in portal_access.txt who is shown {lacking:?}");
    let gone: Vec<_> = listed.difference(&there).collect();
    assert!(gone.is_empty(), "there is no page any more for these lines of portal_access.txt: {gone:?}");
}

/// Somebody who walks through all pages; `role` is the table's word, and nobody's is empty.
struct Walker {
    role: &'static str,
    is_member: bool,
    browser: Browser,
}

/// Nobody, a member of Bank A in every role, and staff in every role.
fn walkers(lab: &Lab, server: &Running) -> Vec<Walker> {
    let mut all = vec![Walker { role: "", is_member: false, browser: Browser::new(server, String::new()) }];
    for role in MemberRole::ALL.map(MemberRole::word) {
        let email = format!("{role}@bank.example");
        let browser = Browser::of_person(lab, server, &["member", "add", "Bank A", &email, "--role", role]);
        all.push(Walker { role, is_member: true, browser });
    }
    for role in StaffRole::ALL.map(StaffRole::word) {
        let email = format!("{role}@mobile.example");
        let browser = Browser::of_person(lab, server, &["staff", "add", &email, "--role", role]);
        all.push(Walker { role, is_member: false, browser });
    }
    all
}

#[test]
fn every_page_is_shown_to_who_may_and_to_nobody_else() {
    let (lab, table) = (Lab::new(), access());
    let own = lab.json(&["partner", "add", "Bank A"])["partner"].as_str().unwrap().to_owned();
    let other = lab.json(&["partner", "add", "Bank B"])["partner"].as_str().unwrap().to_owned();
    let server = lab.serve();
    let walkers = walkers(&lab, &server);
    let mut pairs = 0;
    for page in every_page().iter().filter(|page| !ends_sessions(page)) {
        let key = (page.method.as_str(), page.path);
        let may = table.get(&key).unwrap_or_else(|| panic!("{key:?} is not in portal_access.txt"));
        for Walker { role, is_member, browser } in &walkers {
            for partner in [&own, &other] {
                let answer = browser.visit(page, partner);
                let told = format!("{key:?} as '{role}': {} {}", answer.status, answer.text);
                let is_at_the_door = answer.status == 303 && answer.header("location").starts_with("/sign-in?next=");
                let is_foreign = partner == &other && *is_member && page.path.contains("{partner}");
                let is_let_in = !is_at_the_door && answer.status != 403 && answer.status < 500;
                if may.contains(EVERYBODY) {
                    assert!(is_let_in, "{told}");
                } else if role.is_empty() {
                    assert!(is_at_the_door, "{told}");
                } else if is_foreign {
                    assert_eq!(answer.status, 404, "{told}");
                } else if may.contains(role) {
                    assert!(is_let_in, "{told}");
                } else {
                    assert_eq!(answer.status, 403, "{told}");
                }
                // Staff see lists of all partners.
                let is_staff = !is_member && !role.is_empty();
                assert!(is_staff || !answer.text.contains("Bank B") || partner == &other, "{told}");
                pairs += 1;
            }
        }
    }
    assert!(pairs > 500, "{pairs} pairs of a page and a caller");
    println!("family=pages pairs={pairs}");
    server.stop();
}

/// What an address may ask beyond every calendar and count.
const EXTREMES: [&str; 6] =
    ["9999-12-31", "-009999-01-01", "18446744073709551615", "-9223372036854775808", "9999-12", "%00"];
/// The words that pages read such a thing by.
const ASKED: [&str; 14] = [
    "from", "until", "month", "days", "after", "page", "persona", "choose", "sort", "show", "which", "app", "step",
    "person",
];

#[test]
fn no_page_fails_at_a_day_or_a_count_beyond_all_others() {
    let lab = Lab::new();
    let own = lab.json(&["partner", "add", "Bank A"])["partner"].as_str().unwrap().to_owned();
    let server = lab.serve();
    let invite = ["member", "add", "Bank A", "owner@bank.example", "--role", "owner"];
    let owner = Browser::of_person(&lab, &server, &invite);
    let admin = Browser::of_person(&lab, &server, &["staff", "add", "admin@mobile.example", "--role", "admin"]);
    let pages = every_page();
    let shown = pages.iter().filter(|page| page.method == "GET" && !ends_sessions(page));
    for path in shown.map(|page| filled(page, &own)) {
        for extreme in EXTREMES {
            let query: Vec<String> = ASKED.iter().map(|name| format!("{name}={extreme}")).collect();
            for browser in [&owner, &admin] {
                let answer = browser.get(&format!("{path}?{}", query.join("&")));
                assert!(answer.status < 500, "{path} {extreme}: {answer:?}");
            }
        }
    }
    // One word at a time where several would be refused by the first of them.
    for path in ["/audit?until=9999-12-31", "/audit/csv?until=9999-12-31", "/requests?until=9999-12-31"] {
        let answer = owner.get(path);
        assert!(answer.status < 500, "{path}: {answer:?}");
    }
    let day = owner.post("/simulator", &format!("{}&days=-9223372036854775808", owner.csrf), None);
    assert!(day.status < 500, "{day:?}");
    server.stop();
}

#[test]
fn a_form_of_another_site_or_another_session_does_nothing() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    let server = lab.serve();
    let invite = |email| ["member", "add", "Bank A", email, "--role", "owner"];
    let mine = Browser::of_person(&lab, &server, &invite("mine@bank.example"));
    let theirs = Browser::of_person(&lab, &server, &invite("theirs@bank.example"));
    let stranger = Browser::new(&server, String::new());
    for page in every_page().iter().filter(|page| page.method == "POST") {
        let path = filled(page, NOTHING);
        for (csrf, site) in [
            ("", None),
            (&*theirs.csrf, None),
            (&*stranger.csrf, None),
            (&*mine.csrf, Some("cross-site")),
            (&*mine.csrf, Some("same-site")),
        ] {
            let answer = mine.post(&path, csrf, site);
            assert_eq!(answer.status, 403, "{path} {site:?}: {answer:?}");
        }
    }
    // Signed in all the time: what would have ended the session did not.
    assert_eq!(mine.get("/apps").status, 200);
    server.stop();
}

#[test]
fn a_session_is_new_with_each_sign_in_and_pages_are_in_no_frame_and_run_nothing_inline() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    let server = lab.serve();
    // A cookie that somebody else put into the browser is none of ours, and stays none.
    let fixed = format!("{SESSION}=laini_s_{NOTHING}_fixed");
    let browser = Browser { cookie: fixed.clone(), ..Browser::new(&server, String::new()) };
    assert_eq!(browser.get("/account").status, 303);
    Browser::of_person(&lab, &server, &["member", "add", "Bank A", "a@bank.example", "--role", "owner"]);
    let visitor = Browser::new(&server, String::new());
    let form =
        format!("csrf={}&email=a%40bank.example&password=four+words+walk+home&next=%2F%2Fevil.example", visitor.csrf);
    let request = visitor.http.post(visitor.bank.url("/sign-in")).header("cookie", &visitor.cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    let come = visitor.bank.send(request).unwrap();
    assert_eq!((come.status, come.header("location")), (303, "/"), "{come:?}");
    let cookie = come.header("set-cookie");
    assert!(cookie.starts_with(SESSION) && !cookie.contains("fixed"), "{cookie}");
    for word in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    for page in every_page().iter().filter(|page| page.method == "GET") {
        let answer = visitor.get(&filled(page, NOTHING));
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        for inline in ["<script>", " onclick=", " onload=", "<style", " style="] {
            assert!(!answer.text.contains(inline), "{inline} on {}", page.path);
        }
    }
    server.stop();
}

/// How the server answers a form with a file of which only the head is sent.
fn answer_to_head(server: &Running, browser: &Browser, path: &str, content_length: u64) -> String {
    let (host, cookie) = (server.address(), &browser.cookie);
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\n\
         content-type: multipart/form-data; boundary=x\r\ncontent-length: {content_length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    String::from_utf8(status.to_vec()).unwrap()
}

#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let lab = Lab::new();
    let partner = lab.json(&["partner", "add", "Bank A"])["partner"].as_str().unwrap().to_owned();
    let server = lab.serve();
    let of = |role| {
        let email = format!("{role}@bank.example");
        Browser::of_person(&lab, &server, &["member", "add", "Bank A", &email, "--role", role])
    };
    let (owner, viewer) = (of("owner"), of("viewer"));
    let path = format!("/partners/{partner}/documents");
    assert_eq!(answer_to_head(&server, &owner, &path, 1 << 30), "HTTP/1.1 413");
    // Whoever may not send one there, and a page that takes none, read no more than a form.
    assert_eq!(answer_to_head(&server, &viewer, &path, 300 * 1024), "HTTP/1.1 413");
    assert_eq!(answer_to_head(&server, &owner, "/apps", 300 * 1024), "HTTP/1.1 413");
    let post = |browser: &Browser, csrf: &str, name: &str, file: &[u8]| {
        let mut body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n\
             --x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ntax_pin\r\n\
             --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--x--\r\n");
        let request = browser.http.post(browser.bank.url(&path)).header("cookie", &browser.cookie);
        let request = request.header("content-type", "multipart/form-data; boundary=x").body(body);
        browser.bank.send(request).unwrap()
    };
    let mut pdf = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n".to_vec();
    pdf.extend(std::iter::repeat_n(b'%', 9 * 1024 * 1024));
    pdf.extend_from_slice(b"\nstartxref\n9\n%%EOF\n");
    assert_eq!(post(&owner, &viewer.csrf, "pin.pdf", &pdf).status, 403, "another browser's form");
    let refused = post(&owner, &owner.csrf, "pin.pdf", b"#!/bin/sh");
    assert!(refused.status == 422 && refused.text.contains("role=\"alert\""), "{refused:?}");
    let taken = post(&owner, &owner.csrf, "pin.pdf", &pdf);
    assert_eq!((taken.status, taken.header("location")), (303, "/organisation#documents"), "{taken:?}");
    assert!(owner.get("/organisation").text.contains("pin.pdf"));
    server.stop();
}

#[test]
fn a_table_is_sorted_by_its_columns_alone_and_its_file_follows() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    for name in ["middle", "Zebra", "alpha"] {
        let of = ["--partner", "Bank A", "--environment", "sandbox", "--products", "imsi"];
        lab.json(&[&["app", "add", "--name", name], of.as_slice()].concat());
    }
    let server = lab.serve();
    let invite = ["member", "add", "Bank A", "owner@bank.example", "--role", "owner"];
    let owner = Browser::of_person(&lab, &server, &invite);
    let order = |path: &str| {
        let page = owner.get(path);
        assert_eq!(page.status, 200, "{path}: {page:?}");
        let table = page.text.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
        let mut places = ["alpha", "middle", "Zebra"].map(|name| (table.find(name).unwrap(), name));
        places.sort_unstable();
        (places.map(|(_, name)| name), page.text)
    };
    let (as_it_comes, plain) = order("/apps?tab=sandbox");
    assert!(plain.contains("href=\"/apps?tab=sandbox&#38;sort=name#sort-name\""), "{plain}");
    assert_eq!(plain.matches("aria-sort").count(), 0);
    let (up, page) = order("/apps?tab=sandbox&sort=name");
    assert_eq!(up, ["alpha", "middle", "Zebra"]);
    assert!(page.contains("<th aria-sort=\"ascending\" id=\"sort-name\">"), "{page}");
    assert!(page.contains("sort=-name#sort-name"), "{page}");
    assert_eq!(order("/apps?tab=sandbox&sort=-name").0, ["Zebra", "middle", "alpha"]);
    for other in ["secret", "name;drop", "-", "--name", "NAME", "%00"] {
        let (order, page) = order(&format!("/apps?tab=sandbox&sort={other}"));
        assert_eq!(order, as_it_comes, "{other}");
        assert_eq!(page.matches("aria-sort").count(), 0, "{other}");
    }
    // The people of a partner fit on a page, and are sorted; the file of the usage is asked for in its order.
    assert!(owner.get("/team?sort=-role").text.contains("<th aria-sort=\"descending\" id=\"sort-role\">"));
    let usage = owner.get("/usage/days.csv?environment=sandbox&days=-checks");
    assert_eq!(usage.status, 200, "{usage:?}");
    server.stop();
}

#[test]
fn people_requests_and_alarms_are_files_in_the_order_of_their_pages() {
    let lab = Lab::new();
    let partner = lab.json(&["partner", "add", "Bank A"])["partner"].as_str().unwrap().to_owned();
    let server = lab.serve();
    let invite = ["member", "add", "Bank A", "owner@bank.example", "--role", "owner"];
    let owner = Browser::of_person(&lab, &server, &invite);
    let admin = Browser::of_person(&lab, &server, &["staff", "add", "admin@mobile.example", "--role", "admin"]);
    lab.json(&["member", "add", "Bank A", "=d@bank.example", "--role", "developer", "--name", "Achieng, D."]);
    let lines = |browser: &Browser, path: &str| -> Vec<String> {
        let file = browser.get(path);
        assert_eq!(file.status, 200, "{path}: {file:?}");
        file.text.lines().map(str::to_owned).collect()
    };
    let team = format!("/partners/{partner}/team.csv?sort=role");
    assert!(owner.get("/team?sort=role").text.contains(&format!("href=\"{team}\" download")));
    let people = "name,email,role,status,second_factor,signed_in";
    let file = lines(&owner, &team);
    assert_eq!(file[..2], [people, "\"Achieng, D.\",\"'=d@bank.example\",developer,invited,false,"]);
    assert!(file.len() == 3 && file[2].starts_with("owner,owner@bank.example,owner,active,"), "{file:?}");
    assert_eq!(lines(&admin, &team), file);
    let staff = lines(&admin, "/operate/staff.csv");
    assert!(staff.len() == 2 && staff[0] == people && staff[1].starts_with("admin,admin@mobile"), "{staff:?}");
    for (browser, path, head) in [
        (&admin, "/operate/privacy.csv?show=all", "request,number,action,state,received,due"),
        (&admin, "/operate/alarms.csv?sort=at", "at,app,name,partner,partner_name,reason,slowed_to"),
        (&owner, "/desk/alarms.csv?show=all", "alarm,what,person,at,seen_by,seen_at,explanation"),
    ] {
        assert_eq!(lines(browser, path), [head], "{path}");
    }
    server.stop();
}

#[test]
fn a_language_of_code_is_chosen_once_for_every_page() {
    let lab = Lab::new();
    let server = lab.serve();
    let visitor = Browser::new(&server, String::new());
    let path = "/docs/getting-started";
    assert!(visitor.get(path).text.contains("value=\"curl\" data-choose checked"));
    let choose = |code: &str| visitor.post("/preferences", &format!("{}&next={path}&code={code}", visitor.csrf), None);
    assert_eq!(choose("COBOL").header("set-cookie"), "");
    let chosen = choose("python");
    assert_eq!((chosen.status, chosen.header("location")), (303, path), "{chosen:?}");
    let cookie = chosen.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(cookie, "laini_code_language=python");
    let reader = Browser { cookie: format!("{}; {cookie}", visitor.cookie), ..visitor };
    let page = reader.get(path).text;
    assert!(page.contains("value=\"Python\" data-choose checked") && page.contains("aria-pressed=\"true\">Python"));
    assert!(!page.contains("value=\"curl\" data-choose checked"));
    // Where the pages are is not set: examples name it as the guide does.
    assert!(page.contains("&quot;$LAINI/imsi/v1/checkATI&quot;"), "{page}");
    server.stop();
}

#[test]
fn a_snapshot_of_a_page_is_read_as_it_comes_or_changes_nothing() {
    let lab = Lab::new();
    let server = lab.serve();
    let of = |role: &str| {
        let email = format!("{role}@mobile.example");
        Browser::of_person(&lab, &server, &["staff", "add", &email, "--role", role])
    };
    let (admin, support) = (of("admin"), of("support"));
    let send = |browser: &Browser, csrf: &str, rows: &[u8], is_whole: bool| {
        let field = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let mut body = (field("csrf", csrf) + &field("as_of", &days_ago(1).to_string())).into_bytes();
        body.extend_from_slice(b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n");
        body.extend_from_slice(rows);
        body.extend_from_slice(if is_whole { b"\r\n--x--\r\n".as_slice() } else { b"" });
        let request = browser.http.post(browser.bank.url("/operate/data/snapshot")).header("cookie", &browser.cookie);
        let request = request.header("content-type", "multipart/form-data; boundary=x").body(body);
        browser.bank.send(request).unwrap()
    };
    // More than a form or a document may be.
    let rows = 300_000;
    let mut extract = b"msisdn,imsi,registered_at,last_swap_at\n".to_vec();
    for n in 0..rows {
        extract.extend_from_slice(format!("254722{n:06},63902{n:010},2019-01-12,\n").as_bytes());
    }
    assert!(extract.len() > 11 * 1024 * 1024, "{}", extract.len());
    assert_eq!(send(&support, &support.csrf, b"", true).status, 403, "not their business");
    assert_eq!(send(&admin, &support.csrf, &extract[..4096], true).status, 403, "another browser's form");
    let generation = || lab.json(&["registry", "status"])["generation"].clone();
    let before = generation();
    let told = |wanted: &str| {
        wait_until(wanted, Duration::from_mins(1), || {
            let page = admin.get("/operate/data").text;
            page.contains(wanted) && !page.contains("every 1s")
        });
    };
    assert_eq!(send(&admin, &admin.csrf, &extract, false).status, 303);
    told("note bad");
    assert_eq!(generation(), before, "what broke off changed nothing");
    let sent = send(&admin, &admin.csrf, &extract, true);
    assert_eq!((sent.status, sent.header("location")), (303, "/operate/data"), "{sent:?}");
    told("note good");
    assert_eq!(lab.json(&["registry", "status"])["lines"], 300_000);
    server.stop();
}

#[test]
fn traffic_counts_the_failed_calls_of_all_partners_by_what_they_were_told() {
    let lab = Lab::new();
    let apps = ["Bank A", "Bank B"].map(|partner| lab.partner_app(partner, "sandbox"));
    let server = lab.serve();
    let invite = ["staff", "add", "support@mobile.example", "--role", "support"];
    let support = Browser::of_person(&lab, &server, &invite);
    assert!(support.get("/operate/traffic").text.contains("No call failed in the last 24 hours"));
    for app in &apps {
        let refused = Bank::of(&server, app).post(IMSI, &[], "[]").unwrap();
        assert_eq!((refused.status, &*refused.field("errorCode")), (400, "400.002.05"), "{refused:?}");
    }
    wait_until("both are counted as one cause", Duration::from_secs(20), || {
        let page = support.get("/operate/traffic?errors=-newest").text;
        let Some((_, table)) = page.split_once("<table id=\"errors\">") else { return false };
        let rows: Vec<_> = table.split("</table>").next().unwrap().split("<tr>").skip(2).collect();
        let is_told = |told: &str| rows.iter().any(|row| row.contains(told));
        rows.len() == 1 && is_told("href=\"/docs/errors/400.002.05\"") && is_told("<td class=\"number\">2</td>")
    });
    server.stop();
}
