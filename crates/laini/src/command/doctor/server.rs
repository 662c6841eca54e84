use std::time::Duration;

use laini_server::Listener;
use rustix::process::{Pid, test_kill_process};
use serde::Deserialize;

use super::Findings;
use crate::command::context::block_on;
use crate::compose::last_server;
use crate::config::Config;
use crate::data_dir::DataDir;

/// How long a server that runs may take for its own health.
const ANSWER_TIMEOUT_MS: u64 = 5_000;

/// What `/readyz` says.
#[derive(Deserialize)]
struct Health {
    #[serde(default)]
    reasons: Vec<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

/// Asks the server of the data directory, where one runs, how it is.
pub(super) fn look(config: &Config, data: &DataDir, findings: &mut Findings) {
    let Some(pid) = last_server(data.path()).filter(|pid| is_running(*pid)) else { return };
    // Whom a listener turns away without a certificate of its own, it tells nothing.
    let is_closed = |listener: &Listener| listener.tls.is_some() && config.tls.client_certificate_required;
    for listener in config.listeners().unwrap_or_default() {
        if listener.address.port() == 0 || is_closed(&listener) {
            continue;
        }
        match block_on(ask(&listener)).and_then(|asked| Ok(asked?)) {
            Ok(Health { reasons, warnings }) => {
                let hint = "the server's log says more; see docs/guide/observe.md";
                for reason in reasons {
                    findings.problem("server", format!("checks cannot be answered: {reason}"), hint);
                }
                for warning in warnings {
                    findings.advice("server", warning, hint);
                }
            }
            // It may have been started with flags, which nobody sees here.
            Err(error) => findings.advice(
                "server",
                format!("process {pid} serves the data directory, and {} gives no answer: {error:#}", listener.address),
                "its settings may be others than these: name them with --config; else see its log",
            ),
        }
    }
}

fn is_running(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // One that must not be signalled is there as well.
    pid.is_some_and(|pid| !matches!(test_kill_process(pid), Err(error) if error == rustix::io::Errno::SRCH))
}

async fn ask(listener: &Listener) -> reqwest::Result<Health> {
    let scheme = if listener.tls.is_some() { "https" } else { "http" };
    let mut address = listener.address;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_millis(ANSWER_TIMEOUT_MS))
        // It is asked by address, which no certificate names; nothing secret is sent or believed.
        .tls_danger_accept_invalid_certs(true)
        .build()?;
    let answer = client.get(format!("{scheme}://{address}/readyz")).send().await?;
    serde_json::from_slice(&answer.bytes().await?).map_or_else(
        |_| Ok(Health { reasons: vec!["its answer is not one of laini's".to_owned()], warnings: Vec::new() }),
        Ok,
    )
}
