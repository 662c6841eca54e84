//! The forgery corpus: what looks like a token and is none must not be answered, whatever it is made of.

use laini_core::access::{KeyTree, OperatorCredential, RootKey, TokenClaims};
use laini_core::partner::{AppId, AppStatus, Environment};

use crate::tokens::{assert_token_refused, claims};
use crate::wire::{Connection, Reply, basic, request};
use crate::world::{IMSI_PATH, World};

const BODY: &str = r#"{"customerNumber":"254722000000"}"#;
const UNKNOWN: &str = "not issued by this service";
const MISSING: &str = "no bearer token was sent";
const AMBIGUOUS: &str = "more than one Authorization header was sent";

/// A server, and how many forgeries it has refused.
struct Corpus {
    world: World,
    connection: Connection,
    genuine: String,
    cases: u32,
}

impl Corpus {
    async fn begin() -> Self {
        let world = World::start().await;
        let genuine = world.token(&world.sandbox).await;
        let connection = Connection::open(world.address).await;
        Self { world, connection, genuine, cases: 0 }
    }

    /// The answer to a check with these header lines.
    async fn ask(&mut self, headers: impl AsRef<[u8]>) -> Reply {
        let frame = request("POST", IMSI_PATH, "Content-Type: application/json\r\n@", BODY);
        let (before, after) = frame.split_once('@').unwrap();
        let bytes = [before.as_bytes(), headers.as_ref(), after.as_bytes()].concat();
        self.connection.send(&bytes).await;
        self.connection.reply().await.expect("an answer")
    }

    /// Header lines that must be refused for this reason.
    async fn refuse(&mut self, headers: impl AsRef<[u8]>, reason: &str) {
        let reply = self.ask(headers).await;
        assert_token_refused(&reply, reason);
        self.cases += 1;
    }

    async fn refuse_token(&mut self, token: &str, reason: &str) {
        self.refuse(format!("Authorization: Bearer {token}\r\n"), reason).await;
    }

    async fn refuse_claims(&mut self, claims: TokenClaims, reason: &str) {
        let token = self.world.keys.token().sign(&claims);
        self.refuse_token(token.reveal(), reason).await;
    }
}

#[tokio::test]
async fn no_forged_token_is_answered() {
    let mut corpus = Corpus::begin().await;
    every_single_bit_flip(&mut corpus).await;
    cut_and_lengthened(&mut corpus).await;
    other_tenants_and_environments(&mut corpus).await;
    duplicated_and_misplaced(&mut corpus).await;
    revoked_and_expired(&mut corpus).await;
    assert!(corpus.world.ledger.outcomes().is_empty(), "a forged token reached the registry");
    println!("family=tokens cases={} failures=0 seed=none", corpus.cases);
}

async fn every_single_bit_flip(corpus: &mut Corpus) {
    let genuine = corpus.genuine.clone().into_bytes();
    for at in 0..genuine.len() {
        for bit in 0..8 {
            let mut forged = genuine.clone();
            forged[at] ^= 1 << bit;
            let line = [b"Authorization: Bearer ", &forged[..], b"\r\n"].concat();
            let reply = corpus.ask(line).await;
            if forged[at].is_ascii_control() {
                // Mostly no HTTP at all; a line end can leave half a request behind.
                assert!([400, 401].contains(&reply.status), "byte {at} bit {bit}: {reply:?}");
                corpus.connection = Connection::open(corpus.world.address).await;
            } else {
                assert_token_refused(&reply, UNKNOWN);
            }
            corpus.cases += 1;
        }
    }
}

async fn cut_and_lengthened(corpus: &mut Corpus) {
    let genuine = corpus.genuine.clone();
    corpus.refuse("", MISSING).await;
    for at in 0..genuine.len() {
        corpus.refuse_token(&genuine[..at], if at == 0 { MISSING } else { UNKNOWN }).await;
        corpus.refuse_token(&genuine[at + 1..], if at + 1 == genuine.len() { MISSING } else { UNKNOWN }).await;
    }
    for text in [
        format!("{genuine}0"),
        format!("0{genuine}"),
        format!("{genuine}{genuine}"),
        format!("{genuine}="),
        format!("{genuine} {genuine}"),
        format!("{genuine},{genuine}"),
        format!("\"{genuine}\""),
        format!("{genuine}%00"),
        genuine.chars().rev().collect(),
        genuine.to_ascii_lowercase(),
        "0".repeat(genuine.len()),
        "z".repeat(genuine.len()),
        "A".repeat(1_000),
    ] {
        corpus.refuse_token(&text, UNKNOWN).await;
    }
}

async fn other_tenants_and_environments(corpus: &mut Corpus) {
    let claims = claims(&corpus.world);
    corpus.refuse_claims(TokenClaims { app: AppId::from_stored(999), ..claims }, UNKNOWN).await;
    corpus.refuse_claims(TokenClaims { environment: Environment::Production, ..claims }, UNKNOWN).await;
    corpus.refuse_claims(TokenClaims { app: corpus.world.production.app, ..claims }, UNKNOWN).await;
    let elsewhere = KeyTree::new(RootKey::new([8; 32])).token();
    corpus.refuse_token(elsewhere.sign(&claims).reveal(), UNKNOWN).await;
    // Half of one token and half of another: the claims of one app under the proof of the other.
    let own = corpus.genuine.clone();
    let other = corpus.world.token(&corpus.world.production).await;
    for at in 1..own.len() {
        let spliced = format!("{}{}", &own[..at], &other[at..]);
        // Where both begin or end alike, the splice is one of them.
        if spliced != own && spliced != other {
            corpus.refuse_token(&spliced, UNKNOWN).await;
        }
    }
    let operator = OperatorCredential::mint(3, [1, 2, 3, 4]).reveal();
    corpus.refuse_token(&operator, UNKNOWN).await;
    let secret = corpus.world.sandbox.secret.clone();
    corpus.refuse_token(&secret, UNKNOWN).await;
}

async fn duplicated_and_misplaced(corpus: &mut Corpus) {
    let genuine = corpus.genuine.clone();
    let line = format!("Authorization: Bearer {genuine}\r\n");
    let credentials = basic(&corpus.world.sandbox.key, &corpus.world.sandbox.secret);
    corpus.refuse(format!("{line}{line}"), AMBIGUOUS).await;
    corpus.refuse(format!("{line}Authorization: Bearer x\r\n"), AMBIGUOUS).await;
    corpus.refuse(format!("Authorization: Bearer x\r\n{line}"), AMBIGUOUS).await;
    corpus.refuse(format!("{line}authorization: Bearer {genuine}\r\n"), AMBIGUOUS).await;
    corpus.refuse(format!("{credentials}{line}"), AMBIGUOUS).await;
    corpus.refuse(format!("{line}Authorization:\r\n"), AMBIGUOUS).await;
    for elsewhere in [
        credentials,
        format!("X-Authorization: Bearer {genuine}\r\n"),
        format!("Proxy-Authorization: Bearer {genuine}\r\n"),
        format!("Cookie: access_token={genuine}\r\n"),
        format!("Authorization: {genuine}\r\n"),
        format!("Authorization: Token {genuine}\r\n"),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization: Bearer  \r\n".to_owned(),
        "Authorization:\r\n".to_owned(),
    ] {
        corpus.refuse(elsewhere, MISSING).await;
    }
    let in_query = format!("{IMSI_PATH}?access_token={genuine}");
    let reply = corpus.world.send(request("POST", &in_query, "Content-Type: application/json\r\n", BODY)).await;
    assert_token_refused(&reply, MISSING);
    corpus.cases += 1;
}

async fn revoked_and_expired(corpus: &mut Corpus) {
    let mut late = claims(&corpus.world);
    late.expires = crate::world::NOW.parse().unwrap();
    late.expires -= jiff::SignedDuration::from_secs(1);
    corpus.refuse_claims(late, "expired, request a new one").await;
    let (sandbox, production) = (corpus.world.sandbox.app, corpus.world.production.app);
    let of_production = TokenClaims { app: production, environment: Environment::Production, ..claims(&corpus.world) };
    corpus.world.accounts.change_app(sandbox, |app| app.token_epoch = 5);
    corpus.world.accounts.change_app(production, |app| app.status = AppStatus::Revoked);
    let started = std::time::Instant::now();
    let revoked = "Error Occurred - Invalid Access Token - revoked, request a new one";
    let token = corpus.world.keys.token().sign(&of_production);
    while corpus.world.check_with(IMSI_PATH, token.reveal(), "no body, no row").await.text("errorMessage") != revoked {
        assert!(started.elapsed().as_secs() < 5, "still valid");
    }
    corpus.refuse_claims(of_production, "revoked, request a new one").await;
    for epoch in 0..5 {
        corpus.refuse_claims(TokenClaims { epoch, ..claims(&corpus.world) }, "revoked, request a new one").await;
    }
    corpus.world.clock.advance(3_600);
    let genuine = corpus.genuine.clone();
    corpus.refuse_token(&genuine, "expired, request a new one").await;
}
