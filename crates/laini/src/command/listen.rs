//! `laini listen`: take an app's deliveries on a developer's machine, without a public address.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use laini_wire::delivery::{
    ACKNOWLEDGE_PATH, Acknowledgement, DELIVERIES_PATH, Handed, HandedPage, WEBHOOK_ID, WEBHOOK_SIGNATURE,
    WEBHOOK_TIMESTAMP,
};
use laini_wire::token::{GENERATE_PATH, PublishedToken};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use tokio::task::JoinSet;

use super::Context;
use super::as_app::{AsApp, AsAppArgs};
use super::context::block_on;
use crate::failure::hinted;
use crate::out::Out;

/// How long the local receiver may take: less than the server waits for its acknowledgement.
const FORWARD_TIMEOUT_MS: u64 = 5_000;
/// How long the server may take; it answers an idle listener within five seconds.
const SERVER_TIMEOUT_MS: u64 = 15_000;
/// How long to wait after the server could not be reached.
const RETRY_PAUSE_MS: u64 = 1_000;

/// `laini listen`
#[derive(Args)]
pub(crate) struct ListenArgs {
    /// Where deliveries go: a receiver on this machine, e.g. http://127.0.0.1:3000/laini.
    #[arg(long, value_name = "URL")]
    forward_to: Url,
    #[command(flatten)]
    as_app: AsAppArgs,
}

/// One delivery that was forwarded.
#[derive(Serialize)]
struct Forwarded {
    id: String,
    /// What the receiver answered.
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// A listener at work.
#[derive(Clone)]
struct Listener {
    http: Client,
    base_url: String,
    key: String,
    secret: String,
    forward_to: Url,
}

/// Listens until it is told to stop.
pub(crate) fn run(context: &Context, args: &ListenArgs) -> anyhow::Result<()> {
    let listener = Listener::new(args)?;
    Out::note(&format!("listening; deliveries go to {}", listener.forward_to));
    block_on(listener.listen(context.out))?
}

impl Listener {
    fn new(args: &ListenArgs) -> anyhow::Result<Self> {
        let AsApp { base_url, key, secret } = args.as_app.read()?;
        let server: Url = base_url.parse().with_context(|| format!("{base_url} is no address of a server"))?;
        let is_here = ["127.0.0.1", "localhost", "[::1]"].contains(&server.host_str().unwrap_or_default());
        ensure!(
            server.scheme() == "https" || is_here || args.as_app.allow_plain_http,
            "credentials would go over plain HTTP to {base_url}; use https, or --allow-plain-http on a network that you trust"
        );
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        let base_url = base_url.trim_end_matches('/').to_owned();
        Ok(Self { http, base_url, key, secret, forward_to: args.forward_to.clone() })
    }

    async fn listen(&self, out: Out) -> anyhow::Result<()> {
        let mut token = None;
        let mut forwarding = JoinSet::new();
        let mut is_lost = false;
        loop {
            let taken = self.take(&mut token).await;
            match taken {
                Ok(page) => {
                    is_lost = false;
                    for handed in page.deliveries {
                        let (listener, token) = (self.clone(), token.clone().unwrap_or_default());
                        forwarding.spawn(async move { listener.forward(handed, &token, out).await });
                    }
                }
                Err(Lost::Refused(error)) => return Err(error),
                Err(Lost::Unreached(error)) => {
                    if !std::mem::replace(&mut is_lost, true) {
                        Out::note(&format!("the server is out of reach ({error}); trying again"));
                    }
                    tokio::time::sleep(Duration::from_millis(RETRY_PAUSE_MS)).await;
                }
            }
            while let Some(forwarded) = forwarding.try_join_next() {
                forwarded??;
            }
        }
    }

    /// What waits; a token is got where there is none, or the one there is expired.
    async fn take(&self, token: &mut Option<String>) -> Result<HandedPage, Lost> {
        let current = match token {
            Some(token) => token,
            None => token.insert(self.token().await?),
        };
        let response = send(self.http.get(self.url(DELIVERIES_PATH)).bearer_auth(current)).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            *token = None;
            return Ok(HandedPage::default());
        }
        read(response, "`laini app result-address add APP laini:listen` registers the address of a listener").await
    }

    async fn token(&self) -> Result<String, Lost> {
        let url = self.url(&format!("{GENERATE_PATH}?grant_type=client_credentials"));
        let response = send(self.http.get(url).basic_auth(&self.key, Some(&self.secret))).await?;
        let token: serde_json::Value = read(response, "check the consumer key and secret: `laini app list`").await?;
        let token: PublishedToken<'_> =
            serde::Deserialize::deserialize(&token).map_err(|error| Lost::Refused(error.into()))?;
        Ok(token.access_token.into_owned())
    }

    async fn forward(&self, handed: Handed, token: &str, out: Out) -> anyhow::Result<()> {
        let request = self.http.post(self.forward_to.clone());
        let request = request
            .timeout(Duration::from_millis(FORWARD_TIMEOUT_MS))
            .header(CONTENT_TYPE, "application/json;charset=UTF-8")
            .header(WEBHOOK_ID, &handed.id)
            .header(WEBHOOK_TIMESTAMP, &handed.timestamp)
            .header(WEBHOOK_SIGNATURE, &handed.signature)
            .body(handed.body);
        let (status, problem) = match request.send().await {
            Ok(response) => (Some(response.status().as_u16()), None),
            Err(error) => (None, Some(error.without_url().to_string())),
        };
        let said = Acknowledgement { id: handed.id, status };
        let told = self.http.post(self.url(ACKNOWLEDGE_PATH)).bearer_auth(token);
        let told = told.header(CONTENT_TYPE, "application/json").body(serde_json::to_string(&said)?);
        if send(told).await.is_err() {
            Out::note(&format!("{} was not acknowledged; it comes again", said.id));
        }
        out.data(&Forwarded { id: said.id, status, problem }, |forwarded| {
            match (forwarded.status, &forwarded.problem) {
                (Some(status), _) => format!("{} {status}", forwarded.id),
                (None, problem) => format!("{} no answer: {}", forwarded.id, problem.as_deref().unwrap_or("")),
            }
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }
}

/// Why there is nothing to forward.
enum Lost {
    /// It may be there again in a moment.
    Unreached(String),
    /// It will not do this.
    Refused(anyhow::Error),
}

async fn send(request: RequestBuilder) -> Result<Response, Lost> {
    let sent = request.timeout(Duration::from_millis(SERVER_TIMEOUT_MS)).send().await;
    let response = sent.map_err(|error| Lost::Unreached(error.without_url().to_string()))?;
    let status = response.status();
    let is_passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    if is_passing { Err(Lost::Unreached(format!("it answered {status}"))) } else { Ok(response) }
}

/// The body of a 200; otherwise what the server says about it.
async fn read<T: serde::de::DeserializeOwned>(response: Response, hint: &str) -> Result<T, Lost> {
    let status = response.status();
    let body = response.bytes().await.map_err(|error| Lost::Unreached(error.without_url().to_string()))?;
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    if status == StatusCode::OK {
        return serde_json::from_value(value).map_err(|error| Lost::Refused(error.into()));
    }
    let said = value["errorMessage"].as_str().unwrap_or("no reason given");
    Err(Lost::Refused(hinted(anyhow::anyhow!("the server answered {status}: {said}"), hint)))
}
