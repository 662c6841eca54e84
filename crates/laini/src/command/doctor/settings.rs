use std::net::{IpAddr, SocketAddr};

use super::Findings;
use crate::config::{Config, LogLevel};

/// What the settings allow that they should not.
pub(super) fn look(config: &Config, findings: &mut Findings) {
    for (name, listen) in [("server.listen", &config.server.listen), ("metrics.listen", &config.metrics.listen)] {
        if let Ok(address) = listen.parse() {
            look_at_address(name, address, findings);
        }
    }
    for (name, limit, advised_s) in [
        ("registry.swap_stale_after_s", config.registry.swap_stale_after_s, 900),
        ("registry.registration_stale_after_s", config.registry.registration_stale_after_s, 93_600),
    ] {
        if limit == 0 {
            findings.advice(
                "freshness",
                format!("{name} is not set: data of any age is answered as if it were fresh"),
                format!("set {name} = {advised_s}"),
            );
        }
    }
    if config.keys.dir.is_empty() {
        findings.advice(
            "keys",
            "the keys lie inside the data directory: whoever copies that has both",
            "move the key directory to another place and name it with keys.dir",
        );
    }
    if config.log.level == LogLevel::Debug {
        findings.advice("log", "every request leaves a log line", "set log.level = \"info\" once you have seen enough");
    }
}

fn look_at_address(name: &str, address: SocketAddr, findings: &mut Findings) {
    let ip = address.ip().to_canonical();
    if ip.is_loopback() {
        return;
    }
    let is_private = match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    let hint = "serve TLS there, or listen on loopback behind a proxy that does";
    if is_private {
        findings.advice("listener", format!("{name} = {address} speaks plain HTTP on a private network"), hint);
    } else {
        let found = format!("{name} = {address} speaks plain HTTP where everybody can reach it");
        findings.problem("listener", found, hint);
    }
}
