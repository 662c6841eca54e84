use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use laini_core::access::AddressRules;
use laini_core::delivery::Reach;
use laini_server::http::{ForwardedHeader, HostNames, Tls, TlsFiles, TrustedProxies, is_host_name};
use laini_server::{Capability, Environments, Listener, SwitchedOff};
use serde::{Deserialize, Serialize};

use super::Config;
use crate::failure::WithHint as _;

/// TLS of the listeners.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TlsConfig {
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) client_ca: String,
    pub(crate) client_certificate_required: bool,
    pub(crate) plain_listeners: Vec<String>,
}

/// The setting that names the address of the operator's own listener.
const OPERATOR: &str = "operator_listen";

/// The settings that name a listener's address, and whom it answers.
const LISTENERS: [(&str, Environments); 3] = [
    ("listen", Environments::Both),
    ("sandbox_listen", Environments::SandboxOnly),
    ("production_listen", Environments::ProductionOnly),
];

impl Config {
    /// The partners' listeners, with TLS where it is set up.
    pub(crate) fn listeners(&self) -> anyhow::Result<Vec<Listener>> {
        let tls = self.load_tls()?;
        let addressed = self.addressed_listeners()?.into_iter();
        let listener =
            |(name, address, environments)| Listener { address, environments, tls: self.tls_of(name, tls.as_ref()) };
        Ok(addressed.map(listener).collect())
    }

    /// The listener of the operator's own API, where it has one.
    pub(crate) fn operator_listener(&self) -> anyhow::Result<Option<Listener>> {
        let Some(address) = self.operator_address()? else { return Ok(None) };
        let tls = self.tls_of(OPERATOR, self.load_tls()?.as_ref());
        Ok(Some(Listener { address, environments: Environments::Neither, tls }))
    }

    fn load_tls(&self) -> anyhow::Result<Option<Arc<Tls>>> {
        let tls = self.tls_files().map(Tls::load).transpose().context("TLS cannot be set up");
        let tls = tls.hint("tls.certificate is the chain and tls.key the private key that belongs to it, both PEM")?;
        Ok(tls.map(Arc::new))
    }

    fn tls_of(&self, name: &str, tls: Option<&Arc<Tls>>) -> Option<Arc<Tls>> {
        tls.cloned().filter(|_| !self.tls.plain_listeners.iter().any(|plain| plain == name))
    }

    fn operator_address(&self) -> anyhow::Result<Option<SocketAddr>> {
        let text = &self.server.operator_listen;
        let address = (!text.is_empty()).then(|| text.parse()).transpose();
        address.with_context(|| format!("server.{OPERATOR}: `{text}` is no address:port"))
    }

    /// Names that are bound to an environment.
    pub(crate) fn hosts(&self) -> HostNames {
        let lower = |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase()).collect();
        HostNames { sandbox: lower(&self.server.sandbox_hosts), production: lower(&self.server.production_hosts) }
    }

    /// The proxies that are believed.
    pub(crate) fn proxies(&self) -> anyhow::Result<TrustedProxies> {
        let networks = AddressRules::parse(self.server.trusted_proxies.iter().map(String::as_str))
            .context("server.trusted_proxies")?;
        let header = match self.server.forwarded_header.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => ForwardedHeader::XForwardedFor,
            "forwarded" => ForwardedHeader::Forwarded,
            other => bail!("server.forwarded_header: `{other}` is neither x-forwarded-for nor forwarded"),
        };
        Ok(TrustedProxies { networks, header })
    }

    /// What is not offered.
    pub(crate) fn switched_off(&self) -> anyhow::Result<SwitchedOff> {
        let capability = |word: &String| {
            Capability::parse(word).with_context(|| {
                let known: Vec<&str> = Capability::WORDS.iter().map(|(_, word)| *word).collect();
                format!("server.switched_off: `{word}` is none of {}", known.join(", "))
            })
        };
        self.server.switched_off.iter().map(capability).collect()
    }

    /// How far a server with these settings delivers.
    pub(crate) fn reach(&self) -> anyhow::Result<Reach> {
        let addresses = self.addressed_listeners()?.into_iter().map(|(_, address, _)| address.ip());
        Ok(Reach::of_server(addresses, !self.proxies()?.networks.is_empty()))
    }

    /// Checks what types alone cannot.
    pub(super) fn check_listeners(&self) -> anyhow::Result<()> {
        self.addressed_listeners()?;
        self.operator_address()?;
        self.switched_off()?;
        self.proxies()?;
        let hosts = self.hosts();
        for name in hosts.sandbox.iter().chain(&hosts.production) {
            ensure!(is_host_name(name), "server.*_hosts: `{name}` is no host name (without scheme, port or path)");
        }
        if let Some(both) = hosts.sandbox.iter().find(|name| hosts.production.contains(name)) {
            bail!("{both} stands both in server.sandbox_hosts and in server.production_hosts");
        }
        let tls = &self.tls;
        ensure!(
            tls.certificate.is_empty() == tls.key.is_empty(),
            "tls.certificate and tls.key belong together: set both or neither"
        );
        ensure!(
            tls.client_ca.is_empty() || !tls.certificate.is_empty(),
            "tls.client_ca needs tls.certificate and tls.key"
        );
        ensure!(
            !tls.client_certificate_required || !tls.client_ca.is_empty(),
            "tls.client_certificate_required needs tls.client_ca"
        );
        for plain in &tls.plain_listeners {
            let known: Vec<&str> = LISTENERS.iter().map(|(name, _)| *name).chain([OPERATOR]).collect();
            ensure!(known.contains(&plain.as_str()), "tls.plain_listeners: `{plain}` is none of {}", known.join(", "));
        }
        Ok(())
    }

    fn addressed_listeners(&self) -> anyhow::Result<Vec<(&'static str, SocketAddr, Environments)>> {
        let server = &self.server;
        let texts = [&server.listen, &server.sandbox_listen, &server.production_listen];
        let mut listeners = Vec::new();
        for ((name, environments), text) in LISTENERS.into_iter().zip(texts) {
            if !text.is_empty() {
                let address = text.parse().with_context(|| format!("server.{name}: `{text}` is no address:port"))?;
                listeners.push((name, address, environments));
            }
        }
        ensure!(
            !listeners.is_empty(),
            "server.listen: `` is no address:port, and neither server.sandbox_listen nor server.production_listen is set"
        );
        Ok(listeners)
    }

    fn tls_files(&self) -> Option<TlsFiles> {
        let tls = &self.tls;
        let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
        Some(TlsFiles {
            certificate: path(&tls.certificate)?,
            key: path(&tls.key)?,
            client_ca: path(&tls.client_ca),
            client_certificate_required: tls.client_certificate_required,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn by_default_one_plain_listener_answers_both_environments_and_no_proxy_is_believed() {
        let config = Config::default();
        let listeners = config.listeners().unwrap();
        let [Listener { address, environments: Environments::Both, tls: None }] = &*listeners else {
            panic!("{listeners:?}")
        };
        assert_eq!(address.to_string(), "127.0.0.1:8080");
        assert!(config.proxies().unwrap().networks.is_empty());
    }

    #[test]
    fn environments_can_have_listeners_of_their_own_and_nobody_else_any() {
        let mut config = Config::default();
        config.server.listen = String::new();
        config.server.sandbox_listen = "127.0.0.1:8081".to_owned();
        config.server.production_listen = "127.0.0.1:8082".to_owned();
        config.check().unwrap();
        let environments: Vec<_> = config.listeners().unwrap().into_iter().map(|one| one.environments).collect();
        assert_eq!(environments, [Environments::SandboxOnly, Environments::ProductionOnly]);
    }

    #[test]
    fn contradictions_are_named() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let cases = [
            (refusal(|c| c.server.listen = String::new()), "server.listen"),
            (refusal(|c| c.server.sandbox_listen = "8081".into()), "server.sandbox_listen: `8081`"),
            (refusal(|c| c.server.switched_off = names(&["imsi", "fax"])), "`fax` is none of imsi, swap"),
            (refusal(|c| c.server.operator_listen = "8081".into()), "server.operator_listen: `8081`"),
            (refusal(|c| c.server.sandbox_hosts = names(&["https://a.test"])), "is no host name"),
            (
                refusal(|c| {
                    c.server.sandbox_hosts = names(&["a.test"]);
                    c.server.production_hosts = names(&["A.test"]);
                }),
                "a.test stands both",
            ),
            (refusal(|c| c.server.trusted_proxies = names(&["10.0.0.1/8"])), "server.trusted_proxies"),
            (refusal(|c| c.server.forwarded_header = "via".into()), "server.forwarded_header"),
            (refusal(|c| c.tls.certificate = "a.pem".into()), "tls.certificate and tls.key"),
            (refusal(|c| c.tls.client_ca = "a.pem".into()), "tls.client_ca needs"),
            (refusal(|c| c.tls.client_certificate_required = true), "tls.client_certificate_required needs"),
            (refusal(|c| c.tls.plain_listeners = names(&["metrics"])), "`metrics` is none of"),
        ];
        for (said, expected) in cases {
            assert!(said.contains(expected), "{said}");
        }
    }
}
