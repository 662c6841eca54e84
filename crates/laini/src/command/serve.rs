//! `laini serve`: production.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use toml::Value;

use super::Context;
use crate::compose::{House, SystemClock};
use crate::config::LogFormat;
use crate::data_dir::DataDir;
use crate::logging;
use crate::out::Out;
use crate::reload::Reload;
use crate::serving::{Offer, run_to_end, stand};

/// `laini serve`
#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Address and port; port 0 picks a free one (default: server.listen, 127.0.0.1:8080).
    #[arg(long, env = "LAINI_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Written, mode 0600, once connections are accepted: {"base_url","pid","sandbox","production"}.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
}

/// Serves until it is told to stop.
pub(crate) fn run(context: &Context, args: &ServeArgs) -> anyhow::Result<()> {
    let data = DataDir::open(&context.data_path())?;
    let flags: Vec<(&str, Value)> =
        args.listen.iter().map(|listen| ("server.listen", Value::String(listen.clone()))).collect();
    let path = data.path().to_owned();
    let reread = || context.settings(&path, &flags);
    let resolved = reread()?;
    let config = resolved.config.clone();
    let log = logging::start(&config.log);
    let house = House::open(data, &config)?;
    for (name, limit) in [
        ("registry.swap_stale_after_s", config.registry.swap_stale_after_s),
        ("registry.registration_stale_after_s", config.registry.registration_stale_after_s),
    ] {
        if limit == 0 {
            tracing::warn!("{name} is not set: data of any age is answered as if it were fresh");
        }
    }
    let offer = Offer {
        registry: house.answering_registry(&config)?,
        accounts: house.accounts()?,
        listeners: config.listeners()?,
        operator: config.operator_listener()?,
        is_reloadable: true,
        clock: Arc::new(SystemClock),
    };
    run_to_end(&config, async {
        let standing = stand(&house, &config, offer).await?;
        standing.tell(args.ready_file.as_deref(), None, None)?;
        // Who collects JSON lines is told by one of them.
        if config.log.format == LogFormat::Human {
            Out::note(&format!("laini serves on {}", standing.base_url));
        }
        standing.run(Some(Reload { log, in_force: resolved, reread: &reread }), std::future::pending()).await
    })
}
