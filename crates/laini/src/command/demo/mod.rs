//! `laini demo`: the whole system at work on made-up data.
//!
//! Owns what a newcomer finds: a bank with weeks of traffic and an invoice, another on its way, an incident that is over,
//! and who signs in.
//! Must never touch a registry that it did not make, or write what the product itself would not have written.

mod past;
mod people;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use laini_client::{Answer, Laini};
use laini_core::partner::Environment;
use laini_core::store::AccountStore;
use laini_server::Listener;
use laini_server::operator::feed::MaxRejects;
use serde::Serialize;

use people::SignIn;

use super::Context;
use super::context::{block_on, now};
use super::registry::import::{Extract, Source, load};
use super::registry::sample::{Population, midnight};
use super::sandbox::{Place, at_start, credentials};
use crate::compose::{House, RegistryHandle, SystemClock};
use crate::config::Config;
use crate::failure::WithHint as _;
use crate::logging;
use crate::out::Out;
use crate::serving::{Credentials, Offer, Standing, runtime, stand};

/// `laini demo`
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Address and port; where the port is taken, the next free one.
    #[arg(long, env = "LAINI_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// End after the checks instead of serving on.
    #[arg(long)]
    exit: bool,
    /// Written, mode 0600, once connections are accepted: {"base_url","pid","sandbox","production"}.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
}

const DEMO_LINES: u64 = 100_000;
const DEMO_SEED: u64 = 1;
const DEMO_PARTNER: &str = "Demo Bank";
/// The persona that was swapped today.
const SWAPPED_TODAY: &str = "254722000002";
/// Ports that are tried, from the one that was named.
const PORTS_TRIED: u16 = 100;

/// Shows, and serves until it is told to stop.
pub(crate) fn run(context: &Context, args: &DemoArgs) -> anyhow::Result<()> {
    let place = Place::of(context)?;
    let mut config = context.settings(place.data.path(), &[])?.config;
    config.sign_in.registration = true;
    let house = House::open(place.data.clone(), &config)?;
    let registry = house.registry(&config)?;
    let accounts = house.accounts()?;
    refuse_foreign(&registry, &*accounts)?;
    let population = fill(context, &config, &house, &registry)?;
    let runtime = runtime(&config)?;
    let known = block_on(accounts.load())??.partners.into_iter().find(|partner| partner.name == DEMO_PARTNER);
    let bank = match known {
        Some(partner) => partner.id,
        None => past::live_through(&runtime, &house, &config, &population, DEMO_PARTNER)?,
    };
    // Only now, since its past takes seconds and ports of its own. Letters lead to these pages.
    let listen = free_port(args.listen);
    if config.sign_in.portal_url.is_empty() && listen.port() != 0 {
        config.sign_in.portal_url = format!("http://{listen}");
    }
    // What came before is told in the demo's own words.
    logging::start(&config.log);
    let people = people::sign_ins(&*house.office(&config, &house.ledger_beside()?)?, bank)?;
    let offer = Offer {
        registry,
        accounts: house.accounts()?,
        listeners: vec![Listener::new(listen)],
        operator: None,
        is_reloadable: false,
        clock: Arc::new(SystemClock),
    };
    runtime.block_on(async {
        let sandbox = credentials(&*accounts, bank, Environment::Sandbox, &at_start(Environment::Sandbox)).await?;
        let production =
            credentials(&*accounts, bank, Environment::Production, &at_start(Environment::Production)).await?;
        let standing = stand(&house, &config, offer).await?;
        standing.tell(args.ready_file.as_deref(), Some(&sandbox), Some(&production))?;
        let base_url = standing.base_url.clone();
        let line = population.number(0).0.to_string();
        let exit = args.exit;
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let asking = async {
            let in_sandbox = ask(&base_url, "sandbox", &sandbox, SWAPPED_TODAY).await?;
            let in_production = ask(&base_url, "production", &production, &line).await?;
            let shown = Shown {
                base_url: &base_url,
                sandbox: &sandbox,
                production: &production,
                people: &people,
                checks: [in_sandbox, in_production],
            };
            context.out.data(&shown, in_words)?;
            if exit {
                // The server may have been stopped already.
                let _ = ended.send(());
            } else {
                std::future::pending::<()>().await;
            }
            anyhow::Ok(())
        };
        serve_while(standing, asking, end).await
    })
}

/// Serves while the demo asks; the first failure of either ends both.
async fn serve_while(
    standing: Standing,
    asking: impl Future<Output = anyhow::Result<()>>,
    end: tokio::sync::oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let serving = standing.run(None, async {
        if end.await.is_err() {
            std::future::pending::<()>().await;
        }
    });
    tokio::pin!(serving, asking);
    tokio::select! {
        served = &mut serving => served,
        asked = &mut asking => {
            asked?;
            serving.await
        }
    }
}

/// The demo shows a production key that asks about every line: never about an operator's own.
fn refuse_foreign(registry: &RegistryHandle, accounts: &dyn AccountStore) -> anyhow::Result<()> {
    let book = block_on(accounts.load())??;
    let is_loaded = block_on(registry.feed.status())??.generation > 0;
    let is_demo = book.partners.iter().any(|partner| partner.name == DEMO_PARTNER);
    if is_loaded && !is_demo {
        return Err(anyhow::anyhow!("this data directory holds a registry that the demo did not make"))
            .hint("give the demo a directory of its own, or none: it then takes a fresh one");
    }
    Ok(())
}

/// Loads a sample registry into an empty data directory.
fn fill(context: &Context, config: &Config, house: &House, registry: &RegistryHandle) -> anyhow::Result<Population> {
    let zone = config.zone()?;
    let now = now();
    let status = block_on(registry.feed.status())??;
    let cut = match status.cut {
        Some(cut) => cut,
        None => midnight(zone.to_datetime(now).date(), &zone)?,
    };
    let population = Population { lines: DEMO_LINES, seed: DEMO_SEED, cut };
    if status.generation == 0 {
        Out::note(&format!("making a sample registry of {DEMO_LINES} lines (no real subscriber is in it)"));
        let mut text = Vec::new();
        population.write(&mut text, |_| {})?;
        let source =
            Source { name: "sample".to_owned(), bytes: Some(text.len() as u64), input: Box::new(text.as_slice()) };
        let extract = Extract {
            sources: vec![source],
            cut: Some(cut),
            history_since: None,
            max_rejects: MaxRejects::default(),
            allow_shrink: false,
            rejects: house.data.path().join("registry-rejects.csv"),
        };
        load(context, config, &*registry.feed, extract)?;
    }
    Ok(population)
}

/// The first address from the named one on that nobody listens on.
fn free_port(listen: SocketAddr) -> SocketAddr {
    let ports = listen.port()..=listen.port().saturating_add(if listen.port() == 0 { 0 } else { PORTS_TRIED });
    let free = ports
        .map(|port| SocketAddr::new(listen.ip(), port))
        .find(|address| std::net::TcpListener::bind(address).is_ok());
    free.unwrap_or(listen)
}

/// What the demo shows.
#[derive(Serialize)]
struct Shown<'a> {
    base_url: &'a str,
    sandbox: &'a Credentials,
    production: &'a Credentials,
    people: &'a [SignIn; 2],
    checks: [ShownCheck; 2],
}

/// One check as it went.
#[derive(Serialize)]
struct ShownCheck {
    environment: &'static str,
    number: String,
    answer: serde_json::Value,
    /// The answer as it came, its fields in their published order.
    #[serde(skip)]
    body: String,
    charge: Option<String>,
    meaning: &'static str,
}

/// Makes one real check over HTTP.
async fn ask(
    base_url: &str,
    environment: &'static str,
    keys: &Credentials,
    number: &str,
) -> anyhow::Result<ShownCheck> {
    let laini = Laini::builder().base_url(base_url).credentials(&keys.consumer_key, &keys.consumer_secret).build()?;
    let checked = laini.imsi(number).await.hint("the demo's own server did not answer its check")?;
    Ok(ShownCheck {
        environment,
        number: number.to_owned(),
        answer: serde_json::from_str(checked.receipt.body.reveal())?,
        body: checked.receipt.body.reveal().to_owned(),
        charge: checked.receipt.charge,
        meaning: match checked.answer {
            Answer::Known(_) => "facts were answered",
            Answer::Unknown(_) => "the registry cannot say: treat the number as risky",
            Answer::NotServed => "not served here: the number was not checked",
        },
    })
}

fn in_words(shown: &Shown<'_>) -> String {
    let Shown { base_url, sandbox, production, people, checks } = shown;
    let mut text = String::new();
    for check in checks {
        text.push_str(&format!(
            "\n── one check in {} ──\nPOST {base_url}/imsi/v1/checkATI\n{{\"customerNumber\":\"{}\"}}\n\n{}\n\ncharge  {}\nmeaning {}\n",
            check.environment,
            check.number,
            check.body,
            check.charge.as_deref().unwrap_or("not stated"),
            check.meaning,
        ));
    }
    text.push_str(&format!("\n── in a browser ──\nportal      {base_url}\n"));
    for SignIn { email, password, role } in *people {
        text.push_str(&format!("sign in     {email}  {password}  ({role})\n"));
    }
    text.push_str(&format!(
        "\n── where to go next ──\nserver      {base_url}\nsandbox     key {}  secret {}\nproduction  key {}  secret {}\n\n\
         a token     curl -s -u KEY:SECRET '{base_url}/oauth/v1/generate?grant_type=client_credentials'\n\
         a check     curl -s -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' -d '{{\"customerNumber\":\"{}\"}}' {base_url}/imsi/v1/checkATI\n\
         personas    254722000001 never swapped · …02 swapped today · …07 registered yesterday · …10 recycled · …41 ported out\n\
         your data   laini registry import FILE --data DIR, then laini serve --data DIR (see the README)",
        sandbox.consumer_key, sandbox.consumer_secret, production.consumer_key, production.consumer_secret, checks[1].number,
    ));
    text
}
