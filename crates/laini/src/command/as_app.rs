use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::failure::WithHint as _;

/// Which server a command asks, and as which app.
#[derive(Args)]
pub(super) struct AsAppArgs {
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
    pub(super) allow_plain_http: bool,
    /// Take server and credentials from a server's ready file.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["consumer_key", "consumer_secret"])]
    ready_file: Option<PathBuf>,
}

/// A server, and the credentials of an app.
pub(super) struct AsApp {
    pub(super) base_url: String,
    pub(super) key: String,
    pub(super) secret: String,
}

impl AsAppArgs {
    /// What was said, or stands in the ready file.
    pub(super) fn read(&self) -> anyhow::Result<AsApp> {
        match (&self.ready_file, &self.consumer_key, &self.consumer_secret) {
            (Some(path), _, _) => from_ready_file(path),
            (None, Some(key), Some(secret)) => {
                Ok(AsApp { base_url: self.base_url.clone(), key: key.clone(), secret: secret.clone() })
            }
            _ => Err(anyhow::anyhow!("credentials are missing"))
                .hint("set LAINI_CONSUMER_KEY and LAINI_CONSUMER_SECRET, or name a server's --ready-file"),
        }
    }
}

fn from_ready_file(path: &Path) -> anyhow::Result<AsApp> {
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
    Ok(AsApp { base_url, key: credential("consumer_key")?, secret: credential("consumer_secret")? })
}
