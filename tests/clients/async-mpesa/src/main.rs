//! Asks about one number with async-mpesa; prints one JSON line per call.

use std::env;

use async_mpesa::Client;
use async_mpesa::config::Config;
use async_mpesa::error::MpesaError;
use async_mpesa::types::{AuthorizationRequestArgs, IMSIRequestArgs, SwapRequestArgs};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::{Value, json};

/// The client's own `with_api_url()` is ignored by it, so the trait is implemented.
#[derive(Clone)]
struct Laini {
    base_url: String,
    token: String,
}

impl Config for Laini {
    fn headers(&self) -> HeaderMap {
        let bearer = format!("Bearer {}", self.token).parse().expect("a token is visible ASCII");
        HeaderMap::from_iter([(AUTHORIZATION, bearer)])
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    fn api_url(&self) -> &str {
        &self.base_url
    }

    fn access_token(&self) -> &str {
        &self.token
    }
}

fn report(call: &str, result: Result<Value, MpesaError>) {
    let line = match result {
        Ok(answer) => json!({ "call": call, "answer": answer }),
        Err(MpesaError::ApiError(error)) => {
            json!({ "call": call, "error": error.errorMessage, "code": error.errorCode })
        }
        Err(error) => json!({ "call": call, "error": error.to_string() }),
    };
    println!("{line}");
}

fn setting(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("set {name}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (base_url, number) = (setting("LAINI_BASE_URL"), setting("N"));
    let stranger = Client::with_config(Laini { base_url: base_url.clone(), token: String::new() });
    let request = AuthorizationRequestArgs::default().ConsumerKey(setting("K")).ConsumerSecret(setting("S")).build()?;
    let token = match stranger.authorization().create(request).await {
        Ok(granted) => granted.access_token,
        Err(error) => {
            report("token", Err(error));
            return Ok(());
        }
    };
    println!("{}", json!({ "call": "token", "length": token.len() }));
    let client = Client::with_config(Laini { base_url, token });
    let imsi = client.imsi().create(IMSIRequestArgs::default().customerNumber(number.clone()).build()?).await;
    report("imsi", imsi.map(|answer| json!(answer)));
    let swap = client.swap().create(SwapRequestArgs::default().customerNumber(number).build()?).await;
    report("swap", swap.map(|answer| json!(answer)));
    Ok(())
}
