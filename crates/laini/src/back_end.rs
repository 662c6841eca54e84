//! The operator's back end, as the settings describe it.
//!
//! Owns the reading of its credential and certificates from files. Must never show what they hold.

use std::fs;

use anyhow::Context as _;
use laini_upstream::{Clock, HttpRegistry, TlsFiles};

use crate::config::Config;
use crate::failure::WithHint as _;

/// Makes the registry that asks it. Nothing is sent yet.
pub(crate) fn open(config: &Config, clock: Clock) -> anyhow::Result<HttpRegistry> {
    let upstream = &config.upstream;
    let credential = read("upstream.credential_file", &upstream.credential_file)?;
    let credential = credential.map(String::from_utf8).transpose().context("upstream.credential_file is not text")?;
    let credential = credential.as_deref().map(|text| text.lines().next().unwrap_or_default().trim());
    let certificate = read("upstream.client_certificate_file", &upstream.client_certificate_file)?;
    let key = read("upstream.client_key_file", &upstream.client_key_file)?;
    let tls = TlsFiles { authorities: read("upstream.ca_file", &upstream.ca_file)?, client: certificate.zip(key) };
    let target = upstream.target(credential)?;
    HttpRegistry::new(target, config.upstream_mapping()?, &tls, upstream.limits(), clock)
        .hint("upstream.ca_file names authorities to trust; client certificate and key come as two files in PEM")
}

/// The file that a setting names, or `None` where it names none.
fn read(setting: &str, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    if path.is_empty() {
        return Ok(None);
    }
    let bytes = fs::read(path).with_context(|| format!("{setting}: {path} cannot be read"))?;
    Ok(Some(bytes))
}
