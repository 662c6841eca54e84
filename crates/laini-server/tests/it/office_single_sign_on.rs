//! Single sign-on over HTTP: what the identity provider signs is believed, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use laini_core::partner::{MemberRole, StaffRole};
use laini_office::Actor;
use laini_office::people::{Person, Roster, Seat, disable, invite};
use laini_server::Clock as _;
use serde_json::{Value, json};

use crate::fake_provider::{BACK, CLIENT, FakeProvider, SigningKey};
use crate::wire::{Connection, Reply, request};
use crate::world::World;

const EMAIL: &str = "owner@bank.example";

/// What a test has the provider say otherwise.
type Change = Box<dyn FnOnce(&mut Value)>;

/// What a browser keeps of a sign-on that it began.
struct Begun {
    sign_on: String,
    state: String,
    nonce: String,
    challenge: String,
}

struct Desk {
    world: World,
    provider: FakeProvider,
    key: SigningKey,
    connection: Connection,
}

impl Desk {
    async fn open() -> Self {
        let key = SigningKey::of_curve("one");
        let provider = FakeProvider::start(&[&key]).await;
        let world = World::start_with_provider(provider.settings()).await;
        let connection = Connection::open(world.address).await;
        Self { world, provider, key, connection }
    }

    /// Somebody who was invited and has not come in yet.
    fn invited(&self, email: &str, seat: Seat) -> Person {
        let at = self.world.clock.now();
        self.world.office.run(&Actor::System, at, |work| Ok(invite(work, seat, email, "A. Person", false)?.0)).unwrap()
    }

    fn owner(&self) -> Person {
        let partner = self.world.accounts.book.lock().unwrap().partners[0].id;
        self.invited(EMAIL, Seat::Member { partner, role: MemberRole::Owner })
    }

    async fn post(&mut self, path: &str, body: &Value) -> Reply {
        let headers = "Content-Type: application/json\r\n";
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.connection.send(request("POST", &format!("/office/v1/{path}"), headers, &body)).await;
        self.connection.reply().await.unwrap()
    }

    async fn begin(&mut self) -> Begun {
        let begun = self.post("single-sign-on", &Value::Null).await;
        assert_eq!(begun.status, 201, "{}", begun.body);
        let (url, sign_on) = (begun.text("url"), begun.text("sign_on"));
        let (to, query) = url.split_once('?').unwrap();
        assert_eq!(to, format!("{}/authorize", self.provider.issuer()));
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let of = |name: &str| pairs.iter().find(|(named, _)| named == name).map(|(_, value)| value.clone()).unwrap();
        let told = ["tenant", "response_type", "client_id", "redirect_uri", "scope", "code_challenge_method"].map(of);
        assert_eq!(told, ["1", "code", CLIENT, BACK, "openid email", "S256"]);
        Begun { sign_on, state: of("state"), nonce: of("nonce"), challenge: of("code_challenge") }
    }

    /// What a provider says of somebody in order.
    fn claims(&self, begun: &Begun) -> Value {
        let now = self.world.clock.now().as_second();
        json!({
            "iss": self.provider.issuer(), "aud": CLIENT, "sub": "subject-1", "iat": now, "exp": now + 300,
            "nonce": begun.nonce, "email": "Owner@bank.example", "email_verified": true,
        })
    }

    async fn finish(&mut self, begun: &Begun, code: &str) -> Reply {
        let body = json!({"code": code, "state": begun.state, "sign_on": begun.sign_on});
        self.post("single-sign-on/finish", &body).await
    }

    /// A whole sign-on, of which a test changes what is said.
    async fn try_in(&mut self, change: impl FnOnce(&mut Value)) -> Reply {
        let begun = self.begin().await;
        let mut claims = self.claims(&begun);
        change(&mut claims);
        let code = self.provider.grant(&begun.challenge, self.key.sign(&claims), false);
        self.finish(&begun, &code).await
    }

    async fn me(&mut self, token: &str) -> Reply {
        let headers = format!("Authorization: Bearer {token}\r\n");
        self.connection.send(request("GET", "/office/v1/me", &headers, "")).await;
        self.connection.reply().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_the_provider_vouches_for_gets_the_session_that_a_password_gets() {
    let mut desk = Desk::open().await;
    let owner = desk.owner();
    let come = desk.try_in(|_| {}).await;
    assert_eq!((come.status, come.text("person")), (201, owner.id.to_string()), "{}", come.body);
    assert_eq!(come.text("role"), "owner");
    let token = come.text("token");
    assert_eq!(desk.me(&token).await.status, 200);
    let rsa = SigningKey::of_rsa("rsa");
    desk.provider.publish(&[&rsa, &desk.key.clone()]);
    desk.world.clock.advance(60);
    desk.key = rsa;
    let again = desk.try_in(|claims| claims["aud"] = json!([CLIENT])).await;
    assert_eq!(again.status, 201, "{}", again.body);
    let staff = desk.invited("admin@mobile.example", Seat::Staff { role: StaffRole::Admin });
    let come = desk.try_in(|claims| claims["email"] = json!("admin@mobile.example")).await;
    assert_eq!((come.status, come.text("person")), (201, staff.id.to_string()), "{}", come.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_said_to_us_now_of_somebody_known_is_not_believed() {
    let mut desk = Desk::open().await;
    desk.owner();
    let now = desk.world.clock.now().as_second();
    let set = |field: &'static str, value: Value| -> Change { Box::new(move |claims| claims[field] = value) };
    let refused: Vec<(Change, u16, &str)> = vec![
        (set("iss", json!("https://id.evil.example")), 400, "of another issuer"),
        (set("aud", json!("another client")), 400, "for somebody else"),
        (set("aud", json!([CLIENT, "another client"])), 400, "for somebody else"),
        (set("azp", json!("another client")), 400, "for somebody else"),
        (set("exp", json!(now - 61)), 400, "has expired"),
        (set("iat", json!(now + 120)), 400, "of the future"),
        (set("nbf", json!(now + 120)), 400, "of the future"),
        (set("nonce", json!("another nonce")), 400, "of another sign-on"),
        (set("nonce", Value::Null), 400, "of another sign-on"),
        (set("email_verified", json!(false)), 400, "does not say that the e-mail address is verified"),
        (set("email_verified", json!("true")), 400, "does not say that the e-mail address is verified"),
        (set("email_verified", Value::Null), 400, "does not say that the e-mail address is verified"),
        (set("email", Value::Null), 400, "does not say that the e-mail address is verified"),
        (set("email", json!("owner@evil.example")), 400, "of a domain"),
        (set("email", json!("owner@bank.example.evil.example")), 400, "of a domain"),
        (set("email", json!("stranger@bank.example")), 403, "nobody here has this e-mail address"),
    ];
    for (change, status, told) in refused {
        let reply = desk.try_in(change).await;
        assert_eq!(reply.status, status, "{told}: {}", reply.body);
        assert!(reply.body.contains(told), "{told}: {}", reply.body);
    }
    assert_eq!(desk.try_in(|claims| claims["exp"] = json!(now - 59)).await.status, 201, "clocks differ a little");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_signed_by_a_key_of_the_provider_in_a_way_that_it_alone_can() {
    let mut desk = Desk::open().await;
    desk.owner();
    let foreign = SigningKey::of_curve("one");
    let unsigned = |claims: &Value| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&json!({"alg": "none"})), part(claims))
    };
    let by_public_key = |claims: &Value, public: &Value| {
        let header = Header { kid: Some("one".to_owned()), ..Header::default() };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(public["x"].as_str().unwrap().as_bytes()))
            .unwrap()
    };
    for kind in ["none", "hmac", "foreign", "changed", "cut"] {
        let begun = desk.begin().await;
        let claims = desk.claims(&begun);
        let right = desk.key.sign(&claims);
        let token = match kind {
            "none" => unsigned(&claims),
            "hmac" => by_public_key(&claims, &desk.key.public()),
            "foreign" => foreign.sign(&claims),
            "changed" => {
                let parts: Vec<&str> = right.split('.').collect();
                let mut other = claims.clone();
                other["sub"] = json!("subject-2");
                format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(other.to_string()), parts[2])
            }
            _ => right[..right.len() - 2].to_owned(),
        };
        let code = desk.provider.grant(&begun.challenge, token, false);
        let reply = desk.finish(&begun, &code).await;
        assert_eq!(reply.status, 400, "{kind}: {}", reply.body);
        assert!(reply.body.contains("not signed"), "{kind}: {}", reply.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_provider_may_change_and_are_asked_for_once_a_minute_at_most() {
    let mut desk = Desk::open().await;
    desk.owner();
    assert_eq!(desk.try_in(|_| {}).await.status, 201);
    assert_eq!(desk.provider.asked(), 1);
    desk.key = SigningKey::of_curve("two");
    assert_eq!(desk.try_in(|_| {}).await.status, 400, "the provider does not have that key");
    assert_eq!(desk.provider.asked(), 1, "its keys are fresh");
    desk.provider.publish(&[&desk.key]);
    desk.world.clock.advance(60);
    assert_eq!(desk.try_in(|_| {}).await.status, 201);
    assert_eq!(desk.try_in(|_| {}).await.status, 201);
    assert_eq!(desk.provider.asked(), 2);
    desk.world.clock.advance(3_600);
    assert_eq!(desk.try_in(|_| {}).await.status, 201);
    assert_eq!(desk.provider.asked(), 3, "an hour");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_in_the_browser_that_began_and_for_ten_minutes() {
    let mut desk = Desk::open().await;
    desk.owner();
    let mine = desk.begin().await;
    let other = desk.begin().await;
    let token = desk.key.sign(&desk.claims(&mine));
    let code = desk.provider.grant(&mine.challenge, token, true);
    let crossed = Begun { sign_on: other.sign_on.clone(), ..begun_of(&mine) };
    let told = "not begun in this browser";
    for (begun, why) in [
        (crossed, "the state of another browser"),
        (Begun { state: other.state.clone(), ..begun_of(&mine) }, "another state"),
        (Begun { sign_on: format!("{}x", mine.sign_on), ..begun_of(&mine) }, "a token that was changed"),
        (Begun { sign_on: "laini_o_0000000000000001_xxxx".to_owned(), ..begun_of(&mine) }, "no token"),
    ] {
        let reply = desk.finish(&begun, &code).await;
        assert!(reply.status == 400 && reply.body.contains(told), "{why}: {}", reply.body);
    }
    // The code of one browser in another that began too: the verifier does not fit.
    assert_eq!(desk.finish(&other, &code).await.status, 400);
    let code = desk.provider.grant(&mine.challenge, desk.key.sign(&desk.claims(&mine)), true);
    assert_eq!(desk.finish(&mine, &code).await.status, 201);
    let again = desk.finish(&mine, &code).await;
    assert!(again.status == 400 && again.body.contains("used already"), "{}", again.body);
    let used = desk.begin().await;
    let code = desk.provider.grant(&used.challenge, desk.key.sign(&desk.claims(&used)), false);
    assert_eq!(desk.finish(&used, &code).await.status, 201);
    let again = desk.finish(&used, &code).await;
    assert!(again.status == 400 && again.body.contains("does not take it"), "{}", again.body);
    let late = desk.begin().await;
    let code = desk.provider.grant(&late.challenge, desk.key.sign(&desk.claims(&late)), false);
    desk.world.clock.advance(600);
    assert_eq!(desk.finish(&late, &code).await.status, 400);
}

fn begun_of(begun: &Begun) -> Begun {
    let Begun { sign_on, state, nonce, challenge } = begun;
    Begun { sign_on: sign_on.clone(), state: state.clone(), nonce: nonce.clone(), challenge: challenge.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_provider_gave_to_somebody_else_is_not_theirs_here() {
    let mut desk = Desk::open().await;
    let owner = desk.owner();
    assert_eq!(desk.try_in(|_| {}).await.status, 201);
    let other = desk.try_in(|claims| claims["sub"] = json!("subject-2")).await;
    assert!(other.status == 403 && other.body.contains("another account"), "{}", other.body);
    let at = desk.world.clock.now();
    let roster = Roster::of(owner.seat);
    desk.world
        .office
        .run(&Actor::System, at, |work| laini_office::people::reset(work, roster, owner.id, false))
        .unwrap();
    assert_eq!(desk.try_in(|claims| claims["sub"] = json!("subject-2")).await.status, 201, "after a reset");
    let second = desk.invited("second@bank.example", owner.seat);
    assert_eq!(desk.try_in(|claims| claims["email"] = json!("second@bank.example")).await.status, 201);
    desk.world.office.run(&Actor::System, at, |work| disable(work, roster, second.id, "left")).unwrap();
    assert_eq!(desk.try_in(|claims| claims["email"] = json!("second@bank.example")).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_or_not_set_keeps_nobody_from_their_password() {
    let mut desk = Desk::open().await;
    desk.provider.go_down();
    let begun = desk.post("single-sign-on", &Value::Null).await;
    assert!(begun.status == 409 && begun.body.contains("cannot be asked now"), "{}", begun.body);
    let world = World::start().await;
    let mut connection = Connection::open(world.address).await;
    connection.send(request("POST", "/office/v1/single-sign-on", "", "")).await;
    let reply = connection.reply().await.unwrap();
    assert!(reply.status == 403 && reply.body.contains("use the password"), "{}", reply.body);
}
