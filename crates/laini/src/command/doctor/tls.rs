use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::parse_x509_certificate;

use super::Findings;
use crate::command::context::now;
use crate::config::Config;

/// A certificate that ends sooner should have been renewed.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Those who share neither user nor group with a file.
const EVERYBODY: u32 = 0o007;

/// Certificates, and the files that must stay secret.
pub(super) fn look(config: &Config, findings: &mut Findings) {
    let (tls, upstream) = (&config.tls, &config.upstream);
    if let Err(error) = config.listeners() {
        findings.problem("tls", format!("{error:#}"), "see tls.certificate, tls.key and tls.client_ca");
    }
    for (setting, path) in [
        ("tls.certificate", &tls.certificate),
        ("tls.client_ca", &tls.client_ca),
        ("upstream.client_certificate_file", &upstream.client_certificate_file),
        ("upstream.ca_file", &upstream.ca_file),
    ] {
        // A file that cannot be read was told of by whoever needs it.
        if let Ok(pem) = fs::read(path) {
            look_at_certificates(setting, path, &pem, now(), findings);
        }
    }
    for (setting, path) in [
        ("tls.key", &tls.key),
        ("upstream.client_key_file", &upstream.client_key_file),
        ("upstream.credential_file", &upstream.credential_file),
    ] {
        let is_open = |found: fs::Metadata| found.permissions().mode() & EVERYBODY != 0;
        if fs::metadata(path).is_ok_and(is_open) {
            let found = format!("{setting}: everybody on this machine can read {path}");
            findings.problem("permissions", found, format!("chmod o= {path}"));
        }
    }
}

fn look_at_certificates(setting: &str, path: &str, pem: &[u8], now: Timestamp, findings: &mut Findings) {
    let instant = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    for certificate in CertificateDer::pem_slice_iter(pem).flatten() {
        let Ok((_, certificate)) = parse_x509_certificate(&certificate) else {
            findings.problem("tls", format!("{setting}: {path} holds what is no certificate"), "replace the file");
            continue;
        };
        let validity = certificate.validity();
        let (begins, ends) = (instant(validity.not_before.timestamp()), instant(validity.not_after.timestamp()));
        let whose = certificate.subject();
        let hint = "renew it; the server notices a new file within seconds";
        if ends < now {
            findings.problem("tls", format!("{setting}: the certificate of `{whose}` ended {ends}"), hint);
        } else if ends < now + RENEWED_BEFORE {
            findings.advice("tls", format!("{setting}: the certificate of `{whose}` ends {ends}"), hint);
        } else if begins > now {
            let found = format!("{setting}: the certificate of `{whose}` begins {begins} only");
            findings.problem("tls", found, "set the clock, or take the certificate before this one");
        }
    }
}
