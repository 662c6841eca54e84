use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::daemon::free_port;
use crate::product::{self, beside};
use crate::server::Server;
use crate::{installed, shell};

const RUN_LIMIT_MINUTES: u32 = 30;
/// Where pictures of every page are left for people to look through.
const PICTURES: &str = "target/pictures";
/// Every page, of which the script reads what there is to look at.
const ACCESS: &str = "crates/laini/tests/it/portal_access.txt";
/// Chromium without the parts that only a screen needs. A whole Chromium that is told to show no window may stop drawing
/// pages that it takes for covered ones.
const CHROMIUM: &str = "/usr/lib/chromium/chromium-headless-shell";
/// What the script prints at its end, before the count.
const COUNT: &str = "browser checks passed: ";

/// Drives the portal of a demo server in a real browser; returns how many checks passed.
pub(crate) fn run() -> Result<u64> {
    product::build()?;
    let folder = shell::root().join("tests/browser");
    let modules = folder.join(".work");
    installed::node(&folder, &modules).context("cannot install what drives the browser")?;
    let pictures = shell::root().join(PICTURES);
    std::fs::create_dir_all(&pictures)?;
    let dir = shell::fresh_dir("browser")?;
    let port = free_port()?;
    let (mut sign_on, config) = registered(&dir, port)?;
    let mut demo = product::laini(&["demo", "--data"]);
    demo.arg(dir.join("data")).arg("--config").arg(config);
    let server = Server::start_at(port, &mut demo, &dir, "demo").context("laini demo")?;
    beside(&dir, &["partner", "add", "Pending Bank", "--agreement", "none"])?;
    let owner = invited(&dir, &["member", "add", "Demo Bank", "owner@bank.example", "--role", "owner"])?;
    let clerk = |email| invited(&dir, &["member", "add", "Demo Bank", email, "--role", "fraud_desk"]);
    clerk("invited@bank.example")?;
    sign_on["invitation"] = clerk("both@bank.example")?.into();
    let staff = invited(&dir, &["staff", "add", "staff@mobile.example", "--role", "admin"])?;
    let feed = ["operator", "key", "add", "browser", "--scopes", "feed:write", "--expires", "1d"];
    let feed_key = beside(&dir, &feed)?["key"].as_str().context("a key was made and not told")?.to_owned();
    let script = folder.join("run.mjs");
    let mut node = shell::command(RUN_LIMIT_MINUTES, &["node"]);
    node.arg(&script).env("LAINI_BASE_URL", server.base_url()?).env("LAINI_MODULES", &modules);
    node.env("LAINI_CHROMIUM", CHROMIUM).env("LAINI_PICTURES", &pictures);
    node.env("LAINI_OWNER", owner).env("LAINI_STAFF", staff).env("LAINI_SIGN_ON", sign_on.to_string());
    node.env("LAINI_LETTERS", dir.join("data/outbox-mail"));
    node.env("LAINI_FEED_KEY", feed_key).env("LAINI_ACCESS", shell::root().join(ACCESS));
    let told = shell::output(&mut node)?;
    print!("{told}");
    server.stop().context("laini demo")?;
    std::fs::remove_dir_all(&dir)?;
    let count = told.lines().find_map(|line| line.strip_prefix(COUNT)).context("the script did not come to its end")?;
    count.parse().context("the script did not count")
}

/// As what the server at `port` is registered at an identity provider, which the script runs, and the settings that
/// say so.
fn registered(dir: &Path, port: u16) -> Result<(Value, PathBuf)> {
    let (issuer, back) = (format!("http://localhost:{}", free_port()?), format!("http://127.0.0.1:{port}/back"));
    let (client, secret) = ("laini portal", "a secret: of the client");
    let (secret_file, config) = (dir.join("client-secret"), dir.join("laini.toml"));
    std::fs::write(&secret_file, secret)?;
    let settings = json!({
        "issuer": issuer, "client_id": client, "client_secret_file": secret_file, "redirect_url": back,
        "email_domains": ["bank.example"],
    });
    let lines = settings.as_object().into_iter().flatten().map(|(name, value)| format!("{name} = {value}\n"));
    std::fs::write(&config, format!("[single_sign_on]\n{}", lines.collect::<String>()))?;
    let sign_on = json!({"issuer": issuer, "client_id": client, "client_secret": secret, "redirect_url": back});
    Ok((sign_on, config))
}

/// Somebody new; the token of their invitation.
fn invited(dir: &Path, words: &[&str]) -> Result<String> {
    beside(dir, words)?["token"].as_str().map(str::to_owned).context("somebody was invited without a token")
}
