use std::net::{IpAddr, SocketAddr};

use super::Findings;
use crate::config::{Config, LogLevel};

/// What the settings allow that they should not.
pub(super) fn look(config: &Config, findings: &mut Findings) {
    for (name, address) in plain_listeners(config) {
        look_at_address(&name, address, findings);
    }
    look_at_proxies(config, findings);
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

/// Every address on which plain HTTP is spoken, and the setting that says so.
fn plain_listeners(config: &Config) -> Vec<(String, SocketAddr)> {
    let server = &config.server;
    let is_plain =
        |name: &str| config.tls.certificate.is_empty() || config.tls.plain_listeners.iter().any(|plain| plain == name);
    let servers = [
        ("listen", &server.listen),
        ("sandbox_listen", &server.sandbox_listen),
        ("production_listen", &server.production_listen),
        ("operator_listen", &server.operator_listen),
    ];
    let servers = servers.into_iter().filter(|(name, _)| is_plain(name));
    let named = servers.map(|(name, listen)| (format!("server.{name}"), listen));
    let named = named.chain([("metrics.listen".to_owned(), &config.metrics.listen)]);
    named.filter_map(|(name, listen)| Some((name, listen.parse().ok()?))).collect()
}

/// Whether strangers can say where they come from, and whether everybody seems to come from one place.
fn look_at_proxies(config: &Config, findings: &mut Findings) {
    let server = &config.server;
    for everybody in server.trusted_proxies.iter().filter(|network| network.ends_with("/0")) {
        let found = format!("server.trusted_proxies holds {everybody}: every caller can claim any address");
        findings.problem("proxy", found, "name the addresses of your proxies alone");
    }
    let listen = [&server.listen, &server.sandbox_listen, &server.production_listen];
    let mut addresses = listen.into_iter().filter_map(|listen| listen.parse::<SocketAddr>().ok());
    if server.trusted_proxies.is_empty() && addresses.all(|address| address.ip().to_canonical().is_loopback()) {
        let found =
            "only this machine can connect, and no proxy is trusted: behind a proxy all callers have one address";
        let hint = "with a proxy in front set server.trusted_proxies = [\"127.0.0.1\"], or limits per address count all as one";
        findings.advice("proxy", found, hint);
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
