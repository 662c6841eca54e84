//! A bank as the server sees one: fetches a token, makes checks, one at a time.

use std::fmt;
use std::thread;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::canaries::Canaries;
use crate::running::{Credentials, Running, wait_until};

pub(crate) const IMSI: &str = "/imsi/v1/checkATI";
pub(crate) const SWAP: &str = "/imsi/v2/checkATI";
pub(crate) const AGE: &str = "/registration/lookup/v1/checkATI";

/// Longer than the server's own limits: who waits that long has been forgotten.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// How often a newcomer asks for its first token.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// One client with one connection at a time; every call blocks.
pub(crate) struct Bank {
    runtime: Runtime,
    http: reqwest::Client,
    base_url: String,
    token: String,
    canaries: Canaries,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// No answer came: the request may have been carried out or not.
#[derive(Debug)]
pub(crate) struct Lost(reqwest::Error);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Answer {
    /// The body, which is JSON on every path.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// One field of the body, a string as all of them are; empty where there is none.
    pub(crate) fn field(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }

    /// One header; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Bank {
    /// A client without a token.
    pub(crate) fn stranger(server: &Running) -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            http: reqwest::Client::builder().timeout(ANSWERED_WITHIN).no_proxy().build().unwrap(),
            base_url: server.base_url.clone(),
            token: String::new(),
            canaries: server.canaries.clone(),
        }
    }

    /// A client with a fresh token.
    pub(crate) fn of(server: &Running, credentials: &Credentials) -> Self {
        let mut bank = Self::stranger(server);
        let answer = bank.generate(credentials).unwrap_or_else(|lost| panic!("no token came: {lost}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        bank.token = answer.field("access_token");
        bank
    }

    /// Somebody who comes into the office by an invitation, and stays signed in.
    pub(crate) fn of_person(server: &Running, invitation: &str) -> Self {
        let mut person = Self::stranger(server);
        let body = format!(r#"{{"token":"{invitation}","password":"four words walk home"}}"#);
        let answer = person.post("/office/v1/invitations/accept", &[], &body);
        person.token = answer.unwrap_or_else(|lost| panic!("no session came: {lost}")).field("token");
        person.canaries.word(&person.token);
        person
    }

    /// A client of an app that the server may not have noticed yet: asks until it gets its first token,
    /// slowly, for failures of one key are throttled and who asks again at once soon waits for seconds.
    pub(crate) fn of_newcomer(server: &Running, credentials: &Credentials, within: Duration) -> Self {
        let mut bank = Self::stranger(server);
        wait_until("the new app gets a token", within, || {
            thread::sleep(ASK_EVERY);
            let answer = bank.generate(credentials).unwrap_or_else(|lost| panic!("no token came: {lost}"));
            bank.token = answer.field("access_token");
            answer.status == 200
        });
        bank
    }

    /// The same client, which gives up on an answer after so long.
    pub(crate) fn patient_for(mut self, patience: Duration) -> Self {
        self.http = reqwest::Client::builder().timeout(patience).no_proxy().build().unwrap();
        self
    }

    /// Goes on with the same token at another server, such as the same one after a restart.
    pub(crate) fn move_to(&mut self, server: &Running) {
        self.base_url.clone_from(&server.base_url);
    }

    /// The token in use.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Asks the published token door; any status is an answer.
    pub(crate) fn generate(&self, credentials: &Credentials) -> Result<Answer, Lost> {
        let Credentials { consumer_key, consumer_secret, .. } = credentials;
        self.canaries.word(consumer_secret);
        let url = self.url("/oauth/v1/generate?grant_type=client_credentials");
        let answer = self.send(self.http.get(url).basic_auth(consumer_key, Some(consumer_secret)))?;
        if answer.status == 200 {
            self.canaries.word(&answer.field("access_token"));
        }
        Ok(answer)
    }

    /// One check; an answer must come.
    pub(crate) fn check(&self, path: &str, number: &str) -> Answer {
        self.try_check(path, number, None).unwrap_or_else(|lost| panic!("no answer came: {lost}"))
    }

    /// One check, perhaps under an id of the caller's own.
    pub(crate) fn try_check(&self, path: &str, number: &str, request_id: Option<&str>) -> Result<Answer, Lost> {
        self.canaries.number(number);
        let headers: Vec<_> = request_id.map(|id| ("X-Request-ID", id)).into_iter().collect();
        self.post(path, &headers, &format!(r#"{{"customerNumber":"{number}"}}"#))
    }

    /// Any authorised JSON request.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, Lost> {
        let request = self.http.post(self.url(path)).bearer_auth(&self.token);
        let request = request.header("Content-Type", "application/json").body(body.to_owned());
        self.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    }

    /// A GET without a token.
    pub(crate) fn get(&self, path: &str) -> Result<Answer, Lost> {
        self.send(self.http.get(self.url(path)))
    }

    /// Where a path lies.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Any request, made with [`Bank::http`] and [`Bank::url`].
    pub(crate) fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, Lost> {
        let answer = async {
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Answer { status, headers, text: response.text().await? })
        };
        self.runtime.block_on(answer).map_err(Lost)
    }

    /// What the server must not print.
    pub(crate) fn canaries(&self) -> &Canaries {
        &self.canaries
    }

    /// What makes requests of other kinds.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }
}
