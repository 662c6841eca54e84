use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use laini_core::partner::App;
use laini_core::store::{AccountBook, AppChange};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{Error, PemObject as _};
use sha2::{Digest as _, Sha256};

use super::change::apply;
use super::show::hex;
use crate::command::Context;
use crate::command::context::because;
use crate::failure::WithHint as _;

/// The largest certificate file that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// How every certificate begins: a sequence whose length takes two bytes.
const DER_START: [u8; 2] = [0x30, 0x82];

/// `laini app certificate`
#[derive(Args)]
pub(crate) struct CertificateArgs {
    /// The app: its id, consumer key or name.
    app: String,
    /// The certificate (PEM or DER); of several in one file the first counts.
    #[arg(required_unless_present = "any")]
    file: Option<PathBuf>,
    /// Answer it under any certificate and under none.
    #[arg(long, conflicts_with = "file")]
    any: bool,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// Answers an app under one client certificate only.
pub(crate) fn run(context: &Context, args: &CertificateArgs) -> anyhow::Result<()> {
    let digest = args.file.as_ref().map(digest).transpose()?;
    let words = digest.map_or("any certificate or none".to_owned(), |digest| format!("certificate {}", hex(&digest)));
    let change = |_: &App, _: &AccountBook| Ok((AppChange::ClientCertificate(digest), because(&words, &args.reason)));
    apply(context, &args.app, "app.certificate", change, |report| format!("{} is answered under {words}", report.name))
}

/// The SHA-256 of the certificate in a file.
fn digest(file: &PathBuf) -> anyhow::Result<[u8; 32]> {
    let unreadable = || format!("{} cannot be read", file.display());
    let size = std::fs::metadata(file).with_context(unreadable)?.len();
    anyhow::ensure!(size <= FILE_BYTES_MAX, "{} is no certificate: it has {size} bytes", file.display());
    let bytes = std::fs::read(file).with_context(unreadable)?;
    let certificate = match CertificateDer::from_pem_slice(&bytes) {
        Err(Error::NoItemsFound) if bytes.starts_with(&DER_START) => CertificateDer::from(bytes),
        read => read
            .with_context(|| format!("{} holds no certificate", file.display()))
            .hint("name the partner's certificate, not its key or its request for one")?,
    };
    Ok(Sha256::digest(&certificate).into())
}
