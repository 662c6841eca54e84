//! `laini check`: ask a laini server about numbers, as a bank does. Built on the SDK.

use clap::{Args, ValueEnum};
use laini_client::{Answer, Checked, Error, ErrorKind, Laini, Receipt, Registration, SwapStatus};
use serde::Serialize;

use super::Context;
use super::as_app::{AsApp, AsAppArgs};
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
    #[command(flatten)]
    as_app: AsAppArgs,
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
    let AsApp { base_url, key, secret } = args.as_app.read()?;
    Ok(Laini::builder()
        .base_url(&base_url)
        .credentials(&key, &secret)
        .allow_plain_http(args.as_app.allow_plain_http)
        .build()?)
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
