//! `laini check`: ask a laini server about numbers, as a bank does. Built on the SDK.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use laini_client::{Answer, Checked, Error, ErrorKind, Laini, Receipt, Registration, SwapStatus};
use serde::Serialize;

use super::Context;
use super::context::block_on;
use crate::failure::WithHint as _;

/// `laini check NUMBER…`
#[derive(Args)]
pub(crate) struct CheckArgs {
    /// The numbers, in any form.
    #[arg(required = true, value_name = "NUMBER")]
    numbers: Vec<String>,
    /// What to ask.
    #[arg(long, value_enum, default_value_t = Asked::Imsi)]
    product: Asked,
    /// Where the server is.
    #[arg(long, env = "LAINI_BASE_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    base_url: String,
    /// The app's consumer key.
    #[arg(long, env = "LAINI_CONSUMER_KEY", hide_env_values = true)]
    consumer_key: Option<String>,
    /// The app's consumer secret (better in the environment than here).
    #[arg(long, env = "LAINI_CONSUMER_SECRET", hide_env_values = true)]
    consumer_secret: Option<String>,
    /// Send credentials in the clear to another machine: only on a network that you trust.
    #[arg(long)]
    allow_plain_http: bool,
    /// Take server and credentials from a server's ready file.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["consumer_key", "consumer_secret"])]
    ready_file: Option<PathBuf>,
}

/// What to ask.
#[derive(Clone, Copy, ValueEnum)]
enum Asked {
    /// Hashed IMSI, last swap and registration.
    Imsi,
    /// Last swap.
    Swap,
    /// Registration.
    Age,
}

/// One verdict, the same for every product.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    number: String,
    /// known, unknown, not_served or failed.
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    imsi: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(rename = "requestRefID", skip_serializing_if = "Option::is_none")]
    request_ref_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
}

/// Asks, and exits with 1 where any number could not be asked about.
pub(crate) fn run(context: &Context, args: &CheckArgs) -> anyhow::Result<()> {
    let laini = client(args)?;
    let verdicts = block_on(async {
        let mut verdicts = Vec::with_capacity(args.numbers.len());
        for number in &args.numbers {
            verdicts.push(ask(&laini, args.product, number).await);
        }
        verdicts
    })?;
    let failed = verdicts.iter().filter(|verdict| verdict.answer == "failed").count();
    context.out.data(&verdicts, |verdicts| verdicts.iter().map(in_words).collect::<Vec<_>>().join("\n\n"))?;
    if failed > 0 {
        return Err(anyhow::anyhow!("{failed} of {} numbers could not be asked about", verdicts.len()))
            .hint("each of them says why, and what to do");
    }
    Ok(())
}

fn client(args: &CheckArgs) -> anyhow::Result<Laini> {
    let (base_url, key, secret) = match (&args.ready_file, &args.consumer_key, &args.consumer_secret) {
        (Some(path), _, _) => from_ready_file(path)?,
        (None, Some(key), Some(secret)) => (args.base_url.clone(), key.clone(), secret.clone()),
        _ => {
            return Err(anyhow::anyhow!("credentials are missing"))
                .hint("set LAINI_CONSUMER_KEY and LAINI_CONSUMER_SECRET, or name a server's --ready-file");
        }
    };
    Ok(Laini::builder()
        .base_url(&base_url)
        .credentials(&key, &secret)
        .allow_plain_http(args.allow_plain_http)
        .build()?)
}

pub(super) fn from_ready_file(path: &std::path::Path) -> anyhow::Result<(String, String, String)> {
    let text = std::fs::read(path)
        .with_context(|| format!("{} cannot be read", path.display()))
        .hint("a server started with --ready-file writes it once it accepts connections")?;
    let ready: serde_json::Value =
        serde_json::from_slice(&text).with_context(|| format!("{} is no ready file", path.display()))?;
    let field = |place: &str| ready.pointer(place).and_then(serde_json::Value::as_str).map(str::to_owned);
    let environment = if ready["production"].is_null() { "sandbox" } else { "production" };
    let credential = |name: &str| {
        field(&format!("/{environment}/{name}"))
            .context("the ready file holds no credentials")
            .hint("`laini sandbox` and `laini demo` write some; for `laini serve` make an app")
    };
    let base_url = field("/base_url").with_context(|| format!("{} is no ready file", path.display()))?;
    Ok((base_url, credential("consumer_key")?, credential("consumer_secret")?))
}

async fn ask(laini: &Laini, product: Asked, number: &str) -> Verdict {
    let said = match product {
        Asked::Imsi => laini.imsi(number).await.map(|checked| {
            verdict(number, checked, |verdict, facts| {
                verdict.imsi = Some(facts.imsi.reveal().to_owned());
                verdict.swap = Some(swap_words(facts.swap));
                verdict.registration = Some(registration_words(facts.registration));
            })
        }),
        Asked::Swap => laini
            .swap(number)
            .await
            .map(|checked| verdict(number, checked, |v, facts| v.swap = Some(swap_words(facts.swap)))),
        Asked::Age => laini.age(number).await.map(|checked| {
            verdict(number, checked, |v, facts| v.registration = Some(registration_words(facts.registration)))
        }),
    };
    said.unwrap_or_else(|error| failed(number, &error))
}

fn blank(number: &str, answer: &'static str) -> Verdict {
    Verdict {
        number: number.to_owned(),
        answer,
        imsi: None,
        swap: None,
        registration: None,
        reason: None,
        hint: None,
        request_ref_id: None,
        charge: None,
        as_of: None,
    }
}

fn failed(number: &str, error: &Error) -> Verdict {
    let hint = match error.kind() {
        ErrorKind::InvalidNumber { suggestion: Some(meant) } => format!("did you mean {}?", meant.reveal()),
        _ => error.hint().to_owned(),
    };
    Verdict { reason: Some(error.to_string()), hint: Some(hint), ..blank(number, "failed") }
}

fn verdict<T>(number: &str, checked: Checked<T>, facts_of: impl FnOnce(&mut Verdict, T)) -> Verdict {
    let Receipt { request_ref_id, charge, as_of, .. } = checked.receipt;
    let mut verdict = Verdict { request_ref_id: Some(request_ref_id), charge, as_of, ..blank(number, "known") };
    match checked.answer {
        Answer::Known(facts) => facts_of(&mut verdict, facts),
        Answer::Unknown(unknown) => {
            verdict.answer = "unknown";
            verdict.reason = Some(format!("not checked: {}", unknown.reason));
        }
        Answer::NotServed => {
            verdict.answer = "not_served";
            verdict.reason = Some("not checked: this operator does not serve the number".to_owned());
        }
    }
    verdict
}

fn swap_words(swap: SwapStatus) -> String {
    match swap {
        SwapStatus::Swapped { on, at: Some(at) } => format!("swapped on {on} at {at}"),
        SwapStatus::Swapped { on, at: None } => format!("swapped on {on}"),
        SwapStatus::NotSwapped { within } => format!("not swapped within {within}"),
    }
}

fn registration_words(registration: Registration) -> String {
    match registration {
        Registration::Within(on) => format!("registered on {on}"),
        Registration::Older { than } => format!("registered more than {than} ago"),
    }
}

fn in_words(verdict: &Verdict) -> String {
    let mut text = format!("{}: {}", verdict.number, verdict.answer.to_uppercase().replace('_', " "));
    let facts = [
        ("SIM change", &verdict.swap),
        ("registration", &verdict.registration),
        ("pseudonym", &verdict.imsi),
        ("reason", &verdict.reason),
        ("hint", &verdict.hint),
        ("charge", &verdict.charge),
        ("data as of", &verdict.as_of),
        ("reference", &verdict.request_ref_id),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            text.push_str(&format!("\n  {name:<13}{value}"));
        }
    }
    text
}
