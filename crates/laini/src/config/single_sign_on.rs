use anyhow::{Context as _, ensure};
use laini_server::SingleSignOn;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The operator's identity provider.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SingleSignOnConfig {
    issuer: String,
    client_id: String,
    client_secret_file: String,
    audience: String,
    redirect_url: String,
    email_domains: Vec<String>,
}

/// What each of them means.
pub(super) const MEANINGS: &[(&str, &str)] = &[
    (
        "single_sign_on.issuer",
        "The identity provider (OpenID Connect), exactly as it names itself; empty = people sign in by password alone.",
    ),
    ("single_sign_on.client_id", "As what laini is registered there."),
    (
        "single_sign_on.client_secret_file",
        "A file whose first line is the secret of that; empty = a public client, with PKCE alone.",
    ),
    ("single_sign_on.audience", "For whom its tokens are; empty = the client."),
    ("single_sign_on.redirect_url", "The portal's page that browsers come back to, as it is registered there."),
    ("single_sign_on.email_domains", "Domains of e-mail addresses that sign in so; empty = all."),
];

impl SingleSignOnConfig {
    /// As the server takes it, where there is one.
    pub(crate) fn provider(&self) -> anyhow::Result<Option<SingleSignOn>> {
        if self.issuer.is_empty() {
            return Ok(None);
        }
        let audience = if self.audience.is_empty() { &self.client_id } else { &self.audience };
        Ok(Some(SingleSignOn {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret()?,
            audience: audience.clone(),
            redirect_url: self.redirect_url.clone(),
            email_domains: self.email_domains.clone(),
        }))
    }

    fn client_secret(&self) -> anyhow::Result<Option<Zeroizing<String>>> {
        let file = &self.client_secret_file;
        if file.is_empty() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(file);
        let text =
            Zeroizing::new(text.with_context(|| format!("single_sign_on.client_secret_file: {file} cannot be read"))?);
        Ok(Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())))
    }

    /// Checks what types alone cannot.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.issuer.is_empty() {
            return Ok(());
        }
        ensure!(
            is_protected(&self.issuer),
            "single_sign_on.issuer is no https URL without query (http is for this machine alone)"
        );
        ensure!(!self.client_id.is_empty(), "single_sign_on.client_id must say as what laini is registered");
        ensure!(is_protected(&self.redirect_url), "single_sign_on.redirect_url is no https URL without query");
        let is_domain = |domain: &String| !domain.is_empty() && !domain.contains(['@', '/', ' ', '*']);
        ensure!(
            self.email_domains.iter().all(is_domain),
            "single_sign_on.email_domains holds domains, such as mobile.example"
        );
        Ok(())
    }
}

/// Whether a URL leads over TLS, or nowhere but to this machine.
pub(super) fn is_protected(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        is_plain && (url.scheme() == "https" || (url.scheme() == "http" && is_here))
    })
}

#[cfg(test)]
mod tests {
    use super::super::resolve;

    fn read(text: &str) -> anyhow::Result<()> {
        resolve(Some(("laini.toml", text)), &|_| None, &[]).map(drop)
    }

    #[test]
    fn a_provider_is_named_whole_and_reached_over_tls() {
        let provider = |rest: &str| read(&format!("[single_sign_on]\n{rest}\n"));
        let whole = "issuer = \"https://id.example\"\nclient_id = \"laini\"\n";
        let back = "redirect_url = \"https://portal.example/back\"\n";
        for (rest, problem) in [
            ("issuer = \"http://id.example\"".to_owned(), "issuer"),
            ("issuer = \"https://id.example/?tenant=a\"".to_owned(), "issuer"),
            ("issuer = \"https://id.example\"".to_owned(), "client_id"),
            (whole.to_owned(), "redirect_url"),
            (format!("{whole}redirect_url = \"http://portal.example\""), "redirect_url"),
            (format!("{whole}{back}email_domains = [\"@mobile.example\"]"), "email_domains"),
        ] {
            let told = format!("{:#}", provider(&rest).unwrap_err());
            assert!(told.contains(&format!("single_sign_on.{problem}")), "{rest}: {told}");
        }
        provider(&format!("{whole}{back}email_domains = [\"mobile.example\"]")).unwrap();
        provider("issuer = \"http://127.0.0.1:8080\"\nclient_id = \"laini\"\nredirect_url = \"http://localhost/\"")
            .unwrap();
    }
}
