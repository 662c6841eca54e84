//! What partners do about their apps over HTTP, and what the gateway makes of it.

use std::sync::Arc;

use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::line::NumberPlan;
use laini_core::partner::{MemberRole, PartnerId, ResultAddressId, StaffRole};
use laini_core::store::{AccountsChange, DeliveryDraft, DeliveryId, DeliveryKind};
use laini_office::apps::{ForeignApp, import_apps, roll_secret};
use laini_office::people::Seat;
use laini_office::{Actor, Problem, Work};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::office::signed_in;
use crate::receiver::Receiver;
use crate::wire::{Reply, request};
use crate::world::{Credentials, IMSI_PATH, NOW, World};

pub(crate) const BANK: PartnerId = PartnerId::from_stored(1);

/// Somebody who calls the office.
pub(crate) struct Caller<'w> {
    world: &'w World,
    token: String,
    partner: PartnerId,
}

impl<'w> Caller<'w> {
    pub(crate) fn member(world: &'w World, role: MemberRole) -> Self {
        Self::seated(world, 500 + role as u64, Seat::Member { partner: BANK, role })
    }

    pub(crate) fn staff(world: &'w World, role: StaffRole) -> Self {
        Self::seated(world, 600 + role as u64, Seat::Staff { role })
    }

    /// Somebody on any seat, who calls below the path of `partner`.
    pub(crate) fn about(world: &'w World, partner: PartnerId, number: u64, seat: Seat) -> Self {
        Self { world, token: signed_in(world, number, seat), partner }
    }

    fn seated(world: &'w World, number: u64, seat: Seat) -> Self {
        Self::about(world, BANK, number, seat)
    }

    /// A document of a partner, as it is sent.
    pub(crate) async fn send_document(&self, purpose: &str, name: &str, bytes: &str) -> Reply {
        let path = format!("/office/v1/partners/{}/documents?purpose={purpose}&name={name}", self.partner);
        let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/octet-stream\r\n", self.token);
        self.world.send(request("POST", &path, &headers, bytes)).await
    }

    /// A request below the partner's path.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.at(method, &format!("/office/v1/partners/{}/{path}", self.partner), body).await
    }

    pub(crate) async fn at(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.send((method, path), "", body).await
    }

    async fn send(&self, (method, path): (&str, &str), headers: &str, body: Option<Value>) -> Reply {
        let mut headers = format!("Authorization: Bearer {}\r\n{headers}", self.token);
        if body.is_some() {
            headers += "Content-Type: application/json\r\n";
        }
        let body = body.map_or(String::new(), |body| body.to_string());
        self.world.send(request(method, path, &headers, &body)).await
    }

    /// The same under an idempotency key.
    pub(crate) async fn repeatable(&self, method: &str, path: &str, key: &str, body: Option<Value>) -> Reply {
        let path = format!("/office/v1/partners/{}/{path}", self.partner);
        self.send((method, &path), &format!("Idempotency-Key: {key}\r\n"), body).await
    }

    /// A request that is done.
    pub(crate) async fn done(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let reply = self.call(method, path, body).await;
        assert!([200, 201, 204].contains(&reply.status), "{method} {path}: {reply:?}");
        if reply.status == 204 { Value::Null } else { reply.json() }
    }

    /// A request that is refused; why.
    pub(crate) async fn refused(&self, status: u16, method: &str, path: &str, body: Option<Value>) -> String {
        let reply = self.call(method, path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        reply.text("errorMessage")
    }
}

/// The credentials in an answer.
pub(crate) fn credentials(answer: &Value) -> Credentials {
    let text = |field: &str| answer[field].as_str().unwrap().to_owned();
    let app = laini_core::partner::AppId::parse(&text("app")).unwrap();
    Credentials { app, key: text("consumer_key"), secret: text("consumer_secret") }
}

impl World {
    /// Waits until a running server gives these credentials a token, or none any more.
    pub(crate) async fn has_token(&self, credentials: &Credentials, is_given: bool) {
        self.accounts_noticed(async || (self.generate(credentials).await.status == 200) == is_given).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_makes_a_sandbox_app_and_rotates_its_secret() {
    let world = World::start_office().await;
    let developer = Caller::member(&world, MemberRole::Developer);
    let body = json!({"name": "transfers", "products": ["imsi"]});
    let first = credentials(&developer.done("POST", "apps", Some(body.clone())).await);
    world.has_token(&first, true).await;
    assert!(developer.refused(409, "POST", "apps", Some(body)).await.contains("another app of the partner"));
    let app = format!("apps/{}", first.app);
    let shown = developer.done("GET", &app, None).await;
    assert_eq!((&shown["environment"], &shown["secrets"][0]["number"]), (&json!("sandbox"), &json!(0)));
    let states: Vec<_> = shown["products"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["on", "off", "off"]);
    assert!(!shown.to_string().contains(&first.secret));

    // Two secrets are good, a third is not made.
    let added = developer.done("POST", &format!("{app}/secrets"), None).await;
    let second = Credentials { secret: added["consumer_secret"].as_str().unwrap().to_owned(), ..first.clone() };
    world.has_token(&second, true).await;
    assert_eq!(world.generate(&first).await.status, 200);
    // People tell them by their ends.
    let shown = developer.done("GET", &app, None).await;
    let endings: Vec<_> = shown["secrets"].as_array().unwrap().iter().map(|one| one["ending"].clone()).collect();
    assert_eq!(endings, [&first, &second].map(|of| json!(of.secret[of.secret.len() - 4..])));
    let full = developer.refused(409, "POST", &format!("{app}/secrets"), None).await;
    assert!(full.contains("two secrets are good already"), "{full}");

    // The old one is retired, the other one stays.
    let reason = Some(json!({"reason": "rotated"}));
    developer.done("POST", &format!("{app}/secrets/0/retire"), reason.clone()).await;
    world.has_token(&first, false).await;
    assert_eq!(world.generate(&second).await.status, 200);
    developer.refused(409, "POST", &format!("{app}/secrets/1/retire"), reason.clone()).await;
    developer.refused(404, "POST", &format!("{app}/secrets/7/retire"), reason).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_about_an_app_stays_within_the_agreement() {
    let world = World::start_office().await;
    let developer = Caller::member(&world, MemberRole::Developer);
    let app = format!("apps/{}", world.production.app);
    let change = json!({
        "name": "payments", "products": ["swap"], "purpose": "onboarding", "allowed_addresses": ["192.0.2.0/24"],
        "limits": {"per_second": 5, "burst": 10, "per_day": 100}, "reason": "a new project",
    });
    developer.done("PATCH", &app, Some(change)).await;
    let shown = developer.done("GET", &app, None).await;
    assert_eq!((&shown["name"], &shown["purpose"]), (&json!("payments"), &json!("onboarding")));
    assert_eq!(shown["limits"], json!({"per_second": 5, "burst": 10, "per_day": 100, "per_month": null}));
    assert_eq!(
        (&shown["allowed_addresses"], &shown["products"][1]["why"]),
        (&json!(["192.0.2.0/24"]), &json!("the agreement covers it"),)
    );
    for (body, why) in [
        (json!({}), "nothing is to be changed"),
        (json!({"products": []}), "at least one"),
        (json!({"name": "sandbox app"}), "another app of the partner"),
        (json!({"name": "=cmd()"}), "does not begin with"),
        (json!({"limits": {"per_second": 5}}), "come together"),
        (json!({"allowed_addresses": ["10.0.0.1/8"]}), "bits set"),
    ] {
        let reply = developer.call("PATCH", &app, Some(body.clone())).await;
        assert!([400, 409].contains(&reply.status) && reply.text("errorMessage").contains(why), "{body}: {reply:?}");
    }
    // Budgets are the business of billing.
    let budget = json!({"budget": {"currency": "KES", "month_minor": 500_000, "warn_at_percent": [50, 100]}});
    developer.refused(403, "PUT", &format!("{app}/budget"), Some(budget.clone())).await;
    let billing = Caller::member(&world, MemberRole::Billing);
    billing.done("PUT", &format!("{app}/budget"), Some(budget)).await;
    let dollars = json!({"budget": {"currency": "USD", "month_minor": 500_000}});
    assert!(billing.refused(400, "PUT", &format!("{app}/budget"), Some(dollars)).await.contains("KES"));
    assert_eq!(billing.done("GET", &app, None).await["budget"]["month_minor"], 500_000);
    // An app of another partner is none.
    let foreign = "apps/00000000000000aa";
    developer.refused(404, "PATCH", foreign, Some(json!({"name": "mine"}))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_address_is_proven_over_http() {
    let world = World::start_office().await;
    let developer = Caller::member(&world, MemberRole::Developer);
    let receiver = Receiver::start().await;
    let addresses = format!("apps/{}/result-addresses", world.sandbox.app);
    let url = format!("http://{}/laini", receiver.address);
    let added = developer.done("POST", &addresses, Some(json!({"url": url}))).await;
    assert!(added["signing_secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(added["address"]["proven"], Value::Null);
    let one = format!("{addresses}/{}", added["address"]["address"].as_str().unwrap());
    // It answers something else, then the challenge.
    receiver.answers(|_| axum::response::IntoResponse::into_response("hello"));
    let why = developer.refused(409, "POST", &format!("{one}/prove"), None).await;
    assert!(why.contains("did not answer the value"), "{why}");
    receiver.answers(|received| axum::response::IntoResponse::into_response(received.body.clone()));
    let proven = developer.done("POST", &format!("{one}/prove"), None).await;
    assert!(proven["proven"].is_string());
    let rolled = developer.done("POST", &format!("{one}/roll-secret"), None).await;
    assert_ne!(rolled["signing_secret"], added["signing_secret"]);
    assert!(rolled["address"]["previous_until"].is_string());
    // A third secret would end the first within the day that its receiver was given.
    let early = developer.refused(409, "POST", &format!("{one}/roll-secret"), None).await;
    assert!(early.contains("signs as well until 2026-11-23T09:00:00Z"), "{early}");
    world.clock.advance(24 * 3_600);
    let developer = Caller::member(&world, MemberRole::Developer);
    let third = developer.done("POST", &format!("{one}/roll-secret"), None).await;
    assert!(third["signing_secret"] != rolled["signing_secret"] && third["signing_secret"] != added["signing_secret"]);
    developer.refused(400, "POST", &addresses, Some(json!({"url": "ftp://bank.example/"}))).await;
    developer.refused(409, "POST", &addresses, Some(json!({"url": url}))).await;
    developer.done("DELETE", &one, None).await;
    developer.refused(404, "POST", &format!("{one}/prove"), None).await;
}

/// Each of two would be shown the second secret, and deliveries be signed with a third, which nobody has.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_roll_a_signing_secret_at_once_one_does() {
    let world = World::start_office().await;
    let developer = Caller::member(&world, MemberRole::Developer);
    let (app, at) = (world.sandbox.app, NOW.parse().unwrap());
    let addresses = format!("apps/{app}/result-addresses");
    let added = developer.done("POST", &addresses, Some(json!({"url": "laini:listen"}))).await;
    let address = ResultAddressId::parse(added["address"]["address"].as_str().unwrap()).unwrap();
    let roll = |work: &mut Work<'_>| roll_secret(work, BANK, app, address);
    let mut first = None;
    let second = world.office.run(&Actor::System, at, |work| {
        let rolled = roll(work)?;
        // It has read, and not saved yet.
        first.get_or_insert_with(|| world.office.run(&Actor::System, at, roll));
        Ok(rolled)
    });
    assert_eq!(first.unwrap().unwrap().secret_generation, 2);
    assert!(matches!(&second, Err(Problem::NotNow(why)) if why.contains("signs as well until")), "{second:?}");
    let book = world.office.run(&Actor::System, at, |work| work.book()).unwrap();
    assert_eq!(book.result_addresses.iter().find(|found| found.id == address).unwrap().secret_generation, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_not_sent_again_while_its_app_is_suspended_nor_once_its_number_is_restricted() {
    const NUMBER: &str = "254722000100";
    let world = World::start_office().await;
    let (support, developer) =
        (Caller::staff(&world, StaffRole::Support), Caller::member(&world, MemberRole::Developer));
    world.put(NUMBER, "2015-01-01T00:00:00Z", None);
    let id = world.check(IMSI_PATH, NUMBER).await.text("requestRefID");
    let (app, at) = (world.production.app, NOW.parse().unwrap());
    let result = DeliveryDraft {
        id: DeliveryId(CheckId::parse_request_ref(&id).unwrap()),
        kind: DeliveryKind::Result,
        app,
        address: ResultAddressId::from_stored(77),
        at,
        write: Arc::new(|_| b"{}".to_vec()),
    };
    world.ledger.outbox.keep(&result, &[]);
    let again = format!("deliveries/{id}/redeliver");
    let reason = Some(json!({"reason": "our receiver was down"}));
    developer.done("POST", &again, reason.clone()).await;
    support.done("POST", &format!("apps/{app}/suspend"), reason.clone()).await;
    let why = developer.refused(409, "POST", &again, reason.clone()).await;
    assert!(why.contains("the app is suspended: its results wait until it is resumed"), "{why}");
    support.done("POST", &format!("apps/{app}/resume"), reason.clone()).await;
    developer.done("POST", &again, reason.clone()).await;

    let number = world.keys.subject().number(NumberPlan::KENYA.parse(NUMBER).unwrap());
    let restrict = |until: Option<Timestamp>| {
        let restrict = |work: &mut Work<'_>| {
            work.accounts(AccountsChange::Restriction(number, until));
            Ok(())
        };
        world.office.run(&Actor::System, at, restrict).unwrap();
    };
    // Asked for before the check, and approved after it: the holder is the same.
    restrict(Some("2026-11-01T00:00:00Z".parse().unwrap()));
    let why = developer.refused(409, "POST", &again, reason.clone()).await;
    assert!(why.contains("its number was restricted, so its result is not told any more"), "{why}");
    restrict(Some("2014-01-01T00:00:00Z".parse().unwrap()));
    developer.done("POST", &again, reason.clone()).await;
    restrict(Some(at));
    developer.refused(409, "POST", &again, reason.clone()).await;
    // Once the number is erased nobody can say whose holding it was: any restriction of it counts.
    world.ledger.forgotten.lock().unwrap().push(result.id.0);
    restrict(Some("2014-01-01T00:00:00Z".parse().unwrap()));
    developer.refused(409, "POST", &again, reason.clone()).await;
    restrict(None);
    developer.done("POST", &again, reason).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_is_suspended_for_debt_only_once_a_notice_has_taken_effect() {
    const DAY_S: i64 = 24 * 3_600;
    let world = World::start_office().await;
    let finance = || Caller::staff(&world, StaffRole::Finance);
    let debt = Some(json!({"because": "debt", "reason": "invoice 17"}));
    let none = finance().refused(409, "POST", "suspend", debt.clone()).await;
    assert!(none.contains("no notice of debt was given"), "{none}");
    finance().refused(400, "POST", "debt-notices", Some(json!({"days": 6, "reason": "invoice 17"}))).await;
    let body = Some(json!({"days": 7, "reason": "invoice 17"}));
    let first = finance().done("POST", "debt-notices", body.clone()).await;
    let early = finance().refused(409, "POST", "suspend", debt.clone()).await;
    assert!(early.contains("takes effect at 2026-11-29T09:00:00Z"), "{early}");
    // One that was withdrawn has no effect.
    let withdraw = format!("debt-notices/{}/withdraw", first["notice"].as_str().unwrap());
    finance().done("POST", &withdraw, None).await;
    world.clock.advance(8 * DAY_S);
    finance().refused(409, "POST", "suspend", debt.clone()).await;
    finance().done("POST", "debt-notices", body).await;
    world.clock.advance(7 * DAY_S - 1);
    finance().refused(409, "POST", "suspend", debt.clone()).await;
    world.clock.advance(1);
    finance().done("POST", "suspend", debt).await;
    let notices = finance().done("GET", "debt-notices", None).await;
    assert_eq!(notices["notices"].as_array().unwrap().len(), 2);
    // Within seconds it holds at the gateway, and the partner cannot lift it.
    let token = world.token(&world.production).await;
    world.put("254722000100", "2015-01-01T00:00:00Z", None);
    let body = "{\"customerNumber\":\"254722000100\"}";
    world.accounts_noticed(async || world.check_with(IMSI_PATH, &token, body).await.status == 403).await;
    let reason = Some(json!({"reason": "paid"}));
    Caller::member(&world, MemberRole::Owner).refused(403, "POST", "resume", reason.clone()).await;
    finance().done("POST", "resume", reason).await;
    world.accounts_noticed(async || world.check_with(IMSI_PATH, &token, body).await.status != 403).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_and_partners_are_suspended_resumed_and_ended_with_a_reason() {
    let world = World::start_office().await;
    let (support, admin) = (Caller::staff(&world, StaffRole::Support), Caller::staff(&world, StaffRole::Admin));
    let app = format!("apps/{}", world.sandbox.app);
    let reason = Some(json!({"reason": "ticket 4711"}));
    support.refused(400, "POST", &format!("{app}/suspend"), Some(json!({"reason": " "}))).await;
    let token = world.token(&world.sandbox).await;
    let status = async || world.check_with(IMSI_PATH, &token, "{\"customerNumber\":\"254722000001\"}").await.status;
    assert_eq!(status().await, 200);
    support.done("POST", &format!("{app}/suspend"), reason.clone()).await;
    world.accounts_noticed(async || status().await == 403).await;
    support.done("POST", &format!("{app}/resume"), reason.clone()).await;
    world.accounts_noticed(async || status().await == 200).await;
    let owner = Caller::member(&world, MemberRole::Owner);
    owner.done("POST", &format!("{app}/terminate"), reason.clone()).await;
    world.accounts_noticed(async || status().await == 401).await;
    owner.refused(409, "POST", &format!("{app}/secrets"), None).await;
    // The whole partner, for good.
    support.refused(403, "POST", "terminate", reason.clone()).await;
    admin.done("POST", "terminate", reason.clone()).await;
    let apps = admin.done("GET", "apps", None).await;
    assert!(apps["apps"].as_array().unwrap().iter().all(|app| app["status"] == "revoked"), "{apps}");
    admin.refused(409, "POST", "resume", reason).await;
    owner.refused(409, "POST", "apps", Some(json!({"name": "new", "products": ["imsi"]}))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_another_gateway_get_tokens_at_both_doors() {
    let world = World::start_office().await;
    let row = |line, name: &str, key: &str| ForeignApp {
        line,
        consumer_key: key.to_owned(),
        consumer_secret: Zeroizing::new("AbCdEfGh01234567/+==".to_owned()),
        name: name.to_owned(),
        environment: "production".to_owned(),
        products: "imsi, swap".to_owned(),
        ..ForeignApp::default()
    };
    let rows = [row(2, "core", "wU62DjlyDBnq87GlBwplfqvmAbAa"), row(3, "cards", "bank_a-cards.prod")];
    let at: Timestamp = NOW.parse().unwrap();
    let import = |rows: &[ForeignApp], dry_run| {
        world.office.run(&Actor::System, at, |work| import_apps(work, BANK, rows, dry_run)).unwrap()
    };
    // A bad row keeps the good ones out.
    let mut bad = rows.to_vec();
    bad.push(ForeignApp { environment: "live".to_owned(), ..row(4, "core", "wU62DjlyDBnq87GlBwplfqvmAbAa") });
    let report = import(&bad, false);
    assert!(!report.is_good());
    assert_eq!(report.rows.iter().map(|row| row.problems.len()).collect::<Vec<_>>(), [0, 0, 3], "{report:?}");
    assert!(import(&rows, true).is_good());
    let imported = import(&rows, false);
    assert!(imported.is_good(), "a dry run took nothing: {imported:?}");
    let foreign = Credentials {
        app: imported.rows[1].app.unwrap(),
        key: "bank_a-cards.prod".to_owned(),
        secret: "AbCdEfGh01234567/+==".to_owned(),
    };
    world.has_token(&foreign, true).await;
    let form = "grant_type=client_credentials&client_id=bank_a-cards.prod&client_secret=AbCdEfGh01234567%2F%2B%3D%3D";
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let reply = world.send(request("POST", "/oauth2/token", headers, form)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    world.put("254722000100", "2015-01-01T00:00:00Z", None);
    let body = "{\"customerNumber\":\"254722000100\"}";
    let reply = world.check_with(IMSI_PATH, &reply.text("access_token"), body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}
