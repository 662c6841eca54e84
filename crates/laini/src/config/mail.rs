use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use laini_office::PeopleSettings;
use laini_office::mail::Carrier;
use laini_server::mail::{FolderCarrier, Sender, SmtpCarrier, SmtpSettings, SmtpTls};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Where letters lie in the data directory, without a mail server.
const FOLDER: &str = "outbox-mail";

/// How letters leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailKind {
    /// As files in a folder of the data directory.
    #[default]
    Folder,
    /// Over a mail server.
    Smtp,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MailTls {
    Implicit,
    #[default]
    Starttls,
    None,
}

/// How people are written to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MailConfig {
    kind: MailKind,
    from: String,
    host: String,
    port: u16,
    tls: MailTls,
    user: String,
    password_file: String,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            kind: MailKind::Folder,
            from: "laini@localhost".into(),
            host: String::new(),
            port: 587,
            tls: MailTls::Starttls,
            user: String::new(),
            password_file: String::new(),
        }
    }
}

/// How people sign in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignInConfig {
    pub(crate) portal_url: String,
    staff_second_factor: bool,
    pub(crate) registration: bool,
}

impl Default for SignInConfig {
    fn default() -> Self {
        let PeopleSettings { portal_url, staff_second_factor, registration } = PeopleSettings::default();
        Self { portal_url, staff_second_factor, registration }
    }
}

/// What each of them means.
pub(super) const MEANINGS: &[(&str, &str)] = &[
    ("mail.kind", "folder: letters are files in outbox-mail/ of the data directory; smtp: a mail server sends them."),
    ("mail.from", "Who letters are from: laini@mobile.example, or Mobile <laini@mobile.example>."),
    ("mail.host", "The mail server."),
    ("mail.port", "Its port: 587 with starttls, 465 with implicit."),
    ("mail.tls", "starttls, implicit, or none: for a mail server on this machine alone."),
    ("mail.user", "Who signs in there; empty = nobody."),
    ("mail.password_file", "A file whose first line is the password there."),
    (
        "sign_in.portal_url",
        "Where the portal's pages are, for links in letters (empty = letters hold the token alone), and where their \
         examples ask unless server.sandbox_hosts names another host.",
    ),
    ("sign_in.staff_second_factor", "Whether staff may do nothing before they have a second factor."),
    ("sign_in.registration", "Whether strangers may register an organisation; its onboarding begins then."),
];

impl MailConfig {
    /// What carries letters, as the settings say.
    pub(crate) fn carrier(&self, data: &Path) -> anyhow::Result<Arc<dyn Carrier>> {
        let from = self.sender()?;
        if self.kind == MailKind::Folder {
            return Ok(Arc::new(FolderCarrier::new(data.join(FOLDER), from)));
        }
        let tls = match self.tls {
            MailTls::Implicit => SmtpTls::Implicit,
            MailTls::Starttls => SmtpTls::StartTls,
            MailTls::None => SmtpTls::None,
        };
        let settings =
            SmtpSettings { host: self.host.clone(), port: self.port, tls, credentials: self.credentials()?, from };
        Ok(Arc::new(SmtpCarrier::new(settings)?))
    }

    fn credentials(&self) -> anyhow::Result<Option<(String, Zeroizing<String>)>> {
        if self.user.is_empty() {
            return Ok(None);
        }
        let file = &self.password_file;
        let text = std::fs::read_to_string(file).with_context(|| format!("mail.password_file: {file} cannot be read"));
        let text = Zeroizing::new(text?);
        Ok(Some((self.user.clone(), Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))))
    }

    fn sender(&self) -> anyhow::Result<Sender> {
        Sender::parse(&self.from).context("mail.from")
    }

    /// Checks what types alone cannot.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.sender()?;
        if self.kind == MailKind::Folder {
            return Ok(());
        }
        ensure!(!self.host.is_empty(), "mail.host must name the mail server");
        ensure!(self.port > 0, "mail.port is not within 1 to 65535");
        ensure!(
            self.user.is_empty() == self.password_file.is_empty(),
            "mail.user and mail.password_file belong together"
        );
        let is_here = ["localhost", "127.0.0.1", "::1"].contains(&&*self.host);
        ensure!(self.tls != MailTls::None || is_here, "mail.tls = \"none\" is for a mail server on this machine alone");
        Ok(())
    }
}

impl SignInConfig {
    /// As the office takes it.
    pub(super) fn people(&self) -> PeopleSettings {
        let Self { portal_url, staff_second_factor, registration } = self.clone();
        PeopleSettings { portal_url, staff_second_factor, registration }
    }

    /// Checks what types alone cannot.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let url = Url::parse(&self.portal_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let fits =
            url.is_some_and(|url| url.fragment().is_none() && url.query().is_none() && url.username().is_empty());
        ensure!(
            self.portal_url.is_empty() || fits,
            "sign_in.portal_url is no URL of pages, such as https://portal.mobile.example"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve;

    fn read(text: &str) -> anyhow::Result<()> {
        resolve(Some(("laini.toml", text)), &|_| None, &[]).map(drop)
    }

    #[test]
    fn a_mail_server_is_named_whole_and_spoken_to_under_tls() {
        let smtp = |rest: &str| read(&format!("[mail]\nkind = \"smtp\"\n{rest}\n"));
        for (rest, problem) in [
            ("", "mail.host must"),
            ("host = \"mx.example\"\ntls = \"none\"", "on this machine alone"),
            ("host = \"mx.example\"\nuser = \"laini\"", "belong together"),
            ("host = \"mx.example\"\nfrom = \"nobody\"", "mail.from"),
            ("host = \"mx.example\"\nport = 0", "mail.port"),
        ] {
            assert!(format!("{:#}", smtp(rest).unwrap_err()).contains(problem), "{rest}");
        }
        smtp("host = \"mx.example\"\nfrom = \"Mobile <laini@mobile.example>\"").unwrap();
        smtp("host = \"127.0.0.1\"\ntls = \"none\"\nport = 25").unwrap();
    }

    #[test]
    fn the_portal_is_a_url_of_pages() {
        let portal = |url: &str| read(&format!("[sign_in]\nportal_url = \"{url}\"\n"));
        for url in ["portal.example", "ftp://portal.example", "https://portal.example/?a=b", "https://a@portal.example"]
        {
            assert!(portal(url).unwrap_err().to_string().contains("sign_in.portal_url"), "{url}");
        }
        portal("https://portal.mobile.example/office").unwrap();
    }
}
