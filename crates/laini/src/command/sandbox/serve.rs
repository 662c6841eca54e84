use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use laini_core::partner::{AppProfile, Environment, Partner, PartnerId, ProductSet};
use laini_core::store::AccountStore;
use laini_office::agreements::add_with_standard;
use laini_server::{Environments, Listener};

use crate::command::Context;
use crate::command::app::{Minted, mint};
use crate::command::context::{audit, console, now, random};
use crate::compose::{House, SystemClock};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::logging;
use crate::serving::{Credentials, Offer, run_to_end, stand};

/// `laini sandbox`, without a subcommand.
#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Address and port; port 0 picks a free one.
    #[arg(long, env = "LAINI_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Written, mode 0600, once connections are accepted: {"base_url","pid","sandbox","production"}.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
}

/// The partner that sandbox apps made by commands belong to.
const SANDBOX_PARTNER: &str = "Sandbox";

/// Serves until it is told to stop.
pub(crate) fn run(context: &Context, args: &ServeArgs) -> anyhow::Result<()> {
    let place = Place::of(context)?;
    let config = context.settings(place.data.path(), &[])?.config;
    logging::start(&config.log);
    let house = House::open(place.data.clone(), &config)?;
    let accounts = house.accounts()?;
    let offer = Offer {
        registry: house.registry(&config)?,
        accounts: house.accounts()?,
        listeners: vec![Listener { environments: Environments::SandboxOnly, ..Listener::new(args.listen) }],
        operator: None,
        is_reloadable: false,
        clock: Arc::new(SystemClock),
    };
    let partner = partner(&house, &config, SANDBOX_PARTNER)?;
    run_to_end(&config, async {
        let credentials =
            credentials(&*accounts, partner, Environment::Sandbox, &at_start(Environment::Sandbox)).await?;
        let standing = stand(&house, &config, offer).await?;
        standing.tell(args.ready_file.as_deref(), Some(&credentials), None)?;
        let base_url = &standing.base_url;
        context.out.data(&serde_json::json!({ "base_url": base_url, "sandbox": credentials }), |_| {
            let Credentials { consumer_key, consumer_secret } = &credentials;
            format!(
                "sandbox on {base_url}\nconsumer key     {consumer_key}\nconsumer secret  {consumer_secret}\n\
                 try: LAINI_CONSUMER_KEY={consumer_key} LAINI_CONSUMER_SECRET={consumer_secret} laini check 254722000002 --base-url {base_url}"
            )
        })?;
        standing.run(None, std::future::pending()).await
    })
}

/// Where a server without a set place works: the directory that was named, or a fresh one that is
/// removed at the end.
pub(crate) struct Place {
    pub(crate) data: DataDir,
    _fresh: Option<tempfile::TempDir>,
}

impl Place {
    pub(crate) fn of(context: &Context) -> anyhow::Result<Self> {
        if let Some(path) = &context.place.data {
            return Ok(Self { data: DataDir::open(path)?, _fresh: None });
        }
        let fresh = tempfile::Builder::new().prefix("laini-").tempdir()?;
        Ok(Self { data: DataDir::open(fresh.path())?, _fresh: Some(fresh) })
    }
}

/// The partner of this name, made with the standard agreement where it is new.
fn partner(house: &House, config: &Config, name: &str) -> anyhow::Result<PartnerId> {
    let office = house.office(config, &house.ledger_beside()?)?;
    Ok(office.run(&console(), now(), |work| {
        if let Some(known) = work.book()?.partners.into_iter().find(|partner| partner.name == name) {
            return Ok(known.id);
        }
        let partner = Partner::new(PartnerId::from_random(random()), name.to_owned());
        Ok(add_with_standard(work, partner)?.partner)
    })?)
}

/// What an app is called that is made at each start. Those of an earlier one go on working: whoever holds them may not
/// have noticed the restart.
pub(crate) fn at_start(environment: Environment) -> String {
    format!("{}-{:016x}", environment.word(), random())
}

/// Credentials of a new app with all products.
pub(crate) async fn credentials(
    accounts: &dyn AccountStore,
    partner: PartnerId,
    environment: Environment,
    name: &str,
) -> anyhow::Result<Credentials> {
    let Minted { app, secret } = mint(partner, name.to_owned(), environment, ProductSet::all(), AppProfile::default());
    let credentials =
        Credentials { consumer_key: app.consumer_key.as_str().to_owned(), consumer_secret: secret.reveal().to_owned() };
    let audit = audit("app.add", app.id.to_string(), "made at start");
    accounts.add_app(app, audit).await?;
    Ok(credentials)
}
